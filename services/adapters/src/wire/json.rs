//! The JSON form of a declaration. A good message is read once; a bad one is checked again against the published
//! schema, which finds every fault and names its place.

use std::sync::LazyLock;

use jsonschema::Validator;
use samenloop_domain::declaration::{Declaration, LINES_MAX};
use samenloop_proto::declaration::v1 as wire;
use serde_json::Value;
use uuid::Uuid;

use super::{DEPTH_MAX, Malformed, declaration};
use crate::pseudonym::PseudonymKeys;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(samenloop_proto::DECLARATION_SCHEMA)
        .expect("the published schema is JSON");
    jsonschema::draft202012::new(&schema).expect("the published schema is a JSON Schema")
});

/// Reads the JSON form.
///
/// # Errors
/// [`Malformed`] with every fault and its path.
pub fn parse(body: &[u8], keys: &PseudonymKeys) -> Result<Declaration, Malformed> {
    let problem = match serde_json::from_slice::<wire::Declaration>(body) {
        Ok(message) => match declaration::read(&message, keys) {
            Ok(declaration) => return Ok(declaration),
            Err(malformed) => malformed,
        },
        Err(error) => Malformed::one(None, "", masked(&error)),
    };
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Err(problem);
    };
    Err(explain(&value, problem))
}

/// The kind and the place of a syntax error, without the text around it: it may hold a BSN.
fn masked(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Eof => "ends too early",
        serde_json::error::Category::Syntax => "is no JSON",
        _ => "is no declaration",
    };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}

/// Every fault that the schema finds in `value`; where it finds none, `problem` stands.
pub(super) fn explain(value: &Value, problem: Malformed) -> Malformed {
    let message_id = value.get("message_id").and_then(Value::as_str);
    let message_id = message_id
        .and_then(|id| Uuid::try_parse(id).ok())
        .or(problem.message_id);
    if depth(value) > DEPTH_MAX {
        return Malformed::one(message_id, "", format!("is nested deeper than {DEPTH_MAX}"));
    }
    let lines = value
        .get("lines")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    if lines > LINES_MAX {
        let problem = format!(
            "has {lines} lines; send at most {LINES_MAX}, and more as parts of the invoice"
        );
        return Malformed::one(message_id, "/lines", problem);
    }
    let faults: Vec<wire::Fault> = SCHEMA
        .iter_errors(value)
        .map(|error| fault(&error))
        .collect();
    if faults.is_empty() {
        return Malformed {
            message_id,
            ..problem
        };
    }
    Malformed::new(message_id, faults)
}

/// The place and the problem, without the value: it may be a BSN in the wrong field.
fn fault(error: &jsonschema::ValidationError<'_>) -> wire::Fault {
    let problem = error.masked_with("the value").to_string();
    wire::Fault {
        path: error.instance_path().to_string(),
        problem,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(body: &str) -> Vec<(String, String)> {
        let malformed = parse(body.as_bytes(), &PseudonymKeys::fixed_for_demo());
        let malformed = malformed.expect_err("the body is bad");
        malformed
            .faults
            .into_iter()
            .map(|fault| (fault.path, fault.problem))
            .collect()
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let found = faults(
            r#"{"message_id":"6f1c2f0e-0000-4000-8000-000000000001","colour":"red","lines":[{"declared_cents":1.5,
            "insured":{"bsn":"123456782","name":"x"}}]}"#,
        );
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert!(paths.contains(&"/lines/0/declared_cents"), "{found:?}");
        assert!(paths.contains(&"/lines/0/insured"), "{found:?}");
        assert!(
            found.iter().any(|(_, problem)| problem.contains("colour")),
            "{found:?}"
        );
        assert!(
            found
                .iter()
                .any(|(_, problem)| problem.contains("sender_agb")),
            "{found:?}"
        );
        assert!(found.len() > 10, "{found:?}");
        assert!(
            !format!("{found:?}").contains("123456782"),
            "a fault never repeats a value"
        );
    }

    /// Goal: what no database can keep is refused with its place, in fields that are not judged.
    #[test]
    fn a_text_with_a_nul_is_refused_with_its_place() {
        let message = wire::Declaration {
            message_id: Some("6f1c2f0e-0000-4000-8000-000000000001".to_owned()),
            invoice_number: Some("F\0".to_owned()),
            lines: vec![wire::Line {
                line_reference: Some("a\0b".to_owned()),
                ..wire::Line::default()
            }],
            ..wire::Declaration::default()
        };
        let malformed = declaration::read(&message, &PseudonymKeys::fixed_for_demo());
        let malformed = malformed.expect_err("two texts have a nul");
        for path in ["/invoice_number", "/lines/0/line_reference"] {
            let named = |fault: &&wire::Fault| fault.path == path;
            let fault = malformed.faults.iter().find(named).expect(path);
            assert!(fault.problem.contains("U+0000"), "{fault:?}");
        }
    }

    #[test]
    fn a_body_without_a_readable_id_has_none() {
        for body in ["{", "[]", "\u{0}\u{1}", r#"{"message_id":"no"}"#] {
            let malformed = parse(body.as_bytes(), &PseudonymKeys::fixed_for_demo());
            let malformed = malformed.expect_err("the body is bad");
            assert_eq!(malformed.message_id, None, "{body}");
            assert!(malformed.fault_count > 0, "{body}");
        }
    }
}
