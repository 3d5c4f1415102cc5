//! Runs scenarios through the product as it is: publish, wait for the outcome, compare all that was expected.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use samenloop_adapters::{
    broker::{Broker, Message, Published, Queue},
    clock::{SCENARIO_HEADER, noon},
    decision_store::{DecisionStore, ImportedRow},
    existing,
    fault_plan::{FaultPlan, FaultPoint},
    pseudonym::PseudonymKeys,
    scenario::{Action, Expected, Scenario, ScenarioSet, Settlement, waves},
    wire::{JSON, review::command_message},
};
use samenloop_domain::{
    identifiers::{Bsn, PartyId},
    reference::Reference,
};
use samenloop_proto::declaration::v1 as wire;
use uuid::Uuid;

use crate::mailbox::{Mailbox, Reply};

/// Message type of a declaration.
pub const DECLARATION_TYPE: &str = "nl.samenloop.declaration.submitted.v1";

/// Longest wait for the outcomes of a wave: far longer than any takes, so that a lost one ends the run.
const WAVE_WAIT: Duration = Duration::from_secs(120);

/// What a scenario gave beside what was expected of it.
#[derive(Clone, PartialEq, Debug)]
pub struct ScenarioResult {
    /// Its number.
    pub number: String,
    /// What it shows.
    pub title: String,
    /// Expected verdicts and reasons, a text per step.
    pub expected: Vec<String>,
    /// The actual ones.
    pub actual: Vec<String>,
    /// Outcomes as received, per step that gets one, in order of arrival.
    pub outcomes: Vec<Vec<wire::Outcome>>,
}

impl ScenarioResult {
    /// Whether everything was as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.expected == self.actual
    }
}

/// Where scenarios run.
#[derive(Debug)]
pub struct Stage<'a> {
    /// A connection per party: the broker checks who sends.
    pub brokers: &'a BTreeMap<PartyId, Broker>,
    /// Who may send commands.
    pub commands: &'a Broker,
    /// AMQP user of each party; in process the publisher names it.
    pub users: &'a BTreeMap<PartyId, String>,
    /// Where existing prestaties are imported.
    pub decisions: &'a DecisionStore,
    /// What they are read with.
    pub reference: &'a Reference,
    /// Keys of pseudonyms.
    pub keys: &'a PseudonymKeys,
    /// Makes the relay of claims fail while settlement is said to be away.
    pub claim_faults: &'a FaultPlan,
}

/// Runs every scenario; those that do not depend on each other run at once.
///
/// # Errors
/// Where an outcome does not come, or the broker does not take a message.
pub async fn run(
    stage: &Stage<'_>,
    set: &ScenarioSet,
    mailbox: &mut Mailbox,
    mut progress: impl FnMut(usize),
) -> anyhow::Result<Vec<ScenarioResult>> {
    let mut received: BTreeMap<Uuid, Vec<Reply>> = BTreeMap::new();
    for wave in waves(&set.scenarios) {
        let mut awaited: BTreeMap<Uuid, usize> = BTreeMap::new();
        let mut away = false;
        for (scenario, step) in &wave {
            match &set.scenarios[*scenario].steps[*step].action {
                Action::ImportExisting(import) => import_rows(stage, &import.csv).await?,
                Action::Decide(decision) => {
                    *awaited.entry(decision.message_id).or_default() += 1;
                }
                Action::Declare(delivery) => {
                    away |= delivery.settlement == Settlement::Unavailable;
                    *awaited.entry(delivery.message_id).or_default() +=
                        delivery.deliveries as usize;
                }
            }
        }
        stage.claim_faults.set_standing(FaultPoint::OnSend, away);
        publish_wave(stage, &set.scenarios, &wave).await?;
        publish_commands(stage, &set.scenarios, &wave).await?;
        collect(mailbox, awaited, &mut received).await?;
        stage.claim_faults.set_standing(FaultPoint::OnSend, false);
        progress(wave.len());
    }
    Ok(set
        .scenarios
        .iter()
        .map(|scenario| compare(scenario, &mut received))
        .collect())
}

async fn publish_wave(
    stage: &Stage<'_>,
    scenarios: &[Scenario],
    wave: &[(usize, usize)],
) -> anyhow::Result<()> {
    let mut by_party: BTreeMap<&PartyId, Vec<(Queue, Message)>> = BTreeMap::new();
    for (scenario, step) in wave {
        let step = &scenarios[*scenario].steps[*step];
        let Action::Declare(delivery) = &step.action else {
            continue;
        };
        let user = stage
            .users
            .get(&delivery.party)
            .with_context(|| format!("party {} has no user", delivery.party))?;
        let mut message = declaration_message(delivery.message_id, delivery.body.clone(), user);
        message.headers.insert(
            SCENARIO_HEADER.to_owned(),
            noon(step.received_on).to_string(),
        );
        for _ in 0..delivery.deliveries {
            by_party
                .entry(&delivery.party)
                .or_default()
                .push((Queue::Declarations, message.clone()));
        }
    }
    for (party, messages) in by_party {
        let broker = stage
            .brokers
            .get(party)
            .with_context(|| format!("party {party} has no connection"))?;
        let published = broker.publish(messages).await?;
        if let Some(failed) = published
            .iter()
            .find(|published| **published != Published::Confirmed)
        {
            bail!("the broker did not take a declaration of {party}: {failed:?}");
        }
    }
    Ok(())
}

/// Publishes what persons decide in a wave, about the newest outcomes.
async fn publish_commands(
    stage: &Stage<'_>,
    scenarios: &[Scenario],
    wave: &[(usize, usize)],
) -> anyhow::Result<()> {
    let mut messages = Vec::new();
    for (scenario, step) in wave {
        let Action::Decide(decision) = &scenarios[*scenario].steps[*step].action else {
            continue;
        };
        let id = decision.message_id;
        let message = stage.decisions.message(id).await?;
        let message = message.with_context(|| format!("message {id} was not decided"))?;
        let command = decision.command(message.sequence.0, &message.outcome);
        messages.push((Queue::Commands, command_message(&command)));
    }
    let published = stage.commands.publish(messages).await?;
    let failed = published.iter().find(|it| **it != Published::Confirmed);
    if let Some(failed) = failed {
        bail!("the broker did not take a command: {failed:?}");
    }
    Ok(())
}

/// A declaration in its JSON form as a sender publishes it.
#[must_use]
pub fn declaration_message(message_id: Uuid, body: impl Into<Bytes>, user: &str) -> Message {
    Message {
        message_id: message_id.to_string(),
        message_type: DECLARATION_TYPE.to_owned(),
        content_type: JSON.to_owned(),
        user: Some(user.to_owned()),
        body: body.into(),
        ..Message::default()
    }
}

async fn import_rows(stage: &Stage<'_>, csv: &[u8]) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let pseudonyms = |bsn: &Bsn| stage.keys.pseudonyms(bsn);
    for row in existing::read(csv, stage.reference, &pseudonyms) {
        let row = row.map_err(|bad| anyhow::anyhow!("row {}: {}", bad.row, bad.reason))?;
        rows.push(ImportedRow {
            row: row.row,
            coverage: row.coverage,
            awarded: row.awarded,
        });
    }
    let now = jiff::Timestamp::UNIX_EPOCH;
    samenloop_detection::existing::import_rows(stage.decisions, "scenario", rows, now).await?;
    Ok(())
}

/// Takes replies until every awaited message has as many as it was delivered.
async fn collect(
    mailbox: &mut Mailbox,
    awaited: BTreeMap<Uuid, usize>,
    received: &mut BTreeMap<Uuid, Vec<Reply>>,
) -> anyhow::Result<()> {
    let mut open: usize = awaited.values().sum();
    let deadline = tokio::time::Instant::now() + WAVE_WAIT;
    while open > 0 {
        let next = tokio::time::timeout_at(deadline, mailbox.next()).await;
        let (_, reply) = next.with_context(|| missing(&awaited, received))??;
        let id = match &reply {
            Reply::Outcome(outcome) => outcome.message_id.clone(),
            Reply::Refusal(refusal) => refusal.message_id.clone(),
        };
        let Ok(id) = Uuid::try_parse(&id) else {
            bail!("a delivery without an id was refused: {reply:?}")
        };
        if awaited.contains_key(&id) {
            open -= 1;
        }
        received.entry(id).or_default().push(reply);
    }
    Ok(())
}

fn missing(awaited: &BTreeMap<Uuid, usize>, received: &BTreeMap<Uuid, Vec<Reply>>) -> String {
    let ids: Vec<String> = (awaited.keys())
        .filter(|id| !received.contains_key(id))
        .take(5)
        .map(ToString::to_string)
        .collect();
    format!(
        "no outcome within {} s for {}",
        WAVE_WAIT.as_secs(),
        ids.join(", ")
    )
}

fn compare(scenario: &Scenario, received: &mut BTreeMap<Uuid, Vec<Reply>>) -> ScenarioResult {
    let (mut expected, mut actual, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    // Versions that persons' decisions give; each is one more than the last.
    let mut versions: BTreeMap<Uuid, u32> = BTreeMap::new();
    for step in &scenario.steps {
        let delivery = match &step.action {
            Action::Declare(delivery) => delivery,
            Action::ImportExisting(_) => continue,
            Action::Decide(decision) => {
                let version = versions.entry(decision.message_id).or_insert(1);
                *version += 1;
                let replies = received.get(&decision.message_id);
                let decided = replies.into_iter().flatten().find(|reply| match reply {
                    Reply::Outcome(outcome) => outcome.version == *version,
                    Reply::Refusal(_) => false,
                });
                expected.push(expected_text(&decision.expected));
                actual.extend(decided.map(|reply| actual_text(reply, &decision.expected)));
                outcomes.push(decided.into_iter().filter_map(outcome_of).collect());
                continue;
            }
        };
        let replies = received
            .get(&delivery.message_id)
            .map_or(&[][..], Vec::as_slice);
        let first = seen.insert(delivery.message_id);
        let replies = if first {
            replies
        } else {
            &replies[replies.len().saturating_sub(1)..]
        };
        for reply in &replies[..(delivery.deliveries as usize).min(replies.len())] {
            expected.push(expected_text(&delivery.expected));
            actual.push(actual_text(reply, &delivery.expected));
        }
        outcomes.push(replies.iter().filter_map(outcome_of).collect());
    }
    ScenarioResult {
        number: scenario.number.clone(),
        title: scenario.title.clone(),
        expected,
        actual,
        outcomes,
    }
}

fn outcome_of(reply: &Reply) -> Option<wire::Outcome> {
    match reply {
        Reply::Outcome(outcome) => Some((**outcome).clone()),
        Reply::Refusal(_) => None,
    }
}

fn expected_text(expected: &Expected) -> String {
    let lines = expected.lines.iter().map(|line| {
        let verdict = samenloop_adapters::wire::outcome::write_verdict(line.verdict);
        let proposed = line.proposed_cents;
        line_text(
            &line.line_reference,
            verdict_word(verdict),
            line.awarded_cents,
            proposed,
            &line.reasons,
        )
    });
    let status = samenloop_adapters::wire::outcome::write_status(expected.status);
    whole_text(status_word(status), &expected.reasons, lines)
}

fn actual_text(reply: &Reply, expected: &Expected) -> String {
    let outcome = match reply {
        Reply::Refusal(refusal) => return format!("refused {}", codes(&refusal.reasons).join(" ")),
        Reply::Outcome(outcome) => outcome,
    };
    let lines = outcome.lines.iter().enumerate().map(|(index, line)| {
        let shown = expected
            .lines
            .get(index)
            .and_then(|line| line.proposed_cents);
        let proposed = shown.map(|_| line.proposed_cents);
        line_text(
            &line.line_reference,
            verdict_word(line.verdict()),
            line.awarded_cents,
            proposed,
            &codes(&line.reasons),
        )
    });
    whole_text(
        status_word(outcome.status()),
        &codes(&outcome.reasons),
        lines,
    )
}

fn codes(reasons: &[wire::Reason]) -> Vec<String> {
    reasons.iter().map(|reason| reason.code.clone()).collect()
}

fn whole_text(status: &str, reasons: &[String], lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(" {}", reasons.join(" "))
    };
    format!("{status}{reasons}: {}", lines.join("; "))
}

fn line_text(
    reference: &str,
    verdict: &str,
    awarded: i64,
    proposed: Option<i64>,
    reasons: &[String],
) -> String {
    let proposed = proposed
        .map(|cents| format!(" (proposed {cents})"))
        .unwrap_or_default();
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(" {}", reasons.join(" "))
    };
    format!("{reference} {verdict} {awarded}{proposed}{reasons}")
}

/// A verdict as one word.
#[must_use]
pub fn verdict_word(verdict: wire::Verdict) -> &'static str {
    match verdict {
        wire::Verdict::Unspecified => "unspecified",
        wire::Verdict::Accept => "accept",
        wire::Verdict::Reduce => "reduce",
        wire::Verdict::Review => "review",
        wire::Verdict::Reject => "reject",
        wire::Verdict::Withdrawn => "withdrawn",
    }
}

/// A status as one word.
#[must_use]
pub fn status_word(status: wire::Status) -> &'static str {
    match status {
        wire::Status::Unspecified => "unspecified",
        wire::Status::Accepted => "accepted",
        wire::Status::Partly => "partly",
        wire::Status::Rejected => "rejected",
        wire::Status::InReview => "in_review",
    }
}
