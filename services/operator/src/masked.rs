//! A body as people may see it: what may be a BSN is masked, also where nobody expects it.

use samenloop_domain::identifiers::Bsn;
use serde_json::Value;

/// Most characters of a body that are shown.
const CHARACTERS_MAX: usize = 100_000;

/// Digits of a BSN.
const BSN_DIGITS: usize = 9;

/// The field that holds a BSN, whatever stands in it.
const BSN_FIELD: &str = "bsn";

const MASK: &str = "•••••••••";

/// A body as text: JSON laid out, anything else as it is, with a mark where it is no text.
pub(crate) fn shown(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            mask_fields(&mut value);
            serde_json::to_string_pretty(&value).expect("a value is JSON")
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let masked = mask_numbers(&text);
    match masked.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}\n…", &masked[..end]),
        None => masked,
    }
}

fn mask_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name.eq_ignore_ascii_case(BSN_FIELD) {
                    *value = MASK.into();
                } else {
                    mask_fields(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask_fields),
        _ => {}
    }
}

/// Masks every run of digits that holds a valid BSN.
fn mask_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let end = rest[start..].find(|c: char| !c.is_ascii_digit());
        let end = end.map_or(rest.len(), |length| start + length);
        shown.push_str(&rest[..start]);
        let digits = &rest[start..end];
        let is_bsn = digits.len() == BSN_DIGITS && Bsn::parse(digits).is_some();
        shown.push_str(if is_bsn { MASK } else { digits });
        rest = &rest[end..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bsn_is_shown_wherever_it_stands() {
        for (body, wanted) in [
            (r#"{"insured":{"bsn":"x1"}}"#, MASK),
            (r#"{"bsn":[1],"note":"of 111222333"}"#, "of •••••••••"),
            ("{ no json 111222333", "{ no json •••••••••"),
            ("amount 123456789", "amount 123456789"),
            ("agb 01057001", "agb 01057001"),
        ] {
            let shown = shown(body.as_bytes());
            assert!(shown.contains(wanted), "{body}: {shown}");
            assert!(
                !shown.contains("111222333") && !shown.contains("x1"),
                "{shown}"
            );
        }
        assert!(
            shown(&[0xff, 0x00, b'a']).contains('a'),
            "bytes are shown as far as they are text"
        );
        assert!(shown(&[b'a'; 200_000]).ends_with('…'), "a long body is cut");
    }
}
