//! What is established of a line before rules judge it: a fact that is missing is reported by the rule that
//! establishes it, and silences the rules that need it.

use crate::{
    declaration::{Declaration, Line},
    identifiers::{Agb, ContractId, Uzovi},
    period::Period,
    reference::{CatalogueEntry, Contract, ContractPrestatie, ContractTerm, Reference},
};

/// Established facts of one line; `None` is not established.
#[derive(Clone, Debug)]
pub struct LineFacts<'a> {
    /// The line.
    pub line: &'a Line,
    /// Its period, in order.
    pub period: Option<Period>,
    /// A well-formed declarant.
    pub declarant: Option<Agb>,
    /// A well-formed insurer.
    pub insurer: Option<Uzovi>,
    /// The prestatie.
    pub prestatie: Option<&'a CatalogueEntry>,
    /// The contract that it is judged under.
    pub contract: Option<(&'a ContractId, &'a Contract)>,
    /// The prestatie under the contract.
    pub contract_prestatie: Option<&'a ContractPrestatie>,
    /// The span of the contract that covers the whole period.
    pub covering_term: Option<&'a ContractTerm>,
    /// Whether the amounts are in order.
    pub amounts: bool,
}

/// Establishes the facts of `line`.
#[must_use]
pub fn establish<'a>(
    declaration: &'a Declaration,
    line: &'a Line,
    reference: &'a Reference,
) -> LineFacts<'a> {
    let period = line.period.period();
    let contract = line
        .contract_id
        .as_ref()
        .and_then(|id| reference.contracts.get_key_value(id));
    let contract_prestatie = contract.and_then(|(_, it)| it.prestaties.get(&line.prestatie));
    LineFacts {
        line,
        period,
        declarant: declaration.declarant_agb.agb(),
        insurer: declaration.insurer_uzovi.uzovi(),
        prestatie: reference.catalogue.get(&line.prestatie),
        contract,
        contract_prestatie,
        covering_term: contract_prestatie.and_then(|it| {
            it.terms
                .iter()
                .find(|term| period.is_some_and(|period| term.period.covers(period)))
        }),
        amounts: true,
    }
}
