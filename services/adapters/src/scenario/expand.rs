//! Reference data of a world: the sample's own entries with the scenario's changes, under the
//! world's names.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    fault,
    file::{Overrides, ScenarioFile},
    patch,
    world::World,
};
use crate::reference::{
    Entry, Fault, Origin, ReferenceData,
    data::{ContractEntry, GroupEntry, MandateEntry, PrestatieEntry, ProviderEntry},
};

/// Adds the world of `file` to `data` and gives its names.
pub(super) fn expand(
    base: &ReferenceData,
    data: &mut ReferenceData,
    name: &str,
    file: &ScenarioFile,
) -> Result<World, Vec<Fault>> {
    let mut changes = Changes {
        name,
        faults: Vec::new(),
    };
    if !(1..=99).contains(&file.world) {
        changes.fault(format!("world {} is not one of 1 to 99", file.world));
    }
    let Overrides {
        contracts,
        catalogue,
        providers,
        groups,
    } = &file.reference;
    let key = |it: &PrestatieEntry| format!("{}/{}", it.list, it.code);
    let catalogue = changes.changed(&base.catalogue, catalogue, key);
    let contracts = changes.all(&base.contracts, contracts, |it| it.id.clone());
    let providers = changes.all(&base.providers, providers, |it| it.agb.clone());
    let groups = changes.all(&base.groups, groups, |it| it.id.clone());
    if !changes.faults.is_empty() {
        return Err(changes.faults);
    }
    let codes = catalogue.iter().map(|it| {
        let key = (it.value.list.clone(), it.value.code.clone());
        (key, code_of(file.world, &it.value.code))
    });
    let world = World {
        number: file.world,
        codes: codes.collect(),
    };
    let prestaties = catalogue.into_iter().map(|it| prestatie(&world, it));
    data.catalogue.extend(prestaties);
    let contracts = contracts.into_iter().map(|it| contract(&world, it));
    data.contracts.extend(contracts);
    let providers = providers.into_iter().map(|it| provider(&world, it));
    data.providers.extend(providers);
    let groups = groups.into_iter().map(|it| group(&world, it));
    data.groups.extend(groups);
    data.mandates.extend(mandates(base, &world, name));
    Ok(world)
}

/// Two characters, the world, and the last two: a code of its own within six characters.
fn code_of(world: u8, code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    let (head, rest) = letters.split_at(letters.len().min(2));
    let tail = &rest[rest.len().saturating_sub(2)..];
    let head: String = head.iter().collect();
    let tail: String = tail.iter().collect();
    format!("{head}{world:02}{tail}")
}

/// Changes of one scenario, and what is wrong with them.
struct Changes<'a> {
    name: &'a str,
    faults: Vec<Fault>,
}

impl Changes<'_> {
    fn fault(&mut self, problem: String) {
        let remedy = "see deploy/sample/README.md for what a scenario may change";
        self.faults.push(fault(self.name, None, problem, remedy));
    }

    /// The entries that the scenario changes or adds.
    fn changed<T: Serialize + DeserializeOwned>(
        &mut self,
        base: &[Entry<T>],
        patches: &BTreeMap<String, Value>,
        key: impl Fn(&T) -> String,
    ) -> Vec<Entry<T>> {
        let mut entries = Vec::new();
        for (id, patch) in patches {
            match apply(base, id, patch, &key) {
                Ok(value) if key(&value) == *id => {
                    let origin = origin(self.name);
                    entries.push(Entry { value, origin });
                }
                Ok(value) => {
                    self.fault(format!("entry `{id}` names itself `{}`", key(&value)));
                }
                Err(problem) => self.fault(format!("entry `{id}`: {problem}")),
            }
        }
        entries
    }

    /// All entries of the sample, with those that the scenario changes or adds.
    fn all<T: Serialize + DeserializeOwned + Clone>(
        &mut self,
        base: &[Entry<T>],
        patches: &BTreeMap<String, Value>,
        key: impl Fn(&T) -> String,
    ) -> Vec<Entry<T>> {
        let kept = base
            .iter()
            .filter(|it| !patches.contains_key(&key(&it.value)));
        let mut entries: Vec<Entry<T>> = kept.cloned().collect();
        entries.extend(self.changed(base, patches, key));
        entries
    }
}

fn origin(name: &str) -> Origin {
    Origin {
        file: format!("scenarios/{name}"),
        ..Origin::default()
    }
}

fn apply<T: Serialize + DeserializeOwned>(
    base: &[Entry<T>],
    id: &str,
    patch: &Value,
    key: impl Fn(&T) -> String,
) -> Result<T, String> {
    let mut patch = patch.clone();
    let like = patch.as_object_mut().and_then(|it| it.remove("like"));
    let like = like.as_ref().and_then(Value::as_str);
    let found = base.iter().find(|it| key(&it.value) == like.unwrap_or(id));
    let mut value = match (found, like) {
        (Some(entry), _) => serde_json::to_value(&entry.value).map_err(|it| it.to_string())?,
        (None, Some(like)) => return Err(format!("`{like}` is not in the sample")),
        (None, None) => Value::Null,
    };
    patch::merge(&mut value, &patch);
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn prestatie(world: &World, mut entry: Entry<PrestatieEntry>) -> Entry<PrestatieEntry> {
    entry.value.code = world.code(&entry.value.list, &entry.value.code);
    entry
}

fn provider(world: &World, mut entry: Entry<ProviderEntry>) -> Entry<ProviderEntry> {
    entry.value.agb = world.agb(&entry.value.agb);
    entry
}

fn group(world: &World, mut entry: Entry<GroupEntry>) -> Entry<GroupEntry> {
    entry.value.id = world.id(&entry.value.id);
    entry.value.region = entry.value.region.map(|it| world.id(&it));
    entry
}

fn contract(world: &World, mut entry: Entry<ContractEntry>) -> Entry<ContractEntry> {
    let value = &mut entry.value;
    value.id = world.id(&value.id);
    value.region = value.region.take().map(|it| world.id(&it));
    for agb in value.declarants.iter_mut().chain(&mut value.participants) {
        *agb = world.agb(agb);
    }
    for group in value.groups.iter_mut().chain(&mut value.overlapping_groups) {
        *group = world.id(group);
    }
    for region in value.catchment.iter_mut().flat_map(|it| &mut it.regions) {
        *region = world.id(region);
    }
    for own in value.insurers.iter_mut().flat_map(|it| &mut it.tarieven) {
        own.code = world.code(&own.list, &own.code);
    }
    for prestatie in &mut value.prestaties {
        prestatie.code = world.code(&prestatie.list, &prestatie.code);
    }
    for part in &mut value.agreed_parts {
        part.code = world.code(&part.list, &part.code);
    }
    entry
}

/// A party of the sample plays its role in every world: it may declare there for the same
/// providers.
fn mandates(base: &ReferenceData, world: &World, name: &str) -> Vec<Entry<MandateEntry>> {
    let own = base.parties.iter().filter_map(|party| {
        let agb = party.value.agb.as_ref()?;
        let provider = base.providers.iter().find(|it| it.value.agb == *agb)?;
        Some(MandateEntry {
            party: party.value.id.clone(),
            declarant: world.agb(agb),
            from: provider.value.from,
            until: provider.value.until,
        })
    });
    let given = base.mandates.iter().map(|it| MandateEntry {
        declarant: world.agb(&it.value.declarant),
        ..it.value.clone()
    });
    let entries = own.chain(given).map(|value| Entry {
        value,
        origin: origin(name),
    });
    entries.collect()
}
