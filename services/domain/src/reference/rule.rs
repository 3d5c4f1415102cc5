//! Rules of double funding, as data: over two lines, over one, and what an insurer does with them.

use crate::{
    declaration::PrestatieKey,
    identifiers::{KindCode, Uzovi},
    period::Validity,
    rejection::ReasonCode,
};

/// How closely two lines must meet for a pair rule; narrower is later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MatchLevel {
    /// A shared AGB code and a day in common.
    Candidate,
    /// Also group and activity in common.
    Full,
    /// The same insured person.
    SameInsured,
    /// The same contract and subject.
    SameContract,
}

/// What a rule says; stricter is later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Effect {
    /// Both may be paid.
    Allow,
    /// One is paid less.
    Reduce,
    /// A person decides.
    Review,
    /// One is refused.
    Exclude,
}

/// One side of a pair rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operand {
    /// Any prestatie at all (ranks lowest).
    Any,
    /// The same kind as the other side.
    SameKind,
    /// The same prestatie as the other side.
    SameCode,
    /// A kind of funding.
    Kind(KindCode),
    /// One prestatie.
    Code(PrestatieKey),
}

/// A condition of a pair rule on the two lines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum When {
    /// None.
    Always,
    /// The hybrid line's contract has a deduction.
    HybridWithDeduction,
    /// The hybrid line's contract has none.
    HybridWithoutDeduction,
    /// Chain coordination is an activity of both.
    ChainCoordinationInBoth,
    /// Schoning is not recorded.
    SchoningNotRecorded,
    /// One line's prestatie is agreed part of the other's contract.
    AgreedAsPart,
    /// Both have the same form.
    SameForm,
    /// They have different forms.
    OtherForm,
    /// Their periods are equal.
    EqualPeriod,
    /// Their periods are not equal.
    UnequalPeriod,
    /// Exactly one line names the other's declarant as the one it bills for.
    Subcontracted,
    /// Both are about the same condition.
    SameCondition,
    /// One declarant declared both.
    SameDeclarant,
}

/// Whether a pair rule needs a payer in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InsurerPredicate {
    /// No.
    Any,
    /// Yes.
    Shared,
}

/// What a rule rests on; shown wherever it is applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    /// An act.
    Law,
    /// An NZa regulation or a ministerial instruction in force.
    Regulation,
    /// A message standard that the sector agreed on.
    Standard,
    /// A draft.
    Draft,
    /// The text of another regulation, taken as an example.
    Model,
    /// The insurer's agreed rule.
    Assumption,
}

/// What all rules of double funding have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleHead {
    /// Its id.
    pub id: Box<str>,
    /// Its version.
    pub version: u32,
    /// What it says.
    pub effect: Effect,
    /// One or two reason codes; none where the effect is allow.
    pub codes: Vec<ReasonCode>,
    /// Whether a person may set it aside with a recorded justification.
    pub override_allowed: bool,
    /// What it rests on.
    pub basis: Basis,
    /// Article, rule number or document, in words.
    pub source: String,
    /// When it is in force, judged on the later begin date.
    pub validity: Validity,
}

/// A dated rule over two lines; symmetric in `a` and `b`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairRule {
    /// Id, effect, reason, source.
    pub head: RuleHead,
    /// One side.
    pub a: Operand,
    /// The other side.
    pub b: Operand,
    /// How closely they must meet.
    pub level: MatchLevel,
    /// What else must hold.
    pub when: When,
    /// Whether a payer must be shared.
    pub insurer: InsurerPredicate,
}

/// A dated rule over one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineRule {
    /// Id, effect, reason, source.
    pub head: RuleHead,
    /// Which lines: a kind or a code.
    pub of: Operand,
    /// When it hits.
    pub condition: LineCondition,
}

/// What a line rule looks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LineCondition {
    /// A hybrid meeting, and the contract has a deduction.
    HybridWithDeduction,
    /// A hybrid meeting, and the contract has none.
    HybridWithoutDeduction,
    /// Fewer than two zorgaanbieder AGB codes among line and contract; kind 98 does not count.
    FewerThanTwoZorgaanbieders,
}

/// An insurer's policy: where a pair rule excludes, a person decides instead.
///
/// It never softens a row over one contract and subject: that is one line declared twice, about which there is
/// nothing to decide.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Whose: lines declared to it.
    pub insurer: Uzovi,
    /// Ids of the pair rules; empty: all but those over one contract and subject.
    pub rules: Vec<Box<str>>,
    /// Where it was decided.
    pub source: String,
    /// When it is in force, judged on the day on which the rule is judged.
    pub validity: Validity,
}
