//! `samenloop audit double-funding`: whether anything was funded twice, and whether the log is whole.

use samenloop_adapters::{clock::Clock, config::Config};

use crate::{
    funding_audit::{self, EXAMPLES_MAX, FundingAudit, Pairs},
    node::Node,
    print,
};

/// Audits the store; true if nothing was funded twice without an override and the log is whole.
///
/// # Errors
/// Where the store is away, or holds what this program cannot read.
pub async fn double_funding(config: Config, as_json: bool) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let bar = print::progress(0, "auditing");
    let audit = funding_audit::audit(&node.decisions, |count| bar.inc(count)).await?;
    bar.finish_and_clear();
    if as_json {
        print::line(serde_json::to_string(&audit)?);
    } else {
        show(&audit);
    }
    Ok(audit.is_clear())
}

fn show(audit: &FundingAudit) {
    let mut whole = print::table(&["", ""]);
    let chain = match audit.broken_at {
        None => "whole".to_owned(),
        Some(entry) => format!("broken at entry {entry}"),
    };
    whole.add_row(["entries of the log", &print::thousands(audit.entries)]);
    whole.add_row(["chain of the log", &chain]);
    whole.add_row(["lines awarded", &print::thousands(audit.awarded_lines)]);
    whole.add_row(["awarded", &print::euro(audit.awarded_cents)]);
    whole.add_row([
        "existing prestaties",
        &print::thousands(audit.imported_rows),
    ]);
    whole.add_row(["pairs judged", &print::thousands(audit.pairs)]);
    print::line(whole);
    let mut lists = print::table(&["pairs", "number", "paid for the cheaper"]);
    let named = [
        ("funded twice, no override", &audit.without_override),
        ("with an override", &audit.with_override),
        ("beside existing prestaties", &audit.imported),
        ("excluded by the rules of today only", &audit.today),
    ];
    for (name, pairs) in &named {
        lists.add_row([
            (*name).to_owned(),
            print::thousands(pairs.count),
            print::euro(pairs.cents),
        ]);
    }
    print::line(lists);
    for (name, pairs) in &named {
        examples(name, pairs);
    }
}

fn examples(name: &str, pairs: &Pairs) {
    for pair in &pairs.examples {
        print::line(format!(
            "{name}: line {} and line {}, {} days, {}.{} says {}, {}",
            pair.earlier,
            pair.later,
            pair.days_in_common,
            pair.rule,
            pair.rule_version,
            pair.effect,
            print::euro(pair.cents)
        ));
    }
    if pairs.count > EXAMPLES_MAX as u64 {
        let more = pairs.count - EXAMPLES_MAX as u64;
        print::line(format!("{name}: and {} more", print::thousands(more)));
    }
}
