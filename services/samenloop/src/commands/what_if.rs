//! `samenloop what-if`: last year's declarations by next year's rules.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use samenloop_adapters::{
    clock::Clock,
    config::{self, Config},
    reference::{Fault, Variant},
};
use samenloop_domain::{
    period::{Day, Period},
    validation::Environment,
};

use crate::{
    node::Node,
    print,
    what_if::{self, Part, Question, WhatIf},
};

/// Arguments of `what-if`.
#[derive(Clone, Debug, clap::Args)]
pub struct WhatIfArguments {
    /// Directory with the rules to try: `pair_rules.toml` and `line_rules.toml`.
    #[arg(long, value_name = "DIR", required_unless_present = "contracts")]
    pub rules: Option<PathBuf>,
    /// Tries the rules in force on this day on every line, whatever its dates: next year's rules on last year's lines.
    #[arg(long, value_name = "DAY", requires = "rules")]
    pub rules_on: Option<Day>,
    /// Directory with contracts to try, which take the place of those with the same id.
    #[arg(long, value_name = "DIR")]
    pub contracts: Option<PathBuf>,
    /// First receipt date.
    #[arg(long, value_name = "DAY")]
    pub from: Day,
    /// Last receipt date.
    #[arg(long, value_name = "DAY")]
    pub to: Day,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Decides what was declared again with what is different, and prints what changes.
///
/// # Errors
/// Every fault of what is different with its file and line; where the store is away.
pub async fn run(
    config: impl FnOnce() -> anyhow::Result<Config>,
    arguments: WhatIfArguments,
) -> anyhow::Result<()> {
    let (from, to) = (arguments.from, arguments.to);
    let span = Period::new(from, to).with_context(|| format!("{from} is after {to}"))?;
    let variant = or_faults(variant(&arguments))?;
    if arguments.rules.is_some() && variant.rules_in_force(span) == 0 {
        print::note(format!(
            "none of these rules is in force from {from} to {to}: `--rules-on DAY` tries those of another day"
        ));
    }
    let node = Node::open(config()?, Clock::System).await?;
    let question = Question {
        variant,
        span,
        environment: match node.config.environment {
            config::Environment::Production => Environment::Production,
            config::Environment::Test => Environment::Test,
        },
    };
    let length = 2 * node.decisions.head().await?.sequence.0;
    let bar = print::progress(length, "deciding");
    let found = what_if::answer(&node.decisions, question, || bar.inc(1)).await?;
    bar.finish_and_clear();
    if arguments.json {
        print::line(serde_json::to_string(&found)?);
    } else {
        show(&found);
    }
    Ok(())
}

fn variant(arguments: &WhatIfArguments) -> Result<Variant, Vec<Fault>> {
    let mut variant = Variant::default();
    if let Some(rules) = &arguments.rules {
        variant.set_rules(rules)?;
    }
    if let Some(day) = arguments.rules_on {
        variant.rules_as_on(day);
    }
    if let Some(contracts) = &arguments.contracts {
        variant.add_contracts(contracts)?;
    }
    Ok(variant)
}

fn or_faults<T>(read: Result<T, Vec<Fault>>) -> anyhow::Result<T> {
    match read {
        Ok(read) => Ok(read),
        Err(faults) => {
            for fault in &faults {
                print::note(fault);
            }
            bail!("{} faults; nothing was decided", faults.len())
        }
    }
}

fn show(found: &WhatIf) {
    let mut table = print::table(&["rule", "part", "lines", "decided to would be", "awarded"]);
    for change in &found.by_rule {
        let (rule, part) = match change.part {
            Part::WouldDecide => (
                format!("{}.{}", change.rule, change.rule_version),
                "would decide",
            ),
            Part::Decided => (
                format!("{}.{}", change.rule, change.rule_version),
                "decided, and would not",
            ),
            Part::NoRule => (
                "none".to_owned(),
                "another contract, or what an earlier change led to",
            ),
        };
        let verdicts = change.verdicts.iter();
        let verdicts: Vec<String> = verdicts
            .map(|(verdicts, lines)| format!("{verdicts}: {}", print::thousands(*lines)))
            .collect();
        table.add_row([
            rule,
            part.to_owned(),
            print::thousands(change.lines),
            verdicts.join("\n"),
            print::euro(change.cents),
        ]);
    }
    if !found.by_rule.is_empty() {
        print::line(table);
    }
    for change in &found.by_rule {
        for it in &change.examples {
            print::line(format!(
                "{}.{}: line {} of {}, {} to {}, {} to {}",
                change.rule,
                change.rule_version,
                it.line_reference,
                it.message_id,
                it.decided,
                it.would_be,
                print::euro(it.awarded_cents),
                print::euro(it.would_be_awarded_cents)
            ));
        }
    }
    print::line(format!(
        "{} of {} lines in {} of {} messages would be decided otherwise; awarded {} would be {}, held {} would be {}; \
         nothing was written",
        print::thousands(found.lines_changed),
        print::thousands(found.lines),
        print::thousands(found.messages_changed),
        print::thousands(found.messages),
        print::euro(found.awarded_cents),
        print::euro(found.would_be_awarded_cents),
        print::euro(found.held_cents),
        print::euro(found.would_be_held_cents)
    ));
}
