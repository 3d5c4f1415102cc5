//! What the store and the log keep of a line: its coverage, what a credit of it repeats, and its claim.
//!
//! The log keeps these bytes for ever: a field is added here, never given another meaning.

use std::collections::BTreeSet;

use prost::Message;
use samenloop_domain::{
    cents::{BasisPoints, Cents},
    coverage::{Coverage, CoverageId, Subject},
    decision::{ClaimFacts, ReversedClaim},
    declaration::{Meeting, PrestatieKey, Share},
    double_funding::ImportPairs,
    history::{CeilingKey, PastFacts, TermKey},
    identifiers::{Agb, ContractId, GroupId, InvoiceNumber, RegionCode, Sequence, Uzovi},
    period::{Period, Span},
};
use samenloop_proto::{declaration::v1 as wire, record::v1 as record};

use super::{
    declaration::parse_day,
    outcome::effect_word,
    validated::{Foreign, read_pseudonym},
    write_meeting, write_prestatie, write_pseudonym, write_span,
};

/// Coverage as it is kept.
#[must_use]
pub fn write_coverage(coverage: &Coverage) -> record::Coverage {
    let (client_bound, group, subject) = match &coverage.subject {
        Subject::Insured(known) => (true, None, known.iter().map(write_pseudonym).collect()),
        Subject::Group(group) => (false, Some(group), Vec::new()),
        Subject::None => (false, None, Vec::new()),
    };
    record::Coverage {
        declarant_agb: coverage.declarant.to_string(),
        agbs: texts(&coverage.agbs),
        insurer_uzovi: coverage.insurer.to_string(),
        payers: texts(&coverage.payers),
        prestatie: Some(write_prestatie(&coverage.prestatie)),
        kind: coverage.kind.to_string(),
        contract_id: or_empty(coverage.contract_id.as_ref()),
        period: Some(write_period(coverage.period)),
        patient_group_id: or_empty(group),
        subject,
        overlapping_groups: texts(&coverage.overlapping_groups),
        region: or_empty(coverage.region.as_ref()),
        condition: or_empty(coverage.condition.as_ref()),
        activities: texts(&coverage.activities),
        meeting: (coverage.meeting).map_or(0, |meeting| write_meeting(meeting) as i32),
        on_behalf_of_agb: or_empty(coverage.on_behalf_of.as_ref()),
        line_reference: coverage.line_reference.to_string(),
        client_bound,
        form: or_empty(coverage.form.as_ref()),
        agreed_parts: (coverage.agreed_parts.iter())
            .map(|key| format!("{}:{}", key.list, key.code))
            .collect(),
        hybrid_deduction_basis_points: coverage.hybrid_deduction.map(BasisPoints::get),
        each_insurer: coverage.each_insurer,
        schoning_recorded: coverage.schoning_recorded,
    }
}

/// Coverage from what is kept.
///
/// # Errors
/// [`Foreign`] says what is wrong.
pub fn read_coverage(kept: &record::Coverage) -> Result<Coverage, Foreign> {
    let deduction = kept.hybrid_deduction_basis_points;
    Ok(Coverage {
        declarant: agb(&kept.declarant_agb)?,
        agbs: kept
            .agbs
            .iter()
            .map(|it| agb(it))
            .collect::<Result<_, _>>()?,
        insurer: uzovi(&kept.insurer_uzovi)?,
        payers: (kept.payers.iter().map(|it| uzovi(it))).collect::<Result<_, _>>()?,
        prestatie: prestatie(kept.prestatie.as_ref())?,
        kind: kept.kind.as_str().into(),
        form: not_empty(&kept.form),
        contract_id: not_empty(&kept.contract_id),
        each_insurer: kept.each_insurer,
        period: read_period(kept.period.as_ref())?,
        subject: read_subject(kept)?,
        overlapping_groups: each_into(&kept.overlapping_groups),
        region: not_empty(&kept.region),
        condition: not_empty(&kept.condition),
        activities: each_into(&kept.activities),
        meeting: read_meeting(kept.meeting)?,
        hybrid_deduction: deduction.map(basis_points).transpose()?,
        on_behalf_of: match kept.on_behalf_of_agb.as_str() {
            "" => None,
            text => Some(agb(text)?),
        },
        agreed_parts: (kept.agreed_parts.iter())
            .map(|text| match text.split_once(':') {
                Some((list, code)) => Ok(PrestatieKey::new(list, code)),
                None => Err(foreign("agreed part", text)),
            })
            .collect::<Result<_, _>>()?,
        schoning_recorded: kept.schoning_recorded,
        line_reference: kept.line_reference.as_str().into(),
    })
}

fn read_subject(kept: &record::Coverage) -> Result<Subject, Foreign> {
    if kept.client_bound {
        return pseudonyms(&kept.subject).map(Subject::Insured);
    }
    Ok(not_empty(&kept.patient_group_id).map_or(Subject::None, Subject::Group))
}

/// What a credit must repeat, as it is kept.
#[must_use]
pub fn write_past_facts(facts: &PastFacts) -> record::PastFacts {
    let subject = match &facts.subject {
        Subject::Insured(known) => {
            let pseudonyms = known.iter().map(write_pseudonym).collect();
            let insured = record::InsuredSubject { pseudonyms };
            Some(record::past_facts::Subject::Insured(insured))
        }
        Subject::Group(group) => Some(record::past_facts::Subject::PatientGroupId(
            group.to_string(),
        )),
        Subject::None => None,
    };
    record::PastFacts {
        prestatie: Some(write_prestatie(&facts.prestatie)),
        contract_id: facts.contract_id.as_ref().map(ToString::to_string),
        period: Some(write_period(facts.period)),
        subject,
        quantity: facts.quantity,
        computed_cents: facts.computed.get(),
        declared_cents: facts.declared.get(),
        terms: facts.terms.iter().map(write_term).collect(),
        ceilings: (facts.ceilings.iter())
            .map(|(key, cents)| record::CeilingUse {
                contract_id: key.contract_id.to_string(),
                name: key.name.to_string(),
                cents: cents.get(),
            })
            .collect(),
    }
}

fn write_term(term: &TermKey) -> record::TermUse {
    record::TermUse {
        contract_id: term.contract_id.to_string(),
        prestatie: Some(write_prestatie(&term.prestatie)),
        subject: term.subject.to_string(),
        insurer_uzovi: term.insurer.to_string(),
    }
}

/// What a credit must repeat, from what is kept.
///
/// # Errors
/// [`Foreign`] says what is wrong.
pub fn read_past_facts(kept: &record::PastFacts) -> Result<PastFacts, Foreign> {
    let ceiling = |kept: &record::CeilingUse| {
        let key = CeilingKey {
            contract_id: ContractId::new(&kept.contract_id),
            name: kept.name.as_str().into(),
        };
        Ok((key, cents(kept.cents)?))
    };
    Ok(PastFacts {
        prestatie: prestatie(kept.prestatie.as_ref())?,
        contract_id: kept.contract_id.as_deref().map(ContractId::new),
        period: read_period(kept.period.as_ref())?,
        subject: match &kept.subject {
            None => Subject::None,
            Some(record::past_facts::Subject::PatientGroupId(group)) => {
                Subject::Group(GroupId::new(group))
            }
            Some(record::past_facts::Subject::Insured(insured)) => {
                Subject::Insured(pseudonyms(&insured.pseudonyms)?)
            }
        },
        quantity: kept.quantity,
        computed: cents(kept.computed_cents)?,
        declared: cents(kept.declared_cents)?,
        terms: kept.terms.iter().map(read_term).collect::<Result<_, _>>()?,
        ceilings: kept
            .ceilings
            .iter()
            .map(ceiling)
            .collect::<Result<_, _>>()?,
    })
}

fn read_term(kept: &record::TermUse) -> Result<TermKey, Foreign> {
    Ok(TermKey {
        contract_id: ContractId::new(&kept.contract_id),
        prestatie: prestatie(kept.prestatie.as_ref())?,
        subject: kept.subject.as_str().into(),
        insurer: uzovi(&kept.insurer_uzovi)?,
    })
}

/// What settlement got, as it is kept.
#[must_use]
pub fn write_claim_facts(claim: &ClaimFacts) -> record::ClaimFacts {
    record::ClaimFacts {
        contract_id: claim.contract_id.as_ref().map(ToString::to_string),
        prestatie: Some(write_prestatie(&claim.prestatie)),
        kind: claim.kind.to_string(),
        period: Some(write_period(claim.period)),
        patient_group_id: claim.group.as_ref().map(ToString::to_string),
        region: claim.region.as_ref().map(ToString::to_string),
        payee_agb: claim.payee.to_string(),
        invoice_number: claim.invoice_number.to_string(),
        insurer_uzovi: claim.insurer.to_string(),
        insurer_shares: claim.insurer_shares.iter().map(write_share).collect(),
        sector_shares: claim.sector_shares.iter().map(write_share).collect(),
        legal_basis: claim.legal_basis.clone(),
        reverses: claim.reverses.map(|it| write_line_id(it.line)),
        reverses_version: claim.reverses.map(|it| it.version),
    }
}

/// What settlement got, from what is kept.
///
/// # Errors
/// [`Foreign`] says what is wrong.
pub fn read_claim_facts(kept: &record::ClaimFacts) -> Result<ClaimFacts, Foreign> {
    Ok(ClaimFacts {
        contract_id: kept.contract_id.as_deref().map(ContractId::new),
        prestatie: prestatie(kept.prestatie.as_ref())?,
        kind: kept.kind.as_str().into(),
        period: read_period(kept.period.as_ref())?,
        group: kept.patient_group_id.as_deref().map(GroupId::new),
        region: kept.region.as_deref().map(RegionCode::new),
        payee: agb(&kept.payee_agb)?,
        invoice_number: InvoiceNumber::new(&kept.invoice_number),
        insurer: uzovi(&kept.insurer_uzovi)?,
        insurer_shares: read_shares(&kept.insurer_shares)?,
        sector_shares: read_shares(&kept.sector_shares)?,
        legal_basis: kept.legal_basis.clone(),
        reverses: kept.reverses.map(|id| ReversedClaim {
            line: read_line_id(id),
            version: kept.reverses_version.unwrap_or(1),
        }),
    })
}

/// The pairs of an imported chunk that are listed.
#[must_use]
pub fn write_import_pairs(pairs: &ImportPairs) -> Vec<record::ImportPair> {
    let pairs = pairs
        .listed
        .iter()
        .map(|((line, row), pair)| record::ImportPair {
            line: Some(write_line_id(*line)),
            row: row.line,
            rule: pair.rule.to_string(),
            rule_version: pair.rule_version,
            effect: effect_word(pair.effect).to_owned(),
        });
    pairs.collect()
}

/// A line as it is kept.
#[must_use]
pub fn write_line_id(id: CoverageId) -> record::LineId {
    record::LineId {
        sequence: id.sequence.0,
        line: id.line,
    }
}

/// A line from what is kept.
#[must_use]
pub fn read_line_id(kept: record::LineId) -> CoverageId {
    CoverageId {
        sequence: Sequence(kept.sequence),
        line: kept.line,
    }
}

/// Reads the bytes of a kept message with one of the readers above.
///
/// # Errors
/// [`Foreign`] where the bytes are no such message, or hold what we never wrote.
pub fn decode<M: Message + Default, T>(
    bytes: &[u8],
    read: impl FnOnce(&M) -> Result<T, Foreign>,
) -> Result<T, Foreign> {
    read(&M::decode(bytes).map_err(|e| Foreign(e.to_string()))?)
}

fn write_share(share: &Share) -> record::Share {
    record::Share {
        key: share.key.to_string(),
        basis_points: share.basis_points.get(),
    }
}

fn read_shares(kept: &[record::Share]) -> Result<Vec<Share>, Foreign> {
    let read = |share: &record::Share| {
        Ok(Share {
            key: share.key.as_str().into(),
            basis_points: basis_points(share.basis_points)?,
        })
    };
    kept.iter().map(read).collect()
}

pub(super) fn write_period(period: Period) -> wire::Span {
    write_span(Span {
        first: period.first(),
        last: period.last(),
    })
}

pub(super) fn read_period(kept: Option<&wire::Span>) -> Result<Period, Foreign> {
    let read = |kept: &wire::Span| {
        let first = parse_day(kept.first.as_deref()?)?;
        Period::new(first, parse_day(kept.last.as_deref()?)?)
    };
    kept.and_then(read).ok_or_else(|| foreign("period", kept))
}

fn prestatie(kept: Option<&wire::Prestatie>) -> Result<PrestatieKey, Foreign> {
    let read = |kept: &wire::Prestatie| {
        Some(PrestatieKey::new(
            kept.list.as_deref()?,
            kept.code.as_deref()?,
        ))
    };
    kept.and_then(read)
        .ok_or_else(|| foreign("prestatie", kept))
}

fn read_meeting(kept: i32) -> Result<Option<Meeting>, Foreign> {
    match wire::Meeting::try_from(kept).map_err(|_| foreign("meeting", kept))? {
        wire::Meeting::Unspecified => Ok(None),
        wire::Meeting::Group => Ok(Some(Meeting::Group)),
        wire::Meeting::Individual => Ok(Some(Meeting::Individual)),
        wire::Meeting::Hybrid => Ok(Some(Meeting::Hybrid)),
    }
}

fn pseudonyms(
    kept: &[record::Pseudonym],
) -> Result<Vec<samenloop_domain::identifiers::Pseudonym>, Foreign> {
    let read = |it| read_pseudonym(it).ok_or_else(|| Foreign("pseudonym".to_owned()));
    kept.iter().map(read).collect()
}

fn agb(text: &str) -> Result<Agb, Foreign> {
    Agb::parse(text).ok_or_else(|| foreign("AGB code", text))
}

fn uzovi(text: &str) -> Result<Uzovi, Foreign> {
    Uzovi::parse(text).ok_or_else(|| foreign("UZOVI number", text))
}

fn cents(kept: i64) -> Result<Cents, Foreign> {
    Cents::new(kept).ok_or_else(|| foreign("amount", kept))
}

fn basis_points(kept: u32) -> Result<BasisPoints, Foreign> {
    BasisPoints::new(kept).ok_or_else(|| foreign("share", kept))
}

fn foreign(what: &str, found: impl std::fmt::Debug) -> Foreign {
    Foreign(format!("{found:?} is no {what}"))
}

fn texts<T: ToString>(values: &BTreeSet<T>) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn or_empty<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn not_empty<T: for<'a> From<&'a str>>(text: &str) -> Option<T> {
    (!text.is_empty()).then(|| text.into())
}

fn each_into<T: for<'a> From<&'a str> + Ord>(texts: &[String]) -> BTreeSet<T> {
    texts.iter().map(|text| text.as_str().into()).collect()
}
