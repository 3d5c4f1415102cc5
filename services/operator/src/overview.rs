//! The first page: what waits where, how fast it moves, what was decided, and what needs a person.

pub(crate) mod stages;

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use samenloop_adapters::{
    decision_store::{DecisionFigures, StoreError, StoredMessage},
    wire::v1,
};
use samenloop_domain::reference::{MatchLevel, Reference};
use serde::Serialize;

use crate::{
    App, Operator,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    person::Right,
    reasons,
    respond::{self, Failure},
    sampler::{self, SAMPLES_MAX, Sample},
    shown::{Count, Euro, Rate, Share, Span, State as Stands, Tone, When},
    sparkline::Sparkline,
};

static VERDICTS: Spec = Spec {
    name: "verdicts",
    title: Say("Lines by verdict", "Regels naar oordeel"),
    columns: &[
        Column::head("verdict", Say("Verdict", "Oordeel")),
        Column::number("lines", Say("Lines", "Regels")),
        Column::number("basis_points", Say("Share", "Aandeel")),
    ],
    filters: &[],
    empty: Say("No line is decided yet.", "Er is nog geen regel beslist."),
    is_main: false,
};

static REASONS: Spec = Spec {
    name: "reasons",
    title: Say("Lines by reason", "Regels naar reden"),
    columns: &[
        Column::head("code", Say("Code", "Code")),
        Column::number("lines", Say("Lines", "Regels")),
        Column::text("text", Say("Reason", "Reden")),
    ],
    filters: &[],
    empty: Say(
        "No line was rejected, held or reduced yet.",
        "Er is nog geen regel afgewezen, aangehouden of verlaagd.",
    ),
    is_main: false,
};

static INSURERS: Spec = Spec {
    name: "insurers",
    title: Say("Settlement", "Afrekening"),
    columns: &[
        Column::head("uzovi", Say("Insurer (UZOVI)", "Verzekeraar (UZOVI)")),
        Column::number("position", Say("Events", "Gebeurtenissen")),
        Column::number("cents", Say("Sum", "Som")),
    ],
    filters: &[],
    empty: Say(
        "No claim is recorded yet, or settlement cannot be read here.",
        "Er is nog geen claim vastgelegd, of de afrekening is hier niet te lezen.",
    ),
    is_main: false,
};

#[derive(Serialize, Template)]
#[template(path = "overview.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    taken_at: Option<When>,
    broker: Stands,
    store: Stands,
    settlement: Stands,
    reference_version: Option<String>,
    alarms: Vec<Alarm>,
    stages: List,
    messages: Count,
    lines: Count,
    lines_per_second: Rate,
    #[serde(skip)]
    chart: Sparkline,
    chart_peak: Count,
    chart_seconds: usize,
    history: Vec<u64>,
    pass: Pass,
    verdicts: List,
    reasons: List,
    claims: Option<Count>,
    journals: Option<Count>,
    insurers: List,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.stages, &self.verdicts, &self.reasons, &self.insurers]
    }
}

/// Something that needs a person.
#[derive(Serialize)]
struct Alarm {
    #[serde(skip)]
    tone: &'static str,
    text: String,
    link: Option<&'static str>,
}

/// How long the latest declarations took from receipt to decision.
#[derive(Serialize)]
struct Pass {
    declarations: usize,
    /// Those whose receipt lies before their decision; a scenario may say otherwise.
    measured: usize,
    p50_ms: Option<Span>,
    p95_ms: Option<Span>,
    prevented_cents: Euro,
}

/// `/`: the overview, or for whoever may not see it the declarations.
pub(crate) async fn first(State(app): State<App>, frame: Frame) -> Response {
    if frame.may(Right::Watch) {
        return show(State(app), frame).await;
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/declarations")]).into_response()
}

/// `/overview`: the same, also for programs.
pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Response {
    let operator = &app.operator;
    let reference = match operator.reference.current().await {
        Ok(reference) => reference,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    let (before, now) = match app.samples.span() {
        Some(span) => span,
        None => {
            let first = sampler::sample(operator).await;
            (first.clone(), first)
        }
    };
    let settled = settled(operator).await;
    let mut page = of_samples(frame, &before, &now, &app.samples.lines_per_second());
    page.pass = pass(&app.samples.recent(), reference.as_deref());
    if reference.is_none() {
        let text = page.frame.say(
            "No reference data is in force: run `samenloop reference import DIR`.",
            "Er zijn geen referentiegegevens van kracht: start `samenloop reference import MAP`.",
        );
        page.alarms.insert(0, alarm("bad", text.to_owned(), None));
    }
    page.reference_version = reference.map(|reference| reference.version.to_string());
    page.settle(settled);
    respond::page(&page)
}

impl Page {
    fn settle(&mut self, settled: Option<Result<Settled, StoreError>>) {
        match settled {
            None => {}
            Some(Ok(settled)) => {
                self.settlement = answers(None);
                self.claims = Some(Count(settled.claims));
                self.journals = Some(Count(settled.journals));
                self.insurers = List::of_all(&self.frame, &INSURERS, settled.insurers);
            }
            Some(Err(error)) => self.settlement = answers(Some(&error.to_string())),
        }
    }
}

struct Settled {
    claims: u64,
    journals: u64,
    insurers: Vec<Row>,
}

async fn settled(operator: &Operator) -> Option<Result<Settled, StoreError>> {
    let store = operator.settlement.as_ref()?;
    let read = async {
        let (claims, journals) = store.counts().await?;
        let heads = store.stream_heads().await?.into_iter();
        let insurers = heads.map(|head| {
            Row::from(vec![
                Cell::code(head.insurer.to_string()),
                Cell::Count(Count(head.position)),
                Cell::Euro(Euro(head.cents)),
            ])
        });
        Ok(Settled {
            claims,
            journals,
            insurers: insurers.collect(),
        })
    };
    Some(read.await)
}

fn of_samples(frame: Frame, before: &Sample, now: &Sample, history: &[u64]) -> Page {
    let none = DecisionFigures::default();
    let figures = now.figures.as_ref().unwrap_or(&none);
    let was = before.figures.as_ref().unwrap_or(figures);
    let elapsed = now.instant.duration_since(before.instant);
    let lines = sampler::lines(figures);
    let decided_lines = lines.saturating_sub(sampler::lines(was));
    Page {
        taken_at: Some(When(now.taken_at)),
        broker: answers(now.broker_fault.as_deref()),
        store: answers(now.store_fault.as_deref()),
        settlement: Stands::new(Tone::Quiet, "not read here"),
        reference_version: None,
        alarms: alarms(&frame, now, figures),
        stages: stages::of_samples(&frame, before, now),
        messages: Count(figures.messages),
        lines: Count(lines),
        lines_per_second: Rate::of(decided_lines, elapsed),
        chart: Sparkline::new(history, SAMPLES_MAX),
        chart_peak: Count(history.iter().copied().max().unwrap_or(0)),
        chart_seconds: SAMPLES_MAX,
        history: history.to_vec(),
        pass: pass(&[], None),
        verdicts: verdicts(&frame, figures, lines),
        reasons: reason_tallies(&frame, figures),
        claims: None,
        journals: None,
        insurers: List::of_all(&frame, &INSURERS, Vec::new()),
        frame,
    }
}

fn answers(fault: Option<&str>) -> Stands {
    match fault {
        None => Stands::new(Tone::Good, "answers"),
        Some(_) => Stands::new(Tone::Bad, "does not answer"),
    }
}

fn alarm(tone: &'static str, text: String, link: Option<&'static str>) -> Alarm {
    Alarm { tone, text, link }
}

fn alarms(frame: &Frame, now: &Sample, figures: &DecisionFigures) -> Vec<Alarm> {
    let faults = [
        (&now.broker_fault, Say("The broker", "De broker")),
        (
            &now.store_fault,
            Say("The store of decisions", "De opslag van beslissingen"),
        ),
    ];
    let faults = faults.into_iter().filter_map(|(fault, what)| {
        let text = format!("{}: {}.", frame.text(&what), fault.as_deref()?);
        Some(alarm("bad", text, None))
    });
    let counted = [
        (
            figures.parked,
            "bad",
            Say(
                "Claims that settlement refused, parked",
                "Claims die de afrekening weigerde, geparkeerd",
            ),
            Some("/parked"),
        ),
        (
            figures.unclaimed,
            "warn",
            Say(
                "Outcomes that no queue took",
                "Uitkomsten die geen wachtrij aannam",
            ),
            Some("/parked"),
        ),
        (
            figures.quarantine_waiting,
            "warn",
            Say("Deliveries in quarantine", "Bezorgingen in quarantaine"),
            Some("/quarantine?state=waiting"),
        ),
        (
            figures.waiting,
            "quiet",
            Say(
                "Declarations that wait for an original",
                "Declaraties die op een origineel wachten",
            ),
            None,
        ),
    ];
    let counted = counted.into_iter().filter(|(count, ..)| *count > 0);
    let counted = counted.map(|(count, tone, text, link)| {
        let text = format!("{}: {}.", frame.text(&text), frame.show(&Count(count)));
        alarm(tone, text, link)
    });
    faults.chain(counted).collect()
}

fn verdicts(frame: &Frame, figures: &DecisionFigures, lines: u64) -> List {
    let tallies = figures.lines.iter();
    let rows = tallies.map(|(word, count)| {
        Row::from(vec![
            Cell::State(Stands::of_wire(word)),
            Cell::Count(Count(*count)),
            Cell::Share(Share::of(*count, lines)),
        ])
    });
    List::of_all(frame, &VERDICTS, rows.collect())
}

fn reason_tallies(frame: &Frame, figures: &DecisionFigures) -> List {
    let mut tallies: Vec<&(String, u64)> = figures.reasons.iter().collect();
    tallies.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let rows = tallies.into_iter().map(|(code, count)| {
        Row::from(vec![
            Cell::code(code).link(reasons::link(code)),
            Cell::Count(Count(*count)),
            Cell::text(reasons::text(code, frame.language)),
        ])
    });
    List::of_all(frame, &REASONS, rows.collect())
}

fn pass(recent: &[StoredMessage], reference: Option<&Reference>) -> Pass {
    let mut spans: Vec<Span> = recent
        .iter()
        .filter_map(|message| {
            let took = message.decided_at.duration_since(message.received_at);
            took.try_into().ok().map(Span)
        })
        .collect();
    spans.sort_unstable();
    let rank = |percent: usize| {
        let place = (spans.len() * percent).div_ceil(100).saturating_sub(1);
        spans.get(place).copied()
    };
    Pass {
        declarations: recent.len(),
        measured: spans.len(),
        p50_ms: rank(50),
        p95_ms: rank(95),
        prevented_cents: Euro(prevented(recent, reference)),
    }
}

/// Declared minus awarded of lines that a pair rule rejected or reduced, each line reference of a declarant once. What
/// was merely declared twice under one contract is left out.
fn prevented(recent: &[StoredMessage], reference: Option<&Reference>) -> i64 {
    let funding: BTreeSet<String> = reference
        .iter()
        .flat_map(|reference| &reference.pair_rules)
        .filter(|rule| rule.level != MatchLevel::SameContract)
        .map(|rule| rule.head.id.to_string())
        .collect();
    let mut seen = BTreeSet::new();
    let mut cents = 0_i64;
    for message in recent {
        for line in &message.outcome.lines {
            let less = matches!(line.verdict(), v1::Verdict::Reject | v1::Verdict::Reduce);
            let decisive = line.evidence.iter();
            let decisive = decisive
                .filter(|evidence| matches!(evidence.effect.as_str(), "exclude" | "reduce"))
                .any(|evidence| funding.contains(&evidence.rule));
            let key = (&message.outcome.declarant_agb, &line.line_reference);
            if less && decisive && seen.insert(key) {
                cents = cents.saturating_add(line.declared_cents - line.awarded_cents);
            }
        }
    }
    cents
}
