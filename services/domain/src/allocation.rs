//! Splitting cents: over sectors and insurers, exactly, the same way every time.
//!
//! Largest remainder in whole cents: every part is rounded down, and the cents left over go one by
//! one to the largest remainders, ties to the part first in order. The method is the insurers'
//! agreed rule; that a cooperation is charged to the macro-frameworks by a fixed key is
//! 002_eb0531d2b212ba40.txt, toelichting article 4.

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
    /// Class of insured that it is attributed to for risk equalisation; empty where it is not.
    pub risk_class: Box<str>,
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

/// Splits an award over sectors, and each sector over insurers; ordered by insurer's place, then
/// sector's.
///
/// Parts of nothing are left out. The sum of the parts is the award, and a credit gives the parts
/// of its debit, negated.
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
                    risk_class: "".into(),
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

/// Months that insured of one class were insured for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InsuredMonths {
    /// The class.
    pub risk_class: Box<str>,
    /// The months.
    pub months: u64,
}

/// The last step of the cascade: splits each part over classes of insured by their months, in their order.
///
/// A lumpsum cannot be charged to insured directly; insurers propose a uniform key, or not to attribute it, and then
/// this step is left out. Source: 002_eb0531d2b212ba40.txt, 3.1.3.
///
/// # Errors
/// [`KeyFault::NoShare`] where there are no months.
pub fn attribute(parts: &[Part], months: &[InsuredMonths]) -> Result<Vec<Part>, KeyFault> {
    let weights: Vec<i128> = months.iter().map(|it| it.months.into()).collect();
    let mut attributed = Vec::new();
    for part in parts {
        let split = split_by(part.cents, &weights)?;
        for (class, cents) in months.iter().zip(split) {
            if cents != Cents::ZERO {
                attributed.push(Part {
                    cents,
                    risk_class: class.risk_class.clone(),
                    ..part.clone()
                });
            }
        }
    }
    Ok(attributed)
}

/// Splits `total` by the weights of `shares`, in their order; the parts add up to it.
///
/// # Errors
/// [`KeyFault::NoShare`] where all weights are 0, or there is none.
pub fn split(total: Cents, shares: &[Share]) -> Result<Vec<Cents>, KeyFault> {
    let weights: Vec<i128> = (shares.iter())
        .map(|share| i128::from(share.basis_points.get()))
        .collect();
    split_by(total, &weights)
}

/// By largest remainder; a weight is below 2^64, so that no product overflows.
fn split_by(total: Cents, weights: &[i128]) -> Result<Vec<Cents>, KeyFault> {
    let weight_sum: i128 = weights.iter().sum();
    if weight_sum == 0 {
        return Err(KeyFault::NoShare {
            parts: weights.len(),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::{cents, shares, uzovi};

    fn cents_of(total: i64, key: &[(&str, u32)]) -> Vec<i64> {
        let parts = split(cents(total), &shares(key)).expect("a key with shares");
        parts.into_iter().map(Cents::get).collect()
    }

    /// The programme of 002_eb0531d2b212ba40.txt, toelichting article 4: the Zvw part is split over
    /// two sectors.
    #[test]
    fn programme_is_split_to_the_cent() {
        let domains = [("ZVW", 7_000), ("JEUGDWET", 2_000), ("WMO", 1_000)];
        let sectors = [("WV", 5_000), ("HA", 5_000)];
        for (total, by_domain, by_sector) in [
            (
                10_000_000,
                [7_000_000, 2_000_000, 1_000_000],
                [3_500_000, 3_500_000],
            ),
            (
                10_000_001,
                [7_000_001, 2_000_000, 1_000_000],
                [3_500_001, 3_500_000],
            ),
            (
                10_000_003,
                [7_000_002, 2_000_001, 1_000_000],
                [3_500_001, 3_500_001],
            ),
            (
                9_999_999,
                [6_999_999, 2_000_000, 1_000_000],
                [3_500_000, 3_499_999],
            ),
            (333, [233, 67, 33], [117, 116]),
            (1, [1, 0, 0], [1, 0]),
            (0, [0, 0, 0], [0, 0]),
        ] {
            assert_eq!(cents_of(total, &domains), by_domain, "{total}");
            assert_eq!(cents_of(by_domain[0], &sectors), by_sector, "{total}");
            assert_eq!(cents_of(-total, &domains), by_domain.map(|part: i64| -part));
        }
    }

    #[test]
    fn largest_remainder_goes_first_and_ties_to_the_part_first_in_order() {
        let insurers = [
            ("3311", 2_790),
            ("7095", 2_510),
            ("7119", 2_105),
            ("3332", 1_245),
            ("9999", 1_350),
        ];
        for (total, parts) in [
            (
                7_000_000,
                [1_953_000, 1_757_000, 1_473_500, 871_500, 945_000],
            ),
            (3_500_001, [976_501, 878_500, 736_750, 435_750, 472_500]),
        ] {
            assert_eq!(cents_of(total, &insurers), parts);
        }
        let thirds = [("A", 1), ("B", 1), ("C", 1)];
        assert_eq!(cents_of(2, &thirds), [1, 1, 0]);
        assert_eq!(cents_of(-2, &thirds), [-1, -1, 0]);
    }

    #[test]
    fn award_is_split_over_sectors_and_then_over_insurers() {
        let sectors = shares(&[("WV", 5_000), ("HA", 5_000)]);
        let insurers = shares(&[("7095", 6_000), ("3311", 4_000)]);
        let parts = allocate(cents(1_000_001), &insurers, &sectors).expect("sound keys");
        let told: Vec<_> = (parts.iter())
            .map(|part| (part.insurer.as_str(), &*part.sector, part.cents.get()))
            .collect();
        assert_eq!(
            told,
            [
                ("7095", "WV", 300_001),
                ("7095", "HA", 300_000),
                ("3311", "WV", 200_000),
                ("3311", "HA", 200_000),
            ]
        );
        let alone = allocate(cents(5), &shares(&[("7095", 10_000)]), &[]).expect("sound keys");
        assert_eq!((alone[0].insurer, &*alone[0].sector), (uzovi("7095"), ""));
    }

    #[test]
    fn parts_are_attributed_by_insured_months_and_still_add_up() {
        let insurers = shares(&[("7095", 6_000), ("3311", 4_000)]);
        let parts = allocate(cents(-101), &insurers, &[]).expect("sound keys");
        let months = [("A", 24), ("B", 0), ("C", 12)].map(|(class, months)| InsuredMonths {
            risk_class: class.into(),
            months,
        });
        let attributed = attribute(&parts, &months).expect("there are months");
        let told: Vec<_> = (attributed.iter())
            .map(|part| (part.insurer.as_str(), &*part.risk_class, part.cents.get()))
            .collect();
        assert_eq!(
            told,
            [
                ("7095", "A", -41),
                ("7095", "C", -20),
                ("3311", "A", -27),
                ("3311", "C", -13),
            ]
        );
        let none = KeyFault::NoShare { parts: 0 };
        assert_eq!(attribute(&parts, &[]), Err(none));
    }

    #[test]
    fn broken_key_is_told() {
        let insurers = shares(&[("7095", 10_000)]);
        let none = KeyFault::NoShare { parts: 1 };
        assert_eq!(
            allocate(cents(1), &insurers, &shares(&[("WV", 0)])),
            Err(none)
        );
        assert_eq!(
            allocate(cents(1), &[], &[]),
            Err(KeyFault::NoShare { parts: 0 })
        );
        let named = KeyFault::NoInsurer { key: "VGZ".into() };
        assert_eq!(allocate(cents(1), &shares(&[("VGZ", 1)]), &[]), Err(named));
    }

    fn key(names: &'static [&'static str]) -> impl Strategy<Value = Vec<Share>> {
        let weights = prop::collection::vec(0..=10_000_u32, 1..=names.len());
        let some = weights.prop_filter("a share", |it| it.iter().any(|weight| *weight > 0));
        some.prop_map(|weights| {
            let named: Vec<_> = names.iter().copied().zip(weights).collect();
            shares(&named)
        })
    }

    proptest! {
        #[test]
        fn parts_add_up_and_a_credit_mirrors_its_debit(
            total in 0..=Cents::MAX.get(),
            insurers in key(&["3311", "7095", "7119", "3332"]),
            sectors in key(&["HA", "WV", "MSZ"]),
        ) {
            let debit = allocate(cents(total), &insurers, &sectors).expect("sound keys");
            let credit = allocate(cents(-total), &insurers, &sectors).expect("sound keys");
            let sum: Cents = debit.iter().map(|part| part.cents).sum();
            prop_assert_eq!(sum, cents(total));
            let mirrored: Vec<Part> = credit
                .into_iter()
                .map(|part| Part { cents: -part.cents, ..part })
                .collect();
            prop_assert_eq!(mirrored, debit);
        }

        #[test]
        fn no_part_is_a_cent_or_more_from_its_share(
            total in 0..=Cents::MAX.get(),
            sectors in key(&["HA", "WV", "MSZ", "GGZ"]),
        ) {
            let weight_sum: i128 = sectors.iter().map(|it| i128::from(it.basis_points.get())).sum();
            let parts = split(cents(total), &sectors).expect("a sound key");
            for (part, share) in parts.iter().zip(&sectors) {
                let exact = i128::from(total) * i128::from(share.basis_points.get());
                let off = i128::from(part.get()) * weight_sum - exact;
                prop_assert!(off.abs() < weight_sum, "{part:?} of {total}");
            }
        }
    }
}
