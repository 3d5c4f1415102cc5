//! One decision on every held line that a filter matches: first what it would do, then, with a reason, the operation.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use samenloop_adapters::{
    decision_store::{HeldLine, ListFilter, Operation, Proposal, StoreError},
    wire::record::write_line_id,
};
use samenloop_domain::coverage::CoverageId;
use samenloop_proto::record::v1::{self as record, command::Action};
use serde::{Deserialize, Serialize};

use super::{filter_of, link};
use crate::{
    App, Operator,
    asking::{self, line_text},
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    person::Scope,
    quarantine::act::checked_reason,
    respond::{self, Failure},
    session::Session,
    shown::{Count, Euro},
    work::REASON_CHARACTERS_MAX,
};

/// Most lines of one decision.
const LINES_MAX: u32 = 1_000;

/// Commands under way at once: a batch of detection.
const UNDER_WAY: usize = 64;

/// Lines of the sample that a preview shows.
const SAMPLE: usize = 10;

/// Fields of the address that say which lines are meant.
const FILTERS: [&str; 5] = ["insurer", "declarant", "contract", "rule", "older_than"];

static SAMPLED: Spec = Spec {
    name: "sample",
    title: Say("The first of them", "De eerste daarvan"),
    columns: &[
        Column::head("line", Say("Line", "Regel")),
        Column::text("line_reference", Say("Reference", "Kenmerk")),
        Column::text("rules", Say("Rules", "Regels")),
        Column::text("declarant", Say("Declarant", "Declarant")),
        Column::number("proposed_cents", Say("Proposed", "Voorgesteld")),
    ],
    filters: &[],
    empty: Say("There is none.", "Er is er geen."),
    is_main: true,
};

#[derive(Serialize, Template)]
#[template(path = "review_many.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    #[serde(skip)]
    proof: String,
    choice: &'static str,
    #[serde(skip)]
    title: &'static str,
    count: Count,
    proposed_cents: Euro,
    is_cut: bool,
    sample: List,
    #[serde(skip)]
    target: String,
    #[serde(skip)]
    last: String,
    reason_characters_max: usize,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.sample]
    }
}

/// A decision that can be taken on many lines; what needs a look at each, an override or another amount, is none.
#[derive(Clone, Copy)]
enum Bulk {
    Accept,
    Refuse,
}

impl Bulk {
    const ALL: [Self; 2] = [Self::Accept, Self::Refuse];

    fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Refuse => "refuse",
        }
    }

    fn title(self, frame: &Frame) -> &'static str {
        frame.text(&match self {
            Self::Accept => Say("Accept", "Accepteren"),
            Self::Refuse => Say("Refuse", "Afwijzen"),
        })
    }

    fn of(frame: &Frame) -> Result<Self, Failure> {
        let asked = frame.field("choice");
        let found = Self::ALL.into_iter().find(|it| asked == Some(it.as_str()));
        found.ok_or_else(|| {
            let english = "The choice is one of accept and refuse.";
            let dutch = "De keuze is accept of refuse.";
            Failure::bad_request(frame, english, dutch)
        })
    }
}

/// Links to a decision on everything that the filter of this page matches.
pub(super) fn offers(frame: &Frame) -> Vec<(&'static str, String)> {
    let offer = |bulk: Bulk| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("choice", bulk.as_str());
        for name in FILTERS {
            if let Some(value) = frame.field(name) {
                query.append_pair(name, value);
            }
        }
        (
            bulk.title(frame),
            format!("/reviews/act?{}", query.finish()),
        )
    };
    Bulk::ALL.map(offer).into()
}

/// `/reviews/act`: what a decision on many lines would do.
pub(crate) async fn preview(
    State(app): State<App>,
    frame: Frame,
    scope: Scope,
    session: Session,
) -> Response {
    let shown = async {
        let bulk = Bulk::of(&frame)?;
        let (held, is_cut) = matched(&app.operator, &frame, scope).await?;
        let proposed = held
            .iter()
            .map(|line| line.proposed.get())
            .fold(0, i64::saturating_add);
        let rows = held.iter().take(SAMPLE).map(|line| {
            Row::from(vec![
                Cell::code(line_text(line.line)).link(link(line.line)),
                Cell::code(&line.line_reference),
                Cell::text(line.rules.join(", ")),
                Cell::code(&line.declarant),
                Cell::Euro(Euro(line.proposed.get())),
            ])
        });
        Ok(Page {
            proof: session.proof,
            choice: bulk.as_str(),
            title: bulk.title(&frame),
            count: Count(held.len() as u64),
            proposed_cents: Euro(proposed),
            is_cut,
            sample: List::of_all(&frame, &SAMPLED, rows.collect()),
            target: frame.here(),
            last: held
                .last()
                .map(|last| line_text(last.line))
                .unwrap_or_default(),
            reason_characters_max: REASON_CHARACTERS_MAX,
            frame: frame.clone(),
        })
    };
    match shown.await {
        Ok(page) => respond::page(&page),
        Err(failure) => Failure::shown(failure, &frame),
    }
}

/// The held lines that an address means, and whether there are more than are decided at once.
async fn matched(
    operator: &Operator,
    frame: &Frame,
    scope: Scope,
) -> Result<(Vec<HeldLine>, bool), Failure> {
    let filter: ListFilter = filter_of(frame, scope, operator.clock.now())?;
    let store = &operator.store;
    let held = store
        .held_lines(&filter, CoverageId::MIN, LINES_MAX + 1)
        .await;
    let mut held = held.map_err(|error| Failure::no_store(frame, &error))?;
    let is_cut = held.len() > LINES_MAX as usize;
    held.truncate(LINES_MAX as usize);
    Ok((held, is_cut))
}

/// What the form of a preview sends; which lines are meant stands in the address, as they were shown.
#[derive(Deserialize)]
pub(crate) struct Confirmed {
    proof: String,
    #[serde(default)]
    count: u64,
    /// The last line that was shown: none beyond it is meant.
    #[serde(default)]
    last: String,
    #[serde(default)]
    why: String,
}

/// `POST /reviews/act`: writes the operation down, begins it, and leads to its page.
pub(crate) async fn confirm(
    State(app): State<App>,
    frame: Frame,
    scope: Scope,
    session: Session,
    headers: HeaderMap,
    Form(confirmed): Form<Confirmed>,
) -> Response {
    let begun = async {
        session.check(&headers, &confirmed.proof, &frame)?;
        let why = checked_reason(&frame, &confirmed.why)?;
        let bulk = Bulk::of(&frame)?;
        let (mut held, _) = matched(&app.operator, &frame, scope).await?;
        if let Some(last) = asking::parse_line(&confirmed.last) {
            held.retain(|line| line.line <= last);
        }
        let count = held.len() as u64;
        if count == 0 || count > confirmed.count {
            let english = "What was shown is not what there is now: look at the preview again.";
            let dutch = "Wat is getoond is niet wat er nu is: bekijk het voorbeeld opnieuw.";
            return Err(Failure::conflict(&frame, english, dutch));
        }
        let permit = Arc::clone(&app.running).try_acquire_owned();
        let permit = permit.map_err(|_| {
            let english = "As many operations as may run at once are running: wait until one ends.";
            let dutch =
                "Er lopen zoveel handelingen als tegelijk mogen: wacht tot er een klaar is.";
            Failure::conflict(&frame, english, dutch)
        })?;
        let work = Work {
            operator: app.operator.clone(),
            frame: frame.clone(),
            person: session.person.to_string(),
            why,
            bulk,
        };
        let operation = work.write_down(count).await;
        let operation = operation.map_err(|error| Failure::no_store(&frame, &error))?;
        let (id, shutdown) = (operation.id, app.shutdown.clone());
        tokio::spawn(async move {
            let _permit = permit;
            work.carry_out(operation, held, &shutdown).await;
        });
        Ok(format!("/operations/{id}"))
    };
    match begun.await {
        Ok(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        Err(failure) => Failure::shown(failure, &frame),
    }
}

/// A decision on many lines, while its operation is looked at.
struct Work {
    operator: Operator,
    frame: Frame,
    person: String,
    why: String,
    bulk: Bulk,
}

impl Work {
    async fn write_down(&self, count: u64) -> Result<Operation, StoreError> {
        let given = FILTERS.iter().filter_map(|name| {
            let value = self.frame.field(name)?;
            Some(format!("{name}={value}"))
        });
        let operation = Operation {
            id: self.operator.ids.next(),
            person: self.person.clone(),
            kind: format!("review {}", self.bulk.as_str()),
            subject: given.collect::<Vec<_>>().join(", "),
            reason: self.why.clone(),
            matched: count,
            done: 0,
            failed: 0,
            started_at: self.operator.clock.now(),
            ended_at: None,
        };
        self.operator.store.record_operation(&operation).await?;
        Ok(operation)
    }

    /// Goes through the lines a batch at a time, until shutdown; what is not decided then is held as before.
    async fn carry_out(
        self,
        mut operation: Operation,
        held: Vec<HeldLine>,
        shutdown: &samenloop_adapters::shutdown::Shutdown,
    ) {
        for batch in held.chunks(UNDER_WAY) {
            if shutdown.is_cancelled() {
                break;
            }
            match self.decide(batch).await {
                Ok(done) => {
                    operation.done += done;
                    operation.failed += batch.len() as u64 - done;
                }
                Err(_) => operation.failed += batch.len() as u64,
            }
            if let Err(error) = self.operator.store.update_operation(&operation).await {
                tracing::error!(operation = %operation.id, %error, "an operation was lost on its way");
                return;
            }
        }
        operation.ended_at = Some(self.operator.clock.now());
        if let Err(error) = self.operator.store.update_operation(&operation).await {
            tracing::error!(operation = %operation.id, %error, "the end of an operation was lost");
        }
    }

    /// How many of a batch were decided, or now wait for a second person.
    async fn decide(&self, batch: &[HeldLine]) -> Result<u64, Failure> {
        let commands: Vec<record::Command> = batch.iter().map(|line| self.command(line)).collect();
        let ids = asking::send(&self.operator, &self.frame, &commands).await?;
        let mut done = 0;
        for ((line, command), id) in batch.iter().zip(commands).zip(ids) {
            let result = asking::result_of(&self.operator, &self.frame, id, asking::WAIT).await?;
            match result {
                Some(result) if asking::needs_second_person(&result) => {
                    done += u64::from(self.propose(line, command).await?);
                }
                Some(result) => done += u64::from(result.refusals.is_empty()),
                None => {}
            }
        }
        Ok(done)
    }

    fn command(&self, line: &HeldLine) -> record::Command {
        let choice = match self.bulk {
            Bulk::Accept => record::Choice::Accept,
            Bulk::Refuse => record::Choice::Refuse,
        };
        let decide = record::DecideReview {
            line: Some(write_line_id(line.line)),
            version_seen: line.version,
            choice: choice as i32,
            awarded_cents: 0,
            overrides: Vec::new(),
            standing: false,
        };
        asking::command(
            &self.operator,
            &self.person,
            &self.why,
            Action::DecideReview(decide),
        )
    }

    async fn propose(
        &self,
        line: &HeldLine,
        mut command: record::Command,
    ) -> Result<bool, Failure> {
        let id = self.operator.ids.next();
        command.command_id = id.to_string();
        let proposal = Proposal {
            id,
            line: line.line,
            line_reference: line.line_reference.clone(),
            insurer: line.insurer.clone(),
            person: self.person.clone(),
            command,
            cents: line.proposed,
            proposed_at: self.operator.clock.now(),
        };
        let written = self.operator.store.propose(&proposal).await;
        written.map_err(|error| Failure::no_store(&self.frame, &error))
    }
}
