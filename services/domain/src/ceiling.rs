//! Ceilings and terms: how much, and how often, a contract lets be billed.
//!
//! A ceiling bounds the cents of all insurers together over a named period of a contract; a term is
//! one use of a prestatie for one subject and insurer, so that a lumpsum is not billed oftener than
//! was agreed.

use std::fmt::Write as _;

use crate::{
    cents::{BasisPoints, Cents},
    coverage::{self, Subject},
    declaration::Line,
    facts::LineFacts,
    history::{CeilingKey, TermKey},
    identifiers::{ContractId, Uzovi},
    reference::{Ceiling, Unit},
};

/// What a line takes from when it is awarded or held: the term it uses, if terms of its prestatie
/// are counted.
///
/// Terms are counted for a lumpsum, and for whatever the contract bounds.
#[must_use]
pub fn term_of(facts: &LineFacts<'_>) -> Option<TermKey> {
    let (contract_id, _) = facts.contract?;
    let bounded = facts.contract_prestatie?.terms_max.is_some();
    let counted = bounded || facts.prestatie?.unit == Unit::Lumpsum;
    counted
        .then(|| term_key(contract_id, facts.line, facts.insurer?))
        .flatten()
}

fn term_key(contract_id: &ContractId, line: &Line, insurer: Uzovi) -> Option<TermKey> {
    Some(TermKey {
        contract_id: contract_id.clone(),
        prestatie: line.prestatie.clone(),
        subject: subject_text(&coverage::subject_of(line))?.into(),
        insurer,
    })
}

/// The subject as [`TermKey::subject`] writes it; `None` for an insured person without a pseudonym.
fn subject_text(subject: &Subject) -> Option<String> {
    match subject {
        Subject::Group(group) => Some(format!("group:{group}")),
        Subject::None => Some(String::new()),
        Subject::Insured(pseudonyms) => pseudonyms.first().map(|pseudonym| {
            let mut text = format!("insured:{}:", pseudonym.key_id);
            for byte in pseudonym.value {
                write!(text, "{byte:02x}").expect("a String takes all text");
            }
            text
        }),
    }
}

/// The ceilings that a line counts towards: those of its contract in whose period it begins.
pub fn ceilings_of<'a>(
    facts: &LineFacts<'a>,
) -> impl Iterator<Item = (CeilingKey, &'a Ceiling)> + use<'a> {
    let first = facts.period.map(crate::period::Period::first);
    facts
        .contract
        .into_iter()
        .flat_map(|(id, contract)| contract.ceilings.iter().map(move |ceiling| (id, ceiling)))
        .filter(move |(_, ceiling)| first.is_some_and(|day| ceiling.period.contains(day)))
        .map(|(id, ceiling)| (key_of(id, ceiling), ceiling))
}

fn key_of(contract_id: &ContractId, ceiling: &Ceiling) -> CeilingKey {
    CeilingKey {
        contract_id: contract_id.clone(),
        name: ceiling.name.clone(),
    }
}

/// Whether `amount` more than what is `taken` goes over the ceiling; reaching it exactly does not.
///
/// There is no partial award up to the ceiling. Source: Vektis COD954, code 0589.
#[must_use]
pub fn is_exceeded(ceiling: &Ceiling, taken: Cents, amount: Cents) -> bool {
    taken.get().saturating_add(amount.get()) > ceiling.cents.get()
}

/// `declared` less the part that is deducted: the deduction is rounded down, in favour of the
/// provider.
///
/// Source: 002_eb0531d2b212ba40.txt, 3.1.2 (the price of one of the two may need adjusting); the
/// formula is the insurer's agreed rule. Example: 1,000,000 less 2,500 basis points is 750,000.
#[must_use]
pub fn less_deduction(declared: Cents, deduction: Option<BasisPoints>) -> Cents {
    deduction.map_or(declared, |share| {
        declared - declared.share_rounded_down(share)
    })
}
