//! What is generated from the reason registry is as checked in: the codes of both schemas, and the table for people.
//! `UPDATE_REASONS=1` writes them.

use std::{env, fmt::Write as _, fs, path::PathBuf};

use samenloop_adapters::wire::outcome::basis_word;
use samenloop_domain::reasons::{Level, REASONS};
use samenloop_proto::declaration::v1 as wire;
use serde_json::{Value, json};

const TABLE: &str = "proto/REASONS.md";
const SCHEMAS: [&str; 2] = [
    "proto/schemas/outcome.v1.json",
    "proto/schemas/refusal.v1.json",
];

fn path(name: &str) -> PathBuf {
    super::root().join(name)
}

/// Compares a file with what it should be, or writes it.
fn compare(name: &str, wanted: &str) {
    if env::var_os("UPDATE_REASONS").is_some() {
        fs::write(path(name), wanted).unwrap();
    }
    let found = fs::read_to_string(path(name)).unwrap_or_default();
    assert!(
        found == wanted,
        "{name} is not what the registry says; UPDATE_REASONS=1 writes it"
    );
}

/// Every code that a sender may get as a constant, with what it says.
fn codes() -> Value {
    let answered = REASONS.iter().filter(|it| it.level != Level::Command);
    let codes = answered.map(|entry| {
        json!({
            "const": entry.code,
            "title": entry.english,
            "description": format!("{} Remedy: {}", entry.dutch, entry.remedy),
        })
    });
    json!({
        "description": "Codes of the reason registry, in the order of report.",
        "oneOf": codes.collect::<Vec<_>>(),
    })
}

#[test]
fn schemas_have_the_codes_of_the_registry_and_no_others() {
    for name in SCHEMAS {
        let text = fs::read_to_string(path(name)).unwrap();
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        schema["$defs"]["ReasonCode"] = codes();
        let wanted = serde_json::to_string_pretty(&schema).unwrap();
        compare(name, &format!("{wanted}\n"));
    }
}

#[test]
fn table_of_reasons_is_that_of_the_registry() {
    let mut table = "# Reasons\n\n\
        Every reason code, in the order of report; generated from the registry in `services/domain/src/reasons`.\n\
        Codes of four digits are Vektis return codes (COD954-VEKT); codes that begin with `GDC-` are of this \
        product, where Vektis has none.\n\
        *Needs* is what must be established before a rule can give the code: while it is missing, the rule that \
        establishes it speaks instead.\n\
        *Basis* is what the code rests on; a rule of double funding has its own, which stands in the evidence.\n\n\
        | code | of | Dutch | English | what the sender can do | needs | basis | source |\n\
        | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for entry in REASONS {
        let facts: Vec<&str> = entry.facts.iter().map(|fact| fact.word()).collect();
        writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            entry.code,
            entry.level.word(),
            entry.dutch,
            entry.english,
            entry.remedy,
            facts.join(", "),
            basis_word(entry.basis),
            entry.source
        )
        .unwrap();
    }
    compare(TABLE, &table);
}

/// One of each message with every field filled; a field that is added must be added here.
fn outcome() -> wire::Outcome {
    let text = |text: &str| text.to_owned();
    let reason = wire::Reason {
        code: text("0587"),
        parameters: vec![wire::Parameter {
            name: text("line_reference"),
            value: text("R1"),
        }],
    };
    let rival = wire::Rival {
        declarant_agb: text("53530001"),
        insurer_uzovi: text("7095"),
        line_reference: text("R1"),
        contract_id: text("C1"),
        prestatie: Some(wire::Prestatie {
            list: Some(text("990")),
            code: Some(text("BDSS1")),
        }),
        period: Some(wire::Span {
            first: Some(text("2024-07-01")),
            last: Some(text("2024-09-30")),
        }),
        sequence: 1,
        line: 1,
        imported: true,
        held: true,
    };
    let evidence = wire::Evidence {
        rule: text("DF-1"),
        rule_version: 1,
        source: text("002_eb0531d2b212ba40.txt"),
        basis: text("draft"),
        effect: text("exclude"),
        days_in_common: 92,
        rival: Some(rival),
        shared_agbs: vec![text("53530001")],
        shared_activities: vec![text("A10")],
        policy: text("7095-review"),
        standing: Some(17),
    };
    let line = wire::LineOutcome {
        line_number: 1,
        line_reference: text("R2"),
        verdict: wire::Verdict::Reject.into(),
        declared_cents: 100,
        awarded_cents: 0,
        proposed_cents: 0,
        reasons: vec![reason.clone()],
        evidence: vec![evidence],
        rivals: 1,
    };
    wire::Outcome {
        message_id: text("6f1c2f0e-0000-4000-8000-000000000001"),
        version: 1,
        status: wire::Status::Rejected.into(),
        sequence: 2,
        declarant_agb: text("53530001"),
        insurer_uzovi: text("7095"),
        invoice_number: text("F-1"),
        received_at: text("2024-10-15T12:00:00Z"),
        reference_version: text("sample"),
        reasons: vec![reason],
        lines: vec![line],
        notice: text("test codes"),
    }
}

fn refusal() -> wire::DeliveryRefusal {
    wire::DeliveryRefusal {
        message_id: String::new(),
        reasons: outcome().reasons,
        fingerprint: "0".repeat(64),
        refused_at: "2024-10-15T12:00:00Z".to_owned(),
        faults: vec![wire::Fault {
            path: "/lines/0".to_owned(),
            problem: "is no line".to_owned(),
        }],
        fault_count: 1,
    }
}

#[test]
fn answers_are_what_their_schemas_say() {
    let answers = [
        (samenloop_proto::OUTCOME_SCHEMA, json!(outcome())),
        (samenloop_proto::REFUSAL_SCHEMA, json!(refusal())),
        // What a receiver gets of a message without reasons, lines or evidence.
        (samenloop_proto::OUTCOME_SCHEMA, {
            json!(wire::Outcome {
                reasons: Vec::new(),
                lines: Vec::new(),
                ..outcome()
            })
        }),
    ];
    for (schema, answer) in answers {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let faults: Vec<String> = (validator.iter_errors(&answer))
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{answer:#}");
    }
}

/// In both directions: a filled message has every property of its schema, and none is missing there.
#[test]
fn schemas_have_the_fields_of_the_messages() {
    let outcome = json!(outcome());
    let line = &outcome["lines"][0];
    let evidence = &line["evidence"][0];
    let refusal = json!(refusal());
    let [answers, refusals] = [
        samenloop_proto::OUTCOME_SCHEMA,
        samenloop_proto::REFUSAL_SCHEMA,
    ]
    .map(|schema| serde_json::from_str::<Value>(schema).unwrap());
    for (schema, message) in [
        (&answers, &outcome),
        (&answers["$defs"]["LineOutcome"], line),
        (&answers["$defs"]["Evidence"], evidence),
        (&answers["$defs"]["Rival"], &evidence["rival"]),
        (&answers["$defs"]["Reason"], &outcome["reasons"][0]),
        (&refusals, &refusal),
        (&refusals["$defs"]["Fault"], &refusal["faults"][0]),
    ] {
        let names = |value: &Value| -> Vec<String> {
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(names(&schema["properties"]), names(message));
    }
}
