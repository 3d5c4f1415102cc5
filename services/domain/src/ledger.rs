//! The ledger: journals of double-entry bookkeeping, and the chart of accounts that they book on.
//!
//! The hub holds no money, so it has no receivable of its own: of each insurer it keeps what its sectors cost, what it
//! owes providers and how far that is on its way to be paid. A journal sums to zero; debits are positive. Nothing
//! written is changed: a mistake is undone by the journal negated ([`reversed`]).
//!
//! Every account is one insurer's. Only the Zvw is settled here, so its domain needs no account: the costs of an
//! insurer over all sectors are what its Zvw bears. Costs that other domains bear are never declared here
//! (002_eb0531d2b212ba40.txt, toelichting article 4).

use std::{collections::BTreeMap, fmt};

use crate::{
    allocation::Part,
    cents::Cents,
    identifiers::{Agb, Sequence, Uzovi},
};

/// What is booked on: the chart of accounts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Account {
    /// What a sector (macro-framework) of an insurer bears. Debit: cost; never turned back but by a credit or reversal.
    SectorCost {
        /// Whose.
        insurer: Uzovi,
        /// Which; empty where the contract has no sector key.
        sector: Box<str>,
    },
    /// Booked: what an insurer owes a provider. Credit: owed; a debit is set off against what is booked later.
    ProviderPayable {
        /// Who owes.
        insurer: Uzovi,
        /// Who is owed.
        payee: Agb,
    },
    /// What a provider got or gets before it declared it. Debit: to be earned yet, under this contract.
    ProviderAdvance {
        /// Who advanced.
        insurer: Uzovi,
        /// To whom.
        payee: Agb,
        /// What it is earned by.
        contract: Box<str>,
    },
    /// Payable: owed and part of a closed period. Credit: to be paid on its due date.
    ProviderDue {
        /// Who owes.
        insurer: Uzovi,
        /// Who is owed.
        payee: Agb,
    },
    /// Ordered: the bank was told to pay. Credit: on its way.
    ProviderOrdered {
        /// Who owes.
        insurer: Uzovi,
        /// Who is owed.
        payee: Agb,
    },
    /// Paid: what has left the account of an insurer. Credit: paid.
    InsurerPaid {
        /// Who paid.
        insurer: Uzovi,
    },
    /// What a budget was agreed at, against [`Self::BudgetRoom`]; both are beside the money. Credit.
    BudgetAgreed {
        /// Whose.
        insurer: Uzovi,
        /// Which, by the insurer's own name.
        budget: Box<str>,
    },
    /// What of a budget is for declarations. Debit: the budget less what its nacalculatie paid.
    BudgetRoom {
        /// Whose.
        insurer: Uzovi,
        /// Which.
        budget: Box<str>,
    },
    /// What the nacalculatie of a budget paid; a credit: got back. Debit.
    BudgetSettled {
        /// Whose.
        insurer: Uzovi,
        /// Which.
        budget: Box<str>,
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
            Self::ProviderAdvance {
                insurer,
                payee,
                contract,
            } => write!(f, "provider:{payee}:advance:{insurer}:{contract}"),
            Self::ProviderDue { insurer, payee } => write!(f, "provider:{payee}:due:{insurer}"),
            Self::ProviderOrdered { insurer, payee } => {
                write!(f, "provider:{payee}:ordered:{insurer}")
            }
            Self::InsurerPaid { insurer } => write!(f, "insurer:{insurer}:paid"),
            Self::BudgetAgreed { insurer, budget } => {
                write!(f, "insurer:{insurer}:budget-agreed:{budget}")
            }
            Self::BudgetRoom { insurer, budget } => {
                write!(f, "insurer:{insurer}:budget-room:{budget}")
            }
            Self::BudgetSettled { insurer, budget } => {
                write!(f, "insurer:{insurer}:budget-settled:{budget}")
            }
        }
    }
}

impl Account {
    /// The account of a name, if it is one of the chart.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        // The last piece is a name that others give, so it may hold a colon.
        let mut pieces = name.splitn(4, ':');
        let (owner, of, kind) = (pieces.next()?, pieces.next()?, pieces.next());
        let rest = pieces.next();
        if owner == "provider" {
            let (payee, rest) = (Agb::parse(of)?, rest?);
            let (insurer, contract) = match rest.split_once(':') {
                Some((insurer, contract)) => (insurer, Some(contract)),
                None => (rest, None),
            };
            let insurer = Uzovi::parse(insurer)?;
            return Some(match (kind?, contract) {
                ("payable", None) => Self::ProviderPayable { insurer, payee },
                ("due", None) => Self::ProviderDue { insurer, payee },
                ("ordered", None) => Self::ProviderOrdered { insurer, payee },
                ("advance", Some(contract)) => Self::ProviderAdvance {
                    insurer,
                    payee,
                    contract: contract.into(),
                },
                _ => return None,
            });
        }
        let insurer = Uzovi::parse(of).filter(|_| owner == "insurer")?;
        let budget = || rest.map(Into::into);
        Some(match (kind?, rest) {
            ("cost", Some(sector)) => Self::SectorCost {
                insurer,
                sector: sector.into(),
            },
            ("paid", None) => Self::InsurerPaid { insurer },
            ("budget-agreed", _) => Self::BudgetAgreed {
                insurer,
                budget: budget()?,
            },
            ("budget-room", _) => Self::BudgetRoom {
                insurer,
                budget: budget()?,
            },
            ("budget-settled", _) => Self::BudgetSettled {
                insurer,
                budget: budget()?,
            },
            _ => return None,
        })
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
    let mut by_insurer: BTreeMap<Uzovi, Vec<(Account, Cents)>> = BTreeMap::new();
    for claim in claims {
        for part in claim.parts {
            let amounts = by_insurer.entry(part.insurer).or_default();
            amounts.extend(cost_amounts(claim.payee, part));
        }
    }
    let journals = by_insurer.into_iter().map(|(insurer, amounts)| Journal {
        sequence,
        version,
        insurer,
        postings: book(amounts),
    });
    journals.collect()
}

/// A part of an amount: a debit of its sector, and a credit of what the insurer owes the payee.
pub(crate) fn cost_amounts(payee: Agb, part: &Part) -> [(Account, Cents); 2] {
    let insurer = part.insurer;
    let cost = Account::SectorCost {
        insurer,
        sector: part.sector.clone(),
    };
    let payable = Account::ProviderPayable { insurer, payee };
    [(cost, part.cents), (payable, -part.cents)]
}

/// The lines of a journal: amounts summed per account, in order of account, without those that cancel out.
///
/// # Panics
/// Where they do not add up to nothing.
#[must_use]
pub fn book(amounts: impl IntoIterator<Item = (Account, Cents)>) -> Vec<Posting> {
    let mut sums: BTreeMap<Account, Cents> = BTreeMap::new();
    for (account, cents) in amounts {
        let sum = sums.entry(account).or_default();
        *sum = *sum + cents;
    }
    let total: Cents = sums.values().copied().sum();
    assert_eq!(total, Cents::ZERO, "{sums:?} is not balanced");
    sums.into_iter()
        .filter(|(_, cents)| *cents != Cents::ZERO)
        .map(|(account, cents)| Posting {
            account: account.to_string(),
            cents,
        })
        .collect()
}

/// The lines that undo `postings`.
#[must_use]
pub fn reversed(postings: &[Posting]) -> Vec<Posting> {
    let negate = |posting: &Posting| Posting {
        account: posting.account.clone(),
        cents: -posting.cents,
    };
    postings.iter().map(negate).collect()
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

    #[test]
    fn every_account_is_found_by_its_name() {
        let (insurer, payee) = (uzovi("7095"), agb("53530001"));
        let (sector, contract): (Box<str>, Box<str>) = ("WV".into(), "C1:a".into());
        let budget: Box<str> = "C1-2024".into();
        for account in [
            Account::SectorCost { insurer, sector },
            Account::ProviderPayable { insurer, payee },
            Account::ProviderAdvance {
                insurer,
                payee,
                contract,
            },
            Account::ProviderDue { insurer, payee },
            Account::ProviderOrdered { insurer, payee },
            Account::InsurerPaid { insurer },
            Account::BudgetAgreed {
                insurer,
                budget: budget.clone(),
            },
            Account::BudgetRoom {
                insurer,
                budget: budget.clone(),
            },
            Account::BudgetSettled { insurer, budget },
        ] {
            assert_eq!(Account::parse(&account.to_string()), Some(account));
        }
        for name in [
            "",
            "insurer:7095",
            "insurer:7095:owed",
            "provider:53530001:due:70",
        ] {
            assert_eq!(Account::parse(name), None, "{name}");
        }
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
