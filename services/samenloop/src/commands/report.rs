//! The report of `demo`, as a JSON object and as tables.

use std::collections::BTreeMap;

use samenloop_adapters::settlement_store::AccountBalance;
use serde::Serialize;

use super::demo::DemoArguments;
use crate::{audit::Audit, load::LoadResult, print, scenarios::ScenarioResult};

/// What a subscriber of an insurer received.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Received {
    /// Its UZOVI number.
    pub insurer: String,
    /// Events.
    pub events: u64,
    /// Sum of their cents.
    pub cents: i64,
    /// Positions follow each other from 1, and every checked sum is right.
    pub gapless: bool,
    /// Up to the head of the stream, with its sum.
    pub complete: bool,
}

impl Default for Received {
    fn default() -> Self {
        Self {
            insurer: String::new(),
            events: 0,
            cents: 0,
            gapless: true,
            complete: false,
        }
    }
}

/// How many scenarios there were.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ScenarioCounts {
    /// All.
    pub total: usize,
    /// Those with another outcome than expected.
    pub failed: usize,
}

/// A scenario as it is shown.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ScenarioRow {
    /// Its number.
    pub scenario: String,
    /// What it shows.
    pub title: String,
    /// Expected outcomes.
    pub expected: Vec<String>,
    /// Actual outcomes.
    pub actual: Vec<String>,
    /// Whether they are equal.
    pub passed: bool,
}

/// Everything that the demo shows.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DemoReport {
    /// Whether all of it holds.
    pub ok: bool,
    /// Messages decided.
    pub declarations: u64,
    /// Lines decided.
    pub lines: u64,
    /// Lines accepted as declared.
    pub accepted: u64,
    /// Lines accepted for less.
    pub reduced: u64,
    /// Lines held for a person.
    pub held: u64,
    /// Lines refused.
    pub rejected: u64,
    /// Lines withdrawn by a credit while held.
    pub withdrawn: u64,
    /// Refused lines by reason code; a line may have several.
    pub rejected_by_code: BTreeMap<String, u64>,
    /// Sum of awarded cents.
    pub awarded_cents: i64,
    /// Double funding prevented: declared minus awarded cents of lines that a pair rule refused or reduced.
    pub prevented_cents: i64,
    /// The same of lines declared again under one contract.
    pub resent_cents: i64,
    /// Pairs of awarded lines that a rule excludes.
    pub double_funding_pairs: u64,
    /// All accounts add up to nothing, and sector costs to the sum of awards.
    pub ledger_balanced: bool,
    /// Deciding the log again gives the same digest, and its chain of hashes is whole.
    pub replay_equal: bool,
    /// Digest of the decisions.
    pub digest: String,
    /// Messages without an outcome.
    pub outcomes_missing: u64,
    /// Messages with more outcomes than deliveries.
    pub outcomes_duplicated: u64,
    /// Every insurer's subscription received everything, once, in order.
    pub subscriptions_complete: bool,
    /// What each received.
    pub subscriptions: Vec<Received>,
    /// How many scenarios there were.
    pub scenarios: ScenarioCounts,
    /// Each of them.
    pub scenario_results: Vec<ScenarioRow>,
    /// Generated lines per second: durable outcomes, first publication to last outcome.
    pub lines_per_second: u64,
    /// How durable a commit was.
    pub durability: &'static str,
    /// What the codes of the sample are not.
    pub notice: &'static str,
}

impl DemoReport {
    /// Puts the parts together and judges them.
    #[must_use]
    pub fn new(
        arguments: &DemoArguments,
        results: Vec<ScenarioResult>,
        loaded: LoadResult,
        audit: Audit,
        subscriptions: Vec<Received>,
        balances: &[AccountBalance],
    ) -> Self {
        let verdict = |word: &str| audit.verdicts.get(word).copied().unwrap_or_default();
        let rows: Vec<ScenarioRow> = results.into_iter().map(row).collect();
        let failed = rows.iter().filter(|row| !row.passed).count();
        let sum: i64 = balances.iter().map(|balance| balance.cents).sum();
        let costs = balances
            .iter()
            .filter(|balance| balance.account.contains(":cost:"));
        let costs: i64 = costs.map(|balance| balance.cents).sum();
        let millis = loaded.elapsed.as_millis().max(1);
        let lines_per_second = u128::from(loaded.lines) * 1_000 / millis;
        let mut report = Self {
            ok: false,
            declarations: audit.messages,
            lines: audit.lines,
            accepted: verdict("accept"),
            reduced: verdict("reduce"),
            held: verdict("review"),
            rejected: verdict("reject"),
            withdrawn: verdict("withdrawn"),
            awarded_cents: audit.awarded_cents,
            prevented_cents: audit.prevented_cents,
            resent_cents: audit.resent_cents,
            double_funding_pairs: audit.double_funding_pairs,
            ledger_balanced: sum == 0 && costs == audit.awarded_cents,
            replay_equal: audit.digest == audit.replay_digest && audit.broken_at.is_none(),
            digest: audit.digest,
            rejected_by_code: audit.rejected_by_code,
            outcomes_missing: loaded.missing,
            outcomes_duplicated: loaded.duplicated,
            subscriptions_complete: subscriptions.iter().all(|received| received.complete),
            subscriptions,
            scenarios: ScenarioCounts {
                total: rows.len(),
                failed,
            },
            scenario_results: rows,
            lines_per_second: u64::try_from(lines_per_second).unwrap_or(u64::MAX),
            durability: "SQLite in WAL mode, synchronous FULL: every commit is flushed",
            notice: samenloop_adapters::wire::outcome::TEST_CODE_NOTICE,
        };
        report.ok = report.holds() && loaded.lines >= u64::from(arguments.lines);
        report
    }

    fn holds(&self) -> bool {
        self.double_funding_pairs == 0
            && self.ledger_balanced
            && self.replay_equal
            && self.outcomes_missing == 0
            && self.outcomes_duplicated == 0
            && self.subscriptions_complete
            && self.scenarios.failed == 0
    }

    /// Prints tables for people.
    pub fn print(&self) {
        let mut scenarios = print::table(&["scenario", "what it shows", "outcome"]);
        for row in &self.scenario_results {
            let outcome = match row.passed {
                true => format!("as expected: {}", row.actual.join("\n")),
                false => format!(
                    "EXPECTED {}\nGOT      {}",
                    row.expected.join(" / "),
                    row.actual.join(" / ")
                ),
            };
            scenarios.add_row([&row.scenario, &row.title, &outcome]);
        }
        print::line(scenarios);
        let mut verdicts = print::table(&["lines", "number"]);
        for (name, number) in [
            ("accepted", self.accepted),
            ("reduced", self.reduced),
            ("held for a person", self.held),
            ("rejected", self.rejected),
        ] {
            verdicts.add_row([name.to_owned(), print::thousands(number)]);
        }
        for (code, number) in &self.rejected_by_code {
            verdicts.add_row([format!("  rejected with {code}"), print::thousands(*number)]);
        }
        print::align_right(&mut verdicts, 1);
        print::line(verdicts);
        let mut insurers = print::table(&["insurer", "events", "amount", "complete"]);
        for it in &self.subscriptions {
            let complete = if it.complete { "yes" } else { "NO" }.to_owned();
            insurers.add_row([
                it.insurer.clone(),
                print::thousands(it.events),
                print::euro(it.cents),
                complete,
            ]);
        }
        print::align_right(&mut insurers, 1);
        print::align_right(&mut insurers, 2);
        print::line(insurers);
        let mut whole = print::table(&["", ""]);
        let yes = |it: bool| {
            if it {
                "yes".to_owned()
            } else {
                "NO".to_owned()
            }
        };
        for (name, value) in [
            ("declarations", print::thousands(self.declarations)),
            ("lines", print::thousands(self.lines)),
            ("awarded", print::euro(self.awarded_cents)),
            (
                "double funding prevented",
                print::euro(self.prevented_cents),
            ),
            (
                "declared twice under one contract",
                print::euro(self.resent_cents),
            ),
            (
                "awarded pairs that a rule excludes",
                self.double_funding_pairs.to_string(),
            ),
            ("ledger balanced", yes(self.ledger_balanced)),
            ("replay of the log gives the same", yes(self.replay_equal)),
            (
                "outcomes missing or doubled",
                (self.outcomes_missing + self.outcomes_duplicated).to_string(),
            ),
            (
                "scenarios as expected",
                format!(
                    "{} of {}",
                    self.scenarios.total - self.scenarios.failed,
                    self.scenarios.total
                ),
            ),
            ("lines per second", print::thousands(self.lines_per_second)),
            ("durability", self.durability.to_owned()),
        ] {
            whole.add_row([name.to_owned(), value]);
        }
        print::line(whole);
        print::line(self.notice);
        print::line(if self.ok {
            "All of it holds."
        } else {
            "NOT all of it holds."
        });
    }
}

fn row(result: ScenarioResult) -> ScenarioRow {
    let passed = result.passed();
    let ScenarioResult {
        number,
        title,
        expected,
        actual,
        ..
    } = result;
    ScenarioRow {
        scenario: number,
        title,
        expected,
        actual,
        passed,
    }
}
