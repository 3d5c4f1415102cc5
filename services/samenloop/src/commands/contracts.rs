//! `samenloop contracts`: what is taken of the ceilings and budgets of each contract, which signals are reached, and
//! what its KPIs say.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use samenloop_adapters::{
    clock::Clock,
    config::Config,
    decision_store::{CEILINGS_MAX, DecisionStore},
    reference_feed::ReferenceFeed,
};
use samenloop_domain::{
    ceiling::{Bound, bounds, key_of},
    cents::Cents,
    history::CeilingKey,
    identifiers::ContractId,
    reference::{Contract, Kpi, Reference},
};
use serde_json::{Value, json};

use crate::{node::Node, print};

/// Prints the bounds and KPIs of one contract, or of every contract that has any.
///
/// # Errors
/// Where no reference data is in force, the contract is unknown, or the store is away.
pub async fn run(config: Config, contract: Option<&str>, as_json: bool) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let feed = ReferenceFeed::new(node.decisions.clone());
    let reference = feed
        .current()
        .await?
        .context("no reference data is in force")?;
    let shown = states(&node.decisions, &reference, contract).await?;
    if as_json {
        print::line(json!({"version": reference.version.as_str(), "contracts": shown}));
        return Ok(());
    }
    for contract in &shown {
        print_contract(contract);
    }
    Ok(())
}

/// Bounds and KPIs of one contract, or of every contract that has any, as JSON.
///
/// # Errors
/// Where the contract is unknown, or the store is away.
pub async fn states(
    store: &DecisionStore,
    reference: &Reference,
    contract: Option<&str>,
) -> anyhow::Result<Vec<Value>> {
    let chosen = chosen(reference, contract)?;
    let taken = taken(store, &chosen).await?;
    let shown = chosen.into_iter();
    Ok(shown
        .map(|(id, contract)| shown_contract(id, contract, &taken))
        .collect())
}

type Chosen<'a> = Vec<(&'a ContractId, &'a Contract)>;

fn chosen<'a>(reference: &'a Reference, named: Option<&str>) -> anyhow::Result<Chosen<'a>> {
    let Some(id) = named else {
        let all = reference.contracts.iter();
        let told =
            |contract: &Contract| bounds(contract).next().is_some() || !contract.kpis.is_empty();
        return Ok(all.filter(|(_, contract)| told(contract)).collect());
    };
    let found = reference.contracts.get_key_value(&ContractId::new(id));
    Ok(vec![
        found.with_context(|| format!("contract {id} is unknown"))?,
    ])
}

async fn taken(
    store: &DecisionStore,
    chosen: &Chosen<'_>,
) -> anyhow::Result<BTreeMap<CeilingKey, Cents>> {
    let keys = chosen.iter();
    let keys = keys.flat_map(|(id, contract)| bounds(contract).map(|bound| key_of(id, bound)));
    let keys: Vec<CeilingKey> = keys.collect();
    let mut taken = BTreeMap::new();
    for part in keys.chunks(CEILINGS_MAX) {
        let part: BTreeSet<CeilingKey> = part.iter().cloned().collect();
        taken.extend(store.taken(&part).await?);
    }
    Ok(taken)
}

fn shown_contract(
    id: &ContractId,
    contract: &Contract,
    taken: &BTreeMap<CeilingKey, Cents>,
) -> Value {
    let bounds = bounds(contract).map(|bound| {
        let taken = taken.get(&key_of(id, bound)).copied().unwrap_or_default();
        shown_bound(bound, taken)
    });
    json!({
        "contract": id.as_str(),
        "bounds": bounds.collect::<Vec<Value>>(),
        "kpis": contract.kpis.iter().map(shown_kpi).collect::<Vec<Value>>(),
    })
}

fn shown_bound(bound: Bound<'_>, taken: Cents) -> Value {
    let kind = match bound {
        Bound::Ceiling(_) => "ceiling",
        Bound::Budget(_) => "budget",
    };
    let reached: Vec<u32> = bound.reached(taken).map(|share| share.get()).collect();
    json!({
        "kind": kind,
        "name": bound.name(),
        "first": bound.period().first().to_string(),
        "last": bound.period().last().to_string(),
        "bound_cents": bound.cents().get(),
        "taken_cents": taken.get(),
        // Of a budget: what is settled afterwards, if nothing more is taken; negative is paid back.
        "left_cents": bound.cents().get() - taken.get(),
        "signals_reached_basis_points": reached,
    })
}

fn shown_kpi(kpi: &Kpi) -> Value {
    json!({
        "name": kpi.name,
        "reached": kpi.is_reached(),
        "measured": kpi.measured.map(|it| it.value.to_string()),
        "measured_on": kpi.measured.map(|it| it.on.to_string()),
        "consequence": kpi.consequence,
    })
}

fn print_contract(contract: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cents = |value: &Value| print::euro(value.as_i64().unwrap_or_default());
    print::line(format!("contract {}", text(&contract["contract"])));
    for bound in contract["bounds"].as_array().into_iter().flatten() {
        print::line(format!(
            "  {} {}, {} to {}: {} of {} taken, {} left; signals reached {}",
            text(&bound["kind"]),
            text(&bound["name"]),
            text(&bound["first"]),
            text(&bound["last"]),
            cents(&bound["taken_cents"]),
            cents(&bound["bound_cents"]),
            cents(&bound["left_cents"]),
            bound["signals_reached_basis_points"],
        ));
    }
    for kpi in contract["kpis"].as_array().into_iter().flatten() {
        let said = match kpi["reached"].as_bool() {
            Some(true) => "reached".to_owned(),
            Some(false) => format!("not reached: {}", text(&kpi["consequence"])),
            None => "not measured".to_owned(),
        };
        print::line(format!("  KPI {}: {said}", text(&kpi["name"])));
    }
}
