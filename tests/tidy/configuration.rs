//! The README's table of configuration keys, made from the doc comments and defaults of the code.

use samenloop_adapters::config::Config;
use toml::{Table, Value};

/// A field of a struct of the configuration.
#[derive(Clone)]
struct Field {
    of: String,
    name: String,
    kind: String,
    doc: String,
}

/// The table: a row per group, then a row per key with its default and what it is.
pub(crate) fn table(source: &str) -> String {
    let fields = fields(source);
    let defaults = Table::try_from(Config::default()).expect("the defaults are a table");
    let mut rows = String::from("| key | default | meaning |\n| --- | --- | --- |\n");
    for field in fields.iter().filter(|field| field.of == "Config") {
        match &defaults[&field.name] {
            Value::Table(group) => {
                for inner in fields.iter().filter(|inner| inner.of == field.kind) {
                    let key = format!("{}.{}", field.name, inner.name);
                    // A struct of several groups says what the key is; the group says of what.
                    let uses = fields.iter().filter(|it| it.kind == field.kind).count();
                    let meaning = match uses {
                        1 => inner.doc.clone(),
                        _ => format!("{} {}", field.doc, inner.doc),
                    };
                    rows += &row(&key, &group[&inner.name], &meaning);
                }
            }
            value => rows += &row(&field.name, value, &field.doc),
        }
    }
    rows
}

fn row(key: &str, default: &Value, meaning: &str) -> String {
    let default = match default {
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    };
    format!("| `{key}` | {default} | {meaning} |\n")
}

/// Fields of all structs in the order of the source, with their doc comments on one line.
fn fields(source: &str) -> Vec<Field> {
    let (mut found, mut of, mut doc) = (Vec::new(), String::new(), String::new());
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            doc = format!("{doc} {}", text.trim()).trim().to_owned();
        } else if let Some(name) = line.strip_prefix("pub struct ") {
            of = name.trim_end_matches([' ', '{']).to_owned();
            doc.clear();
        } else if line == "}" {
            of.clear();
        } else if let Some((name, kind)) = line
            .strip_prefix("pub ")
            .and_then(|field| field.trim_end_matches(',').split_once(": "))
            && !of.is_empty()
        {
            found.push(Field {
                of: of.clone(),
                name: name.to_owned(),
                kind: kind.to_owned(),
                doc: std::mem::take(&mut doc),
            });
        } else if !line.starts_with("#[") {
            doc.clear();
        }
    }
    found
}

mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_doc_of_its_field_and_of_its_group() {
        let source = "/// All.\npub struct Config {\n    /// The broker.\n    pub broker: Broker,\n}\n\
                      pub struct Broker {\n    /// Where:\n    /// there.\n    pub url: String,\n}\n";
        let table = table(source);
        assert!(
            table.ends_with("| `broker.url` | empty | Where: there. |\n"),
            "{table}"
        );
    }
}
