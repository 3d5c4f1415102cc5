//! Lines and messages as the contracts of the world agree them; a test changes what it is about.

use samenloop_domain::{
    decision::{Findings, Validated},
    declaration::{
        Control, Declaration, Direction, Insured, InsuredIdentity, Line, Meeting, MessageKind,
        PrestatieKey,
    },
    identifiers::{AgbText, ContractId, Pseudonym},
    period::{Day, Period, Span},
    reference::{Billing, Reference},
};
use uuid::Uuid;

use crate::world::{day, party, uzovi};

/// A debit line of the first prestatie of a contract.
pub(crate) fn line(
    reference: &Reference,
    contract_id: &ContractId,
    insurer: &str,
    line_reference: &str,
    performed: Period,
) -> Line {
    let contract = &reference.contracts[contract_id];
    let (prestatie, _) = contract.prestaties.first_key_value().expect("a prestatie");
    line_of(
        reference,
        (contract_id, prestatie),
        insurer,
        line_reference,
        performed,
    )
}

/// A debit line as agreed: quantity 1, the contract's tarief (its share under each_insurer), group and activities.
pub(crate) fn line_of(
    reference: &Reference,
    (contract_id, prestatie): (&ContractId, &PrestatieKey),
    insurer: &str,
    line_reference: &str,
    performed: Period,
) -> Line {
    let contract = &reference.contracts[contract_id];
    let term = contract.prestaties[prestatie]
        .terms
        .first()
        .expect("a term");
    let bound = contract
        .insurers
        .iter()
        .find(|bound| bound.uzovi == uzovi(insurer));
    let tarief = match (contract.billing, bound) {
        (Billing::EachInsurer, Some(bound)) => term.tarief.share(bound.share),
        _ => term.tarief,
    };
    let client_bound = reference.catalogue[prestatie].kind.as_str() == "MDZ";
    let computed = tarief.times(1).expect("an amount");
    Line {
        line_number: 1,
        line_reference: line_reference.into(),
        original_reference: None,
        direction: Direction::Debit,
        prestatie: prestatie.clone(),
        contract_id: Some(contract_id.clone()),
        period: Span {
            first: performed.first(),
            last: performed.last(),
        },
        quantity: 1,
        time_unit: "81".into(),
        tarief,
        computed,
        declared: computed,
        patient_group_id: contract.groups.first().filter(|_| !client_bound).cloned(),
        insured: client_bound.then(|| person(1)),
        region: None,
        participants: Vec::new(),
        activities: contract.activities.iter().cloned().collect(),
        meeting: Some(Meeting::Group),
        domain_shares: term.domain_shares.clone(),
        sector_shares: term.sector_shares.clone(),
        on_behalf_of: None,
    }
}

/// An insured person, under one key.
pub(crate) fn person(number: u8) -> Insured {
    let pseudonym = Pseudonym {
        key_id: "k1".into(),
        value: [number; 32],
    };
    Insured {
        identity: InsuredIdentity::Pseudonyms(vec![pseudonym]),
        in_care_since: None,
    }
}

/// The credit of `debit` under a reference of its own.
pub(crate) fn credit(debit: &Line, line_reference: &str) -> Line {
    Line {
        line_reference: line_reference.into(),
        original_reference: Some(debit.line_reference.clone()),
        direction: Direction::Credit,
        ..debit.clone()
    }
}

/// A message with these lines, numbered from 1; findings are still empty.
pub(crate) fn message(
    number: u128,
    (declarant, insurer): (&str, &str),
    received_on: Day,
    mut lines: Vec<Line>,
) -> Validated {
    for (number, line) in (1..).zip(&mut lines) {
        line.line_number = number;
    }
    let sum = |direction| {
        let of_direction = lines
            .iter()
            .filter(|line: &&Line| line.direction == direction);
        of_direction.map(|line| line.declared).sum()
    };
    let declaration = Declaration {
        message_id: Uuid::from_u128(number + 1),
        schema_version: "1.0".into(),
        kind: MessageKind::Production,
        sender_agb: declarant.into(),
        declarant_agb: AgbText::new(declarant),
        declarant_kind: "1".into(),
        pay_to: "04".into(),
        insurer_uzovi: insurer.into(),
        invoice_number: format!("F{number}").as_str().into(),
        invoice_part: 1,
        invoice_parts: 1,
        invoice_date: received_on,
        sent_on: received_on,
        declaration_period: Span {
            first: day("2024-01-01"),
            last: day("2024-06-30"),
        },
        currency: "EUR".into(),
        control: Control {
            line_count: u32::try_from(lines.len()).expect("a few lines"),
            debit: sum(Direction::Debit),
            credit: sum(Direction::Credit),
        },
        lines,
    };
    Validated {
        party: party(declarant),
        received_on,
        content_digest: [0; 32],
        declaration,
        findings: Findings::default(),
        judged_with: "oracle".into(),
    }
}
