//! The first page: what waits where, how fast it moves, what was decided, and what needs a person.

mod stages;

use std::collections::BTreeSet;

use askama::Template;
use axum::{extract::State, response::Response};
use samenloop_adapters::{
    decision_store::{DecisionFigures, StoreError, StoredMessage},
    wire::v1,
};
use samenloop_domain::reference::{MatchLevel, Reference};
use serde::Serialize;

use self::stages::{Balance, Stage};
use crate::{
    App, Operator,
    reasons::{self, Explained},
    respond::{self, Failure, Form},
    sampler::{self, SAMPLES_MAX, Sample},
    shown::{Count, Euro, Rate, Share, Span, State as Stands, Tone, When},
    sparkline::Sparkline,
};

#[derive(Serialize, Template)]
#[template(path = "overview.html")]
struct Page {
    taken_at: Option<When>,
    broker: Stands,
    store: Stands,
    settlement: Stands,
    reference_version: Option<String>,
    alarms: Vec<Alarm>,
    stages: Vec<Stage>,
    messages: Count,
    lines: Count,
    lines_per_second: Rate,
    #[serde(skip)]
    chart: Sparkline,
    chart_peak: Count,
    chart_seconds: usize,
    history: Vec<u64>,
    pass: Pass,
    verdicts: Vec<Tally>,
    reasons: Vec<ReasonTally>,
    claims: Option<Count>,
    journals: Option<Count>,
    insurers: Vec<Insurer>,
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

#[derive(Serialize)]
struct Tally {
    verdict: Stands,
    lines: Count,
    basis_points: Share,
}

#[derive(Serialize)]
struct ReasonTally {
    code: String,
    explained: Option<Explained>,
    lines: Count,
}

#[derive(Serialize)]
struct Insurer {
    uzovi: String,
    position: Count,
    cents: Euro,
}

/// `/`.
pub(crate) async fn show(State(app): State<App>, form: Form) -> Response {
    let operator = &app.operator;
    let reference = match operator.reference.current().await {
        Ok(reference) => reference,
        Err(error) => return Failure::unavailable("store of decisions", &error).in_form(form),
    };
    let (before, now) = match app.samples.span() {
        Some(span) => span,
        None => {
            let first = sampler::sample(operator).await;
            (first.clone(), first)
        }
    };
    let settled = settled(operator).await;
    let mut page = of_samples(&before, &now, &app.samples.lines_per_second());
    page.pass = pass(&app.samples.recent(), reference.as_deref());
    if reference.is_none() {
        let text = "No reference data is in force: run `samenloop reference import DIR`.";
        page.alarms.insert(0, alarm("bad", text.to_owned(), None));
    }
    page.reference_version = reference.map(|reference| reference.version.to_string());
    page.settle(settled);
    respond::page(form, &page)
}

impl Page {
    fn settle(&mut self, settled: Option<Result<Settled, StoreError>>) {
        match settled {
            None => {}
            Some(Ok(settled)) => {
                self.settlement = answers(None);
                self.claims = Some(Count(settled.claims));
                self.journals = Some(Count(settled.journals));
                self.insurers = settled.insurers;
            }
            Some(Err(error)) => self.settlement = answers(Some(&error.to_string())),
        }
    }
}

struct Settled {
    claims: u64,
    journals: u64,
    insurers: Vec<Insurer>,
}

async fn settled(operator: &Operator) -> Option<Result<Settled, StoreError>> {
    let store = operator.settlement.as_ref()?;
    let read = async {
        let (claims, journals) = store.counts().await?;
        let heads = store.stream_heads().await?.into_iter();
        let insurers = heads.map(|head| Insurer {
            uzovi: head.insurer.to_string(),
            position: Count(head.position),
            cents: Euro(head.cents),
        });
        Ok(Settled {
            claims,
            journals,
            insurers: insurers.collect(),
        })
    };
    Some(read.await)
}

fn of_samples(before: &Sample, now: &Sample, history: &[u64]) -> Page {
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
        alarms: alarms(now, figures),
        stages: stages::of(&Balance {
            before,
            now,
            was,
            figures,
            elapsed,
        }),
        messages: Count(figures.messages),
        lines: Count(lines),
        lines_per_second: Rate::of(decided_lines, elapsed),
        chart: Sparkline::new(history, SAMPLES_MAX),
        chart_peak: Count(history.iter().copied().max().unwrap_or(0)),
        chart_seconds: SAMPLES_MAX,
        history: history.to_vec(),
        pass: pass(&[], None),
        verdicts: verdicts(figures, lines),
        reasons: reason_tallies(figures),
        claims: None,
        journals: None,
        insurers: Vec::new(),
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

fn alarms(now: &Sample, figures: &DecisionFigures) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    if let Some(fault) = &now.broker_fault {
        alarms.push(alarm("bad", format!("The broker: {fault}."), None));
    }
    if let Some(fault) = &now.store_fault {
        alarms.push(alarm(
            "bad",
            format!("The store of decisions: {fault}."),
            None,
        ));
    }
    let counted = [
        (
            figures.parked,
            "bad",
            "Claims that settlement refused, parked",
            None,
        ),
        (
            figures.unclaimed,
            "warn",
            "Outcomes that no queue took",
            None,
        ),
        (
            figures.quarantined,
            "warn",
            "Deliveries in quarantine",
            Some("/quarantine"),
        ),
        (
            figures.waiting,
            "quiet",
            "Declarations that wait for an original",
            None,
        ),
    ];
    let counted = counted.into_iter().filter(|(count, ..)| *count > 0);
    alarms.extend(
        counted.map(|(count, tone, text, link)| {
            alarm(tone, format!("{text}: {}.", Count(count)), link)
        }),
    );
    alarms
}

fn verdicts(figures: &DecisionFigures, lines: u64) -> Vec<Tally> {
    let tallies = figures.lines.iter();
    tallies
        .map(|(word, count)| Tally {
            verdict: Stands::of_wire(word),
            lines: Count(*count),
            basis_points: Share::of(*count, lines),
        })
        .collect()
}

fn reason_tallies(figures: &DecisionFigures) -> Vec<ReasonTally> {
    let mut tallies: Vec<ReasonTally> = figures
        .reasons
        .iter()
        .map(|(code, count)| ReasonTally {
            code: code.clone(),
            explained: reasons::explain(code),
            lines: Count(*count),
        })
        .collect();
    tallies.sort_by(|a, b| b.lines.cmp(&a.lines).then(a.code.cmp(&b.code)));
    tallies
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
