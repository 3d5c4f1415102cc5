//! Carries out what persons ask: decides held lines, decides refused lines again, takes cases off
//! the list, withdraws imports.
//!
//! A command that cannot be carried out is refused with a reason of the registry and changes
//! nothing; its result is kept like any other, so that the same command gets the same answer.

use std::sync::Arc;

use samenloop_adapters::{
    broker::Delivery,
    clock::receipt_date,
    consume::{HandleError, Handler},
    decision_store::{
        CaseKind, DecidedCommand, DecisionTransaction, Freed, NewCase, NewOutboxRow, OutboxBody,
        RevisedLine,
    },
    wire::{
        claim, outcome,
        record::write_line_id,
        review::{self, Action, Command},
    },
};
use samenloop_domain::{
    coverage::CoverageId,
    decision::{Choice, Loser, Rejudged, Review, Revision, Verdict, decide_review, rejudge},
    identifiers::{PartyId, Sequence},
    rejection::Rejection,
};
use samenloop_proto::record::v1::{self as log, log_entry::Entry};

use crate::{
    deciding::Deciding,
    freed::{Again, Gone},
    handle::DetectionHandler,
    record,
};

/// What consumes the queue `commands`.
#[derive(Clone, Debug)]
pub struct CommandHandler(pub Arc<DetectionHandler>);

impl Handler for CommandHandler {
    const STAGE: &'static str = DetectionHandler::STAGE;

    async fn handle(&self, batch: Arc<Vec<Delivery>>) -> Result<(), HandleError> {
        let decode = |delivery: &Delivery| review::decode_command(&delivery.message.body);
        let commands: Result<Vec<Command>, _> = batch.iter().map(decode).collect();
        let commands = commands.map_err(|error| HandleError::Failed(error.to_string()))?;
        self.0.carry_out(commands).await
    }

    /// A command comes from no party.
    fn sender(&self, _: &Delivery) -> Option<PartyId> {
        None
    }
}

/// A command that is refused, or a world that is wrong.
enum Stopped {
    Refused(Rejection),
    World(HandleError),
}

impl From<HandleError> for Stopped {
    fn from(error: HandleError) -> Self {
        Self::World(error)
    }
}

impl From<Rejection> for Stopped {
    fn from(refusal: Rejection) -> Self {
        Self::Refused(refusal)
    }
}

impl From<samenloop_adapters::decision_store::StoreError> for Stopped {
    fn from(error: samenloop_adapters::decision_store::StoreError) -> Self {
        Self::World(error.into())
    }
}

impl Deciding<'_> {
    /// Carries out a command, unless its id was used before: the first content stands, and another one is refused.
    ///
    /// Whoever asked is told by [`DecidedCommand::answer`].
    pub(crate) async fn carry_out(
        &mut self,
        command: Command,
        transaction: &mut DecisionTransaction,
    ) -> Result<(), HandleError> {
        let here = self.batch.commands.iter();
        let here = here.filter(|it| it.id == command.id);
        let known = match here.map(|it| it.content_digest).next() {
            Some(digest) => Some(digest),
            None => (transaction.load_command(command.id).await?).map(|it| it.content_digest),
        };
        if let Some(digest) = known {
            // Nothing is written: whoever asks for the result of another content is refused by that of the first.
            if digest == command.digest() {
                tracing::info!(command = %command.id, "a command came again");
            } else {
                tracing::warn!(command = %command.id, "the id of a command was used for another one");
            }
            return Ok(());
        }
        let done = match &command.action {
            Action::Decide { .. } => self.decide_held(&command, transaction).await,
            Action::Rejudge(line) => self.decide_refused(*line, &command, transaction).await,
            Action::Dismiss(case) => self.dismiss(*case, &command, transaction).await,
            Action::WithdrawImport(sequence) => {
                self.withdraw_import(*sequence, &command, transaction).await
            }
            Action::EndStanding(decided) => {
                self.end_standing(*decided, &command, transaction).await
            }
        };
        let result = match done {
            Ok(result) => result,
            Err(Stopped::Refused(refusal)) => review::refused(&refusal),
            Err(Stopped::World(error)) => return Err(error),
        };
        self.batch.commands.push(DecidedCommand {
            id: command.id,
            content_digest: command.digest(),
            person: command.kept.person.clone(),
            sequence: Some(Sequence(result.sequence)).filter(|sequence| sequence.0 > 0),
            result,
            decided_at: self.now,
        });
        Ok(())
    }

    async fn decide_held(
        &mut self,
        command: &Command,
        transaction: &mut DecisionTransaction,
    ) -> Result<log::CommandResult, Stopped> {
        let Action::Decide {
            line,
            version_seen,
            choice,
            overrides,
            standing,
        } = &command.action
        else {
            return Err(unknown("action").into());
        };
        let again = self.again(*line, transaction).await?;
        let again = again.ok_or_else(|| unknown("line"))?;
        let review = Review {
            input: &again.intake.validated,
            line: *line,
            version_seen: *version_seen,
            shown: &again.shown,
            choice: *choice,
            overrides,
            standing: Some(self.number_ahead()).filter(|_| *standing),
        };
        let revision = decide_review(&review, &again.past, self.reference)?;
        if *choice != Choice::Refuse {
            self.check_second_person(command, &revision)?;
        }
        let sequence = self.number();
        let held = again.past.coverage.entry(*line);
        let gone = Gone {
            line: *line,
            held: held.map(|covered| covered.coverage.clone()),
        };
        let leaves = revision.decision.verdict == Verdict::Reject;
        let judged = review::write_judged(&again.intake.validated, line.line);
        let overridden = review::write_overridden(&revision);
        let standing = review::write_standing(&revision.standing);
        self.list_superseded(sequence, &revision);
        let revised = self.revise(sequence, again, revision, transaction).await?;
        let entry = Entry::ReviewDecided(log::ReviewDecided {
            command: Some(command.kept.clone()),
            judged: Some(judged),
            revised: Some(revised.clone()),
            overridden,
            standing: standing.clone(),
        });
        let entry = record::entry(sequence, "review_decided", self.now, entry);
        self.batch.log.push(entry);
        if leaves {
            self.follow(sequence, &[gone], transaction).await?;
        }
        Ok(log::CommandResult {
            standing,
            ..review::carried_out(sequence, &revised)
        })
    }

    /// Above an amount two persons agree to pay, and whatever it is where the acceptance stands for lines to come.
    fn check_second_person(&self, command: &Command, revision: &Revision) -> Result<(), Rejection> {
        let limit = match revision.standing.is_empty() {
            true => self.handler.reviews.second_person_above_cents,
            false => 0,
        };
        let awarded = revision.decision.awarded.get();
        let above = u64::try_from(awarded).is_ok_and(|awarded| awarded > limit)
            || !revision.standing.is_empty();
        let (first, second) = (&command.kept.person, &command.kept.second_person);
        let agrees = !second.is_empty() && !second.trim().eq_ignore_ascii_case(first.trim());
        if above && revision.decision.verdict.awards() && !agrees {
            let refusal = Rejection::new("second_person", &["GDC-TWEEDE-PERSOON"]);
            return Err(refusal.with("above_cents", limit));
        }
        Ok(())
    }

    async fn decide_refused(
        &mut self,
        line: CoverageId,
        command: &Command,
        transaction: &mut DecisionTransaction,
    ) -> Result<log::CommandResult, Stopped> {
        let again = self.again(line, transaction).await?;
        let again = again.ok_or_else(|| unknown("line"))?;
        let loser = Loser {
            input: &again.intake.validated,
            line,
            others_use_part: again.shown.others_use_part,
            today: receipt_date(self.now),
        };
        match rejudge(loser, &again.past, self.reference) {
            Rejudged::Excluded(_) | Rejudged::Left => Err(unknown("free line").into()),
            Rejudged::Free(revision) => {
                let sequence = self.number_ahead();
                let kept = Some(command.kept.clone());
                let revised = self
                    .rejudged(sequence, kept, again, *revision, transaction)
                    .await?;
                Ok(review::carried_out(sequence, &revised))
            }
        }
    }

    async fn dismiss(
        &mut self,
        case: u64,
        command: &Command,
        transaction: &mut DecisionTransaction,
    ) -> Result<log::CommandResult, Stopped> {
        let here = self.batch.dismissed.iter().any(|(id, _)| *id == case);
        let open = transaction.load_open_case(case).await?;
        let open = open.filter(|_| !here);
        let open = open.ok_or_else(|| unknown("open case"))?.case;
        let sequence = self.number();
        let entry = Entry::CaseDismissed(log::CaseDismissed {
            command: Some(command.kept.clone()),
            kind: open.kind.as_str().to_owned(),
            line: Some(write_line_id(open.line)),
            other: Some(write_line_id(open.other)),
        });
        let entry = record::entry(sequence, "case_dismissed", self.now, entry);
        self.batch.log.push(entry);
        self.batch.dismissed.push((case, command.id));
        Ok(log::CommandResult {
            sequence: sequence.0,
            ..log::CommandResult::default()
        })
    }

    async fn withdraw_import(
        &mut self,
        chunk: Sequence,
        command: &Command,
        transaction: &mut DecisionTransaction,
    ) -> Result<log::CommandResult, Stopped> {
        let here = self.batch.withdrawn_imports.contains(&chunk);
        if here || !transaction.is_import_in_force(chunk).await? {
            return Err(unknown("imported chunk in force").into());
        }
        let sequence = self.number();
        let entry = Entry::ImportWithdrawn(log::ImportWithdrawn {
            command: Some(command.kept.clone()),
            sequence: chunk.0,
        });
        let entry = record::entry(sequence, "import_withdrawn", self.now, entry);
        self.batch.log.push(entry);
        self.import_withdrawn(chunk);
        self.look_at_excluded(sequence, &[Freed::Import(chunk)], transaction)
            .await?;
        Ok(log::CommandResult {
            sequence: sequence.0,
            ..log::CommandResult::default()
        })
    }

    async fn end_standing(
        &mut self,
        decided: Sequence,
        command: &Command,
        transaction: &mut DecisionTransaction,
    ) -> Result<log::CommandResult, Stopped> {
        let here = self.batch.ended_standing.contains(&decided);
        if here || !transaction.is_standing(decided).await? {
            return Err(unknown("decision that stands").into());
        }
        let sequence = self.number();
        let entry = Entry::StandingEnded(log::StandingEnded {
            command: Some(command.kept.clone()),
            sequence: decided.0,
        });
        let entry = record::entry(sequence, "standing_ended", self.now, entry);
        self.batch.log.push(entry);
        self.standing_ended(decided);
        Ok(log::CommandResult {
            sequence: sequence.0,
            ..log::CommandResult::default()
        })
    }

    /// Adds the new decision of a line to the batch: its row, the new version of the outcome, and
    /// its claim.
    pub(crate) async fn revise(
        &mut self,
        sequence: Sequence,
        again: Again,
        revision: Revision,
        transaction: &mut DecisionTransaction,
    ) -> Result<log::RevisedLine, HandleError> {
        let (input, traceparent) = (&again.intake.validated, &again.intake.traceparent);
        let declaration = &input.declaration;
        let wrong = || HandleError::Failed(format!("entry {sequence} revises a foreign line"));
        let declarant = declaration.declarant_agb.agb().ok_or_else(wrong)?;
        let id = declaration.message_id;
        let (party, newest) = self.newest_outcome(id, transaction).await?;
        let next = outcome::with_revision(&newest, &revision);
        let before = newest.lines.iter();
        let mut before = before.filter(|it| it.line_number == revision.decision.line_number);
        let reasons_before: Vec<&str> = (before.next().into_iter())
            .flat_map(|line| line.reasons.iter().map(|reason| reason.code.as_str()))
            .collect();
        let version = self.reference.version.as_str();
        let claim = claim::of_revision(input, &revision, self.now, version, traceparent);
        if let Some(claim) = claim {
            self.batch.outbox.push(NewOutboxRow {
                party: None,
                traceparent: traceparent.clone(),
                body: OutboxBody::Claims(vec![claim]),
            });
        }
        self.send_newest(&party, &next, traceparent);
        let revised = review::write_revised(&next, &revision);
        self.outcomes.insert(id, (party.clone(), next.clone()));
        self.batch.revised.push((party, next));
        self.batch.revisions.push(RevisedLine {
            revision,
            declarant,
            insurer: declaration.insurer_uzovi.to_string(),
            reasons_before: reasons_before.join(" "),
        });
        self.revised();
        Ok(revised)
    }

    /// However many lines of a message are decided again in a batch, its party gets the newest
    /// version only.
    fn send_newest(
        &mut self,
        party: &PartyId,
        next: &samenloop_proto::declaration::v1::Outcome,
        traceparent: &str,
    ) {
        let revised = self.batch.revised.iter();
        let passed: Vec<u32> = (revised.filter(|(_, it)| it.message_id == next.message_id))
            .map(|(_, it)| it.version)
            .collect();
        self.batch.outbox.retain(|row| match &row.body {
            OutboxBody::Outcome(sent) => {
                sent.message_id != next.message_id || !passed.contains(&sent.version)
            }
            OutboxBody::Claims(_) | OutboxBody::Refusal(_) => true,
        });
        self.batch.outbox.push(NewOutboxRow {
            party: Some(party.clone()),
            traceparent: traceparent.to_owned(),
            body: OutboxBody::Outcome(next.clone()),
        });
    }

    /// Lists the rivals beside which a line is paid by an override.
    fn list_superseded(&mut self, cause: Sequence, revision: &Revision) {
        for evidence in &revision.overridden {
            let Some(rival) = &evidence.rival else {
                continue;
            };
            let contract = rival.contract_id.as_ref();
            self.batch.cases.push(NewCase {
                kind: CaseKind::Superseded,
                line: rival.id,
                other: revision.line,
                cause,
                line_reference: rival.line_reference.to_string(),
                declarant: rival.declarant,
                insurer: rival.insurer.to_string(),
                contract_id: contract.map(ToString::to_string).unwrap_or_default(),
                rules: vec![evidence.rule.to_string()],
            });
        }
    }
}

/// The refusal of a command that names what does not exist.
fn unknown(what: &str) -> Rejection {
    Rejection::new("command_known", &["GDC-OPDRACHT"]).with("missing", what)
}
