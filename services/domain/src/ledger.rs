//! Journals of double-entry bookkeeping: what insurers owe providers, and which macro-framework
//! bears it.
//!
//! The hub holds no money, so it has no receivable of its own: of each insurer it keeps what its
//! sectors cost, and what it owes providers. A journal sums to zero; debits are positive.

use std::{collections::BTreeMap, fmt};

use crate::{
    allocation::Part,
    cents::Cents,
    identifiers::{Agb, Sequence, Uzovi},
};

/// What is booked on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Account {
    /// What a sector (macro-framework) of an insurer bears.
    SectorCost {
        /// Whose.
        insurer: Uzovi,
        /// Which; empty where the contract has no sector key.
        sector: Box<str>,
    },
    /// What an insurer owes a provider.
    ProviderPayable {
        /// Who owes.
        insurer: Uzovi,
        /// Who is owed.
        payee: Agb,
    },
    /// What an insurer has paid.
    InsurerPaid {
        /// Who paid.
        insurer: Uzovi,
    },
}

impl fmt::Display for Account {
    /// The name under which stores and reports keep the account.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SectorCost { insurer, sector } => write!(f, "insurer:{insurer}:cost:{sector}"),
            Self::ProviderPayable { insurer, payee } => {
                write!(f, "provider:{payee}:payable:{insurer}")
            }
            Self::InsurerPaid { insurer } => write!(f, "insurer:{insurer}:paid"),
        }
    }
}

/// A journal: lines that add up to nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Journal {
    /// The log entry whose claims it books.
    pub sequence: Sequence,
    /// Version of the outcome that made the claims.
    pub version: u32,
    /// The insurer whose books they are.
    pub insurer: Uzovi,
    /// Summed per account, in order of account; none if everything cancels out.
    pub postings: Vec<Posting>,
}

/// A line of a journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    /// Name of the [`Account`].
    pub account: String,
    /// Debit positive, credit negative.
    pub cents: Cents,
}

impl Journal {
    /// The sum of all postings: zero, unless it was put together by hand.
    #[must_use]
    pub fn sum(&self) -> Cents {
        self.postings.iter().map(|posting| posting.cents).sum()
    }
}

/// A claim of a message, allocated.
#[derive(Clone, Copy, Debug)]
pub struct ClaimParts<'a> {
    /// Who is paid.
    pub payee: Agb,
    /// Its parts.
    pub parts: &'a [Part],
}

/// The journals of one version of one message, by insurer: sums per account over all its claims.
///
/// Each part is a debit of its sector and a credit of what the insurer owes the payee; a credit
/// line is the same the other way round.
#[must_use]
pub fn post(sequence: Sequence, version: u32, claims: &[ClaimParts<'_>]) -> Vec<Journal> {
    let mut by_insurer: BTreeMap<Uzovi, BTreeMap<Account, Cents>> = BTreeMap::new();
    for claim in claims {
        for part in claim.parts {
            let insurer = part.insurer;
            let sums = by_insurer.entry(insurer).or_default();
            let cost = Account::SectorCost {
                insurer,
                sector: part.sector.clone(),
            };
            let payable = Account::ProviderPayable {
                insurer,
                payee: claim.payee,
            };
            for (account, cents) in [(cost, part.cents), (payable, -part.cents)] {
                let sum = sums.entry(account).or_default();
                *sum = *sum + cents;
            }
        }
    }
    let journals = by_insurer.into_iter().map(|(insurer, sums)| Journal {
        sequence,
        version,
        insurer,
        postings: postings(sums),
    });
    let journals: Vec<Journal> = journals.collect();
    for journal in &journals {
        assert_eq!(journal.sum(), Cents::ZERO, "{journal:?} is not balanced");
    }
    journals
}

fn postings(sums: BTreeMap<Account, Cents>) -> Vec<Posting> {
    sums.into_iter()
        .filter(|(_, cents)| *cents != Cents::ZERO)
        .map(|(account, cents)| Posting {
            account: account.to_string(),
            cents,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        allocation::allocate,
        fixtures::{agb, cents, shares, uzovi},
    };

    #[test]
    fn message_gives_one_journal_per_insurer_summed_per_account() {
        let sectors = shares(&[("WV", 5_000), ("HA", 5_000)]);
        let insurers = shares(&[("7095", 6_000), ("3311", 4_000)]);
        let first = allocate(cents(1_000), &insurers, &sectors).expect("sound keys");
        let second = allocate(cents(100), &shares(&[("7095", 10_000)]), &sectors[..1]);
        let second = second.expect("sound keys");
        let payee = agb("53530001");
        let claims = [&first, &second].map(|parts| ClaimParts { payee, parts });
        let told: Vec<String> = post(Sequence(7), 1, &claims)
            .iter()
            .flat_map(|journal| &journal.postings)
            .map(|posting| format!("{} {}", posting.account, posting.cents.get()))
            .collect();
        assert_eq!(
            told,
            [
                "insurer:3311:cost:HA 200",
                "insurer:3311:cost:WV 200",
                "provider:53530001:payable:3311 -400",
                "insurer:7095:cost:HA 300",
                "insurer:7095:cost:WV 400",
                "provider:53530001:payable:7095 -700",
            ]
        );
    }

    #[test]
    fn debit_and_credit_in_one_message_cancel_out() {
        let insurers = shares(&[("7095", 10_000)]);
        let debit = allocate(cents(5), &insurers, &[]).expect("sound keys");
        let credit = allocate(cents(-5), &insurers, &[]).expect("sound keys");
        let payee = agb("53530001");
        let claims = [&debit, &credit].map(|parts| ClaimParts { payee, parts });
        let journals = post(Sequence(7), 1, &claims);
        assert_eq!(journals.len(), 1);
        assert_eq!(
            (journals[0].insurer, journals[0].postings.len()),
            (uzovi("7095"), 0)
        );
    }

    proptest! {
        #[test]
        fn journals_balance_and_hold_every_cent(
            awards in prop::collection::vec(-1_000_000_000..1_000_000_000_i64, 1..20),
            weight in 1..10_000_u32,
        ) {
            let insurers = shares(&[("7095", weight), ("3311", 10_000 - weight)]);
            let sectors = shares(&[("HA", 3_333), ("WV", 3_333), ("MSZ", 3_334)]);
            let payee = agb("53530001");
            let allocated: Vec<Vec<Part>> = awards
                .iter()
                .map(|award| allocate(cents(*award), &insurers, &sectors).expect("sound keys"))
                .collect();
            let claims: Vec<ClaimParts<'_>> = allocated
                .iter()
                .map(|parts| ClaimParts { payee, parts })
                .collect();
            let journals = post(Sequence(1), 1, &claims);
            let mut payable = Cents::ZERO;
            for journal in &journals {
                prop_assert_eq!(journal.sum(), Cents::ZERO);
                let of_provider = |it: &&Posting| it.account.starts_with("provider:");
                payable = payable
                    + journal.postings.iter().filter(of_provider).map(|it| it.cents).sum::<Cents>();
            }
            prop_assert_eq!(payable, cents(-awards.iter().sum::<i64>()));
        }
    }
}
