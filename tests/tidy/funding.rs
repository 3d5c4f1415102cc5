//! The table of kinds of funding says what the catalogue, the rules and the goldens say.

use std::collections::{BTreeMap, BTreeSet};

use samenloop_adapters::reference::{self, data::PrestatieEntry, words::Condition};
use samenloop_domain::rejection::ReasonCode;

use crate::{assert_none, text, tree};

const TABLE: &str = "deploy/sample/FUNDING.md";
const STATES: [&str; 3] = ["works", "rival only", "refused"];

#[test]
fn every_kind_of_funding_is_in_the_table_and_the_reverse() {
    let data = reference::read(&harness::sample().join("reference")).expect("the sample is read");
    let rules = data.pair_rules.iter().map(|it| it.value.id.clone());
    let rules = rules.chain(data.line_rules.iter().map(|it| it.value.id.clone()));
    let shown: BTreeSet<String> = rules.chain(tree::stems("tests/golden", "txt")).collect();
    let catalogue: BTreeMap<&str, &PrestatieEntry> = (data.catalogue.iter())
        .map(|it| (it.value.code.as_str(), &it.value))
        .collect();
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for row in text::table_below(&tree::read(TABLE), "# Kinds of funding") {
        let [kind, what, codes, source, state, shows] = row.as_slice() else {
            panic!("a row has six cells: {row:?}");
        };
        let state_word = STATES.into_iter().find(|word| state.starts_with(word));
        let Some(state_word) = state_word else {
            wrong.push(format!("{what}: `{state}` is no state"));
            continue;
        };
        if !source.contains(".txt") && !source.contains("BWBR0032741") {
            wrong.push(format!("{what} cites no source"));
        }
        let unknown = text::quoted(shows)
            .into_iter()
            .filter(|name| !shown.contains(name));
        wrong.extend(unknown.map(|name| format!("{what}: {name} is no rule and no golden")));
        let unknown = text::quoted(state).into_iter();
        let unknown = unknown.filter(|code| ReasonCode::parse(code).is_none());
        wrong.extend(unknown.map(|code| format!("{what}: {code} is no code")));
        for code in text::quoted(codes) {
            let Some(entry) = catalogue.get(code.as_str()) else {
                wrong.push(format!("{what}: {code} is not in the catalogue"));
                continue;
            };
            if text::quoted(kind) != [entry.kind.clone()] {
                wrong.push(format!("{code} is of kind {}", entry.kind));
            }
            if state_of(entry) != state_word {
                wrong.push(format!("{code}: {} in the catalogue", state_of(entry)));
            }
            if !listed.insert(code.clone()) {
                wrong.push(format!("{code} is there twice"));
            }
        }
    }
    let missing = catalogue.keys().filter(|code| !listed.contains(**code));
    wrong.extend(missing.map(|code| format!("{code} of the catalogue has no row")));
    assert_none(&format!("{TABLE} and the sample differ"), &wrong);
}

/// What becomes of a line, as far as the catalogue alone says.
fn state_of(entry: &PrestatieEntry) -> &'static str {
    let assessed = entry.zorginstituut_assessed_on.is_some() && entry.nza_described_on.is_some();
    let must_be_assessed = entry
        .conditions
        .contains(&Condition::ZorginstituutAssessment);
    if entry.conditions.contains(&Condition::RivalOnly) {
        "rival only"
    } else if entry.from.is_none() || (must_be_assessed && !assessed) {
        "refused"
    } else {
        "works"
    }
}
