//! Splitting cents: over sectors and insurers, exactly, the same way every time.
//!
//! Largest remainder in whole cents: every part is rounded down, and the cents left over go one by one to the
//! largest remainders, ties to the part first in order. The method is the insurers' agreed rule; that a cooperation
//! is charged to the macro-frameworks by a fixed key is 002_eb0531d2b212ba40.txt, toelichting article 4.

use std::cmp::Reverse;

use crate::{
    cents::{BasisPoints, Cents},
    declaration::Share,
    identifiers::Uzovi,
};

/// One insurer's amount in one sector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Who bears it.
    pub insurer: Uzovi,
    /// Macro-framework that it is charged to; empty where the contract has no sector key.
    pub sector: Box<str>,
    /// How much: signed as the award.
    pub cents: Cents,
}

/// Why a key cannot split an amount: a claim that carries it is broken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyFault {
    /// No part has a share.
    #[error("a key of {parts} parts has no share at all")]
    NoShare {
        /// How many parts there are.
        parts: usize,
    },
    /// A part of a split over insurers is no insurer.
    #[error("{key:?} is no UZOVI number")]
    NoInsurer {
        /// What it is.
        key: Box<str>,
    },
}

/// Splits an award over sectors, and each sector over insurers; ordered by insurer's place, then sector's.
///
/// Parts of nothing are left out. The sum of the parts is the award, and a credit gives the parts of its debit,
/// negated.
///
/// # Errors
/// [`KeyFault`] where a key is broken; contracts with such a key are refused at import.
pub fn allocate(
    awarded: Cents,
    insurer_shares: &[Share],
    sector_shares: &[Share],
) -> Result<Vec<Part>, KeyFault> {
    let whole = [Share {
        key: "".into(),
        basis_points: BasisPoints::WHOLE,
    }];
    let sectors = if sector_shares.is_empty() {
        &whole
    } else {
        sector_shares
    };
    let mut cells = Vec::new();
    for (sector, in_sector) in sectors.iter().zip(split(awarded, sectors)?) {
        let of_insurers = split(in_sector, insurer_shares)?;
        cells.push((sector, of_insurers));
    }
    let mut parts = Vec::new();
    for (place, insurer) in insurer_shares.iter().enumerate() {
        let no_insurer = || KeyFault::NoInsurer {
            key: insurer.key.clone(),
        };
        let uzovi = Uzovi::parse(&insurer.key).ok_or_else(no_insurer)?;
        for (sector, of_insurers) in &cells {
            let cents = of_insurers[place];
            if cents != Cents::ZERO {
                parts.push(Part {
                    insurer: uzovi,
                    sector: sector.key.clone(),
                    cents,
                });
            }
        }
    }
    let sum: Cents = parts.iter().map(|part| part.cents).sum();
    assert_eq!(
        sum, awarded,
        "the parts {parts:?} do not add up to the award"
    );
    Ok(parts)
}

/// Splits `total` by the weights of `shares`, in their order; the parts add up to it.
///
/// # Errors
/// [`KeyFault::NoShare`] where all weights are 0, or there is none.
pub fn split(total: Cents, shares: &[Share]) -> Result<Vec<Cents>, KeyFault> {
    let weights: Vec<i128> = (shares.iter())
        .map(|share| i128::from(share.basis_points.get()))
        .collect();
    let weight_sum: i128 = weights.iter().sum();
    if weight_sum == 0 {
        return Err(KeyFault::NoShare {
            parts: shares.len(),
        });
    }
    // On the absolute amount, so that a credit mirrors its debit to the cent.
    let absolute = i128::from(total.get()).abs();
    let mut parts: Vec<i128> = (weights.iter())
        .map(|weight| absolute * weight / weight_sum)
        .collect();
    let left_over = absolute - parts.iter().sum::<i128>();
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|place| Reverse(absolute * weights[*place] % weight_sum));
    let left_over = usize::try_from(left_over).expect("fewer cents are left over than parts");
    for place in by_remainder.into_iter().take(left_over) {
        parts[place] += 1;
    }
    let sign = if total < Cents::ZERO { -1 } else { 1 };
    let cents = parts.into_iter().map(|part| {
        let cents = i64::try_from(sign * part).expect("a part is at most the whole");
        Cents::new(cents).expect("a part is at most the whole")
    });
    Ok(cents.collect())
}
