//! Why a line or a message is refused, held or reduced: reason codes and the findings that carry them.

use std::fmt;

use crate::reasons::{self, ReasonEntry};

/// A code of the reason registry ([`reasons::REASONS`]); its order is the order of report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReasonCode(usize);

impl ReasonCode {
    /// The code, if the registry has it.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        reasons::REASONS
            .iter()
            .position(|entry| entry.code == code)
            .map(Self)
    }

    /// A code that the product itself uses. Panics if the registry lacks it.
    #[must_use]
    pub fn known(code: &str) -> Self {
        Self::parse(code).unwrap_or_else(|| panic!("{code} is not in the reason registry"))
    }

    /// Its entry of the registry.
    #[must_use]
    pub fn entry(self) -> &'static ReasonEntry {
        &reasons::REASONS[self.0]
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.entry().code
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One rule's finding: its codes in order (a Vektis code, a project code, or both) and what they speak of.
///
/// Findings are reported in the order of their last, most specific code; equal codes are reported once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    /// Name of the rule: the file in `rules`, or the id of a pair or line rule.
    pub rule: Box<str>,
    /// One or two codes.
    pub codes: Vec<ReasonCode>,
    /// Named facts for the text of the reason; never a BSN, never another party's data.
    pub parameters: Vec<(Box<str>, String)>,
}

impl Rejection {
    /// A finding of `rule` with `codes` of the registry.
    #[must_use]
    pub fn new(rule: &str, codes: &[&str]) -> Self {
        assert!(!codes.is_empty(), "rule {rule} must name a code");
        let codes = codes.iter().map(|code| ReasonCode::known(code)).collect();
        Self {
            rule: rule.into(),
            codes,
            parameters: Vec::new(),
        }
    }

    /// Adds a named fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.parameters.push((name.into(), value.to_string()));
        self
    }

    /// Where it stands in the report.
    #[must_use]
    pub fn rank(&self) -> ReasonCode {
        *self.codes.last().expect("a finding has a code")
    }
}

/// Puts findings in the order of report; findings of equal rank keep their order.
pub fn sort(rejections: &mut [Rejection]) {
    rejections.sort_by_key(Rejection::rank);
}

/// The codes of sorted findings, each once, in order.
#[must_use]
pub fn codes(rejections: &[Rejection]) -> Vec<ReasonCode> {
    let mut codes: Vec<ReasonCode> = Vec::new();
    for code in rejections.iter().flat_map(|rejection| &rejection.codes) {
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
    codes
}
