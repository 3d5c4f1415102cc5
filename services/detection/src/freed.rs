//! What a line leaves behind that is credited, refused by a person, or withdrawn: lines that were
//! refused for it, and held lines that wait for it.

use std::collections::BTreeSet;

use prost::Message as _;
use samenloop_adapters::{
    clock::receipt_date,
    config::OnCredit,
    consume::HandleError,
    decision_store::{CaseKind, DecisionTransaction, Freed, NewCase},
    wire::{review, validated::Intake},
};
use samenloop_domain::{
    coverage::{Coverage, CoverageId, Covered},
    decision::{Loser, Rejudged, Revision, depends_on, rejudge},
    double_funding::rule_between,
    history::{History, HistoryKeys, keys_of_line},
    identifiers::Sequence,
};
use samenloop_proto::{
    declaration::v1 as wire,
    record::v1::{self as log, log_entry::Entry},
};

use crate::{deciding::Deciding, record};

/// Refused lines looked up in one go.
const EXCLUDED_PAGE: u32 = 256;

/// A line that occupies nothing any more.
pub(crate) struct Gone {
    /// Which.
    pub(crate) line: CoverageId,
    /// What it occupied, if it was held.
    pub(crate) held: Option<Coverage>,
}

/// A line of the past as it is to be decided again.
pub(crate) struct Again {
    /// Its message, judged with the reference data in force.
    pub(crate) intake: Intake,
    /// What is known of the past.
    pub(crate) past: History,
    /// The newest outcome of the message.
    pub(crate) newest: wire::Outcome,
    /// What that outcome says of the line.
    pub(crate) shown: samenloop_domain::decision::Shown,
}

impl Deciding<'_> {
    /// Looks at what waits for lines that are gone, once the entry that freed them is decided.
    ///
    /// A held line is only listed. A refused line that nothing else excludes is listed or decided
    /// again, as configured, in order of its old number, each after those before it.
    pub(crate) async fn follow(
        &mut self,
        cause: Sequence,
        gone: &[Gone],
        transaction: &mut DecisionTransaction,
    ) -> Result<(), HandleError> {
        for gone in gone {
            if let Some(coverage) = &gone.held {
                self.list_dependants(cause, gone.line, coverage, transaction)
                    .await?;
            }
        }
        let freed: Vec<Freed> = gone.iter().map(|gone| Freed::Line(gone.line)).collect();
        self.look_at_excluded(cause, &freed, transaction).await
    }

    /// Looks at refused lines whose excluding rival is gone.
    pub(crate) async fn look_at_excluded(
        &mut self,
        cause: Sequence,
        freed: &[Freed],
        transaction: &mut DecisionTransaction,
    ) -> Result<(), HandleError> {
        for line in self.excluded_by_any(freed, transaction).await? {
            let Some(again) = self.again(line, transaction).await? else {
                continue;
            };
            let loser = Loser {
                input: &again.intake.validated,
                line,
                others_use_part: again.shown.others_use_part,
                today: receipt_date(self.now),
            };
            match rejudge(loser, &again.past, self.reference) {
                Rejudged::Excluded(rival) => self.wait(line, Some(rival)),
                Rejudged::Left => self.wait(line, None),
                Rejudged::Free(revision) => {
                    self.wait(line, None);
                    match self.handler.reviews.on_credit {
                        OnCredit::List => self.list_loser(cause, &again, &revision, freed),
                        OnCredit::Rejudge => {
                            self.rejudged(cause, None, again, *revision, transaction)
                                .await?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn wait(&mut self, line: CoverageId, rival: Option<CoverageId>) {
        self.excluded_by.insert(line, rival);
        self.batch.excluded_by.insert(line, rival);
    }

    /// Lines that wait for anything of `freed`, those of this batch included, in order of number.
    async fn excluded_by_any(
        &self,
        freed: &[Freed],
        transaction: &mut DecisionTransaction,
    ) -> Result<BTreeSet<CoverageId>, HandleError> {
        let mut lines = BTreeSet::new();
        for freed in freed {
            let mut after = CoverageId::MIN;
            loop {
                let page = transaction
                    .load_excluded_by(*freed, after, EXCLUDED_PAGE)
                    .await?;
                let Some(last) = page.last() else { break };
                after = *last;
                lines.extend(page);
            }
        }
        lines.retain(|line| !self.excluded_by.contains_key(line));
        let waits = |rival: &Option<CoverageId>| {
            rival.is_some_and(|rival| freed.iter().any(|freed| freed.contains(rival)))
        };
        let here = self.excluded_by.iter().filter(|(_, rival)| waits(rival));
        lines.extend(here.map(|(line, _)| *line));
        Ok(lines)
    }

    /// A line with all that is needed to decide it again; `None` where no message has it.
    pub(crate) async fn again(
        &self,
        line: CoverageId,
        transaction: &mut DecisionTransaction,
    ) -> Result<Option<Again>, HandleError> {
        let here = self
            .batch
            .log
            .iter()
            .find(|it| it.sequence == line.sequence);
        let body = match here {
            Some(entry) => Some(entry.body.clone()),
            None => (self.handler.store.log_entry(line.sequence).await?).map(|entry| entry.body),
        };
        let failed = |error: &dyn std::fmt::Display| HandleError::Failed(error.to_string());
        let entry = body
            .map(|body| log::LogEntry::decode(body.as_slice()))
            .transpose();
        let entry = entry.map_err(|error| failed(&error))?;
        let Some(Entry::MessageDecided(decided)) = entry.and_then(|entry| entry.entry) else {
            return Ok(None);
        };
        let input = decided.input.unwrap_or_default();
        let mut intake = Intake::from_record(&input).map_err(|error| failed(&error))?;
        self.handler.judge_again(&mut intake, self.reference);
        let id = intake.validated.declaration.message_id;
        let (_, newest) = self.newest_outcome(id, transaction).await?;
        let shown = review::shown_of(&newest, line.line).map_err(|error| failed(&error))?;
        let Some(shown) = shown else {
            return Ok(None);
        };
        let keys = keys_of_line(&intake.validated, line.line, self.reference);
        let past = self.past(&keys, transaction).await?;
        Ok(Some(Again {
            intake,
            past,
            newest,
            shown,
        }))
    }

    /// Decides a refused line again, as an entry of its own. Gives the entry.
    pub(crate) async fn rejudged(
        &mut self,
        cause: Sequence,
        command: Option<log::Command>,
        again: Again,
        revision: Revision,
        transaction: &mut DecisionTransaction,
    ) -> Result<log::RevisedLine, HandleError> {
        let sequence = self.number();
        let judged = review::write_judged(&again.intake.validated, revision.line.line);
        let line = samenloop_adapters::wire::record::write_line_id(revision.line);
        let revised = self.revise(sequence, again, revision, transaction).await?;
        let entry = Entry::LineRejudged(log::LineRejudged {
            line: Some(line),
            cause: cause.0,
            command,
            judged: Some(judged),
            revised: Some(revised.clone()),
        });
        let entry = record::entry(sequence, "line_rejudged", self.now, entry);
        self.batch.log.push(entry);
        Ok(revised)
    }

    fn list_loser(&mut self, cause: Sequence, again: &Again, revision: &Revision, freed: &[Freed]) {
        let before = again.newest.lines.iter();
        let before = before.filter(|it| u64::from(it.line_number) == revision.line.line);
        let excluding = before.flat_map(|it| &it.evidence);
        let excluding: Vec<_> = (excluding.filter(|it| it.effect == "exclude"))
            .map(review::hit_of)
            .collect();
        let rival = excluding.iter().filter_map(|hit| hit.rival);
        let other = rival.filter(|it| freed.iter().any(|freed| freed.contains(*it)));
        let declaration = &again.intake.validated.declaration;
        let Some(declarant) = declaration.declarant_agb.agb() else {
            return;
        };
        let facts = revision.decision.facts.as_ref();
        let contract = facts.and_then(|facts| facts.contract_id.as_ref());
        self.batch.cases.push(NewCase {
            kind: CaseKind::Loser,
            line: revision.line,
            other: other.max().unwrap_or(CoverageId::MIN),
            cause,
            line_reference: revision.decision.line_reference.to_string(),
            declarant,
            insurer: declaration.insurer_uzovi.to_string(),
            contract_id: contract.map(ToString::to_string).unwrap_or_default(),
            rules: excluding.iter().map(|hit| hit.rule.to_string()).collect(),
        });
    }

    async fn list_dependants(
        &mut self,
        cause: Sequence,
        gone: CoverageId,
        coverage: &Coverage,
        transaction: &mut DecisionTransaction,
    ) -> Result<(), HandleError> {
        let keys = coverage
            .keys()
            .into_iter()
            .map(|key| (key, coverage.period));
        let keys = HistoryKeys {
            coverage: keys.collect(),
            ..HistoryKeys::default()
        };
        let past = self.past(&keys, transaction).await?;
        for held in past.coverage.meeting(coverage) {
            if depends_on(held, coverage, self.reference) {
                let case = self.case(CaseKind::Dependant, held, gone, coverage, cause);
                self.batch.cases.push(case);
            }
        }
        Ok(())
    }

    fn case(
        &self,
        kind: CaseKind,
        covered: &Covered,
        other: CoverageId,
        beside: &Coverage,
        cause: Sequence,
    ) -> NewCase {
        let rule = rule_between(&covered.coverage, beside, &self.reference.pair_rules);
        record::case(kind, covered, other, rule, cause)
    }
}
