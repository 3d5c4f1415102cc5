//! Closing a period: what each payee is paid for it, from the books of one insurer.
//!
//! Terms that have fallen due are advanced, advances are set off against what was claimed under their contract, and
//! what is then owed becomes one payment per payee. What a payee owes instead is carried to the next period.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    budget::{Parties, advance_amounts, set_off},
    cents::Cents,
    identifiers::{Agb, Uzovi},
    ledger::{Account, Posting, book},
};

/// A payee and a contract under which it is advanced money.
pub type PayeeContract = (Agb, Box<str>);

/// What a period is closed on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Books {
    /// What each payee is owed; negative: it owes.
    pub owed: BTreeMap<Agb, Cents>,
    /// Advances that are open.
    pub advances: BTreeMap<PayeeContract, Cents>,
    /// What was awarded since the last period was closed.
    pub claimed: BTreeMap<PayeeContract, Cents>,
    /// Terms that have fallen due and are not advanced yet, each with its amount.
    pub terms: Vec<(PayeeContract, Cents)>,
}

/// What one payee gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settled {
    /// Who.
    pub payee: Agb,
    /// Advanced to it now.
    pub advanced: Cents,
    /// Set off against earlier advances.
    pub set_off: Cents,
    /// Paid: more than nothing, or nothing.
    pub paid: Cents,
    /// Owed by it to the insurer, and carried to the next period.
    pub carried: Cents,
    /// The journal of advances and what is set off; without lines where there is none.
    pub advances: Vec<Posting>,
    /// The journal of the payment, that it can be reversed by itself; without lines where nothing is paid.
    pub payment: Vec<Posting>,
}

/// Closes a period on `books`; by payee. None where an amount is over the bound.
#[must_use]
pub fn close(insurer: Uzovi, books: &Books) -> Option<Vec<Settled>> {
    let payees: BTreeSet<Agb> = (books.owed.keys().copied())
        .chain(books.terms.iter().map(|((payee, _), _)| *payee))
        .chain(books.advances.keys().map(|(payee, _)| *payee))
        .collect();
    payees
        .into_iter()
        .map(|payee| settle_payee(Parties { insurer, payee }, books))
        .collect()
}

fn settle_payee(parties: Parties, books: &Books) -> Option<Settled> {
    let payee = parties.payee;
    let mut owed = books.owed.get(&payee).copied().unwrap_or_default();
    let (mut advanced, mut used) = (Cents::ZERO, Cents::ZERO);
    let mut amounts = Vec::new();
    let open = (books.advances.iter()).filter(|((whose, _), _)| *whose == payee);
    for (key, open) in open {
        let claimed = books.claimed.get(key).copied().unwrap_or_default();
        let (cents, moves) = set_off(parties, &key.1, *open, claimed);
        used = used.checked_add(cents)?;
        owed = owed.checked_sub(cents)?;
        amounts.extend(moves);
    }
    // After the setting off: a term is earned by what is declared from now on.
    for ((_, contract), cents) in books.terms.iter().filter(|((whose, _), _)| *whose == payee) {
        advanced = advanced.checked_add(*cents)?;
        owed = owed.checked_add(*cents)?;
        amounts.extend(advance_amounts(parties, contract, *cents));
    }
    let paid = owed.max(Cents::ZERO);
    Some(Settled {
        payee,
        advanced,
        set_off: used,
        paid,
        carried: (-owed).max(Cents::ZERO),
        advances: book(amounts),
        payment: book([(parties.payable(), paid), (due(parties), -paid)]),
    })
}

/// A payment is ordered: what is due is on its way.
#[must_use]
pub fn order(parties: Parties, cents: Cents) -> Vec<Posting> {
    book([(due(parties), cents), (ordered(parties), -cents)])
}

/// A payment that was ordered is paid.
#[must_use]
pub fn confirm_ordered(parties: Parties, cents: Cents) -> Vec<Posting> {
    let insurer = parties.insurer;
    book([
        (ordered(parties), cents),
        (Account::InsurerPaid { insurer }, -cents),
    ])
}

/// A payment that an insurer ordered in its own way is paid.
#[must_use]
pub fn confirm_due(parties: Parties, cents: Cents) -> Vec<Posting> {
    let insurer = parties.insurer;
    book([
        (due(parties), cents),
        (Account::InsurerPaid { insurer }, -cents),
    ])
}

fn due(Parties { insurer, payee }: Parties) -> Account {
    Account::ProviderDue { insurer, payee }
}

fn ordered(Parties { insurer, payee }: Parties) -> Account {
    Account::ProviderOrdered { insurer, payee }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{agb, cents, uzovi};

    fn books(owed: &[(&str, i64)], advance: i64, claimed: i64, term: i64) -> Books {
        let key: PayeeContract = (agb("53530001"), "C1".into());
        let some = |amount: i64| (amount != 0).then(|| (key.clone(), cents(amount)));
        Books {
            owed: owed
                .iter()
                .map(|(payee, it)| (agb(payee), cents(*it)))
                .collect(),
            advances: some(advance).into_iter().collect(),
            claimed: some(claimed).into_iter().collect(),
            terms: some(term).into_iter().collect(),
        }
    }

    /// What the first payee gets: advanced, set off, paid, carried.
    fn first(books: &Books) -> [i64; 4] {
        let settled = close(uzovi("7095"), books).expect("within the bound");
        let it = &settled[0];
        [it.advanced, it.set_off, it.paid, it.carried].map(Cents::get)
    }

    #[test]
    fn what_is_owed_is_paid_and_what_is_owed_back_is_carried() {
        let z1 = "53530001";
        for (owed, advance, claimed, term, expected) in [
            (100, 0, 100, 0, [0, 0, 100, 0]),
            (-100, 0, -100, 0, [0, 0, 0, 100]),
            (0, 0, 0, 0, [0, 0, 0, 0]),
            (0, 0, 0, 50, [50, 0, 50, 0]),
            (80, 50, 80, 0, [0, 50, 30, 0]),
            (30, 50, 30, 0, [0, 30, 0, 0]),
            (30, 50, 30, 50, [50, 30, 50, 0]),
            (-80, 50, -80, 0, [0, 0, 0, 80]),
            (0, 50, 0, 0, [0, 0, 0, 0]),
        ] {
            let books = books(&[(z1, owed)], advance, claimed, term);
            assert_eq!(first(&books), expected, "{books:?}");
        }
    }

    #[test]
    fn every_payee_has_a_journal_of_its_own() {
        let books = books(
            &[("53530001", 80), ("01056789", 7), ("53530020", -1)],
            50,
            80,
            0,
        );
        let settled = close(uzovi("7095"), &books).expect("within the bound");
        let told: Vec<String> = settled
            .iter()
            .flat_map(|it| it.advances.iter().chain(&it.payment))
            .map(|posting| format!("{} {}", posting.account, posting.cents.get()))
            .collect();
        assert_eq!(
            told,
            [
                "provider:01056789:payable:7095 7",
                "provider:01056789:due:7095 -7",
                "provider:53530001:payable:7095 50",
                "provider:53530001:advance:7095:C1 -50",
                "provider:53530001:payable:7095 30",
                "provider:53530001:due:7095 -30",
            ]
        );
    }

    #[test]
    fn payment_goes_from_due_to_paid() {
        let parties = Parties {
            insurer: uzovi("7095"),
            payee: agb("53530001"),
        };
        let steps = [
            order(parties, cents(5)),
            confirm_ordered(parties, cents(5)),
            confirm_due(parties, cents(5)),
        ];
        let told: Vec<String> = (steps.iter().flatten())
            .map(|posting| format!("{} {}", posting.account, posting.cents.get()))
            .collect();
        assert_eq!(
            told,
            [
                "provider:53530001:due:7095 5",
                "provider:53530001:ordered:7095 -5",
                "provider:53530001:ordered:7095 5",
                "insurer:7095:paid -5",
                "provider:53530001:due:7095 5",
                "insurer:7095:paid -5",
            ]
        );
    }

    #[test]
    fn amount_over_the_bound_closes_nothing() {
        let books = books(&[("53530001", Cents::MAX.get())], 0, 0, 1);
        assert_eq!(close(uzovi("7095"), &books), None);
    }
}
