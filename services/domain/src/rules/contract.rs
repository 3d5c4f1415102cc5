//! The contract under which a line is judged.

use crate::{
    facts::LineFacts,
    identifiers::{Agb, ContractId, Uzovi},
    period::Period,
    reference::{Billing, Condition, Contract, ContractState},
    rejection::Rejection,
};

/// A contract of declarant and insurer covers the whole period, is in force, and where that is
/// asked is in writing and signed by the invoice date (8022, 8022 with GDC-SCHRIFT); one finding,
/// the first that holds.
///
/// Needs declarant, insurer, period and prestatie. The contract named is judged. If none is named
/// it is the only one in force of declarant and insurer over that period; if there are several,
/// none. Source: 004_edc514e4c29859bf.txt, article 4, paragraph 2; 002_eb0531d2b212ba40.txt, draft
/// article 4; Vektis COD954, code 8022; 001_391917b9bc3bdc5d.txt, 4.6 (who is bound by whose
/// contract). Example: a contract until 2025-06-30, and 2025-05-01 .. 2025-07-31 is declared.
#[must_use]
pub fn check(facts: &LineFacts<'_>) -> Option<Rejection> {
    find(facts).and_then(Result::err)
}

/// The contract of the line, or why there is none; `None` while a fact that it needs is missing.
#[must_use]
pub fn find<'a>(
    facts: &LineFacts<'a>,
) -> Option<Result<(&'a ContractId, &'a Contract), Rejection>> {
    let asked = Asked {
        declarant: facts.declarant?,
        insurer: facts.insurer?,
        period: facts.period?,
    };
    let is_in_writing = facts
        .prestatie?
        .conditions
        .contains(&Condition::WrittenAgreement);
    let found = |codes: &[&str]| Rejection::new("contract", codes);
    let (id, contract) = match &facts.line.contract_id {
        None => match only_one(facts, &asked) {
            None => return Some(Err(found(&["8022"]))),
            Some(it) => it,
        },
        Some(named) => match facts.reference.contracts.get_key_value(named) {
            Some((id, contract)) if asked.is_met_by(contract) => (id, contract),
            _ => return Some(Err(found(&["8022"]).with("contract_id", named))),
        },
    };
    let is_signed = contract
        .signed_on
        .is_some_and(|day| facts.invoice_date.is_none_or(|invoiced| day <= invoiced));
    let is_draft = matches!(
        contract.state,
        ContractState::Concept | ContractState::InNegotiation
    );
    let codes: &[&str] = if is_in_writing && (is_draft || !contract.written || !is_signed) {
        &["8022", "GDC-SCHRIFT"]
    } else if !is_in_force(contract) {
        &["8022"]
    } else {
        return Some(Ok((id, contract)));
    };
    Some(Err(found(codes).with("contract_id", id)))
}

/// What a contract must be for.
struct Asked {
    declarant: Agb,
    insurer: Uzovi,
    period: Period,
}

impl Asked {
    fn is_met_by(&self, contract: &Contract) -> bool {
        contract.declarants.contains(&self.declarant)
            && is_billed(contract, self.insurer)
            && contract.term.covers(self.period)
    }
}

/// Whether lines under `contract` go to `insurer`: it is bound and has not stepped out, and is the
/// lead if there is one.
fn is_billed(contract: &Contract, insurer: Uzovi) -> bool {
    let is_bound = contract
        .insurers
        .iter()
        .any(|bound| bound.uzovi == insurer && bound.is_bound());
    match contract.billing {
        Billing::EachInsurer => is_bound,
        Billing::LeadInsurer(lead) => is_bound && lead == insurer,
    }
}

fn is_in_force(contract: &Contract) -> bool {
    matches!(
        contract.state,
        ContractState::Signed | ContractState::Active | ContractState::Ended
    )
}

fn only_one<'a>(facts: &LineFacts<'a>, asked: &Asked) -> Option<(&'a ContractId, &'a Contract)> {
    let mut met = facts
        .reference
        .contracts
        .iter()
        .filter(|(_, contract)| is_in_force(contract) && asked.is_met_by(contract));
    let first = met.next()?;
    met.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use crate::{
        reference::{Billing, BoundInsurer, ContractState, Stance},
        rules::fixture::{World, check, day, uzovi},
    };

    fn follower(world: &mut World, stance: Stance) {
        let share = crate::cents::BasisPoints::new(4_000).expect("a share");
        world.declaration.insurer_uzovi = "3311".into();
        let insurers = &mut world.contract("C1").insurers;
        insurers[0].share = crate::cents::BasisPoints::new(6_000).expect("a share");
        let uzovi = uzovi("3311");
        insurers.push(BoundInsurer {
            uzovi,
            share,
            stance,
        });
        world.line_amounts("11200", 1_120_000, 1_120_000);
    }

    fn received(world: &mut World, first: &str, last: &str, on: &str) {
        world.receive(on);
        world.performed(first, last);
    }

    #[test]
    fn contract_is_of_declarant_insurer_and_period() {
        check(
            World::c1,
            &[
                (
                    "scenario 11",
                    |it| it.declaration.insurer_uzovi = "3311".into(),
                    "8022",
                ),
                (
                    "scenario 14",
                    |it| received(it, "2025-07-01", "2025-09-30", "2025-10-10"),
                    "8022",
                ),
                (
                    "scenario 15",
                    |it| received(it, "2025-05-01", "2025-07-31", "2025-08-10"),
                    "8022",
                ),
                (
                    "unknown",
                    |it| it.line().contract_id = Some("C99".into()),
                    "8022",
                ),
                (
                    "of another declarant",
                    |it| it.line().contract_id = Some("C4".into()),
                    "8022",
                ),
                (
                    "several, none named",
                    |it| it.line().contract_id = None,
                    "8022",
                ),
                (
                    "one, none named",
                    |it| {
                        it.reference.contracts.retain(|id, _| id.as_str() == "C1");
                        it.line().contract_id = None;
                    },
                    "",
                ),
                (
                    "one beside a draft, none named",
                    |it| {
                        it.reference
                            .contracts
                            .retain(|id, _| ["C1", "C6"].contains(&id.as_str()));
                        it.contract("C6").state = ContractState::Concept;
                        it.line().contract_id = None;
                    },
                    "",
                ),
                ("follower", |it| follower(it, Stance::Follows), ""),
                ("scenario 65", |it| follower(it, Stance::OptedOut), "8022"),
                (
                    "scenario 65c",
                    |it| {
                        follower(it, Stance::Follows);
                        it.contract("C1").billing = Billing::LeadInsurer(uzovi("7095"));
                    },
                    "8022",
                ),
            ],
        );
    }

    #[test]
    fn contract_is_in_force_in_writing_and_signed() {
        check(
            World::c1,
            &[
                (
                    "scenario 13",
                    |it| it.contract("C1").state = ContractState::InNegotiation,
                    "8022 GDC-SCHRIFT",
                ),
                (
                    "oral",
                    |it| it.contract("C1").written = false,
                    "8022 GDC-SCHRIFT",
                ),
                (
                    "not signed",
                    |it| it.contract("C1").signed_on = None,
                    "8022 GDC-SCHRIFT",
                ),
                (
                    "signed later",
                    |it| it.contract("C1").signed_on = Some(day("2024-10-11")),
                    "8022 GDC-SCHRIFT",
                ),
                (
                    "signed that day",
                    |it| it.contract("C1").signed_on = Some(day("2024-10-10")),
                    "",
                ),
                (
                    "ended, and the line lies in its term",
                    |it| it.contract("C1").state = ContractState::Ended,
                    "",
                ),
                (
                    "oral, and that is enough",
                    |it| {
                        it.entry("BDSS1").conditions.clear();
                        it.contract("C1").written = false;
                    },
                    "",
                ),
            ],
        );
    }
}
