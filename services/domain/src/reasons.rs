//! The reason registry: every code, its texts, its source, and what the sender can do about it.
//!
//! Codes of four digits are Vektis return codes (COD954-VEKT); codes that begin with `GDC-` are the
//! project's own, where Vektis has none. The order of the table is the order of report.

mod registry;

pub use registry::REASONS;

/// One reason code.
#[derive(PartialEq, Eq, Debug)]
pub struct ReasonEntry {
    /// The code.
    pub code: &'static str,
    /// Whether it refuses a delivery, a message, a line, or only remarks.
    pub level: Level,
    /// Dutch text.
    pub dutch: &'static str,
    /// English text.
    pub english: &'static str,
    /// Code list, article or document.
    pub source: &'static str,
    /// What the sender can do.
    pub remedy: &'static str,
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
