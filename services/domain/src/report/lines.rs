//! What the log of decisions adds to the report: uses, bottlenecks, double funding prevented, reviews, burden.

use std::collections::BTreeSet;

use super::{Asked, Emit, UNKNOWN};
use crate::{
    cents::Cents,
    decision::Verdict,
    declaration::{Declaration, Direction, Line},
    identifiers::ContractId,
    period::Day,
    rejection::ReasonCode,
};

/// A line, as it was decided first and as it stands now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportedLine {
    /// Kind of funding; [`UNKNOWN`] where the catalogue does not have its prestatie.
    pub kind: Box<str>,
    /// To whom it was declared; [`UNKNOWN`] where the register does not have it.
    pub insurer: Box<str>,
    /// Its region, or that of its contract; [`UNKNOWN`] where the reference data has neither.
    pub region: Box<str>,
    /// Its contract, where the reference data has it.
    pub contract: Option<ContractId>,
    /// First day of its period.
    pub first_day: Day,
    /// Debit or credit.
    pub direction: Direction,
    /// What was declared.
    pub declared: Cents,
    /// What is awarded now; a credit's is negative.
    pub awarded: Cents,
    /// The first verdict.
    pub first_verdict: Verdict,
    /// The verdict that stands.
    pub verdict: Verdict,
    /// Reasons of the first verdict.
    pub first_reasons: Vec<ReasonCode>,
    /// Reasons of the verdict that stands.
    pub reasons: Vec<ReasonCode>,
    /// The rule over two lines for which a person was asked at first.
    pub held_by: Option<PairHit>,
    /// The rule over two lines that refused or reduced it, as it stands.
    pub stopped_by: Option<PairHit>,
    /// Whether an earlier line that asks for the same was stopped by a rule as well.
    pub asks: Asks,
    /// Days from receipt to the first decision.
    pub days_to_decision: i64,
}

/// Whether the same was asked, and stopped, before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asks {
    /// For the first time.
    First,
    /// Again: what it asks is prevented once.
    Again,
}

/// A rule over two lines that hit a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairHit {
    /// Id of the rule.
    pub rule: Box<str>,
    /// What it rests on, as one word.
    pub basis: Box<str>,
    /// Kind of funding of the rival.
    pub rival_kind: Box<str>,
    /// What the two have in common.
    pub level: HitLevel,
}

/// What a line and its rival have in common, as far as it matters to what is prevented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HitLevel {
    /// One contract and subject: it was declared a second time.
    OneContract,
    /// Anything else.
    Other,
}

/// What is told of a message beside its lines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReportedMessage {
    /// Reasons for which it was refused as a whole.
    pub reasons: Vec<ReasonCode>,
}

/// Whether a line is of the kinds, days and places asked.
#[must_use]
pub fn is_asked(line: &ReportedLine, asked: &Asked) -> bool {
    is_in_place(line, asked) && asked.has_kind(&line.kind)
}

fn is_in_place(line: &ReportedLine, asked: &Asked) -> bool {
    asked.days.contains(line.first_day) && asked.has_place(&line.insurer, &line.region)
}

/// What a message adds of which any line is asked.
pub fn message(message: &ReportedMessage, emit: &mut Emit<'_>) {
    emit.add("burden", "all", "messages", 1);
    let reasons: BTreeSet<&ReasonCode> = message.reasons.iter().collect();
    for reason in reasons {
        emit.add("bottlenecks", reason.as_str(), "refused_messages", 1);
    }
}

/// What a line adds.
pub fn line(line: &ReportedLine, asked: &Asked, emit: &mut Emit<'_>) {
    if !is_in_place(line, asked) {
        return;
    }
    if line.direction == Direction::Debit {
        pairs(line, asked, emit);
    }
    if !asked.has_kind(&line.kind) {
        return;
    }
    bottlenecks(line, emit);
    match line.direction {
        Direction::Debit => debit(line, emit),
        Direction::Credit => credit(line, emit),
    }
}

/// What a person's decision of a held line adds, so many days after receipt.
pub fn decided_by_person(line: &ReportedLine, days: i64, asked: &Asked, emit: &mut Emit<'_>) {
    if is_asked(line, asked) {
        let row = days_word(days);
        emit.add("decision_time", row, "by_person", 1);
        emit.add("decision_time", row, "days_by_person", days);
        emit.most("decision_time", row, "longest_days", days);
    }
}

fn debit(line: &ReportedLine, emit: &mut Emit<'_>) {
    emit.add("burden", "all", "lines", 1);
    emit.add("burden", "all", "declared_cents", line.declared.get());
    if line.verdict.awards() {
        emit.add("burden", "all", "accepted_lines", 1);
        emit.add("uses", &line.kind, "lines", 1);
        emit.add("uses", &line.kind, "declared_cents", line.declared.get());
        emit.add("uses", &line.kind, "awarded_cents", line.awarded.get());
        if let Some(contract) = &line.contract {
            emit.name("uses", &line.kind, "contracts", contract.as_str());
        }
    }
    if line.verdict == Verdict::Reject {
        emit.add("burden", "all", "refused_lines", 1);
    }
    if line.first_verdict == Verdict::Review {
        emit.add("burden", "all", "held_lines", 1);
        let row = review_word(line.verdict);
        emit.add("reviews", row, "lines", 1);
        emit.add("reviews", row, "declared_cents", line.declared.get());
        emit.add("reviews", row, "awarded_cents", line.awarded.get());
    } else {
        let row = days_word(line.days_to_decision);
        emit.add("decision_time", row, "by_rule", 1);
        emit.most("decision_time", row, "longest_days", line.days_to_decision);
    }
}

fn credit(line: &ReportedLine, emit: &mut Emit<'_>) {
    emit.add("burden", "all", "credit_lines", 1);
    if line.verdict.awards() {
        emit.add("uses", &line.kind, "credited_lines", 1);
        emit.add("uses", &line.kind, "credited_cents", line.awarded.get());
    }
}

fn bottlenecks(line: &ReportedLine, emit: &mut Emit<'_>) {
    let column = match line.verdict {
        Verdict::Reject => Some("refused_lines"),
        Verdict::Reduce => Some("reduced_lines"),
        _ => None,
    };
    if let Some(column) = column {
        let reasons: BTreeSet<&ReasonCode> = line.reasons.iter().collect();
        for reason in reasons {
            emit.add("bottlenecks", reason.as_str(), column, 1);
            let cents = (line.declared - line.awarded).get();
            emit.add("bottlenecks", reason.as_str(), "not_awarded_cents", cents);
        }
    }
    if line.first_verdict == Verdict::Review {
        let reasons: BTreeSet<&ReasonCode> = line.first_reasons.iter().collect();
        for reason in reasons {
            emit.add("bottlenecks", reason.as_str(), "held_lines", 1);
        }
    }
}

/// A line counts once in each table of pairs: under the rule that decided.
fn pairs(line: &ReportedLine, asked: &Asked, emit: &mut Emit<'_>) {
    let is_asked = |hit: &&PairHit| asked.has_kind(&line.kind) || asked.has_kind(&hit.rival_kind);
    if let Some(hit) = line.held_by.as_ref().filter(is_asked) {
        for (table, row) in rows(line, hit) {
            emit.add(table, &row, "held_lines", 1);
        }
    }
    let Some(hit) = line.stopped_by.as_ref().filter(is_asked) else {
        return;
    };
    let prevented = (line.declared - line.awarded).get();
    for (table, row) in rows(line, hit) {
        match (hit.level, line.verdict) {
            (HitLevel::OneContract, _) => emit.add(table, &row, "resent_lines", 1),
            (_, Verdict::Reduce) => emit.add(table, &row, "reduced_lines", 1),
            _ => emit.add(table, &row, "excluded_lines", 1),
        }
        if line.asks == Asks::First {
            let column = match hit.level {
                HitLevel::OneContract => "resent_cents",
                HitLevel::Other => "prevented_cents",
            };
            emit.add(table, &row, column, prevented);
        }
    }
}

fn rows(line: &ReportedLine, hit: &PairHit) -> [(&'static str, Box<str>); 5] {
    let (one, other) = match line.kind <= hit.rival_kind {
        true => (&line.kind, &hit.rival_kind),
        false => (&hit.rival_kind, &line.kind),
    };
    [
        ("pairs", format!("{one} + {other}").into()),
        ("pairs_by_insurer", line.insurer.clone()),
        ("pairs_by_region", line.region.clone()),
        ("pairs_by_basis", hit.basis.clone()),
        ("pairs_by_rule", hit.rule.clone()),
    ]
}

fn review_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accept => "accepted",
        Verdict::Reduce => "accepted_for_less",
        Verdict::Review => "open",
        Verdict::Reject => "refused",
        Verdict::Withdrawn => "withdrawn",
    }
}

fn days_word(days: i64) -> &'static str {
    match days {
        ..=0 => "same_day",
        1..=7 => "week",
        8..=30 => "month",
        31..=90 => "quarter",
        _ => "longer",
    }
}

/// What a line asks to be paid for, as text; lines that ask the same give the same.
#[must_use]
pub fn asked_text(declaration: &Declaration, line: &Line) -> String {
    let insured = line.insured.as_ref().map(|insured| &insured.identity);
    let facts = (
        &line.prestatie,
        &line.contract_id,
        line.period,
        &line.patient_group_id,
        insured,
    );
    format!("{}|{facts:?}", declaration.declarant_agb)
}

/// The row of a code that the reference data may lack.
#[must_use]
pub fn row_of(code: Option<&str>) -> Box<str> {
    code.unwrap_or(UNKNOWN).into()
}
