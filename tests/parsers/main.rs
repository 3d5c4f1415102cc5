//! Whatever reads bytes from outside takes any bytes: it answers or names the fault, never panics, and is done in time.
//!
//! Bytes are arbitrary, or those of a good file with a few of them changed: the second come much deeper. The seed of a
//! failure is kept by proptest; `PROPTEST_CASES=n` asks for more.

use std::{fs, path::PathBuf, time::Duration};

use proptest::{collection::vec, prelude::*, sample::Index};
use samenloop_adapters::{
    config::Config,
    existing,
    pseudonym::PseudonymKeys,
    reference,
    scenario::{Action, ScenarioSet},
    seal::SealingKey,
    wire::{self, JSON, PROTOBUF, validated::Intake},
};
use samenloop_domain::{declaration::LINES_MAX, identifiers::Bsn};
use samenloop_proto::declaration::v1;
use tokio::time::Instant;

/// Most bytes of an arbitrary body: what matters of bytes without form is in the first of them.
const BYTES_MAX: usize = 2_048;

/// Far longer than any one of these may take in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn sample(name: &str) -> PathBuf {
    harness::sample().join(name)
}

fn good_json() -> Vec<u8> {
    fs::read(sample("messages/c1-q3.json")).expect("the sample has it")
}

fn good_protobuf() -> Vec<u8> {
    let message: v1::Declaration = serde_json::from_slice(&good_json()).expect("it is good");
    prost::Message::encode_to_vec(&message)
}

/// A few changes of a good body: a byte that is another, is gone, or comes twice; or a cut end.
fn changed(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), any::<u8>(), 0..4_u8);
    vec(change, 1..6).prop_map(move |changes| {
        let mut body = good.clone();
        for (at, byte, kind) in changes {
            if body.is_empty() {
                break;
            }
            let at = at.index(body.len());
            match kind {
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                2 => body.insert(at, body[at]),
                _ => body.truncate(at),
            }
        }
        body
    })
}

fn arbitrary_or(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..BYTES_MAX), changed(good)]
}

/// Parses as every content type, and holds what is answered to what is promised.
fn parse(body: &[u8]) {
    let keys = PseudonymKeys::fixed_for_demo();
    for content_type in [JSON, PROTOBUF] {
        match wire::parse_declaration(content_type, body, &keys) {
            Ok(declaration) => {
                assert!(declaration.lines.len() <= LINES_MAX);
                let id = wire::read_message_id(content_type, body);
                assert_eq!(id, Some(declaration.message_id));
            }
            Err(malformed) => {
                assert!(malformed.fault_count > 0 && !malformed.faults.is_empty());
                assert!(
                    malformed.faults.len() <= 100,
                    "faults are listed up to a limit"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_declaration_or_have_a_fault(
        json in arbitrary_or(good_json()),
        protobuf in arbitrary_or(good_protobuf()),
    ) {
        parse(&json);
        parse(&protobuf);
    }

    #[test]
    fn any_bytes_are_a_message_of_ours_or_are_refused(body in vec(any::<u8>(), 0..BYTES_MAX)) {
        let _ = Intake::decode(&body);
        let _ = wire::log::decided_input(&body);
        let _ = SealingKey::new(&[7; 32]).open(&body);
        let _ = reference::from_canonical(&body);
    }

    #[test]
    fn any_bytes_are_rows_of_existing_prestaties_or_have_faults(
        csv in arbitrary_or(fs::read(sample("existing.csv")).expect("the sample has it")),
    ) {
        let loaded = loaded();
        let pseudonyms = |_: &Bsn| Vec::new();
        for row in existing::read(csv.as_slice(), &loaded.reference.reference, &pseudonyms) {
            match row {
                Ok(row) => prop_assert!(row.row > 0),
                Err(fault) => prop_assert!(!fault.reason.is_empty()),
            }
        }
    }

    #[test]
    fn any_text_is_a_configuration_or_has_a_fault_with_its_place(
        file in arbitrary_or(Config::default().redacted().into_bytes()),
        flag in "\\PC{0,40}",
        value in "\\PC{0,40}",
    ) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("samenloop.toml");
        fs::write(&path, file).expect("it is written");
        let environment = [("SAMENLOOP_LIMITS_PREFETCH".to_owned(), value.clone())];
        for loaded in [
            Config::load(Some(&path), [], &[]),
            Config::load(None, environment, &[]),
            Config::load(None, [], &[flag, format!("broker.url={value}")]),
        ] {
            if let Err(fault) = loaded {
                prop_assert!(!fault.place.is_empty() || !fault.problem.is_empty(), "{fault}");
            }
        }
        let _ = samenloop_adapters::config::redact(&value);
    }

    #[test]
    fn any_bytes_are_reference_data_or_have_a_fault_with_their_file(
        file in prop::sample::select(vec!["catalogue.toml", "pair_rules.toml", "parties.toml", "contracts/C1.toml"]),
        at in any::<Index>(),
        with in vec(any::<u8>(), 0..8),
    ) {
        let directory = tempfile::tempdir().expect("a directory");
        copy(&sample("reference"), directory.path());
        let path = directory.path().join(file);
        let mut bytes = fs::read(&path).expect("it was copied");
        let at = at.index(bytes.len());
        let end = (at + with.len()).min(bytes.len());
        bytes.splice(at..end, with);
        fs::write(&path, bytes).expect("it is written");
        if let Err(faults) = reference::load(directory.path()) {
            prop_assert!(!faults.is_empty());
            prop_assert!(faults.iter().all(|fault| !fault.to_string().is_empty()));
        }
    }
}

fn loaded() -> &'static ScenarioSet {
    static SET: std::sync::OnceLock<ScenarioSet> = std::sync::OnceLock::new();
    SET.get_or_init(harness::scenarios)
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&place).expect("it is made");
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).expect("it is copied");
        }
    }
}

/// Bodies made to take long, each as large as a queue takes: the answer comes in time.
#[test]
fn bodies_made_to_take_long_are_answered_in_time() {
    let room = samenloop_adapters::broker::BODY_BYTES_MAX;
    let filled = |head: &str, unit: &str, tail: &str| {
        let count = (room - head.len() - tail.len()) / unit.len();
        format!("{head}{}{tail}", unit.repeat(count)).into_bytes()
    };
    let id = r#"{"message_id":"6f1c2f0e-0000-4000-8000-000000000001","#;
    let bodies = [
        ("deep lists", filled("", "[", "")),
        ("deep objects", filled("", r#"{"a":"#, "")),
        ("deep lines", filled(&format!(r#"{id}"lines":"#), "[", "")),
        (
            "many lines",
            filled(&format!(r#"{id}"lines":["#), "{},", "{}]}"),
        ),
        ("many fields", filled(id, r#""x":1,"#, r#""y":1}"#)),
        ("many faults", {
            let line =
                r#"{"declared_cents":1.5,"colour":"red","period":{},"participants":[1,2,3]},"#;
            let lines = line.repeat(LINES_MAX - 1);
            format!(r#"{id}"lines":[{lines}{{}}]}}"#).into_bytes()
        }),
        (
            "long number",
            filled(&format!(r#"{id}"invoice_part":"#), "9", "}"),
        ),
        (
            "long text",
            filled(&format!(r#"{id}"currency":""#), "x", r#""}"#),
        ),
        (
            "escapes",
            filled(&format!(r#"{id}"currency":""#), "\\u0000", r#""}"#),
        ),
        ("spaces", filled("", " ", "{}")),
        ("lengths of protobuf", vec![0x8a; room]),
        ("groups of protobuf", vec![0x0b; room]),
        ("empty lines of protobuf", filled("", "\u{1}\u{0}", "")),
    ];
    for (what, body) in bodies {
        let began = Instant::now();
        parse(&body);
        let taken = began.elapsed();
        assert!(taken < PATIENCE, "{what}: {taken:?}");
    }
}

/// The good ones are good: else the changed ones would not come deep.
#[test]
fn bodies_that_are_changed_are_good_before() {
    let keys = PseudonymKeys::fixed_for_demo();
    assert!(wire::parse_declaration(JSON, &good_json(), &keys).is_ok());
    assert!(wire::parse_declaration(PROTOBUF, &good_protobuf(), &keys).is_ok());
    let declared = loaded().scenarios.iter().flat_map(|it| &it.steps);
    let declared = declared.filter(|it| matches!(it.action, Action::Declare(_)));
    assert!(declared.count() > 50);
    assert!(reference::load(&sample("reference")).is_ok());
}
