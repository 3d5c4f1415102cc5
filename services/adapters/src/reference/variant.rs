//! Reference data that differ from what is in force: with draft contracts in it, or with other rules. For questions
//! only; nothing of it is ever put in force.

use std::path::Path;

use samenloop_domain::{
    period::{Day, Period},
    reference::Reference,
};

use super::{
    Fault, build,
    data::{ContractEntry, LineRuleEntry, PairRuleEntry, ReferenceData},
    fault::Entry,
    from_bytes, read, sort,
};

/// What is different.
#[derive(Clone, Debug, Default)]
pub struct Variant {
    contracts: Vec<Entry<ContractEntry>>,
    rules: Option<Rules>,
}

#[derive(Clone, Debug)]
struct Rules {
    pair: Vec<Entry<PairRuleEntry>>,
    line: Vec<Entry<LineRuleEntry>>,
}

/// Before every day that is declared: a rule that is tried on all of them is in force since then.
const ALWAYS: Day = jiff::civil::date(1900, 1, 1);

impl Variant {
    /// Adds the contract in a file, which takes the place of one with the same id. Gives its id.
    ///
    /// # Errors
    /// Every fault with its line.
    pub fn add_contract(&mut self, file: &Path) -> Result<String, Vec<Fault>> {
        let entry = read::contract(file)?;
        let id = entry.value.id.clone();
        self.contracts.push(entry);
        Ok(id)
    }

    /// Adds every contract of a directory. Gives their ids.
    ///
    /// # Errors
    /// Every fault with its file and line.
    pub fn add_contracts(&mut self, dir: &Path) -> Result<Vec<String>, Vec<Fault>> {
        let entries = read::contracts(dir)?;
        let ids = entries.iter().map(|entry| entry.value.id.clone()).collect();
        self.contracts.extend(entries);
        Ok(ids)
    }

    /// Takes the rules of a directory, `pair_rules.toml` and `line_rules.toml`, instead of those in force.
    ///
    /// # Errors
    /// Every fault with its file and line.
    pub fn set_rules(&mut self, dir: &Path) -> Result<(), Vec<Fault>> {
        let (pair, line) = read::rules(dir)?;
        self.rules = Some(Rules { pair, line });
        Ok(())
    }

    /// Of the rules taken, those in force on `day`, for every day there is: next year's rules can be tried on what was
    /// declared last year.
    pub fn rules_as_on(&mut self, day: Day) {
        let Some(rules) = &mut self.rules else {
            return;
        };
        let holds = |from: Day, until: Option<Day>| from <= day && until.is_none_or(|it| day < it);
        rules.pair.retain(|it| holds(it.value.from, it.value.until));
        rules.line.retain(|it| holds(it.value.from, it.value.until));
        for rule in &mut rules.pair {
            (rule.value.from, rule.value.until) = (ALWAYS, None);
        }
        for rule in &mut rules.line {
            (rule.value.from, rule.value.until) = (ALWAYS, None);
        }
    }

    /// How many of the rules taken are in force on a day of `span`.
    #[must_use]
    pub fn rules_in_force(&self, span: Period) -> usize {
        let Some(rules) = &self.rules else {
            return 0;
        };
        let meets = |from: Day, until: Option<Day>| {
            from <= span.last() && until.is_none_or(|it| span.first() < it)
        };
        let pair = rules
            .pair
            .iter()
            .filter(|it| meets(it.value.from, it.value.until));
        let line = rules
            .line
            .iter()
            .filter(|it| meets(it.value.from, it.value.until));
        pair.count() + line.count()
    }

    /// Whether contracts differ, so that a declaration is to be judged again.
    #[must_use]
    pub fn has_contracts(&self) -> bool {
        !self.contracts.is_empty()
    }

    /// The reference data of a stored form with what is different in it.
    ///
    /// # Errors
    /// Every fault of what is different, with its file and line.
    pub fn of(&self, canonical: &[u8]) -> Result<Reference, Vec<Fault>> {
        let mut data: ReferenceData = from_bytes(canonical)?;
        for contract in &self.contracts {
            data.contracts.retain(|it| it.value.id != contract.value.id);
            data.contracts.push(contract.clone());
        }
        if let Some(rules) = &self.rules {
            data.pair_rules.clone_from(&rules.pair);
            data.line_rules.clone_from(&rules.line);
            keep_policies_of(&mut data);
        }
        sort(&mut data);
        build::build(&data)
    }
}

/// A policy over rules that are not there says nothing; one that named rules never comes to be about all.
fn keep_policies_of(data: &mut ReferenceData) {
    let rules = &data.pair_rules;
    data.policies.retain_mut(|policy| {
        let names = &mut policy.value.rules;
        let is_about_all = names.is_empty();
        names.retain(|id| rules.iter().any(|rule| rule.value.id == *id));
        is_about_all || !names.is_empty()
    });
}
