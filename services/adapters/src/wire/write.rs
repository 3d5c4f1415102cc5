//! From the domain's declaration to the generated one, in its canonical form and without a BSN.

use samenloop_domain::{
    declaration::{
        Declaration, Direction, InsuredIdentity, Line, Meeting, MessageKind, Participant,
        PrestatieKey,
    },
    identifiers::Pseudonym,
    period::Span,
};
use samenloop_proto::{declaration::v1 as wire, record::v1 as record};

/// The canonical form of a declaration, and who the insured of its lines are.
#[must_use]
pub fn write(declaration: &Declaration) -> (wire::Declaration, Vec<record::LineSubject>) {
    let message = wire::Declaration {
        message_id: Some(declaration.message_id.to_string()),
        schema_version: Some(declaration.schema_version.clone()),
        kind: Some(match declaration.kind {
            MessageKind::Production => wire::Kind::Production,
            MessageKind::Test => wire::Kind::Test,
        } as i32),
        sender_agb: Some(declaration.sender_agb.to_string()),
        declarant_agb: Some(declaration.declarant_agb.to_string()),
        declarant_kind: Some(declaration.declarant_kind.clone()),
        pay_to: Some(declaration.pay_to.clone()),
        insurer_uzovi: Some(declaration.insurer_uzovi.to_string()),
        invoice_number: Some(declaration.invoice_number.to_string()),
        invoice_part: Some(declaration.invoice_part),
        invoice_parts: Some(declaration.invoice_parts),
        invoice_date: Some(declaration.invoice_date.to_string()),
        sent_on: Some(declaration.sent_on.to_string()),
        declaration_period: Some(write_span(declaration.declaration_period)),
        currency: Some(declaration.currency.clone()),
        control: Some(wire::Control {
            line_count: Some(declaration.control.line_count),
            debit_cents: Some(declaration.control.debit.get()),
            credit_cents: Some(declaration.control.credit.get()),
        }),
        lines: declaration.lines.iter().map(write_line).collect(),
    };
    (message, write_subjects(&declaration.lines))
}

fn write_subjects(lines: &[Line]) -> Vec<record::LineSubject> {
    let mut subjects = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(insured) = &line.insured else {
            continue;
        };
        let line_index = u32::try_from(index).expect("a message has at most 2,000 lines");
        let (pseudonyms, malformed) = match &insured.identity {
            InsuredIdentity::Malformed => (Vec::new(), true),
            InsuredIdentity::Pseudonyms(known) => {
                (known.iter().map(write_pseudonym).collect(), false)
            }
        };
        subjects.push(record::LineSubject {
            line_index,
            pseudonyms,
            malformed,
        });
    }
    subjects
}

/// A pseudonym as it is kept.
#[must_use]
pub fn write_pseudonym(pseudonym: &Pseudonym) -> record::Pseudonym {
    record::Pseudonym {
        key_id: pseudonym.key_id.to_string(),
        value: pseudonym.value.to_vec(),
    }
}

/// A span as it is written.
#[must_use]
pub fn write_span(span: Span) -> wire::Span {
    wire::Span {
        first: Some(span.first.to_string()),
        last: Some(span.last.to_string()),
    }
}

/// A meeting as it is written.
#[must_use]
pub fn write_meeting(meeting: Meeting) -> wire::Meeting {
    match meeting {
        Meeting::Group => wire::Meeting::Group,
        Meeting::Individual => wire::Meeting::Individual,
        Meeting::Hybrid => wire::Meeting::Hybrid,
    }
}

/// A prestatie as it is written.
#[must_use]
pub fn write_prestatie(key: &PrestatieKey) -> wire::Prestatie {
    wire::Prestatie {
        list: Some(key.list.to_string()),
        code: Some(key.code.to_string()),
    }
}

fn text<T: ToString>(value: &T) -> Option<String> {
    Some(value.to_string())
}

fn write_line(line: &Line) -> wire::Line {
    let domain_shares = line.domain_shares.iter().map(|share| wire::DomainShare {
        domain: text(&share.key),
        basis_points: Some(share.basis_points.get()),
    });
    let sector_shares = line.sector_shares.iter().map(|share| wire::SectorShare {
        sector: text(&share.key),
        basis_points: Some(share.basis_points.get()),
    });
    wire::Line {
        line_number: Some(line.line_number),
        line_reference: text(&line.line_reference),
        original_reference: line.original_reference.as_ref().and_then(text),
        direction: Some(match line.direction {
            Direction::Debit => wire::Direction::Debit,
            Direction::Credit => wire::Direction::Credit,
        } as i32),
        prestatie: Some(write_prestatie(&line.prestatie)),
        contract_id: line.contract_id.as_ref().and_then(text),
        period: Some(write_span(line.period)),
        quantity: Some(line.quantity),
        time_unit: Some(line.time_unit.clone()),
        tarief: text(&line.tarief.euro()),
        computed_cents: Some(line.computed.get()),
        declared_cents: Some(line.declared.get()),
        patient_group_id: line.patient_group_id.as_ref().and_then(text),
        insured: line.insured.as_ref().map(|insured| wire::Insured {
            bsn: None,
            in_care_since: insured.in_care_since.as_ref().and_then(text),
        }),
        region: line.region.as_ref().and_then(text),
        participants: line.participants.iter().map(write_participant).collect(),
        activities: line.activities.iter().map(ToString::to_string).collect(),
        meeting: line.meeting.map(|meeting| write_meeting(meeting) as i32),
        domain_shares: domain_shares.collect(),
        sector_shares: sector_shares.collect(),
        on_behalf_of_agb: line.on_behalf_of.as_ref().and_then(text),
    }
}

fn write_participant(participant: &Participant) -> wire::Participant {
    match participant {
        Participant::Provider(agb) => wire::Participant {
            agb: text(agb),
            name: None,
            kind: None,
        },
        Participant::ThirdParty { name, kind } => wire::Participant {
            agb: None,
            name: text(name),
            kind: text(kind),
        },
    }
}
