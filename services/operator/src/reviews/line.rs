//! One line for a person to decide: beside it every rival, with the evidence, the rule and what that rests on.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use samenloop_adapters::{
    decision_store::{CaseKind, HeldLine, ListFilter, Proposal, ReviewCase},
    wire::v1,
};
use samenloop_domain::{coverage::CoverageId, reference::Reference};
use samenloop_proto::record::v1::{self as record, command::Action};
use serde::Serialize;
use uuid::Uuid;

use super::{
    days_between,
    facts::{self, Facts},
};
use crate::{
    App, Operator,
    asking::{self, line_text, parse_line},
    declaration::{self, Found, verdict_word},
    frame::Frame,
    list::List,
    person::{Right, Scope},
    reasons::{self, Explained},
    respond::{self, Failure},
    session::Session,
    shown::{Count, Euro, State as Stands, When},
    work::REASON_CHARACTERS_MAX,
};

/// A line, and what is known of it.
pub(super) struct Looked {
    pub(super) line: CoverageId,
    pub(super) found: Found,
    /// Absent where it is not held any more.
    pub(super) held: Option<HeldLine>,
    pub(super) proposal: Option<Proposal>,
    pub(super) case: Option<ReviewCase>,
}

#[derive(Serialize, Template)]
#[template(path = "review.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    #[serde(skip)]
    proof: String,
    line: String,
    line_reference: String,
    message_id: String,
    verdict: Stands,
    version: u32,
    held_days: Option<Count>,
    held_since: Option<When>,
    proposed_cents: Option<Euro>,
    own: Facts,
    evidence: Vec<Evidence>,
    /// Rivals of which no evidence is kept.
    more_rivals: Count,
    reasons: Vec<Reason>,
    proposal: Option<Proposed>,
    case: Option<Case>,
    result: Option<Said>,
    may_override: bool,
    #[serde(skip)]
    may_decide: bool,
    #[serde(skip)]
    may_agree: bool,
    reason_characters_max: usize,
}

/// Why the line is held, or was.
#[derive(Serialize)]
struct Evidence {
    rule: String,
    rule_version: u32,
    effect: String,
    basis: String,
    source: String,
    days_in_common: u32,
    shared: Vec<String>,
    may_override: bool,
    rival: Option<Facts>,
}

#[derive(Serialize)]
struct Reason {
    code: String,
    explained: Option<Explained>,
}

/// A decision that waits for a second person.
#[derive(Serialize)]
struct Proposed {
    id: String,
    person: String,
    note: String,
    choice: &'static str,
    cents: Euro,
    proposed_at: When,
    /// Whoever is looking proposed it, and so cannot agree.
    is_own: bool,
}

#[derive(Serialize)]
struct Case {
    id: u64,
    kind: &'static str,
    other: String,
    rules: Vec<String>,
    opened_at: When,
    may_rejudge: bool,
}

/// What became of a command.
#[derive(Serialize)]
struct Said {
    /// It is not decided yet.
    waits: bool,
    refusals: Vec<Reason>,
    verdict: Option<Stands>,
    awarded_cents: Option<Euro>,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        Vec::new()
    }
}

/// `/reviews/{id}`: a line by its entry and number, as `17.1`.
pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    scope: Scope,
    session: Session,
    Path(id): Path<String>,
) -> Response {
    let text = id.strip_suffix(frame.form.ending()).unwrap_or(&id);
    let shown = async {
        let looked = look(&app.operator, &frame, scope, text).await?;
        page(&app.operator, &frame, scope, session, looked).await
    };
    match shown.await {
        Ok(page) => respond::page(&page),
        Err(failure) => Failure::shown(failure, &frame),
    }
}

/// The line of an address, if it is there for whoever asks.
pub(super) async fn look(
    operator: &Operator,
    frame: &Frame,
    scope: Scope,
    text: &str,
) -> Result<Looked, Failure> {
    let none = || {
        let english = "No line has this number: it is written as 17.1, entry of the log and line.";
        let dutch = "Geen regel heeft dit nummer: schrijf het als 17.1, logregel en regelnummer.";
        Failure::not_found(frame, english, dutch)
    };
    let away = |error| Failure::no_store(frame, &error);
    let line = parse_line(text).ok_or_else(none)?;
    let found = declaration::find_by_entry(operator, line.sequence, scope).await;
    let found = found.map_err(away)?.ok_or_else(none)?;
    let store = &operator.store;
    // The list begins after a line: the one before it is named.
    let before = CoverageId {
        sequence: line.sequence,
        line: line.line.saturating_sub(1),
    };
    let filter = ListFilter::default();
    let held = store.held_lines(&filter, before, 1).await.map_err(away)?;
    let case = match frame
        .field("case")
        .and_then(|case| case.parse::<u64>().ok())
    {
        Some(id) => {
            let cases = store.cases(&filter, id.saturating_sub(1), 1).await;
            let mut cases = cases.map_err(away)?.into_iter();
            cases.find(|case| case.id == id && case.case.line == line)
        }
        None => None,
    };
    Ok(Looked {
        line,
        found,
        held: held.into_iter().find(|held| held.line == line),
        proposal: store.proposal_of(line).await.map_err(away)?,
        case,
    })
}

async fn page(
    operator: &Operator,
    frame: &Frame,
    scope: Scope,
    session: Session,
    looked: Looked,
) -> Result<Page, Failure> {
    let none = || {
        let english = "The declaration has no such line.";
        let dutch = "De declaratie heeft die regel niet.";
        Failure::not_found(frame, english, dutch)
    };
    let away = |error| Failure::no_store(frame, &error);
    let now = operator.clock.now();
    let own = facts::of_line(frame, &looked.found, looked.line.line).ok_or_else(none)?;
    let outcome = &looked.found.message.outcome;
    let mut lines = outcome.lines.iter();
    let line = lines.find(|it| u64::from(it.line_number) == looked.line.line);
    let line = line.ok_or_else(none)?;
    let reference = operator.reference.current().await.map_err(away)?;
    let mut evidence = Vec::with_capacity(line.evidence.len());
    for kept in &line.evidence {
        let rival = rival_of(operator, frame, scope, kept).await?;
        evidence.push(evidence_of(kept, rival, reference.as_deref()));
    }
    let person = session.person.to_string();
    let is_held = looked.held.is_some();
    Ok(Page {
        line: line_text(looked.line),
        line_reference: line.line_reference.clone(),
        message_id: outcome.message_id.clone(),
        verdict: Stands::of_wire(verdict_word(line.verdict())),
        version: outcome.version,
        held_days: looked
            .held
            .as_ref()
            .map(|held| Count(days_between(held.held_since, now))),
        held_since: looked.held.as_ref().map(|held| When(held.held_since)),
        proposed_cents: looked.held.as_ref().map(|held| Euro(held.proposed.get())),
        own,
        more_rivals: Count(u64::from(line.rivals).saturating_sub(line.evidence.len() as u64)),
        may_override: is_held && evidence.iter().any(|it| it.may_override),
        evidence,
        reasons: line.reasons.iter().map(reason_of).collect(),
        may_decide: frame.may(Right::DecideReview),
        may_agree: frame.may(Right::AgreeToReview),
        proposal: looked.proposal.map(|it| proposed(it, &person)),
        case: looked.case.map(case_of),
        result: said(operator, frame, outcome).await?,
        reason_characters_max: REASON_CHARACTERS_MAX,
        proof: session.proof,
        frame: frame.clone(),
    })
}

/// The other line, whole where whoever asks may see it.
async fn rival_of(
    operator: &Operator,
    frame: &Frame,
    scope: Scope,
    evidence: &v1::Evidence,
) -> Result<Option<Facts>, Failure> {
    let Some(rival) = &evidence.rival else {
        return Ok(None);
    };
    if !rival.imported {
        let sequence = samenloop_domain::identifiers::Sequence(rival.sequence);
        let found = declaration::find_by_entry(operator, sequence, scope).await;
        let found = found.map_err(|error| Failure::no_store(frame, &error))?;
        let whole = found.and_then(|found| facts::of_line(frame, &found, rival.line));
        if whole.is_some() {
            return Ok(whole);
        }
    }
    Ok(Some(facts::of_rival(frame, rival)))
}

fn evidence_of(
    kept: &v1::Evidence,
    rival: Option<Facts>,
    reference: Option<&Reference>,
) -> Evidence {
    let rules = reference.map(|reference| reference.pair_rules.iter());
    let mut rules = rules.into_iter().flatten();
    let rule = rules.find(|rule| *rule.head.id == *kept.rule);
    let shared = kept.shared_agbs.iter().chain(&kept.shared_activities);
    Evidence {
        rule: kept.rule.clone(),
        rule_version: kept.rule_version,
        effect: kept.effect.clone(),
        basis: kept.basis.clone(),
        source: kept.source.clone(),
        days_in_common: kept.days_in_common,
        shared: shared.cloned().collect(),
        may_override: rule.is_some_and(|rule| rule.head.override_allowed),
        rival,
    }
}

fn reason_of(reason: &v1::Reason) -> Reason {
    Reason {
        code: reason.code.clone(),
        explained: reasons::explain(&reason.code),
    }
}

fn proposed(proposal: Proposal, person: &str) -> Proposed {
    let choice = match &proposal.command.action {
        Some(Action::DecideReview(decide)) => match decide.choice() {
            record::Choice::AcceptReduced => "accept_reduced",
            record::Choice::Refuse => "refuse",
            record::Choice::Accept | record::Choice::Unspecified => "accept",
        },
        _ => "accept",
    };
    Proposed {
        id: proposal.id.to_string(),
        is_own: proposal.person == person,
        person: proposal.person,
        note: proposal.command.note,
        choice,
        cents: Euro(proposal.cents.get()),
        proposed_at: When(proposal.proposed_at),
    }
}

fn case_of(found: ReviewCase) -> Case {
    Case {
        id: found.id,
        kind: found.case.kind.as_str(),
        other: line_text(found.case.other),
        rules: found.case.rules,
        opened_at: When(found.opened_at),
        may_rejudge: found.case.kind == CaseKind::Loser,
    }
}

/// The result of the command that the address names, if it is about this declaration or was refused.
async fn said(
    operator: &Operator,
    frame: &Frame,
    outcome: &v1::Outcome,
) -> Result<Option<Said>, Failure> {
    let Some(id) = frame
        .field("command")
        .and_then(|id| Uuid::try_parse(id).ok())
    else {
        return Ok(None);
    };
    let found = operator.store.command(id).await;
    let found = found.map_err(|error| Failure::no_store(frame, &error))?;
    let Some(decided) = found else {
        return Ok(Some(Said {
            waits: true,
            refusals: Vec::new(),
            verdict: None,
            awarded_cents: None,
        }));
    };
    let result = decided.result;
    if asking::needs_second_person(&result) {
        return Ok(None);
    }
    let is_other = !result.message_id.is_empty() && result.message_id != outcome.message_id;
    Ok((!is_other).then(|| Said {
        waits: false,
        refusals: result.refusals.iter().map(reason_of).collect(),
        verdict: (result.line.as_ref()).map(|it| Stands::of_wire(verdict_word(it.verdict()))),
        awarded_cents: result.line.as_ref().map(|it| Euro(it.awarded_cents)),
    }))
}
