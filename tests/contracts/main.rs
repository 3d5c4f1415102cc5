//! The published contract of the queues, the broker's definitions and the code say the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod reasons;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use samenloop_adapters::broker::{Queue, topology::DEFINITIONS};
use serde_json::{Value, json};

/// What a broker is told of an exchange or queue, by its name.
type Declared = BTreeMap<String, Value>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn contract_text() -> String {
    fs::read_to_string(root().join("proto/schemas/asyncapi.yaml")).unwrap()
}

fn contract() -> Value {
    yaml_serde::from_str(&contract_text()).unwrap()
}

fn definitions() -> Value {
    serde_json::from_str(DEFINITIONS).unwrap()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    let found = value[field].as_str();
    found.unwrap_or_else(|| panic!("no text {field:?} in {value}"))
}

fn channels(contract: &Value) -> impl Iterator<Item = &Value> {
    contract["channels"].as_object().unwrap().values()
}

/// The queue of each party, as the code names it.
fn party_queue() -> Queue {
    Queue::Outcomes("{party}".into())
}

#[test]
fn every_exchange_of_the_broker_is_in_the_contract_and_the_reverse() {
    let contract = contract();
    let published = channels(&contract).filter_map(|channel| {
        let amqp = &channel["bindings"]["amqp"];
        let exchange = (amqp["is"] == "routingKey").then(|| &amqp["exchange"])?;
        let form = json!([
            exchange["type"],
            exchange["durable"],
            exchange["autoDelete"]
        ]);
        Some((text(exchange, "name").to_owned(), form))
    });
    let definitions = definitions();
    let defined = list(&definitions, "exchanges").iter().map(|exchange| {
        let form = json!([
            exchange["type"],
            exchange["durable"],
            exchange["auto_delete"]
        ]);
        (text(exchange, "name").to_owned(), form)
    });
    assert_eq!(
        published.collect::<Declared>(),
        defined.collect::<Declared>()
    );
}

/// With their type and binding. The queues of parties are not in the definitions: they are made for
/// each party.
#[test]
fn every_queue_of_the_broker_is_in_the_contract_and_the_reverse() {
    let contract = contract();
    let published = channels(&contract).filter_map(|channel| {
        let amqp = &channel["bindings"]["amqp"];
        let queue = (amqp["is"] == "queue").then(|| &amqp["queue"])?;
        let bound = &channel["x-bound-to"];
        let form = json!([
            queue["durable"],
            queue["autoDelete"],
            channel["x-queue-type"],
            bound["exchange"],
            bound["routingKey"],
        ]);
        Some((text(queue, "name").to_owned(), form))
    });
    let definitions = definitions();
    let defined = list(&definitions, "queues").iter().map(|queue| {
        let name = text(queue, "name");
        let mut bindings = list(&definitions, "bindings").iter();
        let binding = bindings
            .find(|binding| text(binding, "destination") == name)
            .unwrap();
        let form = json!([
            queue["durable"],
            queue["auto_delete"],
            queue["arguments"]["x-queue-type"],
            binding["source"],
            binding["routing_key"],
        ]);
        (name.to_owned(), form)
    });
    let party = party_queue();
    let form = json!([true, false, "quorum", party.exchange(), party.routing_key()]);
    let with_parties = defined.chain([(party.name(), form)]);
    assert_eq!(
        published.collect::<Declared>(),
        with_parties.collect::<Declared>()
    );
}

#[test]
fn the_code_publishes_where_the_queues_are_bound() {
    let definitions = definitions();
    let bound = list(&definitions, "bindings").iter().map(|binding| {
        ["destination", "source", "routing_key"].map(|field| text(binding, field).to_owned())
    });
    let named = [Queue::Declarations, Queue::Validated, Queue::Commands].map(|queue| {
        [
            queue.name(),
            queue.exchange().to_owned(),
            queue.routing_key().to_owned(),
        ]
    });
    assert_eq!(bound.collect::<BTreeSet<_>>(), BTreeSet::from(named));
}

/// A full queue must refuse, and the broker must never drop a message because it was delivered
/// often.
#[test]
fn every_queue_is_bounded_and_loses_nothing() {
    let definitions = definitions();
    let [policy] = list(&definitions, "policies") else {
        panic!("one policy")
    };
    let limits = &policy["definition"];
    assert_eq!(limits["overflow"], "reject-publish");
    assert_eq!(
        limits["max-length"],
        samenloop_adapters::broker::QUEUE_LENGTH_MAX
    );
    assert!(limits["delivery-limit"].as_u64().unwrap() > 1_000_000);
    let bounded = text(policy, "pattern");
    for queue in list(&definitions, "queues") {
        assert!(
            bounded.contains(text(queue, "name")),
            "{queue} is not in {bounded}"
        );
    }
}

#[test]
fn no_user_of_the_definitions_has_a_password_or_may_declare() {
    let definitions = definitions();
    for user in list(&definitions, "users") {
        assert_eq!(text(user, "password_hash"), "", "{user}");
        assert_eq!(user["password"], Value::Null, "{user}");
    }
    for permission in list(&definitions, "permissions") {
        assert_eq!(text(permission, "configure"), "^$", "{permission}");
    }
}

#[test]
fn every_message_type_named_in_code_is_in_the_contract() {
    let contract = contract();
    let messages = contract["components"]["messages"].as_object().unwrap();
    let mut published = BTreeSet::new();
    for message in messages.values() {
        let name = text(message, "name");
        assert_eq!(text(&message["bindings"]["amqp"], "messageType"), name);
        published.insert(name.to_owned());
    }
    let mut named = BTreeSet::new();
    message_types_of(&root().join("services"), &mut named);
    let missing: Vec<_> = named.difference(&published).collect();
    assert!(missing.is_empty(), "not in asyncapi.yaml: {missing:?}");
}

/// Texts such as `nl.samenloop.declaration.submitted.v1` in the Rust files below a folder.
fn message_types_of(folder: &Path, types: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            message_types_of(&path, types);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            for (start, _) in source.match_indices("nl.samenloop.") {
                let is_part = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '.';
                let named: String = source[start..].chars().take_while(is_part).collect();
                types.insert(named.trim_end_matches('.').to_owned());
            }
        }
    }
}

#[test]
fn every_reference_of_the_contract_leads_somewhere() {
    let contract = contract();
    let mut references = Vec::new();
    references_of(&contract, &mut references);
    assert!(
        references.contains(&"./declaration.v1.json"),
        "the schema of a declaration"
    );
    let schemas = root().join("proto/schemas");
    for reference in references {
        match reference.split_once('#') {
            Some(("", pointer)) => {
                assert!(contract.pointer(pointer).is_some(), "{reference}");
            }
            Some((file, message)) => {
                let source = fs::read_to_string(schemas.join(file)).unwrap();
                assert!(
                    source.contains(&format!("\nmessage {message} {{")),
                    "{reference}"
                );
            }
            None => assert!(schemas.join(reference).is_file(), "{reference}"),
        }
    }
}

fn references_of<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(reference) if name == "$ref" => references.push(reference),
                    _ => references_of(field, references),
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| references_of(item, references)),
        _ => {}
    }
}
