//! Synthetic declarations for load, in a world of their own: the same seed gives the same bytes.
//!
//! Many cooperations declare week after week, so that most lines are accepted. A fixed small share
//! of the lines is a duplicate, meets another funding (excluded, or held), is a hybrid meeting
//! under a contract with a deduction, or is wrong. A line that meets another meets one of its own
//! message, so that the outcome does not depend on the order in which messages arrive.

use samenloop_domain::{
    identifiers::PartyId,
    period::{Day, Period},
};
use samenloop_proto::declaration::v1::{Control, Declaration, Kind, Line};

use self::{
    cooperation::{COOPERATIONS_MAX, Cooperation},
    random::SplitMix,
};
use crate::reference::ReferenceData;

mod cooperation;
mod lines;
mod random;

/// Lines that a cooperation declares, on average, before another one is added.
const LINES_PER_COOPERATION: u32 = 250;

/// Most lines of one run.
pub const LINES_MAX: u32 = LINES_PER_COOPERATION * COOPERATIONS_MAX;

/// Fewest and most lines of a message but the last, unless others are asked for.
const MESSAGE_LINES: (u32, u32) = (50, 200);

/// Days between the last performance of a message and its being sent.
const DAYS_TO_SEND: i64 = 10;

/// A run: how many lines, and which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Generator {
    lines: u32,
    seed: u64,
    message_lines: (u32, u32),
}

/// A declaration, and how it is sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Generated {
    /// Who sends it.
    pub party: PartyId,
    /// The day of receipt.
    pub received_on: Day,
    /// What is sent.
    pub declaration: Declaration,
}

impl Generator {
    /// A run of `lines` lines, at most [`LINES_MAX`].
    #[must_use]
    pub fn new(lines: u32, seed: u64) -> Self {
        let lines = lines.min(LINES_MAX);
        Self {
            lines,
            seed,
            message_lines: MESSAGE_LINES,
        }
    }

    /// The same run in messages of `fewest` to `most` lines.
    #[must_use]
    pub fn with_message_lines(self, fewest: u32, most: u32) -> Self {
        let message_lines = (fewest, most);
        Self {
            message_lines,
            ..self
        }
    }

    /// How many lines it declares.
    #[must_use]
    pub fn lines(self) -> u32 {
        self.lines
    }

    /// Adds the contracts, providers, groups and mandates that the run needs; the seed does not
    /// matter to them.
    pub fn reference_extension(self, data: &mut ReferenceData) {
        for cooperation in self.cooperations() {
            cooperation.add_to(data);
        }
    }

    /// The declarations, in order.
    #[must_use]
    pub fn declarations(self) -> Declarations {
        let cooperations = self.cooperations().map(|it| (it, 0)).collect();
        Declarations {
            random: SplitMix::new(self.seed),
            name: name_of(self.seed),
            message_lines: self.message_lines,
            left: self.lines,
            message: 0,
            line: 0,
            cooperations,
        }
    }

    fn cooperations(self) -> impl Iterator<Item = Cooperation> {
        (1..=self.lines.div_ceil(LINES_PER_COOPERATION)).map(Cooperation::new)
    }
}

/// The declarations of a run.
#[derive(Clone, Debug)]
pub struct Declarations {
    random: SplitMix,
    /// What the references and invoices of this seed begin with.
    name: u32,
    message_lines: (u32, u32),
    left: u32,
    message: u32,
    line: u32,
    /// Each with how many of its slots are used.
    cooperations: Vec<(Cooperation, u32)>,
}

/// Thirty-two bits of the seed, so that a reference has at most 20 characters.
fn name_of(seed: u64) -> u32 {
    let folded = (seed ^ (seed >> 32)) & u64::from(u32::MAX);
    u32::try_from(folded).expect("the upper bits were cleared")
}

impl Iterator for Declarations {
    type Item = Generated;

    fn next(&mut self) -> Option<Generated> {
        if self.left == 0 {
            return None;
        }
        let drawn = self
            .random
            .between(self.message_lines.0, self.message_lines.1);
        let mut count = drawn.min(self.left);
        // The cooperation with most room, so that none runs out of weeks.
        let at = (0..self.cooperations.len()).min_by_key(|at| self.cooperations[*at].1)?;
        let (cooperation, used) = self.cooperations[at].clone();
        count = count.min(cooperation.slots_left(used)).max(1);
        let first_line = self.line;
        let name = self.name;
        let mut draft = lines::Draft::new(&cooperation, used);
        for number in first_line..first_line + count {
            let reference = format!("GEN-{name:08x}-{number}");
            draft.add(&mut self.random, reference);
        }
        let lines::Drafted {
            lines,
            period,
            used,
        } = draft.finish();
        self.cooperations[at].1 = used;
        self.left -= count;
        self.line += count;
        self.message += 1;
        Some(self.message_of(&cooperation, lines, period))
    }
}

impl Declarations {
    fn message_of(
        &mut self,
        cooperation: &Cooperation,
        lines: Vec<Line>,
        period: Period,
    ) -> Generated {
        let sent_on = period
            .last()
            .saturating_add(jiff::Span::new().days(DAYS_TO_SEND));
        let declared = lines.iter().filter_map(|line| line.declared_cents);
        let control = Control {
            line_count: u32::try_from(lines.len()).ok(),
            debit_cents: Some(declared.sum()),
            credit_cents: Some(0),
        };
        let id = (u128::from(self.random.next()) << 64) | u128::from(self.random.next());
        let id = uuid::Builder::from_custom_bytes(id.to_be_bytes()).into_uuid();
        let text = |text: &str| Some(text.to_owned());
        let declaration = Declaration {
            message_id: Some(id.to_string()),
            schema_version: text("1.0"),
            kind: Some(Kind::Production.into()),
            sender_agb: Some(cooperation.declarant()),
            declarant_agb: Some(cooperation.declarant()),
            declarant_kind: text("1"),
            pay_to: text("04"),
            insurer_uzovi: text(cooperation.insurer()),
            invoice_number: Some(format!("GEN-{:08x}-{}", self.name, self.message)),
            invoice_part: Some(1),
            invoice_parts: Some(1),
            invoice_date: Some(sent_on.to_string()),
            sent_on: Some(sent_on.to_string()),
            declaration_period: Some(lines::span(period)),
            currency: text("EUR"),
            control: Some(control),
            lines,
        };
        Generated {
            party: PartyId::new(cooperation::PARTY),
            received_on: sent_on,
            declaration,
        }
    }
}

#[cfg(test)]
mod tests;
