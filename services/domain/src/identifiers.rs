//! Identifiers of the field: AGB, UZOVI, BSN, and the ids of messages, lines, contracts and groups.
//!
//! Must not know which identifiers are registered: that is reference data.

use std::fmt;

/// A code for which only a syntax is checked on construction.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the text as it is.
            #[must_use]
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

text_newtype!(
    /// An AGB code as the sender wrote it; [`AgbText::agb`] is the code if it is well formed.
    AgbText
);
text_newtype!(
    /// A UZOVI number as the sender wrote it; [`UzoviText::uzovi`] is the number if it is well formed.
    UzoviText
);
text_newtype!(
    /// A party that may send or receive: the key of the reference table `parties`.
    PartyId
);
text_newtype!(
    /// Reference of a line, unique per declarant for five years (EI field 0431).
    LineReference
);
text_newtype!(
    /// Number of an invoice, unique per payee and part for five years (EI field 0116).
    InvoiceNumber
);
text_newtype!(
    /// Id of a contract in the reference data.
    ContractId
);
text_newtype!(
    /// Id of a patient group in the reference data, the same in every contract that names it.
    GroupId
);
text_newtype!(
    /// Code of a region.
    RegionCode
);
text_newtype!(
    /// Code of an activity (A10, A12, ...).
    ActivityCode
);
text_newtype!(
    /// Code of a condition (DM2, COPD, ...), by which client-bound and group-bound care meet.
    ConditionCode
);
text_newtype!(
    /// A kind of funding (BDSS, ADZ, OENI, ...): a code of the catalogue, not an enum.
    KindCode
);
text_newtype!(
    /// Name of a version of the reference data.
    ReferenceVersion
);

/// An AGB code: two digits of the kind of provider, six digits of the number. There is no check digit.
///
/// Source: Vektis, AW319 v1.4: `((0[1-9])|([1-9][0-9]))` and a number from 000001 to 999999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Agb([u8; 8]);

impl Agb {
    /// The code, if `text` is well formed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 8] = text.as_bytes().try_into().ok()?;
        let well_formed = digits.iter().all(u8::is_ascii_digit)
            && digits[..2] != *b"00"
            && digits[2..] != *b"000000";
        well_formed.then_some(Self(digits))
    }

    /// The eight digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("eight ASCII digits were checked on construction")
    }

    /// The kind of provider: the first two digits.
    #[must_use]
    pub fn provider_kind(&self) -> &str {
        &self.as_str()[..2]
    }

    /// Whether this is a service bureau (kind 98), which is no zorgaanbieder.
    #[must_use]
    pub fn is_service_bureau(&self) -> bool {
        self.provider_kind() == "98"
    }
}

impl AgbText {
    /// The AGB code, if the text is well formed.
    #[must_use]
    pub fn agb(&self) -> Option<Agb> {
        Agb::parse(self.as_str())
    }
}

/// A UZOVI number: four digits, no check digit. Source: Vektis, UZOVI register.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uzovi([u8; 4]);

impl Uzovi {
    /// The number, if `text` is four digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; 4] = text.as_bytes().try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then_some(Self(digits))
    }

    /// The four digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("four ASCII digits were checked on construction")
    }
}

impl UzoviText {
    /// The UZOVI number, if the text is well formed.
    #[must_use]
    pub fn uzovi(&self) -> Option<Uzovi> {
        Uzovi::parse(self.as_str())
    }
}

macro_rules! shown_as_str {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

shown_as_str!(Agb, Uzovi);

/// A citizen number in the clear. It is never printed, stored or compared; adapters turn it into a [`Pseudonym`].
pub struct Bsn([u8; 9]);

impl Bsn {
    /// The number, if it has nine digits, is not all zeros, and passes the elfproef.
    ///
    /// Source: 9a+8b+7c+6d+5e+4f+3g+2h-1i is divisible by 11. `999999999` (EI: no BSN) fails it.
    /// An eight-digit number gets a leading zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let padded = if text.len() == 8 {
            format!("0{text}")
        } else {
            text.to_owned()
        };
        let digits: [u8; 9] = padded.as_bytes().try_into().ok()?;
        if !digits.iter().all(u8::is_ascii_digit) || digits == *b"000000000" {
            return None;
        }
        let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
        let sum: i32 = digits
            .iter()
            .zip(weights)
            .map(|(d, weight)| i32::from(d - b'0') * weight)
            .sum();
        (sum % 11 == 0).then_some(Self(digits))
    }

    /// The nine digits, for the one adapter that computes pseudonyms.
    #[must_use]
    pub fn expose(&self) -> &[u8; 9] {
        &self.0
    }
}

impl fmt::Debug for Bsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bsn(hidden)")
    }
}

/// HMAC-SHA-256 of a BSN under the key named; two are of one person if any of their keys gives the same value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pseudonym {
    /// Name of the key.
    pub key_id: Box<str>,
    /// The 32 bytes.
    pub value: [u8; 32],
}

/// Number of an entry of the log; order of numbers is order of commits, without gaps, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Sequence(pub u64);

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bsn_must_pass_the_elfproef() {
        for (text, valid) in [
            ("123456782", true),
            ("249566758", true),
            ("288902294", true),
            ("123456789", false),
            ("000000000", false),
            ("999999999", false),
            ("12345678a", false),
            ("", false),
        ] {
            assert_eq!(Bsn::parse(text).is_some(), valid, "{text}");
        }
    }

    #[test]
    fn agb_has_a_kind_and_a_number() {
        for (text, valid) in [
            ("53530001", true),
            ("01056789", true),
            ("98000123", true),
            ("00123456", false),
            ("53000000", false),
            ("5353000", false),
            ("5353000x", false),
        ] {
            assert_eq!(Agb::parse(text).is_some(), valid, "{text}");
        }
    }
}
