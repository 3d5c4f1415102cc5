//! What validation passes on: the declaration without BSNs, what was found of it, and when it came.

use std::collections::BTreeMap;

use jiff::Timestamp;
use prost::Message as _;
use samenloop_domain::{
    cents::Cents,
    decision::{Findings, Validated},
    declaration::{Control, Declaration, InsuredIdentity, MessageKind},
    identifiers::{PartyId, Pseudonym, ReferenceVersion},
    period::{Day, Span},
    rejection::{ReasonCode, Rejection},
};
use samenloop_proto::{declaration::v1 as wire, record::v1 as record};
use uuid::Uuid;

use super::{Malformed, declaration, digest, write};

/// A declaration on its way from validation to detection.
#[derive(Clone, PartialEq, Debug)]
pub struct Intake {
    /// What detection decides on.
    pub validated: Validated,
    /// When the first role took the message from its sender.
    pub received_at: Timestamp,
    /// W3C trace context.
    pub traceparent: String,
    /// Faults of a body of which only the message id could be read.
    pub faults: Vec<wire::Fault>,
    /// How many faults there were.
    pub fault_count: u32,
}

/// Bytes on the queue `validated`, or of the log, that we did not write.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a validated declaration of this version: {0}")]
pub struct Foreign(pub String);

/// A declaration of which only the id could be read: it has no lines and is refused as a whole.
#[must_use]
pub fn unreadable(message_id: Uuid, received_on: Day) -> Declaration {
    Declaration {
        message_id,
        schema_version: String::new(),
        kind: MessageKind::Production,
        sender_agb: "".into(),
        declarant_agb: "".into(),
        declarant_kind: String::new(),
        pay_to: String::new(),
        insurer_uzovi: "".into(),
        invoice_number: "".into(),
        invoice_part: 1,
        invoice_parts: 1,
        invoice_date: received_on,
        sent_on: received_on,
        declaration_period: Span {
            first: received_on,
            last: received_on,
        },
        currency: String::new(),
        control: Control {
            line_count: 0,
            debit: Cents::ZERO,
            credit: Cents::ZERO,
        },
        lines: Vec::new(),
    }
}

/// The finding that refuses a body that is no declaration of this contract (0001).
#[must_use]
pub fn refusal_of(malformed: &Malformed) -> Rejection {
    let refusal = Rejection::new("readable", &["0001"]).with("faults", malformed.fault_count);
    malformed.faults.iter().fold(refusal, |refusal, fault| {
        let path = if fault.path.is_empty() {
            "/"
        } else {
            &fault.path
        };
        refusal.with(path, &fault.problem)
    })
}

impl Intake {
    /// Encodes for the queue and the log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_record().encode_to_vec()
    }

    /// As it is kept.
    #[must_use]
    pub fn to_record(&self) -> record::Validated {
        let input = &self.validated;
        let (declaration, subjects) = write(&input.declaration);
        let lines =
            input
                .findings
                .lines
                .iter()
                .map(|(number, rejections)| record::LineRejections {
                    line_number: *number,
                    rejections: rejections.iter().map(write_rejection).collect(),
                });
        record::Validated {
            party: input.party.to_string(),
            received_at: self.received_at.to_string(),
            received_on: input.received_on.to_string(),
            reference_version: input.judged_with.to_string(),
            declaration: Some(declaration),
            subjects,
            content_digest: input.content_digest.to_vec(),
            message_rejections: input.findings.message.iter().map(write_rejection).collect(),
            line_rejections: lines.collect(),
            faults: self.faults.clone(),
            fault_count: self.fault_count,
            traceparent: self.traceparent.clone(),
        }
    }

    /// Decodes what [`Intake::encode`] wrote.
    ///
    /// # Errors
    /// [`Foreign`] says what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, Foreign> {
        let kept = record::Validated::decode(bytes).map_err(|e| Foreign(e.to_string()))?;
        Self::from_record(&kept)
    }

    /// From what is kept.
    ///
    /// # Errors
    /// [`Foreign`] says what is wrong.
    pub fn from_record(kept: &record::Validated) -> Result<Self, Foreign> {
        let received_on = declaration::parse_day(&kept.received_on)
            .ok_or_else(|| Foreign("received_on is no day".to_owned()))?;
        let received_at = kept
            .received_at
            .parse()
            .map_err(|_| Foreign("received_at is no instant".to_owned()))?;
        let content_digest = kept.content_digest.as_slice().try_into();
        let validated = Validated {
            party: PartyId::new(&kept.party),
            received_on,
            content_digest: content_digest
                .map_err(|_| Foreign("digest has not 32 bytes".to_owned()))?,
            declaration: read_declaration(kept, received_on)?,
            findings: read_findings(kept)?,
            judged_with: ReferenceVersion::new(&kept.reference_version),
        };
        Ok(Self {
            validated,
            received_at,
            traceparent: kept.traceparent.clone(),
            faults: kept.faults.clone(),
            fault_count: kept.fault_count,
        })
    }
}

/// SHA-256 of the canonical form of a declaration.
#[must_use]
pub fn content_digest(declaration: &Declaration) -> [u8; 32] {
    let (message, subjects) = write(declaration);
    digest::content(&message, &subjects)
}

fn read_declaration(kept: &record::Validated, received_on: Day) -> Result<Declaration, Foreign> {
    let message = kept
        .declaration
        .as_ref()
        .ok_or_else(|| Foreign("no declaration".to_owned()))?;
    if kept.fault_count > 0 {
        let id = message
            .message_id
            .as_deref()
            .and_then(|id| Uuid::try_parse(id).ok());
        let id = id.ok_or_else(|| Foreign("no message id".to_owned()))?;
        return Ok(unreadable(id, received_on));
    }
    let subjects: BTreeMap<usize, &record::LineSubject> = kept
        .subjects
        .iter()
        .map(|subject| (subject.line_index as usize, subject))
        .collect();
    let mut identify = |index: usize, _: &wire::Insured| match subjects.get(&index) {
        Some(subject) if !subject.malformed => InsuredIdentity::Pseudonyms(
            subject
                .pseudonyms
                .iter()
                .filter_map(read_pseudonym)
                .collect(),
        ),
        _ => InsuredIdentity::Malformed,
    };
    declaration::read_with(message, &mut identify).map_err(|faults| {
        let fault = faults.first().cloned().unwrap_or_default();
        Foreign(format!("{} {}", fault.path, fault.problem))
    })
}

/// A pseudonym from what is kept; none where its value has not 32 bytes.
#[must_use]
pub fn read_pseudonym(kept: &record::Pseudonym) -> Option<Pseudonym> {
    let value = kept.value.as_slice().try_into().ok()?;
    Some(Pseudonym {
        key_id: kept.key_id.as_str().into(),
        value,
    })
}

fn read_findings(kept: &record::Validated) -> Result<Findings, Foreign> {
    let message = read_rejections(&kept.message_rejections)?;
    let mut lines = BTreeMap::new();
    for line in &kept.line_rejections {
        lines.insert(line.line_number, read_rejections(&line.rejections)?);
    }
    Ok(Findings { message, lines })
}

pub(super) fn write_rejection(rejection: &Rejection) -> record::Rejection {
    record::Rejection {
        rule: rejection.rule.to_string(),
        codes: rejection.codes.iter().map(ToString::to_string).collect(),
        parameters: super::outcome::write_parameters(rejection),
    }
}

pub(super) fn read_rejections(kept: &[record::Rejection]) -> Result<Vec<Rejection>, Foreign> {
    let read = |rejection: &record::Rejection| {
        let code = |code: &String| {
            ReasonCode::parse(code).ok_or_else(|| Foreign(format!("reason {code} is unknown")))
        };
        Ok(Rejection {
            rule: rejection.rule.as_str().into(),
            codes: rejection.codes.iter().map(code).collect::<Result<_, _>>()?,
            parameters: (rejection.parameters.iter())
                .map(|parameter| (parameter.name.as_str().into(), parameter.value.clone()))
                .collect(),
        })
    };
    kept.iter().map(read).collect()
}
