//! Cuts the JSON form of a declaration that is too large for a queue into parts of its invoice.
//!
//! Lines travel as the text they came in; only `message_id`, `invoice_part`, `invoice_parts`, `control` and `lines` of
//! the header are written anew. A credit stays with the lines of its contract and period, because the debit that
//! replaces it may take what the credit frees within its own message only. Nothing is judged, except that the counts of
//! the whole match: a truncated declaration must not come out as whole parts.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use samenloop_adapters::{broker::BODY_BYTES_MAX, wire::digest};
use samenloop_domain::{declaration::LINES_MAX, identifiers::PartyId};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::problem::Problem;

/// Most parts of one declaration.
const PARTS_MAX: usize = 512;

/// Room for what is written anew in the header of a part.
const HEADER_SLACK_BYTES: usize = 512;

/// Fields of the header that a part has of its own.
const REWRITTEN: [&str; 5] = [
    "message_id",
    "invoice_part",
    "invoice_parts",
    "control",
    "lines",
];

/// One message for the queue.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Part {
    pub(crate) message_id: Uuid,
    pub(crate) body: Bytes,
}

/// Message id of a part: always the same for the same declaration of the same party.
pub(crate) fn part_id(party: &PartyId, message_id: Uuid, number: usize) -> Uuid {
    let name = format!("samenloop part {number} of {message_id} from {party}");
    let hash = digest::fingerprint(name.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Whether the body may go on a queue as it is.
pub(crate) fn fits(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Counted<'a> {
        #[serde(borrow, default)]
        lines: Option<&'a RawValue>,
    }
    if body.len() > BODY_BYTES_MAX {
        return false;
    }
    // What cannot be counted cannot be cut: validation names its faults.
    let counted = serde_json::from_slice::<Counted<'_>>(body).ok();
    let lines = counted.and_then(|counted| counted.lines);
    let count = lines.and_then(|lines| serde_json::from_str::<Vec<IgnoredAny>>(lines.get()).ok());
    count.is_none_or(|lines| lines.len() <= LINES_MAX)
}

/// Cuts a declaration.
pub(crate) fn cut(party: &PartyId, message_id: Uuid, body: &[u8]) -> Result<Vec<Part>, Problem> {
    let whole = Whole::read(body)?;
    let plan = plan(&whole)?;
    let parts = plan.len();
    let numbered = plan.iter().zip(1..);
    Ok(numbered
        .map(|(lines, number)| {
            let message_id = part_id(party, message_id, number);
            let body = whole.write_part(message_id, number, parts, lines);
            Part { message_id, body }
        })
        .collect())
}

/// The fields of an object as text, in their order; a name that stands there twice is a fault.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields: Self::Value = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if fields.len() >= 64 || fields.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a field stands there twice"));
                    }
                    fields.push((name, value));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

#[derive(Deserialize)]
struct Control {
    line_count: u64,
    debit_cents: i64,
    credit_cents: i64,
}

/// What of a line decides where it goes.
#[derive(Deserialize)]
struct LineHead<'a> {
    direction: &'a str,
    contract_id: Option<String>,
    period: Days<'a>,
    declared_cents: i64,
}

#[derive(Deserialize)]
struct Days<'a> {
    first: &'a str,
    last: &'a str,
}

struct Whole<'a> {
    fields: Fields<'a>,
    lines: Vec<&'a RawValue>,
    heads: Vec<LineHead<'a>>,
}

impl<'a> Whole<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Problem> {
        let fields: Fields<'a> = serde_json::from_slice(body)
            .map_err(|_| Problem::malformed("", "is no JSON object with each field once"))?;
        let lines: Vec<&'a RawValue> = field(&fields, "lines")?;
        let heads = lines.iter().enumerate();
        let heads = heads
            .map(|(index, line)| read_head(index, line))
            .collect::<Result<_, _>>()?;
        let whole = Self {
            fields,
            lines,
            heads,
        };
        whole.check_is_one_part()?;
        whole.check_control()?;
        Ok(whole)
    }

    fn check_is_one_part(&self) -> Result<(), Problem> {
        let part: u32 = field(&self.fields, "invoice_part")?;
        let parts: u32 = field(&self.fields, "invoice_parts")?;
        if (part, parts) == (1, 1) {
            return Ok(());
        }
        Err(Problem::too_large(
            format!(
                "It is part {part} of {parts} already, and over {LINES_MAX} lines or {BODY_BYTES_MAX} bytes."
            ),
            "Send the whole invoice as one declaration, which is cut here, or send smaller parts.",
        ))
    }

    fn check_control(&self) -> Result<(), Problem> {
        let control: Control = field(&self.fields, "control")?;
        let sums = sums(self.heads.iter());
        let counted = (
            control.line_count,
            control.debit_cents,
            control.credit_cents,
        );
        if (self.lines.len() as u64, sums.0, sums.1) == counted {
            return Ok(());
        }
        Err(Problem::malformed(
            "/control",
            "does not match the lines that arrived; a declaration that is cut must be whole",
        ))
    }

    fn write_part(&self, message_id: Uuid, number: usize, parts: usize, lines: &[usize]) -> Bytes {
        let (debit, credit) = sums(lines.iter().map(|index| &self.heads[*index]));
        let control = format!(
            r#"{{"line_count":{},"debit_cents":{debit},"credit_cents":{credit}}}"#,
            lines.len()
        );
        let mut body = format!(
            r#"{{"message_id":"{message_id}","invoice_part":{number},"invoice_parts":{parts},"control":{control}"#
        );
        for (name, value) in &self.fields.0 {
            if !REWRITTEN.contains(&name.as_str()) {
                let name = serde_json::to_string(name).expect("a text is JSON");
                body.push_str(&format!(",{name}:{}", value.get()));
            }
        }
        body.push_str(r#","lines":["#);
        for (place, index) in lines.iter().enumerate() {
            body.push_str(if place == 0 { "" } else { "," });
            body.push_str(self.lines[*index].get());
        }
        body.push_str("]}");
        Bytes::from(body)
    }

    fn header_bytes(&self) -> usize {
        let kept = self.fields.0.iter();
        let kept = kept.filter(|(name, _)| !REWRITTEN.contains(&name.as_str()));
        let kept: usize = kept
            .map(|(name, value)| name.len() + value.get().len() + 16)
            .sum();
        kept + HEADER_SLACK_BYTES
    }
}

fn field<'a, T: Deserialize<'a>>(fields: &Fields<'a>, name: &str) -> Result<T, Problem> {
    let found = fields.0.iter().find(|(known, _)| known == name);
    found
        .and_then(|(_, value)| serde_json::from_str(value.get()).ok())
        .ok_or_else(|| {
            Problem::malformed(
                &format!("/{name}"),
                "is missing or of another type; a declaration that is cut must be readable",
            )
        })
}

fn read_head<'a>(index: usize, line: &'a RawValue) -> Result<LineHead<'a>, Problem> {
    serde_json::from_str(line.get()).map_err(|_| {
        Problem::malformed(
            &format!("/lines/{index}"),
            "has no readable direction, period or declared_cents; a declaration that is cut must be readable",
        )
    })
}

/// Sums of debit and credit lines, as `control` has them.
fn sums<'a>(heads: impl Iterator<Item = &'a LineHead<'a>>) -> (i64, i64) {
    let (mut debit, mut credit) = (0_i64, 0_i64);
    for head in heads {
        let sum = if head.direction == "credit" {
            &mut credit
        } else {
            &mut debit
        };
        *sum = sum.saturating_add(head.declared_cents);
    }
    (debit, credit)
}

/// Lines that must not be separated, in the order of their first line.
fn units(whole: &Whole<'_>) -> Vec<Vec<usize>> {
    let key = |head: &LineHead<'_>| {
        let days = (head.period.first.to_owned(), head.period.last.to_owned());
        (head.contract_id.clone(), days)
    };
    let mut groups: BTreeMap<_, (bool, Vec<usize>)> = BTreeMap::new();
    for (index, head) in whole.heads.iter().enumerate() {
        let group = groups.entry(key(head)).or_default();
        group.0 |= head.direction == "credit";
        group.1.push(index);
    }
    let mut units = Vec::new();
    for (has_credit, lines) in groups.into_values() {
        if has_credit {
            units.push(lines);
        } else {
            units.extend(lines.into_iter().map(|line| vec![line]));
        }
    }
    units.sort_by_key(|unit| unit[0]);
    units
}

/// Which lines go into which part: units in their order, each part as full as it may be.
fn plan(whole: &Whole<'_>) -> Result<Vec<Vec<usize>>, Problem> {
    let room = BODY_BYTES_MAX.saturating_sub(whole.header_bytes());
    let bytes = |unit: &[usize]| -> usize {
        unit.iter()
            .map(|index| whole.lines[*index].get().len() + 1)
            .sum()
    };
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut used = 0;
    for unit in units(whole) {
        let size = bytes(&unit);
        if unit.len() > LINES_MAX || size > room {
            return Err(too_many_together(whole, &unit));
        }
        let begin_next = parts
            .last()
            .is_none_or(|part| part.len() + unit.len() > LINES_MAX || used + size > room);
        if begin_next {
            parts.push(Vec::new());
            used = 0;
        }
        used += size;
        parts
            .last_mut()
            .expect("a part was begun above")
            .extend(unit);
    }
    if parts.len() > PARTS_MAX {
        return Err(Problem::too_large(
            format!("It would take more than {PARTS_MAX} parts."),
            "Spread it over several invoices.",
        ));
    }
    Ok(parts)
}

fn too_many_together(whole: &Whole<'_>, unit: &[usize]) -> Problem {
    if unit.len() == 1 {
        let path = format!("/lines/{}", unit[0]);
        return Problem::malformed(&path, "is larger than a whole message may be");
    }
    let head = &whole.heads[unit[0]];
    Problem::too_large(
        format!(
            "{} lines of one contract from {} to {} contain credits and have to stay in one part, over {LINES_MAX} \
             lines or {BODY_BYTES_MAX} bytes.",
            unit.len(),
            head.period.first,
            head.period.last
        ),
        "Send the credits of this contract and period, with the debits that replace them, as an invoice of their own.",
    )
}
