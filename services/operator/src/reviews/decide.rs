//! What a person decides of one line: a command to detection, or above an amount a proposal for a second person.

use axum::{
    Form,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use samenloop_adapters::{
    decision_store::{Operation, Proposal, ProposalEnd, ProposalState},
    wire::{
        record::write_line_id,
        review::{hit_of, write_hits},
    },
};
use samenloop_domain::cents::Cents;
use samenloop_proto::record::v1::{self as record, command::Action};
use serde::Deserialize;
use uuid::Uuid;

use super::line::{Looked, look};
use crate::{
    App, Operator,
    asking::{self, line_text},
    frame::Frame,
    person::Scope,
    quarantine::act::checked_reason,
    respond::Failure,
    session::Session,
};

/// What the forms of a line send.
#[derive(Deserialize)]
pub(crate) struct Sent {
    proof: String,
    #[serde(default)]
    why: String,
    /// What is asked: accept, reduce, refuse; agree, decline; rejudge, dismiss.
    #[serde(rename = "do")]
    what: String,
    /// The version of the outcome that was shown.
    #[serde(default)]
    version: u32,
    /// Euro, where less is awarded.
    #[serde(default)]
    award: String,
    #[serde(default, rename = "override")]
    overriding: Option<String>,
    #[serde(default)]
    proposal: String,
    #[serde(default)]
    case: u64,
}

/// `POST /reviews/{id}/decide`.
pub(crate) async fn decide(
    State(app): State<App>,
    frame: Frame,
    scope: Scope,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Response {
    let done = async {
        session.check(&headers, &sent.proof, &frame)?;
        let why = checked_reason(&frame, &sent.why)?;
        let looked = look(&app.operator, &frame, scope, &id).await?;
        let decide = decision_of(&frame, &looked, &sent)?;
        let person = session.person.to_string();
        let asker = Asker {
            operator: &app.operator,
            frame: &frame,
            person: &person,
            why: &why,
        };
        asker.decide(&looked, decide).await
    };
    led(done.await, &frame)
}

/// `POST /reviews/{id}/agree`: a second person agrees to what the first proposed, or does not.
pub(crate) async fn agree(
    State(app): State<App>,
    frame: Frame,
    scope: Scope,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Response {
    let done = async {
        session.check(&headers, &sent.proof, &frame)?;
        let why = checked_reason(&frame, &sent.why)?;
        let looked = look(&app.operator, &frame, scope, &id).await?;
        let shown = |proposal: &Proposal| sent.proposal == proposal.id.to_string();
        let proposal = looked.proposal.clone().filter(shown).ok_or_else(|| {
            let english = "What was proposed has ended: look at the line again.";
            let dutch = "Wat was voorgesteld is voorbij: bekijk de regel opnieuw.";
            Failure::conflict(&frame, english, dutch)
        })?;
        let person = session.person.to_string();
        let asker = Asker {
            operator: &app.operator,
            frame: &frame,
            person: &person,
            why: &why,
        };
        match sent.what.as_str() {
            "agree" => asker.agree(&looked, proposal).await,
            "decline" => asker.decline(&looked, &proposal).await,
            _ => Err(not_one_of(&frame, "agree, decline")),
        }
    };
    led(done.await, &frame)
}

/// `POST /reviews/{id}/case`: what a case asks for is done, or the case is taken off the list.
pub(crate) async fn case(
    State(app): State<App>,
    frame: Frame,
    scope: Scope,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Response {
    let done = async {
        session.check(&headers, &sent.proof, &frame)?;
        let why = checked_reason(&frame, &sent.why)?;
        let looked = look(&app.operator, &frame, scope, &id).await?;
        let line = Some(write_line_id(looked.line));
        let action = match sent.what.as_str() {
            "rejudge" => Action::RejudgeLine(record::RejudgeLine { line }),
            "dismiss" => Action::DismissCase(record::DismissCase { case_id: sent.case }),
            _ => return Err(not_one_of(&frame, "rejudge, dismiss")),
        };
        let person = session.person.to_string();
        let asker = Asker {
            operator: &app.operator,
            frame: &frame,
            person: &person,
            why: &why,
        };
        let command = asking::command(asker.operator, &person, &why, action);
        let kind = format!("review {}", sent.what);
        let (id, _) = asker.carry_out(&looked, &kind, command).await?;
        Ok(back(&looked, Some(id)))
    };
    led(done.await, &frame)
}

fn led(done: Result<String, Failure>, frame: &Frame) -> Response {
    match done {
        Ok(link) => (StatusCode::SEE_OTHER, [(header::LOCATION, link)]).into_response(),
        Err(failure) => failure.shown(frame),
    }
}

/// The page of the line, which says what became of the command.
fn back(looked: &Looked, command: Option<Uuid>) -> String {
    let page = super::link(looked.line);
    command.map_or(page.clone(), |id| format!("{page}?command={id}"))
}

fn not_one_of(frame: &Frame, words: &str) -> Failure {
    let english = format!("The field do takes one of {words}.");
    let dutch = format!("Het veld do is een van {words}.");
    Failure::bad_request(frame, &english, &dutch)
}

fn decision_of(
    frame: &Frame,
    looked: &Looked,
    sent: &Sent,
) -> Result<record::DecideReview, Failure> {
    let (choice, awarded_cents) = match sent.what.as_str() {
        "accept" => (record::Choice::Accept, 0),
        "refuse" => (record::Choice::Refuse, 0),
        "reduce" => (record::Choice::AcceptReduced, cents_of(frame, &sent.award)?),
        _ => return Err(not_one_of(frame, "accept, reduce, refuse")),
    };
    let mut decide = decision(looked, choice, sent.overriding.is_some());
    decide.version_seen = sent.version;
    decide.awarded_cents = awarded_cents;
    Ok(decide)
}

/// A decision on a line as it stands; with `overriding`, on everything that its outcome shows against it.
fn decision(looked: &Looked, choice: record::Choice, overriding: bool) -> record::DecideReview {
    let outcome = &looked.found.message.outcome;
    let mut lines = outcome.lines.iter();
    let line = lines.find(|it| u64::from(it.line_number) == looked.line.line);
    let shown = line.into_iter().flat_map(|line| &line.evidence);
    let hits = shown.filter(|_| overriding && choice != record::Choice::Refuse);
    record::DecideReview {
        line: Some(write_line_id(looked.line)),
        version_seen: outcome.version,
        choice: choice as i32,
        awarded_cents: 0,
        overrides: write_hits(&hits.map(hit_of).collect()),
        standing: false,
    }
}

/// Euro as people write them: `1234,56`, `1.234,56`, `1,234.56`.
fn cents_of(frame: &Frame, text: &str) -> Result<i64, Failure> {
    let wrong = || {
        let english = "The amount is written in euro, as 1234.56.";
        let dutch = "Het bedrag wordt in euro geschreven, als 1234,56.";
        Failure::bad_request(frame, english, dutch)
    };
    parse_cents(text).ok_or_else(wrong)
}

fn parse_cents(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches('€').trim();
    let (whole, part) = match text.rsplit_once([',', '.']) {
        Some((whole, part)) if part.len() == 2 => (whole, part),
        Some((_, part)) if part.len() != 3 => return None,
        _ => (text, "00"),
    };
    let digits: String = whole
        .chars()
        .filter(|it| !matches!(it, '.' | ',' | ' '))
        .collect();
    let all = format!("{digits}{part}");
    let is_number = !digits.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
    let cents = is_number.then(|| all.parse::<i64>().ok()).flatten()?;
    Cents::new(cents).map(Cents::get)
}

/// Who asks, and why.
struct Asker<'a> {
    operator: &'a Operator,
    frame: &'a Frame,
    person: &'a str,
    why: &'a str,
}

impl Asker<'_> {
    async fn decide(
        &self,
        looked: &Looked,
        decide: record::DecideReview,
    ) -> Result<String, Failure> {
        let held = looked.held.as_ref().ok_or_else(|| {
            let english = "The line is not held any more: look at it again.";
            let dutch = "De regel is niet meer aangehouden: bekijk haar opnieuw.";
            Failure::conflict(self.frame, english, dutch)
        })?;
        let kind = match decide.choice() {
            record::Choice::Refuse => "review refuse",
            record::Choice::AcceptReduced => "review reduce",
            _ if decide.overrides.is_empty() => "review accept",
            _ => "review override",
        };
        let cents = match decide.choice() {
            record::Choice::AcceptReduced => Cents::new(decide.awarded_cents),
            _ => Some(held.proposed),
        };
        let action = Action::DecideReview(decide);
        let command = asking::command(self.operator, self.person, self.why, action);
        let (id, result) = self.carry_out(looked, kind, command.clone()).await?;
        if result.as_ref().is_some_and(asking::needs_second_person) {
            let proposal = Proposal {
                id: self.operator.ids.next(),
                line: looked.line,
                line_reference: held.line_reference.clone(),
                insurer: held.insurer.clone(),
                person: self.person.to_owned(),
                command,
                cents: cents.unwrap_or(held.proposed),
                proposed_at: self.operator.clock.now(),
            };
            self.propose(proposal).await?;
            return Ok(back(looked, None));
        }
        Ok(back(looked, Some(id)))
    }

    async fn propose(&self, mut proposal: Proposal) -> Result<(), Failure> {
        proposal.command.command_id = proposal.id.to_string();
        let written = self.operator.store.propose(&proposal).await;
        let written = written.map_err(|error| Failure::no_store(self.frame, &error))?;
        if written {
            return Ok(());
        }
        let english = "A decision on this line waits for a second person already.";
        let dutch = "Een beslissing over deze regel wacht al op een tweede persoon.";
        Err(Failure::conflict(self.frame, english, dutch))
    }

    async fn agree(&self, looked: &Looked, proposal: Proposal) -> Result<String, Failure> {
        if proposal.person == self.person {
            let english = "Whoever proposed a decision cannot agree to it: another person must.";
            let dutch =
                "Wie een beslissing voorstelde kan er niet mee instemmen: dat moet een ander.";
            return Err(Failure::conflict(self.frame, english, dutch));
        }
        let mut command = proposal.command.clone();
        self.person.clone_into(&mut command.second_person);
        let (id, result) = self.carry_out(looked, "review agree", command).await?;
        // Without a result it may still be carried out: the proposal stays, and agreeing again sends the same id.
        if let Some(result) = result {
            let state = match result.refusals.is_empty() {
                true => ProposalState::Agreed,
                false => ProposalState::Declined,
            };
            self.end(&proposal, state).await?;
        }
        Ok(back(looked, Some(id)))
    }

    async fn decline(&self, looked: &Looked, proposal: &Proposal) -> Result<String, Failure> {
        self.write_down(looked, "review decline", true).await?;
        self.end(proposal, ProposalState::Declined).await?;
        Ok(back(looked, None))
    }

    async fn end(&self, proposal: &Proposal, state: ProposalState) -> Result<(), Failure> {
        let end = ProposalEnd {
            state,
            person: self.person.to_owned(),
            at: self.operator.clock.now(),
        };
        let ended = self.operator.store.end_proposal(proposal.id, end).await;
        ended
            .map(drop)
            .map_err(|error| Failure::no_store(self.frame, &error))
    }

    /// Writes the operation down, sends the command, and waits for its result.
    async fn carry_out(
        &self,
        looked: &Looked,
        kind: &str,
        command: record::Command,
    ) -> Result<(Uuid, Option<record::CommandResult>), Failure> {
        let mut operation = self.write_down(looked, kind, false).await?;
        let sent = asking::send(self.operator, self.frame, std::slice::from_ref(&command)).await;
        let result = match sent {
            Ok(ids) => {
                let result = asking::result_of(self.operator, self.frame, ids[0], asking::WAIT);
                result.await.map(|result| (ids[0], result))
            }
            Err(failure) => Err(failure),
        };
        match &result {
            Ok((_, Some(result))) if result.refusals.is_empty() => operation.done = 1,
            Ok((_, None)) => {}
            Ok(_) | Err(_) => operation.failed = 1,
        }
        operation.ended_at = Some(self.operator.clock.now());
        let kept = self.operator.store.update_operation(&operation).await;
        kept.map_err(|error| Failure::no_store(self.frame, &error))?;
        result
    }

    async fn write_down(
        &self,
        looked: &Looked,
        kind: &str,
        is_done: bool,
    ) -> Result<Operation, Failure> {
        let now = self.operator.clock.now();
        let operation = Operation {
            id: self.operator.ids.next(),
            person: self.person.to_owned(),
            kind: kind.to_owned(),
            subject: format!("line={}", line_text(looked.line)),
            reason: self.why.to_owned(),
            matched: 1,
            done: u64::from(is_done),
            failed: 0,
            started_at: now,
            ended_at: is_done.then_some(now),
        };
        let kept = self.operator.store.record_operation(&operation).await;
        kept.map_err(|error| Failure::no_store(self.frame, &error))?;
        Ok(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_people_write_it() {
        for (text, cents) in [
            ("1234.56", Some(123_456)),
            ("1.234,56", Some(123_456)),
            ("€ 1,234.56", Some(123_456)),
            ("1.234", Some(123_400)),
            ("70", Some(7_000)),
            ("0,05", Some(5)),
            ("1,5", None),
            ("", None),
            ("-5", None),
            ("a,00", None),
        ] {
            assert_eq!(parse_cents(text), cents, "{text}");
        }
    }
}
