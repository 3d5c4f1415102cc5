//! All lines ever decided, in plain lists, and what follows from them without looking at pairs:
//! references, invoice parts, credits, terms, lateness and ceilings.

use std::collections::BTreeMap;

use samenloop_domain::{
    cents::Cents,
    decision::{Validated, Verdict},
    declaration::{Declaration, Direction, Line},
    identifiers::{AgbText, InvoiceNumber, LineReference, UzoviText},
    period::Day,
    reference::{Contract, Effect, Reference},
};

use crate::oracle::{Judged, facts::Facts, pairs};

/// Number of the log entry, and of the line or row in it.
pub(crate) type Spot = (u64, u64);

/// The past.
#[derive(Default, Debug)]
pub(crate) struct Past {
    /// Every line, refused ones too, in order of decision.
    pub(crate) lines: Vec<Known>,
    invoice_parts: Vec<(AgbText, InvoiceNumber, u32, Day)>,
    /// Of every message that was a part of several, refused ones too.
    parts_that_came: Vec<(AgbText, InvoiceNumber, u32, Day)>,
}

/// A line that was decided or imported.
#[derive(Debug)]
pub(crate) struct Known {
    /// Where it stands.
    pub(crate) spot: Spot,
    /// What it says of itself, where that could be read.
    pub(crate) facts: Option<Facts>,
    /// Its newest verdict; imported lines count as accepted.
    pub(crate) verdict: Verdict,
    /// The award, signed.
    pub(crate) awarded: Cents,
    /// Whether a credit reversed it.
    pub(crate) credited: bool,
    imported: bool,
    proposed: Cents,
    declarant: AgbText,
    insurer: UzoviText,
    reference: LineReference,
    direction: Direction,
    quantity: u32,
    computed: Cents,
    declared: Cents,
    received_on: Day,
}

impl Known {
    /// A line as it was just decided.
    pub(crate) fn decided(
        validated: &Validated,
        line: &Line,
        sequence: u64,
        facts: Option<Facts>,
        judged: &Judged,
    ) -> Self {
        Self {
            spot: (sequence, u64::from(line.line_number)),
            facts,
            verdict: judged.verdict,
            awarded: judged.awarded,
            credited: false,
            imported: false,
            proposed: judged.proposed,
            declarant: validated.declaration.declarant_agb.clone(),
            insurer: validated.declaration.insurer_uzovi.clone(),
            reference: line.line_reference.clone(),
            direction: line.direction,
            quantity: line.quantity,
            computed: line.computed,
            declared: line.declared,
            received_on: validated.received_on,
        }
    }

    /// A debit that is paid or held, here or elsewhere, and not reversed.
    pub(crate) fn counts(&self) -> bool {
        let passed = self.verdict.awards() || self.is_held();
        self.direction == Direction::Debit && passed && !self.credited
    }

    /// Waits for a person.
    pub(crate) fn is_held(&self) -> bool {
        self.verdict == Verdict::Review
    }

    /// Whether `credit` says the same as this line.
    pub(crate) fn is_repeated_by(&self, credit: &Line, facts: Option<&Facts>) -> bool {
        let (Some(own), Some(facts)) = (&self.facts, facts) else {
            return false;
        };
        let amounts = (self.quantity, self.computed, self.declared);
        own.prestatie == facts.prestatie
            && own.contract == facts.contract
            && own.period == facts.period
            && own.subject.same(&facts.subject)
            && amounts == (credit.quantity, credit.computed, credit.declared)
    }

    fn is_of(&self, declaration: &Declaration, reference: &LineReference) -> bool {
        let theirs = self.declarant == declaration.declarant_agb;
        !self.imported && theirs && self.reference == *reference
    }
}

impl Past {
    /// Adds prestaties that were paid elsewhere; they are facts.
    pub(crate) fn import(&mut self, sequence: u64, rows: &[Facts]) {
        for (row, facts) in (1..).zip(rows) {
            self.lines.push(Known {
                spot: (sequence, row),
                verdict: Verdict::Accept,
                awarded: Cents::ZERO,
                credited: false,
                imported: true,
                proposed: Cents::ZERO,
                declarant: AgbText::new(facts.declarant.as_str()),
                insurer: UzoviText::new(facts.insurer.as_str()),
                reference: facts.reference.clone(),
                direction: Direction::Debit,
                quantity: 1,
                computed: Cents::ZERO,
                declared: Cents::ZERO,
                received_on: facts.period.first(),
                facts: Some(facts.clone()),
            });
        }
    }

    /// The newest verdict of every line that was decided here.
    pub(crate) fn newest_verdicts(&self) -> BTreeMap<Spot, Verdict> {
        let decided = self.lines.iter().filter(|known| !known.imported);
        decided.map(|known| (known.spot, known.verdict)).collect()
    }

    /// 0030: payee, number and part were used in the last five years.
    pub(crate) fn invoice_part_is_used(&self, validated: &Validated) -> bool {
        let (payee, number, part, received_on) = invoice_part(validated);
        self.invoice_parts.iter().any(|used| {
            let same = used.0 == payee && used.1 == number && used.2 == part;
            same && received_on < months_later(used.3, 60)
        })
    }

    /// From now on the invoice part of this message is used up.
    pub(crate) fn use_invoice_part(&mut self, validated: &Validated) {
        self.invoice_parts.push(invoice_part(validated));
    }

    /// 8003: the part before this one did not come in the last five years.
    pub(crate) fn part_before_is_missing(&self, validated: &Validated) -> bool {
        let (payee, number, part, received_on) = invoice_part(validated);
        let came = self.parts_that_came.iter().any(|came| {
            let before = came.0 == payee && came.1 == number && came.2 + 1 == part;
            before && received_on < months_later(came.3, 60)
        });
        validated.declaration.invoice_parts > 1 && part > 1 && !came
    }

    /// A message was decided; later parts of its invoice may ask whether it came.
    pub(crate) fn part_came(&mut self, validated: &Validated) {
        if validated.declaration.invoice_parts > 1 {
            let part = invoice_part(validated);
            let newer = |known: &&mut (AgbText, InvoiceNumber, u32, Day)| {
                (&known.0, &known.1, known.2) == (&part.0, &part.1, part.2)
            };
            match self.parts_that_came.iter_mut().find(newer) {
                Some(known) => *known = part,
                None => self.parts_that_came.push(part),
            }
        }
    }

    /// 8021: the declarant used this reference in the last five years for a line that was not refused.
    pub(crate) fn reference_is_used(&self, validated: &Validated, line: &Line) -> bool {
        self.lines.iter().any(|known| {
            known.is_of(&validated.declaration, &line.line_reference)
                && known.verdict != Verdict::Reject
                && validated.received_on < months_later(known.received_on, 60)
        })
    }

    /// The newest debit of this declarant and insurer under the reference that a credit names, unless refused.
    pub(crate) fn original(&self, validated: &Validated, credit: &Line) -> Option<&Known> {
        let reference = credit.original_reference.as_ref()?;
        self.lines.iter().rev().find(|known| {
            known.is_of(&validated.declaration, reference)
                && known.insurer == validated.declaration.insurer_uzovi
                && known.direction == Direction::Debit
                && known.verdict != Verdict::Reject
        })
    }

    /// Marks a line as credited and gives its verdict from now on.
    pub(crate) fn reverse(&mut self, spot: Spot) -> Verdict {
        let mut lines = self.lines.iter_mut();
        let original = lines
            .find(|known| known.spot == spot)
            .expect("an original is known");
        original.credited = true;
        if original.is_held() {
            original.verdict = Verdict::Withdrawn;
        }
        original.verdict
    }

    /// 0584: all terms of contract, prestatie, subject and insurer are taken.
    pub(crate) fn terms_are_used(&self, facts: &Facts, contract: &Contract) -> bool {
        let agreed = contract.prestaties.get(&facts.prestatie);
        let Some(terms_max) = agreed.and_then(|agreed| agreed.terms_max) else {
            return false;
        };
        let taken = self.under_contract(facts).filter(|(_, other)| {
            other.prestatie == facts.prestatie
                && other.subject.same(&facts.subject)
                && other.insurer == facts.insurer
        });
        taken.count() >= usize::try_from(terms_max).expect("a count of terms")
    }

    /// 0586: after the last day, and no earlier version came by that day, or even that comes too late.
    pub(crate) fn is_late(
        &self,
        validated: &Validated,
        line: &Line,
        facts: &Facts,
        contract: &Contract,
    ) -> bool {
        let last_day = months_later(facts.period.last(), contract.submission_months);
        let months_max = contract.submission_months + contract.resubmission_months;
        let last_day_again = months_later(facts.period.last(), months_max);
        let refused_in_time = self.lines.iter().any(|known| {
            known.is_of(&validated.declaration, &line.line_reference)
                && known.direction == Direction::Debit
                && known.verdict == Verdict::Reject
                && known.received_on <= last_day
        });
        let allowed = if refused_in_time {
            last_day_again
        } else {
            last_day
        };
        validated.received_on > allowed
    }

    /// 0589: what was awarded and proposed, and this line less what is deducted of it anyhow, is over a bound.
    pub(crate) fn is_over_a_ceiling(
        &self,
        line: &Line,
        facts: &Facts,
        contract: &Contract,
        reference: &Reference,
    ) -> bool {
        let deducted = pairs::line_hits(facts, reference)
            .iter()
            .any(|hit| hit.effect == Effect::Reduce);
        let amount = if deducted {
            facts.less_deduction(line.declared)
        } else {
            line.declared
        };
        contract.ceilings.iter().any(|ceiling| {
            let counted = |other: &Facts| ceiling.period.contains(other.period.first());
            let taken: i64 = self
                .under_contract(facts)
                .filter(|(_, other)| counted(other))
                .map(|(known, _)| (known.awarded + known.proposed).get())
                .sum();
            counted(facts) && taken + amount.get() > ceiling.cents.get()
        })
    }

    fn under_contract(&self, facts: &Facts) -> impl Iterator<Item = (&Known, &Facts)> {
        let contract = facts.contract.clone();
        let decided_here = self
            .lines
            .iter()
            .filter(|known| known.counts() && !known.imported);
        decided_here
            .filter_map(|known| Some((known, known.facts.as_ref()?)))
            .filter(move |(_, other)| other.contract == contract)
    }
}

fn invoice_part(validated: &Validated) -> (AgbText, InvoiceNumber, u32, Day) {
    let declaration = &validated.declaration;
    let payee = match declaration.pay_to.as_str() {
        "01" => &declaration.sender_agb,
        _ => &declaration.declarant_agb,
    };
    let number = declaration.invoice_number.clone();
    (
        payee.clone(),
        number,
        declaration.invoice_part,
        validated.received_on,
    )
}

/// The same day so many months later, or the last day of that month.
fn months_later(day: Day, months: i32) -> Day {
    let number = i32::from(day.year()) * 12 + i32::from(day.month()) - 1 + months;
    let year = i16::try_from(number.div_euclid(12)).expect("a year");
    let month = i8::try_from(number.rem_euclid(12) + 1).expect("a month");
    let first = Day::new(year, month, 1).expect("the first of a month");
    let last = first.days_in_month();
    Day::new(year, month, day.day().min(last)).expect("a day of that month")
}
