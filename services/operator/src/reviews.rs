//! What waits for a person: held lines, cases, and decisions that wait for a second person.

pub(crate) mod decide;
mod facts;
pub(crate) mod line;
pub(crate) mod many;

use askama::Template;
use axum::{extract::State, response::Response};
use jiff::{SignedDuration, Timestamp};
use samenloop_adapters::decision_store::{HeldLine, ListFilter, Proposal, ReviewCase, StoreError};
use samenloop_domain::coverage::CoverageId;
use serde::Serialize;

use crate::{
    App,
    asking::{line_text, parse_line},
    frame::Frame,
    language::Say,
    list::{Cell, Column, Filter, List, Row, Spec, Want},
    person::{Right, Scope},
    respond::{self, Failure},
    shown::{Count, Euro, State as Stands, Tone, When},
};

/// Most cases and proposals that the page lists; older ones come first, so none is out of reach for long.
const CASES_MAX: u32 = 500;

static HELD: Spec = Spec {
    name: "held",
    title: Say("Held lines", "Aangehouden regels"),
    columns: &[
        Column::head("line", Say("Line", "Regel")).unsorted(),
        Column::text("line_reference", Say("Reference", "Kenmerk")).unsorted(),
        Column::number("days", Say("Days held", "Dagen aangehouden")).unsorted(),
        Column::number("proposed_cents", Say("Proposed", "Voorgesteld")).unsorted(),
        Column::text("rules", Say("Rules", "Regels")).unsorted(),
        Column::text("declarant", Say("Declarant", "Declarant")).unsorted(),
        Column::text("insurer", Say("Insurer", "Verzekeraar")).unsorted(),
        Column::text("contract_id", Say("Contract", "Contract")).unsorted(),
        Column::time("held_since", Say("Since", "Sinds")).unsorted(),
    ],
    filters: &[
        Filter {
            key: "insurer",
            label: Say("Insurer (UZOVI)", "Verzekeraar (UZOVI)"),
            choices: &[],
        },
        Filter {
            key: "declarant",
            label: Say("Declarant (AGB)", "Declarant (AGB)"),
            choices: &[],
        },
        Filter {
            key: "contract",
            label: Say("Contract", "Contract"),
            choices: &[],
        },
        Filter {
            key: "rule",
            label: Say("Rule", "Rekenregel"),
            choices: &[],
        },
        Filter {
            key: "older_than",
            label: Say("Held for more days than", "Langer aangehouden dan dagen"),
            choices: &[],
        },
    ],
    empty: Say(
        "No held line matches.",
        "Geen aangehouden regel past hierbij.",
    ),
    is_main: true,
};

static CASES: Spec = Spec {
    name: "cases",
    title: Say("Cases", "Gevallen"),
    columns: &[
        Column::head("case", Say("Case", "Geval")),
        Column::text("kind", Say("What", "Wat")),
        Column::text("line", Say("Line", "Regel")),
        Column::text("line_reference", Say("Reference", "Kenmerk")),
        Column::text("other", Say("Other line", "Andere regel")),
        Column::text("declarant", Say("Declarant", "Declarant")),
        Column::text("insurer", Say("Insurer", "Verzekeraar")),
        Column::text("rules", Say("Rules", "Regels")),
        Column::time("opened_at", Say("Since", "Sinds")),
    ],
    filters: &[],
    empty: Say("There is no open case.", "Er is geen open geval."),
    is_main: false,
};

static PROPOSALS: Spec = Spec {
    name: "proposals",
    title: Say("For a second person", "Voor een tweede persoon"),
    columns: &[
        Column::head("line", Say("Line", "Regel")),
        Column::text("line_reference", Say("Reference", "Kenmerk")),
        Column::text("person", Say("Proposed by", "Voorgesteld door")),
        Column::text("note", Say("Reason", "Reden")),
        Column::number("cents", Say("Amount", "Bedrag")),
        Column::text("insurer", Say("Insurer", "Verzekeraar")),
        Column::time("proposed_at", Say("When", "Wanneer")),
    ],
    filters: &[],
    empty: Say(
        "Nothing waits for a second person.",
        "Niets wacht op een tweede persoon.",
    ),
    is_main: false,
};

#[derive(Serialize, Template)]
#[template(path = "reviews.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    held: List,
    cases: List,
    proposals: List,
    #[serde(skip)]
    offers: Vec<(&'static str, String)>,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.held, &self.cases, &self.proposals]
    }
}

/// `/reviews`.
pub(crate) async fn show(State(app): State<App>, frame: Frame, scope: Scope) -> Response {
    let now = app.operator.clock.now();
    let mut want = Want::of(&frame, &HELD);
    let after = want.cursor.as_deref().map(parse_line);
    if after == Some(None) {
        want.refuse_cursor();
    }
    let filter = match filter_of(&frame, scope, now) {
        Ok(filter) => filter,
        Err(failure) => return failure.shown(&frame),
    };
    let limit = u32::try_from(want.limit).unwrap_or(u32::MAX);
    let store = &app.operator.store;
    let own = ListFilter {
        insurer: scope.insurer().map(|insurer| insurer.to_string()),
        ..ListFilter::default()
    };
    let read = async {
        let after = after.flatten().unwrap_or(CoverageId::MIN);
        let held = store.held_lines(&filter, after, limit).await?;
        let cases = store.cases(&own, 0, CASES_MAX).await?;
        let proposals = store
            .proposals(own.insurer.clone(), None, CASES_MAX)
            .await?;
        Ok::<_, StoreError>((held, cases, proposals))
    };
    let (held, cases, proposals) = match read.await {
        Ok(read) => read,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    let next = held.last().filter(|_| held.len() == want.limit);
    let next = next.map(|last| line_text(last.line));
    let may_decide = frame.may(Right::DecideReview) && !held.is_empty();
    let rows = held.iter().map(|line| held_row(line, now)).collect();
    let cases = cases.iter().map(case_row).collect();
    let proposals = proposals.iter().map(proposal_row).collect();
    respond::page(&Page {
        offers: if may_decide {
            many::offers(&frame)
        } else {
            Vec::new()
        },
        held: List::of_page(&frame, &HELD, want, rows, next, None),
        cases: List::of_all(&frame, &CASES, cases),
        proposals: List::of_all(&frame, &PROPOSALS, proposals),
        frame,
    })
}

/// What an address asks for, within what somebody may see.
pub(crate) fn filter_of(
    frame: &Frame,
    scope: Scope,
    now: Timestamp,
) -> Result<ListFilter, Failure> {
    let text = |name: &str| frame.field(name).map(ToOwned::to_owned);
    let since_before = match frame.field("older_than").map(str::parse::<u32>) {
        None => None,
        Some(Ok(days)) => now
            .checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
            .ok(),
        Some(Err(_)) => {
            let english = "The field older_than of the address takes a number of days.";
            let dutch = "Het veld older_than van het adres is een aantal dagen.";
            return Err(Failure::bad_request(frame, english, dutch));
        }
    };
    let insurer = match scope.insurer() {
        Some(own) => Some(own.to_string()),
        None => text("insurer"),
    };
    Ok(ListFilter {
        insurer,
        declarant: text("declarant"),
        contract_id: text("contract"),
        rule: text("rule"),
        since_before,
    })
}

/// The page of a line.
pub(crate) fn link(line: CoverageId) -> String {
    format!("/reviews/{}", line_text(line))
}

/// Whole days from an instant to another.
fn days_between(since: Timestamp, now: Timestamp) -> u64 {
    let hours = now.duration_since(since).as_hours();
    u64::try_from(hours / 24).unwrap_or(0)
}

fn held_row(held: &HeldLine, now: Timestamp) -> Row {
    Row {
        anchor: format!("held-{}", line_text(held.line)),
        cells: vec![
            Cell::code(line_text(held.line)).link(link(held.line)),
            Cell::code(&held.line_reference),
            Cell::Count(Count(days_between(held.held_since, now))),
            Cell::Euro(Euro(held.proposed.get())),
            Cell::text(held.rules.join(", ")),
            Cell::code(&held.declarant),
            Cell::code(&held.insurer),
            Cell::text(&held.contract_id),
            Cell::When(When(held.held_since)),
        ],
    }
}

fn case_row(found: &ReviewCase) -> Row {
    let case = &found.case;
    let to = format!("{}?case={}", link(case.line), found.id);
    Row {
        anchor: format!("case-{}", found.id),
        cells: vec![
            Cell::code(found.id.to_string()).link(to),
            Cell::State(Stands::new(Tone::Warn, case.kind.as_str())),
            Cell::code(line_text(case.line)),
            Cell::code(&case.line_reference),
            Cell::code(line_text(case.other)),
            Cell::code(case.declarant.to_string()),
            Cell::code(&case.insurer),
            Cell::text(case.rules.join(", ")),
            Cell::When(When(found.opened_at)),
        ],
    }
}

fn proposal_row(proposal: &Proposal) -> Row {
    Row::from(vec![
        Cell::code(line_text(proposal.line)).link(link(proposal.line)),
        Cell::code(&proposal.line_reference),
        Cell::text(&proposal.person),
        Cell::text(&proposal.command.note),
        Cell::Euro(Euro(proposal.cents.get())),
        Cell::code(&proposal.insurer),
        Cell::When(When(proposal.proposed_at)),
    ])
}
