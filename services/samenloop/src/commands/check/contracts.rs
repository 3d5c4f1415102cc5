//! Draft contracts: the lines that each would give, beside the register and beside the contracts in force.
//!
//! What is told of others is how many they are and which rule speaks, never who they are: a contract in force is named
//! only where it has an insurer in common with the draft.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, bail};
use samenloop_adapters::{
    reference::{Fault, Variant},
    wire::outcome::{basis_word, effect_word},
};
use samenloop_domain::{
    coverage::{CoverageId, CoverageIndex, CoverageState, Covered},
    draft::{self, Conflict, DraftLine},
    identifiers::{ContractId, Sequence},
    reference::{Contract, ContractState, Reference},
};
use serde::Serialize;

use crate::{node::Node, print, roles};

/// Conflicts of one line with one rule.
#[derive(Debug, Serialize)]
struct Found {
    contract: String,
    prestatie: String,
    first: String,
    last: String,
    group: String,
    insurer: String,
    effect: &'static str,
    rule: String,
    rule_version: u32,
    basis: &'static str,
    source: String,
    /// Lines that were awarded or held, and existing prestaties.
    register_lines: u64,
    /// Contracts in force whose lines it would meet.
    contracts: u64,
    /// Those of them that have an insurer in common with the draft.
    own_contracts: Vec<String>,
    days_in_common_max: u32,
}

pub(super) async fn check(node: &Node, files: &[PathBuf], as_json: bool) -> anyhow::Result<bool> {
    let (version, _) = node
        .decisions
        .active_version()
        .await?
        .context("no reference data is in force: run `samenloop reference import DIR`")?;
    let stored = node.decisions.reference(&version).await?;
    let stored = stored.context("the reference data in force are not kept")?;
    let mut variant = Variant::default();
    let mut ids = Vec::with_capacity(files.len());
    for file in files {
        ids.push(ContractId::new(or_faults(variant.add_contract(file))?));
    }
    let reference = or_faults(variant.of(&stored.canonical))?;
    let drafts = ids.iter().flat_map(|id| {
        let contract = &reference.contracts[id];
        draft::lines_of(id, contract, &reference)
    });
    let drafts: Vec<DraftLine> = drafts.collect();
    let snapshot = roles::funding_check(node).coverage_of(&drafts).await?;
    let in_force = contracts_in_force(&reference);
    let mut found = Vec::new();
    for line in &drafts {
        let register = snapshot.history.coverage.meeting(&line.coverage);
        let contracts = in_force.meeting(&line.coverage);
        let mut by_rule = BTreeMap::new();
        for conflict in draft::conflicts(line, &register, &reference) {
            add(&mut by_rule, line, &conflict, None);
        }
        for conflict in draft::conflicts(line, &contracts, &reference) {
            let named = own(line, &conflict, &reference);
            add(&mut by_rule, line, &conflict, Some(named));
        }
        found.extend(by_rule.into_values());
    }
    show(&found, drafts.len(), snapshot.head.sequence, as_json);
    Ok(found.is_empty())
}

fn or_faults<T>(read: Result<T, Vec<Fault>>) -> anyhow::Result<T> {
    match read {
        Ok(read) => Ok(read),
        Err(faults) => {
            for fault in &faults {
                print::note(fault);
            }
            bail!("{} faults; nothing was checked", faults.len())
        }
    }
}

/// The lines that the contracts which are signed would give. The number of a line is its place, from 1.
fn contracts_in_force(reference: &Reference) -> CoverageIndex {
    let in_force = |contract: &Contract| {
        use ContractState::{Active, Ended, Signed};
        matches!(contract.state, Signed | Active | Ended)
    };
    let mut index = CoverageIndex::default();
    let contracts = reference.contracts.iter();
    let lines = contracts
        .filter(|(_, contract)| in_force(contract))
        .flat_map(|(id, contract)| draft::lines_of(id, contract, reference));
    for (number, line) in (1..).zip(lines) {
        index.insert(Covered {
            id: CoverageId {
                sequence: Sequence(0),
                line: number,
            },
            state: CoverageState::Awarded,
            coverage: line.coverage,
        });
    }
    index
}

/// The contract of a conflict, and whether it has an insurer in common with the draft.
fn own(line: &DraftLine, conflict: &Conflict<'_>, reference: &Reference) -> (ContractId, bool) {
    let id = conflict.rival.coverage.contract_id.clone();
    let id = id.unwrap_or_else(|| ContractId::new(""));
    let insurers = |id: &ContractId| {
        let contract = reference.contracts.get(id);
        contract
            .into_iter()
            .flat_map(|it| it.insurers.iter().map(|bound| bound.uzovi))
    };
    let shared = insurers(&id).any(|it| insurers(&line.contract_id).any(|own| own == it));
    (id, shared)
}

type Key = (std::cmp::Reverse<u8>, String, u32);

fn add(
    by_rule: &mut BTreeMap<Key, Found>,
    line: &DraftLine,
    conflict: &Conflict<'_>,
    contract: Option<(ContractId, bool)>,
) {
    let rule = conflict.rule;
    let key = (
        std::cmp::Reverse(conflict.effect as u8),
        rule.id.to_string(),
        rule.version,
    );
    let found = by_rule.entry(key).or_insert_with(|| Found {
        contract: line.contract_id.to_string(),
        prestatie: format!("{}/{}", line.prestatie.list, line.prestatie.code),
        first: line.period.first().to_string(),
        last: line.period.last().to_string(),
        group: line
            .group
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        insurer: line.insurer.to_string(),
        effect: effect_word(conflict.effect),
        rule: rule.id.to_string(),
        rule_version: rule.version,
        basis: basis_word(rule.basis),
        source: rule.source.clone(),
        register_lines: 0,
        contracts: 0,
        own_contracts: Vec::new(),
        days_in_common_max: 0,
    });
    found.days_in_common_max = found.days_in_common_max.max(conflict.days_in_common);
    match contract {
        None => found.register_lines += 1,
        Some((id, is_own)) => {
            found.contracts += 1;
            let id = id.to_string();
            if is_own && !found.own_contracts.contains(&id) {
                found.own_contracts.push(id);
            }
        }
    }
}

fn show(found: &[Found], lines: usize, sequence: Sequence, as_json: bool) {
    if as_json {
        print::line(serde_json::json!({
            "sequence": sequence.0, "lines": lines, "clear": found.is_empty(), "conflicts": found,
        }));
        return;
    }
    let header = [
        "prestatie",
        "term",
        "group",
        "insurer",
        "effect",
        "rule",
        "lines",
        "contracts",
        "days",
    ];
    let mut table = print::table(&header);
    for it in found {
        let own = it.own_contracts.join(" ");
        let others = it.contracts - it.own_contracts.len().min(it.contracts as usize) as u64;
        let contracts = match (own.is_empty(), others) {
            (true, 0) => String::new(),
            (true, others) => format!("{others} of other insurers"),
            (false, 0) => own,
            (false, others) => format!("{own} and {others} more"),
        };
        table.add_row([
            format!("{} {}", it.contract, it.prestatie),
            format!("{} to {}", it.first, it.last),
            it.group.clone(),
            it.insurer.clone(),
            it.effect.to_owned(),
            format!(
                "{}.{} ({})\n{}",
                it.rule, it.rule_version, it.basis, it.source
            ),
            print::thousands(it.register_lines),
            contracts,
            it.days_in_common_max.to_string(),
        ]);
    }
    if !found.is_empty() {
        print::line(table);
    }
    print::line(format!(
        "{lines} lines that it would give, {} conflicts; asked of the register as of entry {sequence}; \
         nothing was written",
        found.len()
    ));
}
