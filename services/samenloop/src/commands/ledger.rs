//! `samenloop ledger`: the balances of settlement, compared with the postings that they are sums of.

use samenloop_adapters::{
    clock::Clock,
    config::Config,
    settlement_store::{SettlementStore, commands::Difference},
};
use serde_json::json;

use crate::{node::Node, print};

/// Compares every balance with its postings. False where one differs.
///
/// # Errors
/// Where the store is away.
pub async fn verify(config: Config, json: bool) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let store = node.open_settlement().await?;
    report(&store, json).await
}

/// Writes the balances anew, and verifies them.
///
/// # Errors
/// Where the store is away; the balances are as before.
pub async fn rebuild(config: Config, json: bool) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let store = node.open_settlement().await?;
    store.rebuild_balances().await?;
    report(&store, json).await
}

/// Sends no events any more that were recorded more than `days` days ago, and tells which subscriptions that leaves
/// behind.
///
/// # Errors
/// Where the store is away; nothing has changed.
pub async fn prune(config: Config, days: u16, json: bool) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let store = node.open_settlement().await?;
    let now = node.clock.now();
    let before = now - jiff::SignedDuration::from_hours(24 * i64::from(days));
    store.prune(before, now).await?;
    let (floors, behind) = (store.floors().await?, store.left_behind().await?);
    if json {
        let floors = floors.iter().map(
            |(insurer, position)| json!({ "insurer": insurer.to_string(), "position": position }),
        );
        let behind = behind.iter().map(|(insurer, name, position)| {
            json!({ "insurer": insurer.to_string(), "subscription": name, "position": position })
        });
        print::line(json!({
            "floors": floors.collect::<Vec<_>>(),
            "left_behind": behind.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    for (insurer, position) in floors {
        print::line(format!("{insurer}: events after {position} are sent"));
    }
    for (insurer, name, position) in behind {
        print::line(format!(
            "{insurer}: {name} is at {position} and has to take a snapshot"
        ));
    }
    Ok(())
}

async fn report(store: &SettlementStore, json: bool) -> anyhow::Result<bool> {
    let differences = store.differences().await?;
    let balances = store.balances().await?;
    let sum: i64 = balances.iter().map(|balance| balance.cents).sum();
    let holds = differences.is_empty() && sum == 0;
    if json {
        let differences: Vec<_> = differences.iter().map(as_json).collect();
        print::line(json!({
            "ok": holds,
            "accounts": balances.len(),
            "sum_cents": sum,
            "differences": differences,
        }));
        return Ok(holds);
    }
    let euro = |cents: Option<i64>| cents.map_or_else(|| "none".to_owned(), print::euro);
    for difference in &differences {
        let (kept, posted) = (euro(difference.kept_cents), euro(difference.posted_cents));
        let account = &difference.account;
        print::line(format!("{account}: balance {kept}, postings {posted}"));
    }
    print::line(format!(
        "{} accounts, sum {}, {} differences",
        balances.len(),
        print::euro(sum),
        differences.len()
    ));
    Ok(holds)
}

fn as_json(difference: &Difference) -> serde_json::Value {
    json!({
        "account": difference.account,
        "kept_cents": difference.kept_cents,
        "posted_cents": difference.posted_cents,
    })
}
