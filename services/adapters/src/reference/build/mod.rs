//! Checks entries against each other and turns them into the reference data of the domain.
//!
//! Every fault is collected; an entry with a fault gives none of the domain, but is still known by
//! its id, so that it does not make others look wrong.

use std::collections::BTreeMap;

use samenloop_domain::{
    declaration::PrestatieKey,
    identifiers::{Agb, ReferenceVersion, Uzovi},
    period::{Day, Period, Validity},
    reference::Reference,
};

use super::{
    data::ReferenceData,
    fault::{Entry, Fault, Origin},
};

mod contract_facts;
mod contracts;
mod equal_rules;
mod registers;
mod rules;

/// Checks `data` and makes the reference data of the domain.
pub(super) fn build(data: &ReferenceData) -> Result<Reference, Vec<Fault>> {
    let mut faults = Faults(Vec::new());
    let reference = Reference {
        version: ReferenceVersion::new(&data.version.value.version),
        code_lists: registers::code_lists(data, &mut faults),
        catalogue: registers::catalogue(data, &mut faults),
        providers: registers::providers(data, &mut faults),
        insurers: registers::insurers(data, &mut faults),
        parties: registers::parties(data, &mut faults),
        mandates: registers::mandates(data, &mut faults),
        groups: registers::groups(data, &mut faults),
        activities: registers::activities(data, &mut faults),
        contracts: contracts::contracts(data, &mut faults),
        pair_rules: rules::pair_rules(data, &mut faults),
        line_rules: rules::line_rules(data, &mut faults),
        policies: rules::policies(data, &mut faults),
    };
    if data.version.value.version.trim().is_empty() {
        let origin = &data.version.origin;
        faults.add(origin.fault("the version has no name", "name it, such as \"2024-10\""));
    }
    equal_rules::check(data, &reference, &mut faults);
    if faults.0.is_empty() {
        return Ok(reference);
    }
    faults.0.sort();
    faults.0.dedup();
    Err(faults.0)
}

/// Faults found so far.
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// The value, or a fault and nothing.
    fn ok<T>(&mut self, found: Result<T, Fault>) -> Option<T> {
        found.map_err(|fault| self.add(fault)).ok()
    }
}

fn validity(origin: &Origin, from: Day, until: Option<Day>) -> Result<Validity, Fault> {
    if until.is_some_and(|until| until <= from) {
        let remedy = "let `until` be the first day on which it no longer holds, after `from`";
        return Err(origin.field_fault("until", "`until` is not after `from`", remedy));
    }
    Ok(Validity { from, until })
}

fn period(origin: &Origin, what: &str, first: Day, last: Day) -> Result<Period, Fault> {
    Period::new(first, last).ok_or_else(|| {
        let problem = format!("{what}: the first day {first} is after the last day {last}");
        origin.field_fault("first", problem, "put the days in order")
    })
}

fn agb(origin: &Origin, field: &str, text: &str) -> Result<Agb, Fault> {
    Agb::parse(text).ok_or_else(|| {
        let problem = format!("`{text}` is not an AGB code");
        let remedy = "write two digits of a kind of provider and a number of six digits";
        origin.field_fault(field, problem, remedy)
    })
}

fn uzovi(origin: &Origin, field: &str, text: &str) -> Result<Uzovi, Fault> {
    Uzovi::parse(text).ok_or_else(|| {
        let problem = format!("`{text}` is not a UZOVI number");
        origin.field_fault(field, problem, "write four digits")
    })
}

fn known_prestatie(
    data: &ReferenceData,
    origin: &Origin,
    field: &str,
    (list, code): (&str, &str),
) -> Result<PrestatieKey, Fault> {
    let known = &data.catalogue;
    if known
        .iter()
        .any(|it| it.value.list == list && it.value.code == code)
    {
        return Ok(PrestatieKey::new(list, code));
    }
    let problem = format!("prestatie {code} of list {list} is unknown");
    Err(origin.field_fault(
        field,
        problem,
        "add it to catalogue.toml, or correct the code",
    ))
}

/// Entries by key; a key that is there already is a fault that names both places.
fn unique<'a, T, K: Ord>(
    entries: &'a [Entry<T>],
    faults: &mut Faults,
    key: impl Fn(&'a T) -> (K, String),
) {
    let mut seen: BTreeMap<K, &Origin> = BTreeMap::new();
    for entry in entries {
        let (key, name) = key(&entry.value);
        match seen.get(&key) {
            Some(first) => {
                let problem = format!("{name} is there already, at {}", first.place());
                faults.add(
                    entry
                        .origin
                        .fault(problem, "remove one of the two or rename it"),
                );
            }
            None => {
                seen.insert(key, &entry.origin);
            }
        }
    }
}

fn overlap(a: Validity, b: Validity) -> bool {
    let before = |a: Validity, b: Validity| a.until.is_some_and(|until| until <= b.from);
    !before(a, b) && !before(b, a)
}
