//! `samenloop reviews standing|end`: what persons let stand between contracts.

use samenloop_adapters::{clock::Clock, config::Config};
use samenloop_domain::{
    identifiers::Sequence,
    standing::{StandingChoice, StandingReview},
};
use samenloop_proto::record::v1::{self as record, command::Action};

use super::reviews::{PersonArguments, carry_out, command};
use crate::{node::Node, print};

/// Decisions that are listed at most.
const LISTED_MAX: u32 = 1_000;

/// Arguments of `reviews standing`.
#[derive(Clone, Debug, clap::Args)]
pub struct StandingArguments {
    /// Begin after this entry.
    #[arg(long, default_value_t = 0)]
    after: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Prints what stands.
///
/// # Errors
/// Where the store is away.
pub async fn list(config: Config, arguments: &StandingArguments) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let after = Sequence(arguments.after);
    let standing = node.decisions.standing_reviews(after, LISTED_MAX).await?;
    if arguments.json {
        let standing: Vec<_> = standing.iter().map(as_json).collect();
        print::line(serde_json::json!({ "standing": standing }));
        return Ok(());
    }
    let columns = [
        "entry",
        "contract",
        "beside",
        "rule",
        "decided",
        "from",
        "until and with",
    ];
    let mut table = print::table(&columns);
    for it in &standing {
        table.add_row([
            it.decided.to_string(),
            it.pair.contract.to_string(),
            it.pair.other.to_string(),
            format!("{} version {}", it.rule, it.rule_version),
            word(it.choice).to_owned(),
            it.period.first().to_string(),
            it.period.last().to_string(),
        ]);
    }
    print::line(table);
    Ok(())
}

/// Ends what a decision let stand.
///
/// # Errors
/// Where the command cannot be sent, or its result does not come in time.
pub async fn end(config: Config, sequence: u64, person: &PersonArguments) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let end = record::EndStanding { sequence };
    let command = command(person, node.clock.now(), Action::EndStanding(end));
    carry_out(&node, vec![(format!("entry {sequence}"), command)], person).await
}

fn word(choice: StandingChoice) -> &'static str {
    match choice {
        StandingChoice::Accept => "accept",
        StandingChoice::Refuse => "refuse",
    }
}

fn as_json(it: &StandingReview) -> serde_json::Value {
    serde_json::json!({
        "entry": it.decided.0,
        "contract_id": it.pair.contract.as_str(),
        "other_contract_id": it.pair.other.as_str(),
        "rule": it.rule,
        "rule_version": it.rule_version,
        "choice": word(it.choice),
        "first": it.period.first().to_string(),
        "last": it.period.last().to_string(),
    })
}
