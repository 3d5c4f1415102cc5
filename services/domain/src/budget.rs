//! Money beside declarations: advances, budgets, what is settled at the end of a year, and corrections.
//!
//! Every function gives the lines of one journal. What is agreed stands in contracts; settlement is told the amounts.

use crate::{
    allocation::{KeyFault, allocate},
    cents::{BasisPoints, Cents},
    declaration::Share,
    identifiers::{Agb, Uzovi},
    ledger::{Account, Posting, book, cost_amounts},
};

/// The two parties of an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Parties {
    /// Who owes.
    pub insurer: Uzovi,
    /// Who is owed.
    pub payee: Agb,
}

impl Parties {
    /// What the insurer owes the payee.
    #[must_use]
    pub fn payable(self) -> Account {
        let Self { insurer, payee } = self;
        Account::ProviderPayable { insurer, payee }
    }

    /// What is advanced under `contract`.
    #[must_use]
    pub fn advance(self, contract: &str) -> Account {
        let Self { insurer, payee } = self;
        let contract = contract.into();
        Account::ProviderAdvance {
            insurer,
            payee,
            contract,
        }
    }
}

/// An advance: owed to the payee, which has yet to earn it by declarations under `contract`.
///
/// Source: 001_391917b9bc3bdc5d.txt, 4.4.2: lumpsum advances beside prestaties, the difference settled.
#[must_use]
pub fn advance(parties: Parties, contract: &str, cents: Cents) -> Vec<Posting> {
    book(advance_amounts(parties, contract, cents))
}

/// What an advance moves, before it is a journal.
pub(crate) fn advance_amounts(
    parties: Parties,
    contract: &str,
    cents: Cents,
) -> [(Account, Cents); 2] {
    [
        (parties.advance(contract), cents),
        (parties.payable(), -cents),
    ]
}

/// What of an advance is set off against declarations: as much as was claimed, at most what is open.
///
/// Credits that outweigh debits set nothing off; they are owed back as they are.
pub(crate) fn set_off(
    parties: Parties,
    contract: &str,
    open: Cents,
    claimed: Cents,
) -> (Cents, [(Account, Cents); 2]) {
    let cents = open.min(claimed).max(Cents::ZERO);
    (cents, advance_amounts(parties, contract, -cents))
}

/// A budget, recorded beside the money: nothing is owed by it.
#[must_use]
pub fn agree(insurer: Uzovi, budget: &str, cents: Cents) -> Vec<Posting> {
    let (room, agreed) = (budget.into(), budget.into());
    book([
        (
            Account::BudgetRoom {
                insurer,
                budget: room,
            },
            cents,
        ),
        (
            Account::BudgetAgreed {
                insurer,
                budget: agreed,
            },
            -cents,
        ),
    ])
}

/// Nacalculatie: what is still to be paid of a budget, or to be paid back if negative: the budget less what was
/// awarded and less what earlier settlements of it paid.
///
/// Source: 001_391917b9bc3bdc5d.txt, 4.2: verrekening = budget - opbrengst. Example: 50,000,000 agreed and 46,325,000
/// awarded give 3,675,000 to the provider.
#[must_use]
pub fn nacalculatie(budget: Cents, awarded: Cents, settled: Cents) -> Option<Cents> {
    budget.checked_sub(awarded)?.checked_sub(settled)
}

/// Books a nacalculatie of `cents` on the sectors of the budget, and what is open of its advances is set off.
///
/// # Errors
/// [`KeyFault`] where the sectors have no share.
pub fn settle(
    parties: Parties,
    (budget, contract): (&str, &str),
    sectors: &[Share],
    cents: Cents,
    advance_open: Cents,
) -> Result<Vec<Posting>, KeyFault> {
    let Parties { insurer, .. } = parties;
    let [settled, room]: [Box<str>; 2] = [budget.into(), budget.into()];
    let mut amounts = vec![
        (
            Account::BudgetSettled {
                insurer,
                budget: settled,
            },
            cents,
        ),
        (
            Account::BudgetRoom {
                insurer,
                budget: room,
            },
            -cents,
        ),
        (parties.advance(contract), -advance_open),
        (parties.payable(), advance_open),
    ];
    amounts.extend(costs(parties, sectors, cents)?);
    Ok(book(amounts))
}

/// A correction outside the declarations, in favour of the payee or, negative, of the insurer: after a ceiling
/// agreement, for what an insured paid as eigen risico, as agreed for a result.
///
/// Source: 003_fee1ae5a85ecf13d.txt, B 1: ceiling agreements are corrected outside the declarations.
///
/// # Errors
/// [`KeyFault`] where the sectors have no share.
pub fn correct(
    parties: Parties,
    sectors: &[Share],
    cents: Cents,
) -> Result<Vec<Posting>, KeyFault> {
    Ok(book(costs(parties, sectors, cents)?))
}

/// What a result costs the provider, as a correction: zero if it was reached in full, else negative.
///
/// `at_stake` of the budget depends on the result, of which `reached` was reached; both parts are rounded down.
/// Example: 10 % of 50,000,000 at stake and 80 % reached cost 1,000,000.
#[must_use]
pub fn kpi_consequence(budget: Cents, at_stake: BasisPoints, reached: BasisPoints) -> Cents {
    let at_stake = budget.share_rounded_down(at_stake);
    at_stake.share_rounded_down(reached) - at_stake
}

/// An amount on the sectors of one insurer.
fn costs(
    parties: Parties,
    sectors: &[Share],
    cents: Cents,
) -> Result<Vec<(Account, Cents)>, KeyFault> {
    let insurer = [Share {
        key: parties.insurer.as_str().into(),
        basis_points: BasisPoints::WHOLE,
    }];
    let parts = allocate(cents, &insurer, sectors)?;
    Ok(parts
        .iter()
        .flat_map(|part| cost_amounts(parties.payee, part))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{agb, cents, shares, uzovi};

    fn parties() -> Parties {
        Parties {
            insurer: uzovi("7095"),
            payee: agb("53530001"),
        }
    }

    fn told(postings: &[Posting]) -> Vec<String> {
        let line = |posting: &Posting| format!("{} {}", posting.account, posting.cents.get());
        postings.iter().map(line).collect()
    }

    /// The two examples of the nacalculatie: too little was awarded, and too much.
    #[test]
    fn budget_less_what_was_awarded_is_paid_or_got_back() {
        for (awarded, settled, expected) in [
            (46_325_000, 0, 3_675_000),
            (51_200_000, 0, -1_200_000),
            (46_325_000, 3_675_000, 0),
            (50_000_000, 3_675_000, -3_675_000),
        ] {
            let due = nacalculatie(cents(50_000_000), cents(awarded), cents(settled));
            assert_eq!(due, Some(cents(expected)), "{awarded} {settled}");
        }
        let bound = Cents::MAX;
        assert_eq!(nacalculatie(-bound, bound, Cents::ZERO), None);
    }

    #[test]
    fn settlement_is_a_cost_of_its_sectors_and_uses_the_advance_up() {
        let sectors = shares(&[("WV", 5_000), ("HA", 5_000)]);
        let names = ("B1", "C1");
        let postings = settle(parties(), names, &sectors, cents(-301), cents(50)).expect("a key");
        assert_eq!(
            told(&postings),
            [
                "insurer:7095:cost:HA -150",
                "insurer:7095:cost:WV -151",
                "provider:53530001:payable:7095 351",
                "provider:53530001:advance:7095:C1 -50",
                "insurer:7095:budget-room:B1 301",
                "insurer:7095:budget-settled:B1 -301",
            ]
        );
    }

    #[test]
    fn advance_is_set_off_by_what_was_claimed_and_at_most_what_is_open() {
        for (open, claimed, expected) in [(100, 30, 30), (100, 130, 100), (100, -30, 0), (0, 30, 0)]
        {
            let (set, moves) = set_off(parties(), "C1", cents(open), cents(claimed));
            assert_eq!(set, cents(expected));
            assert_eq!(book(moves).is_empty(), expected == 0);
        }
        assert_eq!(
            told(&book(set_off(parties(), "C1", cents(9), cents(5)).1)),
            [
                "provider:53530001:payable:7095 5",
                "provider:53530001:advance:7095:C1 -5",
            ]
        );
    }

    #[test]
    fn result_that_is_not_reached_costs_its_part_of_what_is_at_stake() {
        for (at_stake, reached, expected) in [
            (1_000, 8_000, -1_000_000),
            (1_000, 10_000, 0),
            (1_000, 0, -5_000_000),
            (0, 0, 0),
        ] {
            let [at_stake, reached] =
                [at_stake, reached].map(|it| BasisPoints::new(it).expect("a share"));
            let consequence = kpi_consequence(cents(50_000_000), at_stake, reached);
            assert_eq!(consequence, cents(expected));
        }
    }
}
