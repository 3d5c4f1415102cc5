//! Tariffs: euro per unit with at most four decimals, and what they come to.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::cents::Cents;

/// Euro per unit, not negative, at most four decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tarief(Decimal);

impl Tarief {
    /// Decimals of a tarief.
    pub const DECIMALS: u32 = 4;

    /// The tarief, if it is not negative, has at most four decimals and is within the bound of [`Cents`].
    #[must_use]
    pub fn new(euro: Decimal) -> Option<Self> {
        let bounded = euro <= Decimal::from(Cents::MAX.get() / 100);
        (!euro.is_sign_negative() && euro.normalize().scale() <= Self::DECIMALS && bounded)
            .then(|| Self(euro.normalize()))
    }

    /// The tarief that `text` writes: digits, and at most four decimals after a point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !text.starts_with(|c: char| c.is_ascii_digit()) || text.contains('_') {
            return None;
        }
        Decimal::from_str_exact(text).ok().and_then(Self::new)
    }

    /// Euro.
    #[must_use]
    pub fn euro(self) -> Decimal {
        self.0
    }

    /// Whether it is nil.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// `self` x `quantity` in cents, rounded half away from zero once; `None` beyond the bound of [`Cents`].
    #[must_use]
    pub fn times(self, quantity: u32) -> Option<Cents> {
        let cents = self
            .0
            .checked_mul(Decimal::from(quantity))?
            .checked_mul(Decimal::ONE_HUNDRED)?;
        let rounded = cents.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        i64::try_from(rounded).ok().and_then(Cents::new)
    }

    /// `self` x `share`, rounded half away from zero to four decimals.
    #[must_use]
    pub fn share(self, share: crate::cents::BasisPoints) -> Self {
        let part = self.0 * Decimal::from(share.get()) / Decimal::from(10_000);
        Self(
            part.round_dp_with_strategy(Self::DECIMALS, RoundingStrategy::MidpointAwayFromZero)
                .normalize(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_is_rounded_once_half_away_from_zero() {
        for (tarief, quantity, cents) in [
            ("25", 400, 1_000_000),
            ("3.8333", 3, 1_150),
            ("0.0050", 1, 1),
            ("0.0049", 1, 0),
            ("28000.00", 1, 2_800_000),
        ] {
            let tarief = Tarief::parse(tarief).expect("a tarief");
            assert_eq!(
                tarief.times(quantity),
                Cents::new(cents),
                "{tarief:?} x {quantity}"
            );
        }
    }

    #[test]
    fn tarief_is_digits_with_at_most_four_decimals() {
        for (text, valid) in [
            ("1.2345", true),
            ("1.23450", true),
            ("1.23456", false),
            ("-1", false),
            ("1e3", false),
            ("", false),
            ("1,5", false),
        ] {
            assert_eq!(Tarief::parse(text).is_some(), valid, "{text}");
        }
    }
}
