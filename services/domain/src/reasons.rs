//! The reason registry: every code, its texts, its source, and what the sender can do about it.
//!
//! Codes of four digits are Vektis return codes (COD954-VEKT); codes that begin with `GDC-` are the
//! project's own, where Vektis has none. The order of the table is the order of report.

mod registry;

use crate::reference::Basis;

pub use registry::REASONS;

/// One reason code.
#[derive(PartialEq, Eq, Debug)]
pub struct ReasonEntry {
    /// The code.
    pub code: &'static str,
    /// Whether it refuses a delivery, a message, a line, or only remarks.
    pub level: Level,
    /// What it rests on. A pair rule or line rule that gives it has a basis of its own, which stands in the evidence.
    pub basis: Basis,
    /// What must be established before a rule can give it; while one is missing, the rule is silent.
    pub facts: &'static [Fact],
    /// Dutch text.
    pub dutch: &'static str,
    /// English text.
    pub english: &'static str,
    /// Code list, article or document.
    pub source: &'static str,
    /// What the sender can do.
    pub remedy: &'static str,
}

/// What must be established of a message or line before a rule that needs it can speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A declarant of the register (else 0017).
    Declarant,
    /// An insurer of the register (else 0018).
    Insurer,
    /// A period in order (else 8007).
    Period,
    /// A prestatie that may be declared on the begin date (else 0581, 0582, 0698).
    Prestatie,
    /// A contract of declarant and insurer in force over the whole period (else 8022).
    Contract,
    /// The prestatie under that contract, with the tarief and keys of its period (else 8060).
    AgreedTerm,
    /// Amounts that agree with tarief and quantity (else 8032, 8063, 9278).
    Amounts,
    /// What was decided before.
    History,
    /// What the line would occupy: only a line without another reason is compared.
    Coverage,
}

impl Fact {
    /// As one word, on pages and in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Declarant => "declarant",
            Self::Insurer => "insurer",
            Self::Period => "period",
            Self::Prestatie => "prestatie",
            Self::Contract => "contract",
            Self::AgreedTerm => "prestatie in the contract",
            Self::Amounts => "amounts",
            Self::History => "history",
            Self::Coverage => "coverage",
        }
    }
}

/// What a code speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Bytes that are no declaration, or a message id used again.
    Delivery,
    /// The whole message.
    Message,
    /// One line.
    Line,
    /// What a person asked for, which is not carried out; no sender gets it.
    Command,
}

impl Level {
    /// As one word, on pages and in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Message => "message",
            Self::Line => "line",
            Self::Command => "command",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_there_once_with_all_its_texts() {
        let mut codes = BTreeSet::new();
        for entry in REASONS {
            assert!(codes.insert(entry.code), "{} is there twice", entry.code);
            let texts = [entry.dutch, entry.english, entry.source, entry.remedy];
            assert!(texts.iter().all(|text| !text.is_empty()), "{entry:?}");
        }
    }

    #[test]
    fn codes_are_of_vektis_or_of_the_project() {
        for entry in REASONS {
            let of_vektis = entry.code.len() == 4 && entry.code.bytes().all(|b| b.is_ascii_digit());
            assert!(
                of_vektis || entry.code.starts_with("GDC-"),
                "{}",
                entry.code
            );
        }
    }

    #[test]
    fn codes_are_reported_in_the_order_of_judging() {
        let place = |code: &str| REASONS.iter().position(|entry| entry.code == code);
        let stages = [
            "0001",
            "8028",
            "0030",
            "8021",
            "0017",
            "0018",
            "0031",
            "0150",
            "0158",
            "8002",
            "8007",
            "8063",
            "0638",
            "0651",
            "8062",
            "0581",
            "9338",
            "GDC-EXP",
            "0562",
            "8010",
            "8022",
            "8060",
            "GDC-SCHRIFT",
            "GDC-GROEP",
            "GDC-INDIV",
            "GDC-SLEUTEL",
            "GDC-ZVW-DEEL",
            "GDC-ADZ-TOETS",
            "0611",
            "0589",
            "0584",
            "0586",
            "0587",
            "0634",
            "8020",
            "GDC-DF-EXCL",
        ];
        assert!(
            stages.iter().all(|code| place(code).is_some()),
            "{stages:?}"
        );
        assert!(stages.is_sorted_by_key(|code| place(code)), "{stages:?}");
    }
}
