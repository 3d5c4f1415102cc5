//! What differs between two versions of reference data, per file and key.
//!
//! Compares the stored forms, so that it shows everything that a decision can depend on, and nothing else.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::{Map, Value};

/// An entry that is added, removed or changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// The file or folder that holds it, without its ending.
    pub file: String,
    /// What it is known by there.
    pub key: String,
    /// How it differs.
    #[serde(flatten)]
    pub difference: Difference,
}

/// How an entry differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub enum Difference {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Some of its fields differ.
    Changed {
        /// Which, before and after; absent is null.
        fields: BTreeMap<String, [Value; 2]>,
    },
}

/// Longest text of a value that is printed; a longer one is cut.
const VALUE_CHARACTERS_MAX: usize = 60;

/// The fields that tell entries of a file apart.
const KEYS: &[(&str, &[&str])] = &[
    ("version", &[]),
    ("code_lists", &["list"]),
    ("catalogue", &["list", "code"]),
    ("providers", &["agb", "from"]),
    ("insurers", &["uzovi"]),
    ("parties", &["id"]),
    ("mandates", &["party", "declarant", "from"]),
    ("groups", &["id"]),
    ("activities", &["code"]),
    ("contracts", &["id"]),
    ("pair_rules", &["id", "version"]),
    ("line_rules", &["id", "version"]),
    ("policies", &["insurer", "from", "rules"]),
];

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{} {}", self.file, self.key);
        let name = name.trim_end();
        match &self.difference {
            Difference::Added => write!(f, "+ {name}"),
            Difference::Removed => write!(f, "- {name}"),
            Difference::Changed { fields } => {
                write!(f, "~ {name}")?;
                for (field, [before, after]) in fields {
                    write!(f, "; {field}: {} -> {}", short(before), short(after))?;
                }
                Ok(())
            }
        }
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        value => value.to_string(),
    };
    match text.char_indices().nth(VALUE_CHARACTERS_MAX) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

/// What `after` has otherwise than `before`; both are stored forms, of which the first may be absent.
///
/// Entries are in the order of files, then of keys.
///
/// # Errors
/// Where one of them is not JSON.
pub fn diff(before: Option<&[u8]>, after: &[u8]) -> Result<Vec<Change>, serde_json::Error> {
    let before: Value = before.map_or(Ok(Value::Null), serde_json::from_slice)?;
    let after: Value = serde_json::from_slice(after)?;
    let mut changes = Vec::new();
    for (file, keys) in KEYS {
        let (old, new) = (by_key(&before[*file], keys), by_key(&after[*file], keys));
        let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
        names.sort();
        names.dedup();
        let found = names.into_iter().filter_map(|key| {
            let difference = match (old.get(key), new.get(key)) {
                (None, _) => Difference::Added,
                (_, None) => Difference::Removed,
                (Some(old), Some(new)) if old == new => return None,
                (Some(old), Some(new)) => Difference::Changed {
                    fields: fields(old, new),
                },
            };
            Some(Change {
                file: (*file).to_owned(),
                key: key.clone(),
                difference,
            })
        });
        changes.extend(found);
    }
    Ok(changes)
}

fn by_key<'a>(entries: &'a Value, keys: &[&str]) -> BTreeMap<String, &'a Map<String, Value>> {
    let listed = entries.as_array().into_iter().flatten();
    let objects = listed.chain(entries.is_object().then_some(entries));
    let named = objects.filter_map(Value::as_object).map(|entry| {
        let key = keys
            .iter()
            .filter_map(|key| entry.get(*key))
            .map(|value| match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            });
        (key.collect::<Vec<_>>().join(" "), entry)
    });
    named.collect()
}

fn fields(old: &Map<String, Value>, new: &Map<String, Value>) -> BTreeMap<String, [Value; 2]> {
    let names = old.keys().chain(new.keys());
    let of = |entry: &Map<String, Value>, name: &str| entry.get(name).cloned().unwrap_or_default();
    let pairs = names.map(|name| (name.clone(), [of(old, name), of(new, name)]));
    pairs
        .filter(|(_, [before, after])| before != after)
        .collect()
}
