//! What is established of a line before rules judge it: a fact that is missing is reported by the
//! rule that establishes it, and silences the rules that need it.

use crate::{
    declaration::{Declaration, Line},
    identifiers::{Agb, ContractId, Uzovi},
    period::{Day, Period},
    reference::{CatalogueEntry, Contract, ContractPrestatie, ContractTerm, Reference},
    rules::{amounts, contract, contract_prestatie, prestatie},
};

/// Established facts of one line; `None` is not established.
#[derive(Clone, Debug)]
pub struct LineFacts<'a> {
    /// The line.
    pub line: &'a Line,
    /// What it is judged by.
    pub reference: &'a Reference,
    /// Day of its invoice; an imported prestatie has none.
    pub invoice_date: Option<Day>,
    /// Its period, in order (else 8007).
    pub period: Option<Period>,
    /// A well-formed declarant (else the message is refused).
    pub declarant: Option<Agb>,
    /// A well-formed insurer (else the message is refused).
    pub insurer: Option<Uzovi>,
    /// The prestatie, which may be declared on the begin date.
    pub prestatie: Option<&'a CatalogueEntry>,
    /// The contract under which it is judged: of declarant and insurer, in force over the whole
    /// period.
    pub contract: Option<(&'a ContractId, &'a Contract)>,
    /// The prestatie under the contract; established together with the covering term.
    pub contract_prestatie: Option<&'a ContractPrestatie>,
    /// The span of the contract that covers the whole period.
    pub covering_term: Option<&'a ContractTerm>,
    /// Whether tarief, computed amount, declared amount and quantity agree with each other.
    pub amounts: bool,
}

/// Establishes the facts of `line`.
#[must_use]
pub fn establish<'a>(
    declaration: &'a Declaration,
    line: &'a Line,
    reference: &'a Reference,
) -> LineFacts<'a> {
    let mut facts = LineFacts {
        line,
        reference,
        invoice_date: Some(declaration.invoice_date),
        period: line.period.period(),
        declarant: declaration.declarant_agb.agb(),
        insurer: declaration.insurer_uzovi.uzovi(),
        prestatie: None,
        contract: None,
        contract_prestatie: None,
        covering_term: None,
        amounts: false,
    };
    // Each step needs what the steps before it established.
    facts.prestatie = prestatie::find(&facts).ok();
    facts.amounts = amounts::are_established(&facts);
    facts.contract = contract::find(&facts).and_then(Result::ok);
    if let Some(Ok((agreed, term))) = contract_prestatie::find(&facts) {
        facts.contract_prestatie = Some(agreed);
        facts.covering_term = Some(term);
    }
    facts
}
