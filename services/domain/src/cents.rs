//! Amounts: whole eurocents, checked and bounded.

use std::{fmt, iter::Sum, ops::Neg};

/// A signed amount in eurocents, at most [`Cents::MAX`] either way.
///
/// It is the only amount in domain, SQL, JSON and proto. Arithmetic panics on overflow of the bound:
/// amounts of a message are checked at the edge, so a sum beyond it is a defect of ours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cents(i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// 10^13 cents: a hundred billion euro.
    pub const MAX: Self = Self(10_000_000_000_000);

    /// The amount, if it is within the bound.
    #[must_use]
    pub fn new(cents: i64) -> Option<Self> {
        (cents.unsigned_abs() <= Self::MAX.0.unsigned_abs()).then_some(Self(cents))
    }

    /// The cents.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// The sum, if it is within the bound.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::new)
    }

    /// The difference, if it is within the bound.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(-other)
    }

    /// `self` x `basis_points` / 10,000, rounded down; `self` must not be negative.
    #[must_use]
    pub fn share_rounded_down(self, basis_points: BasisPoints) -> Self {
        assert!(
            self.0 >= 0,
            "a share is taken of an amount that is not negative, got {self:?}"
        );
        let cents = i128::from(self.0) * i128::from(basis_points.get()) / 10_000;
        Self(i64::try_from(cents).expect("a share is at most the whole"))
    }
}

impl std::ops::Add for Cents {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.checked_add(other)
            .unwrap_or_else(|| panic!("{self:?} + {other:?} is over the bound"))
    }
}

impl std::ops::Sub for Cents {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.checked_sub(other)
            .unwrap_or_else(|| panic!("{self:?} - {other:?} is over the bound"))
    }
}

impl Neg for Cents {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, amount| sum + amount)
    }
}

impl fmt::Debug for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cents", self.0)
    }
}

/// Hundredths of a percent, 0 to 10,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// The whole.
    pub const WHOLE: Self = Self(10_000);

    /// The share, if it is at most the whole.
    #[must_use]
    pub fn new(basis_points: u32) -> Option<Self> {
        let value = u16::try_from(basis_points).ok()?;
        (value <= Self::WHOLE.0).then_some(Self(value))
    }

    /// The basis points.
    #[must_use]
    pub fn get(self) -> u32 {
        u32::from(self.0)
    }
}
