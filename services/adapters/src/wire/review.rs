//! Commands of persons, and what the log keeps of lines that are decided again.

use std::collections::BTreeSet;

use prost::Message as _;
use samenloop_domain::{
    cents::Cents,
    coverage::CoverageId,
    decision::{Choice, EVIDENCE_MAX, Findings, Revision, Shown, Validated, Verdict},
    double_funding::HitKey,
    identifiers::{ContractId, ReferenceVersion, Sequence},
    rejection::{ReasonCode, Rejection},
    standing::{ContractPair, StandingChoice, StandingReview},
};
use samenloop_proto::{
    declaration::v1 as wire,
    record::v1::{self as record, command::Action as KeptAction},
};
use uuid::Uuid;

use crate::broker::Message;

use super::{
    outcome::{read_verdict, write_evidence, write_reasons},
    record::{read_line_id, read_period, write_line_id, write_period},
    validated::{Foreign, read_rejections, write_rejection},
};

/// Message type of a command.
pub const COMMAND_TYPE: &str = "nl.samenloop.command.v1";

/// A command as whoever asks publishes it.
#[must_use]
pub fn command_message(command: &record::Command) -> Message {
    Message {
        message_id: command.command_id.clone(),
        message_type: COMMAND_TYPE.to_owned(),
        content_type: super::PROTOBUF.to_owned(),
        body: command.encode_to_vec().into(),
        ..Message::default()
    }
}

/// Longest name of a person, in characters.
pub const PERSON_LENGTH_MAX: usize = 100;

/// Longest note, in characters.
pub const NOTE_LENGTH_MAX: usize = 2_000;

/// A command that can be carried out, or refused for what it asks.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// Its id.
    pub id: Uuid,
    /// What it asks.
    pub action: Action,
    /// As it came.
    pub kept: record::Command,
}

/// What a command asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Decides a held line.
    Decide {
        /// Which.
        line: CoverageId,
        /// Version of the outcome that the person saw.
        version_seen: u32,
        /// What is decided.
        choice: Choice,
        /// Exclusions to override.
        overrides: BTreeSet<HitKey>,
        /// Whether it stands between the contracts.
        standing: bool,
    },
    /// Decides a refused line again.
    Rejudge(CoverageId),
    /// Takes a case off the list.
    Dismiss(u64),
    /// Frees what a chunk of existing prestaties occupies.
    WithdrawImport(Sequence),
    /// Ends what a decision let stand between contracts.
    EndStanding(Sequence),
}

/// Reads a command from the bytes of a message.
///
/// # Errors
/// [`Foreign`] says what is wrong with it.
pub fn decode_command(bytes: &[u8]) -> Result<Command, Foreign> {
    let kept = record::Command::decode(bytes).map_err(|error| Foreign(error.to_string()))?;
    read_command(kept)
}

/// Reads a command.
///
/// # Errors
/// [`Foreign`] says what is wrong with it.
pub fn read_command(kept: record::Command) -> Result<Command, Foreign> {
    let id = Uuid::try_parse(&kept.command_id)
        .map_err(|_| Foreign(format!("{:?} is no id of a command", kept.command_id)))?;
    let named = |name: &str| !name.trim().is_empty() && name.chars().count() <= PERSON_LENGTH_MAX;
    if !named(&kept.person) || !(kept.second_person.is_empty() || named(&kept.second_person)) {
        let problem = format!("a person has a name of 1 to {PERSON_LENGTH_MAX} characters");
        return Err(Foreign(problem));
    }
    if kept.note.trim().is_empty() || kept.note.chars().count() > NOTE_LENGTH_MAX {
        let problem = format!("a note of 1 to {NOTE_LENGTH_MAX} characters says why");
        return Err(Foreign(problem));
    }
    let action = match &kept.action {
        Some(KeptAction::DecideReview(decide)) => read_decide(decide)?,
        Some(KeptAction::RejudgeLine(rejudge)) => Action::Rejudge(line_of(rejudge.line)?),
        Some(KeptAction::DismissCase(dismiss)) => Action::Dismiss(dismiss.case_id),
        Some(KeptAction::WithdrawImport(withdraw)) => {
            Action::WithdrawImport(Sequence(withdraw.sequence))
        }
        Some(KeptAction::EndStanding(end)) => Action::EndStanding(Sequence(end.sequence)),
        None => return Err(Foreign("a command that asks nothing".to_owned())),
    };
    Ok(Command { id, action, kept })
}

fn read_decide(kept: &record::DecideReview) -> Result<Action, Foreign> {
    let choice = match kept.choice() {
        record::Choice::Accept => Choice::Accept,
        record::Choice::AcceptReduced => {
            let cents = Cents::new(kept.awarded_cents);
            let problem = || Foreign(format!("{} is no amount", kept.awarded_cents));
            Choice::AcceptReduced(cents.ok_or_else(problem)?)
        }
        record::Choice::Refuse => Choice::Refuse,
        record::Choice::Unspecified => {
            return Err(Foreign("a decision says accept or refuse".to_owned()));
        }
    };
    if kept.overrides.len() > EVIDENCE_MAX {
        return Err(Foreign(format!("more than {EVIDENCE_MAX} overrides")));
    }
    Ok(Action::Decide {
        line: line_of(kept.line)?,
        version_seen: kept.version_seen,
        choice,
        overrides: read_hits(&kept.overrides),
        standing: kept.standing,
    })
}

fn line_of(kept: Option<record::LineId>) -> Result<CoverageId, Foreign> {
    kept.map(read_line_id)
        .ok_or_else(|| Foreign("a command that names no line".to_owned()))
}

impl Command {
    /// SHA-256 of its encoding: the same id with another is another command.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        super::digest::fingerprint(&self.kept.encode_to_vec())
    }
}

/// Hits as they are kept.
#[must_use]
pub fn write_hits(hits: &BTreeSet<HitKey>) -> Vec<record::Hit> {
    let write = |hit: &HitKey| record::Hit {
        rule: hit.rule.to_string(),
        rule_version: hit.rule_version,
        rival: hit.rival.map(write_line_id),
    };
    hits.iter().map(write).collect()
}

/// Hits from what is kept.
#[must_use]
pub fn read_hits(kept: &[record::Hit]) -> BTreeSet<HitKey> {
    let read = |hit: &record::Hit| HitKey {
        rule: hit.rule.as_str().into(),
        rule_version: hit.rule_version,
        rival: hit.rival.map(read_line_id),
    };
    kept.iter().map(read).collect()
}

/// The rule and rival of evidence.
#[must_use]
pub fn hit_of(evidence: &wire::Evidence) -> HitKey {
    HitKey {
        rule: evidence.rule.as_str().into(),
        rule_version: evidence.rule_version,
        rival: evidence.rival.as_ref().map(|rival| CoverageId {
            sequence: Sequence(rival.sequence),
            line: rival.line,
        }),
    }
}

/// What an outcome shows of one of its lines; `None` where it has no such line.
///
/// # Errors
/// [`Foreign`] where it holds a reason that the registry lacks.
pub fn shown_of(outcome: &wire::Outcome, line: u64) -> Result<Option<Shown>, Foreign> {
    let is_line = |it: &&wire::LineOutcome| u64::from(it.line_number) == line;
    let Some(shown) = outcome.lines.iter().find(is_line) else {
        return Ok(None);
    };
    let reviews = shown.evidence.iter().filter(|it| it.effect == "review");
    let mut others = outcome.lines.iter().filter(|it| !is_line(it));
    let rejections = shown.reasons.iter().map(read_reason);
    Ok(Some(Shown {
        rejections: rejections.collect::<Result<_, _>>()?,
        reviews: reviews.map(hit_of).collect(),
        others_use_part: others
            .any(|it| read_verdict(it.verdict).is_some_and(Verdict::uses_reference)),
    }))
}

fn read_reason(kept: &wire::Reason) -> Result<Rejection, Foreign> {
    let code = ReasonCode::parse(&kept.code);
    let parameters = kept.parameters.iter();
    Ok(Rejection {
        rule: "held".into(),
        codes: vec![code.ok_or_else(|| Foreign(format!("reason {}", kept.code)))?],
        parameters: parameters
            .map(|it| (it.name.as_str().into(), it.value.clone()))
            .collect(),
    })
}

/// Findings about one line of a message, as the log keeps them when it is decided again.
#[must_use]
pub fn write_judged(input: &Validated, line: u64) -> record::Judged {
    let of_line = u32::try_from(line).map_or(&[][..], |number| input.findings.of_line(number));
    record::Judged {
        reference_version: input.judged_with.to_string(),
        message_rejections: input.findings.message.iter().map(write_rejection).collect(),
        line_rejections: of_line.iter().map(write_rejection).collect(),
    }
}

/// Puts the findings that the log keeps in the place of those of the first judging.
///
/// # Errors
/// [`Foreign`] where it holds a reason that the registry lacks.
pub fn read_judged(kept: &record::Judged, line: u64, input: &mut Validated) -> Result<(), Foreign> {
    let number = u32::try_from(line).map_err(|_| Foreign(format!("line {line}")))?;
    let mut findings = Findings {
        message: read_rejections(&kept.message_rejections)?,
        ..Findings::default()
    };
    let of_line = read_rejections(&kept.line_rejections)?;
    if !of_line.is_empty() {
        findings.lines.insert(number, of_line);
    }
    input.findings = findings;
    input.judged_with = ReferenceVersion::new(&kept.reference_version);
    Ok(())
}

/// The line of a new version of an outcome, as the log keeps it.
#[must_use]
pub fn write_revised(outcome: &wire::Outcome, revision: &Revision) -> record::RevisedLine {
    let number = revision.decision.line_number;
    let mut lines = outcome.lines.iter();
    record::RevisedLine {
        message_id: outcome.message_id.clone(),
        version: outcome.version,
        status: outcome.status,
        line: lines.find(|line| line.line_number == number).cloned(),
    }
}

/// Overridden exclusions, as the log keeps them.
#[must_use]
pub fn write_overridden(revision: &Revision) -> Vec<wire::Evidence> {
    revision.overridden.iter().map(write_evidence).collect()
}

/// Why a command is not carried out.
#[must_use]
pub fn refused(refusal: &Rejection) -> record::CommandResult {
    record::CommandResult {
        refusals: write_reasons(std::slice::from_ref(refusal)),
        ..record::CommandResult::default()
    }
}

/// What a command that decided a line came to.
#[must_use]
pub fn carried_out(sequence: Sequence, revised: &record::RevisedLine) -> record::CommandResult {
    record::CommandResult {
        refusals: Vec::new(),
        sequence: sequence.0,
        message_id: revised.message_id.clone(),
        version: revised.version,
        line: revised.line.clone(),
        standing: Vec::new(),
    }
}

/// Decisions that stand, as the log keeps them.
#[must_use]
pub fn write_standing(standing: &[StandingReview]) -> Vec<record::StandingReview> {
    let write = |it: &StandingReview| record::StandingReview {
        contract_id: it.pair.contract.to_string(),
        other_contract_id: it.pair.other.to_string(),
        rule: it.rule.to_string(),
        rule_version: it.rule_version,
        choice: match it.choice {
            StandingChoice::Accept => record::Choice::Accept as i32,
            StandingChoice::Refuse => record::Choice::Refuse as i32,
        },
        period: Some(write_period(it.period)),
    };
    standing.iter().map(write).collect()
}

/// Decisions that stand, from what the entry `decided` keeps.
///
/// # Errors
/// [`Foreign`] where one is not of this program.
pub fn read_standing(
    decided: Sequence,
    kept: &[record::StandingReview],
) -> Result<Vec<StandingReview>, Foreign> {
    let read = |it: &record::StandingReview| {
        Ok(StandingReview {
            decided,
            pair: ContractPair::new(
                ContractId::new(&it.contract_id),
                ContractId::new(&it.other_contract_id),
            ),
            rule: it.rule.as_str().into(),
            rule_version: it.rule_version,
            choice: match it.choice() {
                record::Choice::Accept => StandingChoice::Accept,
                record::Choice::Refuse => StandingChoice::Refuse,
                other => return Err(Foreign(format!("{other:?} cannot stand"))),
            },
            period: read_period(it.period.as_ref())?,
        })
    };
    kept.iter().map(read).collect()
}
