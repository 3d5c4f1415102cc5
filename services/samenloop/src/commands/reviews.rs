//! `samenloop reviews`: lines and cases that wait for a person, and what a person decides of them.
//!
//! On RabbitMQ commands go over the queue and their results are read from the store; on an embedded directory
//! they are carried out here, under its lock, and what is to be sent waits for the next start.

mod text;

use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use samenloop_adapters::{
    broker::{Broker, Published, Queue},
    clock::Clock,
    config::Config,
    decision_store::{HeldLine, ListFilter},
    ids::Ids,
    wire::review::{self, hit_of, write_hits},
};
use samenloop_domain::{coverage::CoverageId, identifiers::Sequence};
use samenloop_proto::{
    declaration::v1 as wire,
    record::v1::{self as record, command::Action},
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{node::Node, print, roles};
use text::{
    case_as_json, held_as_json, line_text, print_case, print_held, print_result, result_as_json,
};

/// Most lines decided by one call.
const DECIDED_MAX: u32 = 1_000;

/// Commands under way at once: a batch of detection.
const UNDER_WAY: usize = 64;

/// How often the result of a command is looked for.
const POLL: Duration = Duration::from_millis(50);

/// Which lines or cases.
#[derive(Clone, Debug, clap::Args)]
pub struct FilterArguments {
    /// To this insurer (UZOVI number).
    #[arg(long)]
    pub insurer: Option<String>,
    /// By this declarant (AGB code).
    #[arg(long)]
    pub declarant: Option<String>,
    /// Under this contract.
    #[arg(long)]
    pub contract: Option<String>,
    /// For this rule.
    #[arg(long)]
    pub rule: Option<String>,
    /// On the list for more than so many days.
    #[arg(long, value_name = "DAYS")]
    pub older_than: Option<u32>,
}

/// Arguments of `reviews list`.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArguments {
    #[command(flatten)]
    filter: FilterArguments,
    /// List cases instead of held lines.
    #[arg(long)]
    cases: bool,
    /// Begin after this line, as `SEQUENCE.LINE`, or after this case.
    #[arg(long)]
    after: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Who asks, and why.
#[derive(Clone, Debug, clap::Args)]
pub struct PersonArguments {
    /// Who decides.
    #[arg(long)]
    person: String,
    /// Who agrees; needed above the amount `reviews.second_person_above_cents`.
    #[arg(long, default_value = "")]
    second_person: String,
    /// Why, in words.
    #[arg(long)]
    note: String,
    /// Seconds to wait for the result.
    #[arg(long, default_value_t = 60)]
    wait: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Arguments of `reviews decide`.
#[derive(Clone, Debug, clap::Args)]
pub struct DecideArguments {
    /// Lines, as `SEQUENCE.LINE`; without any, the filter says which.
    lines: Vec<String>,
    #[command(flatten)]
    filter: FilterArguments,
    /// Every held line that the filter names; without a filter every held line.
    #[arg(long, conflicts_with = "lines")]
    all: bool,
    #[command(flatten)]
    choice: ChoiceArguments,
    /// Override the exclusions that the outcome of the line shows.
    #[arg(long = "override", conflicts_with = "refuse")]
    overriding: bool,
    /// The decision stands between the contracts of the line and its rivals for the rest of the contract year; to
    /// accept so, a second person agrees.
    #[arg(long, conflicts_with_all = ["award", "overriding"])]
    standing: bool,
    /// Only show what would be asked.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    person: PersonArguments,
}

/// What is decided.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct ChoiceArguments {
    /// Award what the rules give.
    #[arg(long)]
    accept: bool,
    /// Award so many cents, which is less.
    #[arg(long, value_name = "CENTS")]
    award: Option<i64>,
    /// Award nothing.
    #[arg(long)]
    refuse: bool,
}

/// Prints held lines or cases.
///
/// # Errors
/// Where the store is away, or `--after` is no line or case.
pub async fn list(config: Config, arguments: &ListArguments) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let filter = filter_of(&arguments.filter, node.clock.now())?;
    if arguments.cases {
        let after = arguments.after.as_deref().unwrap_or("0").parse();
        let after = after.context("--after takes the number of a case")?;
        let cases = node
            .decisions
            .cases(&filter, after, arguments.limit)
            .await?;
        if arguments.json {
            let cases: Vec<_> = cases.iter().map(case_as_json).collect();
            print::line(serde_json::json!({ "cases": cases }));
            return Ok(());
        }
        print::line(
            "case      kind         line       reference            declarant  insurer  contract",
        );
        for case in &cases {
            print_case(case);
        }
        return Ok(());
    }
    let after = arguments
        .after
        .as_deref()
        .map_or(Ok(CoverageId::MIN), parse_line)?;
    let held = node
        .decisions
        .held_lines(&filter, after, arguments.limit)
        .await?;
    if arguments.json {
        let held: Vec<_> = held.iter().map(held_as_json).collect();
        print::line(serde_json::json!({ "held": held }));
        return Ok(());
    }
    print::line(
        "line       reference            declarant  insurer  contract   proposed              rules",
    );
    for line in &held {
        print_held(line);
    }
    Ok(())
}

/// Prints what is known of one line: its newest outcome, with the evidence for which it is held.
///
/// # Errors
/// Where there is no such line.
pub async fn show(config: Config, line: &str, json: bool) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let line = parse_line(line)?;
    let held = held_line(&node, line).await?;
    let outcome = newest(&node, &held).await?;
    let shown = line_of(&outcome, line)?;
    if json {
        let held = held_as_json(&held);
        print::line(serde_json::json!({"held": held, "version": outcome.version, "line": shown}));
        return Ok(());
    }
    print_held(&held);
    print::line(format!(
        "  message {}, version {}",
        outcome.message_id, outcome.version
    ));
    for evidence in &shown.evidence {
        print::line(format!(
            "  {} by {} version {} ({}), {} days in common",
            evidence.effect,
            evidence.rule,
            evidence.rule_version,
            evidence.basis,
            evidence.days_in_common
        ));
        print::line(format!("    {}", evidence.source));
        if let Some(rival) = &evidence.rival {
            print::line(format!(
                "    beside {} of {} to {}, {}.{}{}",
                rival.line_reference,
                rival.declarant_agb,
                rival.insurer_uzovi,
                rival.sequence,
                rival.line,
                if rival.held { ", held" } else { "" }
            ));
        }
    }
    if shown.rivals as usize > shown.evidence.len() {
        print::line(format!("  {} rivals in all", shown.rivals));
    }
    Ok(())
}

/// Decides held lines and prints what came of each; true if every one was carried out.
///
/// # Errors
/// Where a line is not held, a command cannot be sent, or a result does not come in time.
pub async fn decide(config: Config, arguments: &DecideArguments) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let held = wanted(&node, arguments).await?;
    if arguments.dry_run {
        let proposed: i64 = held.iter().map(|line| line.proposed.get()).sum();
        if arguments.person.json {
            let held: Vec<_> = held.iter().map(held_as_json).collect();
            print::line(serde_json::json!({"would_decide": held, "proposed_cents": proposed}));
        } else {
            held.iter().for_each(print_held);
            print::line(format!(
                "{} lines, proposed {}",
                held.len(),
                print::euro(proposed)
            ));
        }
        return Ok(true);
    }
    let mut commands = Vec::with_capacity(held.len());
    for held in &held {
        let decide = decision_of(&node, held, arguments).await?;
        let command = command(
            &arguments.person,
            node.clock.now(),
            Action::DecideReview(decide),
        );
        commands.push((
            format!("{} {}", line_text(held.line), held.line_reference),
            command,
        ));
    }
    carry_out(&node, commands, &arguments.person).await
}

/// Decides a refused line again that nothing excludes any more.
///
/// # Errors
/// Where the command cannot be sent, or its result does not come in time.
pub async fn rejudge(config: Config, line: &str, person: &PersonArguments) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let id = parse_line(line)?;
    let rejudge = record::RejudgeLine {
        line: Some(samenloop_adapters::wire::record::write_line_id(id)),
    };
    let command = command(person, node.clock.now(), Action::RejudgeLine(rejudge));
    carry_out(&node, vec![(line.to_owned(), command)], person).await
}

/// Takes a case off the list.
///
/// # Errors
/// Where the command cannot be sent, or its result does not come in time.
pub async fn dismiss(
    config: Config,
    case_id: u64,
    person: &PersonArguments,
) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let dismiss = record::DismissCase { case_id };
    let command = command(person, node.clock.now(), Action::DismissCase(dismiss));
    carry_out(&node, vec![(format!("case {case_id}"), command)], person).await
}

/// Frees what a chunk of existing prestaties occupies.
///
/// # Errors
/// Where the command cannot be sent, or its result does not come in time.
pub async fn withdraw_import(
    config: Config,
    sequence: u64,
    person: &PersonArguments,
) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let withdraw = record::WithdrawImport { sequence };
    let command = command(person, node.clock.now(), Action::WithdrawImport(withdraw));
    carry_out(&node, vec![(format!("chunk {sequence}"), command)], person).await
}

/// The lines that are named, or that the filter names.
async fn wanted(node: &Node, arguments: &DecideArguments) -> anyhow::Result<Vec<HeldLine>> {
    if arguments.lines.len() > DECIDED_MAX as usize {
        bail!("at most {DECIDED_MAX} lines are decided at once; name fewer");
    }
    let mut held = Vec::with_capacity(arguments.lines.len());
    for line in &arguments.lines {
        held.push(held_line(node, parse_line(line)?).await?);
    }
    let filter = filter_of(&arguments.filter, node.clock.now())?;
    let filtered = arguments.all || filter != ListFilter::default();
    match (arguments.lines.is_empty(), filtered) {
        (false, false) => Ok(held),
        (false, true) => bail!("name lines or a filter, not both"),
        (true, false) => bail!("name lines, a filter, or --all; `reviews list` shows what is held"),
        (true, true) => {
            let found = node
                .decisions
                .held_lines(&filter, CoverageId::MIN, DECIDED_MAX);
            Ok(found.await?)
        }
    }
}

async fn held_line(node: &Node, line: CoverageId) -> anyhow::Result<HeldLine> {
    // The list begins after a line: the one before it is named.
    let before = CoverageId {
        sequence: line.sequence,
        line: line.line.saturating_sub(1),
    };
    let found = node
        .decisions
        .held_lines(&ListFilter::default(), before, 1)
        .await?;
    let found = found.into_iter().find(|held| held.line == line);
    let text = line_text(line);
    found.with_context(|| format!("line {text} is not held; `reviews list` shows what is"))
}

async fn newest(node: &Node, held: &HeldLine) -> anyhow::Result<wire::Outcome> {
    let message = node.decisions.message(held.message_id).await?;
    Ok(message.context("a held line without a message")?.outcome)
}

fn line_of(outcome: &wire::Outcome, line: CoverageId) -> anyhow::Result<&wire::LineOutcome> {
    let mut lines = outcome.lines.iter();
    let found = lines.find(|it| u64::from(it.line_number) == line.line);
    found.with_context(|| format!("the outcome has no line {}", line.line))
}

async fn decision_of(
    node: &Node,
    held: &HeldLine,
    arguments: &DecideArguments,
) -> anyhow::Result<record::DecideReview> {
    let outcome = newest(node, held).await?;
    let evidence = &line_of(&outcome, held.line)?.evidence;
    let choice = match arguments.choice {
        ChoiceArguments { award: Some(_), .. } => record::Choice::AcceptReduced,
        ChoiceArguments { refuse: true, .. } => record::Choice::Refuse,
        _ => record::Choice::Accept,
    };
    let overrides = evidence.iter().filter(|_| arguments.overriding);
    Ok(record::DecideReview {
        line: Some(samenloop_adapters::wire::record::write_line_id(held.line)),
        version_seen: outcome.version,
        choice: choice as i32,
        awarded_cents: arguments.choice.award.unwrap_or_default(),
        overrides: write_hits(&overrides.map(hit_of).collect()),
        standing: arguments.standing,
    })
}

pub(super) fn command(person: &PersonArguments, now: Timestamp, action: Action) -> record::Command {
    record::Command {
        command_id: Ids::System.next().to_string(),
        person: person.person.clone(),
        second_person: person.second_person.clone(),
        issued_at: now.to_string(),
        note: person.note.clone(),
        action: Some(action),
    }
}

/// Has commands carried out, a batch at a time, and prints their results.
pub(super) async fn carry_out(
    node: &Node,
    commands: Vec<(String, record::Command)>,
    person: &PersonArguments,
) -> anyhow::Result<bool> {
    let (mut all, mut told) = (true, Vec::new());
    for batch in commands.chunks(UNDER_WAY) {
        let checked = batch
            .iter()
            .map(|(_, kept)| review::read_command(kept.clone()));
        let checked: Vec<_> = checked.collect::<Result<_, _>>()?;
        let ids = checked.iter().map(|command| (command.id, command.digest()));
        let ids: Vec<(Uuid, [u8; 32])> = ids.collect();
        match &node.broker {
            Broker::Embedded(_) => roles::detection_handler(node).carry_out(checked).await?,
            Broker::Rabbit(_) => {
                let messages = batch.iter().map(|(_, kept)| review::command_message(kept));
                let messages = messages.map(|message| (Queue::Commands, message));
                let published = node.broker.publish(messages.collect()).await?;
                if let Some(failed) = published.iter().find(|it| **it != Published::Confirmed) {
                    bail!("the queue `commands` did not take a command: {failed:?}");
                }
            }
        }
        for ((what, _), id) in batch.iter().zip(ids) {
            let result = result_of(node, id, person.wait).await?;
            all &= result.refusals.is_empty();
            if person.json {
                told.push(result_as_json(what, &result));
            } else {
                print_result(what, &result);
            }
        }
    }
    if person.json {
        print::line(serde_json::json!({"ok": all, "results": told}));
    }
    Ok(all)
}

/// What became of a command with this id and digest.
async fn result_of(
    node: &Node,
    (id, digest): (Uuid, [u8; 32]),
    wait: u64,
) -> anyhow::Result<record::CommandResult> {
    let deadline = Instant::now() + Duration::from_secs(wait);
    loop {
        if let Some(command) = node.decisions.command(id).await? {
            return Ok(command.answer(digest));
        }
        if Instant::now() > deadline {
            bail!("command {id} has no result within {wait} s; is detection running?");
        }
        sleep(POLL).await;
    }
}

fn filter_of(arguments: &FilterArguments, now: Timestamp) -> anyhow::Result<ListFilter> {
    let since_before = arguments.older_than.map(|days| {
        now.checked_sub(SignedDuration::from_hours(i64::from(days) * 24))
            .context("--older-than names too many days")
    });
    Ok(ListFilter {
        insurer: arguments.insurer.clone(),
        declarant: arguments.declarant.clone(),
        contract_id: arguments.contract.clone(),
        rule: arguments.rule.clone(),
        since_before: since_before.transpose()?,
    })
}

fn parse_line(text: &str) -> anyhow::Result<CoverageId> {
    let parts = text.split_once('.');
    let parsed =
        parts.and_then(|(sequence, line)| Some((sequence.parse().ok()?, line.parse().ok()?)));
    let (sequence, line) =
        parsed.with_context(|| format!("{text:?} is no line; write SEQUENCE.LINE, as in 17.1"))?;
    Ok(CoverageId {
        sequence: Sequence(sequence),
        line,
    })
}
