//! The reason registry: every code, its texts, its source, and what the sender can do about it.
//!
//! Codes of four digits are Vektis return codes (COD954-VEKT); codes that begin with `GDC-` are the project's own,
//! where Vektis has none. The order of the table is the order of report.

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
}

/// All codes, in the order of report.
pub const REASONS: &[ReasonEntry] = &[];
