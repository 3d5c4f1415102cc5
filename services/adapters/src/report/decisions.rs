//! Lines of the log of decisions: each as it was decided first, and as its message's newest outcome has it.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use samenloop_domain::{
    coverage::CoverageId,
    decision::{Validated, Verdict},
    declaration::{Line, PrestatieKey},
    identifiers::{ContractId, RegionCode, Sequence},
    period::Period,
    reference::{Contract, Effect, MatchLevel, Reference},
    rejection::ReasonCode,
    report::{
        Asked, Source, UNKNOWN,
        lines::{self, Asks, HitLevel, PairHit, ReportedLine, ReportedMessage, asked_text, row_of},
    },
};
use samenloop_proto::{declaration::v1 as wire, record::v1 as record};

use super::{Sink, emit};
use crate::{
    clock::receipt_date,
    decision_store::{DecisionStore, LoggedEntry, StoreError},
    wire::{
        digest::fingerprint,
        outcome::{effect_word, read_verdict},
        record::read_line_id,
        validated::Intake,
    },
};

/// Entries read at a time.
const PAGE: u32 = 200;

/// Everything that the log says, up to where it stands now.
pub(super) async fn gather(
    store: &DecisionStore,
    reference: &Reference,
    asked: &Asked,
    sink: &mut Sink<'_>,
) -> Result<(), StoreError> {
    let head = store.head().await?.sequence;
    let mut reading = Reading {
        known: Known::new(reference),
        asked,
        stopped: BTreeSet::new(),
    };
    let mut after = Sequence(0);
    while after < head {
        let page = store.log_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.sequence;
        let decided = page
            .iter()
            .filter(|it| it.kind == "message_decided")
            .count();
        let newest = newest(store, after, decided).await?;
        for entry in page.iter().filter(|it| it.sequence <= head) {
            match entry.kind.as_str() {
                "message_decided" => reading.message(entry, &newest, sink)?,
                "review_decided" => reading.review(store, entry, sink).await?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// The newest outcomes of the last `count` messages up to an entry.
async fn newest(
    store: &DecisionStore,
    last: Sequence,
    count: usize,
) -> Result<BTreeMap<Sequence, wire::Outcome>, StoreError> {
    if count == 0 {
        return Ok(BTreeMap::new());
    }
    let limit = u32::try_from(count).expect("a page is bounded");
    let messages = store.latest(Some(Sequence(last.0 + 1)), limit).await?;
    let outcomes = messages.into_iter();
    Ok(outcomes.map(|it| (it.sequence, it.outcome)).collect())
}

struct Reading<'a> {
    known: Known<'a>,
    asked: &'a Asked,
    /// Digests of what was asked and stopped: sixteen bytes for each such line of the days asked.
    stopped: BTreeSet<[u8; 16]>,
}

impl Reading<'_> {
    fn message(
        &mut self,
        entry: &LoggedEntry,
        newest: &BTreeMap<Sequence, wire::Outcome>,
        sink: &mut Sink<'_>,
    ) -> Result<(), StoreError> {
        let (intake, first) = decided(entry)?;
        let input = &intake.validated;
        let newest = newest.get(&entry.sequence).unwrap_or(&first);
        let decided_on = receipt_date(entry.recorded_at);
        let mut is_asked = false;
        for (line, (first, newest)) in each_line(input, &first, newest) {
            let days = (decided_on - input.received_on).get_days().into();
            let mut told = self.known.line(input, line, first, newest, days);
            let id = CoverageId::of_line(entry.sequence, line.line_number);
            if told.stopped_by.is_some() && self.asked.days.contains(told.first_day) {
                let text = asked_text(&input.declaration, line);
                let digest = fingerprint(text.as_bytes());
                let digest = digest[..16].try_into().expect("a digest has 32 bytes");
                if !self.stopped.insert(digest) {
                    told.asks = Asks::Again;
                }
            }
            is_asked |= lines::is_asked(&told, self.asked);
            let source = Source::Line(id, line.line_reference.clone());
            emit(&source, sink, |emit| lines::line(&told, self.asked, emit));
        }
        if is_asked {
            let message = ReportedMessage {
                reasons: reasons(&newest.reasons),
            };
            let source = Source::Message(entry.sequence);
            emit(&source, sink, |emit| lines::message(&message, emit));
        }
        Ok(())
    }

    /// Persons decide few lines, so the message of each is read again.
    async fn review(
        &mut self,
        store: &DecisionStore,
        entry: &LoggedEntry,
        sink: &mut Sink<'_>,
    ) -> Result<(), StoreError> {
        let foreign = |what: &str| StoreError::Failed(format!("entry {} {what}", entry.sequence));
        let kept = record::LogEntry::decode(entry.body.as_slice())?;
        let Some(record::log_entry::Entry::ReviewDecided(review)) = kept.entry else {
            return Err(foreign("is not of the kind that its row says"));
        };
        let action = review.command.and_then(|it| it.action);
        let id = match action {
            Some(record::command::Action::DecideReview(it)) => it.line.map(read_line_id),
            _ => None,
        };
        let id = id.ok_or_else(|| foreign("decides no line"))?;
        let revised = review.revised.and_then(|it| it.line);
        let revised = revised.ok_or_else(|| foreign("says nothing of its line"))?;
        if read_verdict(revised.verdict) == Some(Verdict::Review) {
            return Ok(());
        }
        let message = store.log_entry(id.sequence).await?;
        let message = message.ok_or_else(|| foreign("is of a message that is not there"))?;
        let (intake, first) = decided(&message)?;
        let input = &intake.validated;
        let mut found = each_line(input, &first, &first);
        let found = found.find(|(line, _)| u64::from(line.line_number) == id.line);
        let (line, (first, _)) = found.ok_or_else(|| foreign("is of a line that is not there"))?;
        let days = i64::from((receipt_date(entry.recorded_at) - input.received_on).get_days());
        let told = self.known.line(input, line, first, &revised, days);
        let source = Source::Line(id, line.line_reference.clone());
        emit(&source, sink, |emit| {
            lines::decided_by_person(&told, days, self.asked, emit)
        });
        Ok(())
    }
}

/// What was decided on, and the first outcome.
fn decided(entry: &LoggedEntry) -> Result<(Intake, wire::Outcome), StoreError> {
    let foreign = || StoreError::Failed(format!("entry {} is no decided message", entry.sequence));
    let kept = record::LogEntry::decode(entry.body.as_slice())?;
    let Some(record::log_entry::Entry::MessageDecided(decided)) = kept.entry else {
        return Err(foreign());
    };
    let input = decided.input.as_ref().ok_or_else(foreign)?;
    let outcome = decided.outcome.ok_or_else(foreign)?;
    Ok((Intake::from_record(input)?, outcome))
}

/// Lines with the first and the newest outcome of each, in the order of the message.
fn each_line<'a>(
    input: &'a Validated,
    first: &'a wire::Outcome,
    newest: &'a wire::Outcome,
) -> impl Iterator<Item = (&'a Line, (&'a wire::LineOutcome, &'a wire::LineOutcome))> {
    let outcomes = first.lines.iter().zip(&newest.lines);
    input.declaration.lines.iter().zip(outcomes)
}

/// A line as the report has it, given its first and its newest outcome.
#[must_use]
pub fn reported(
    input: &Validated,
    line: &Line,
    (first, newest): (&wire::LineOutcome, &wire::LineOutcome),
    reference: &Reference,
) -> ReportedLine {
    Known::new(reference).line(input, line, first, newest, 0)
}

/// What of the reference data lines are told by.
struct Known<'a> {
    reference: &'a Reference,
    regions: BTreeSet<&'a RegionCode>,
    levels: BTreeMap<&'a str, MatchLevel>,
}

impl<'a> Known<'a> {
    fn new(reference: &'a Reference) -> Self {
        let groups = reference.groups.values();
        let groups = groups.filter_map(|group| group.region.as_ref());
        let contracts = reference.contracts.values();
        let contracts = contracts.filter_map(|contract| contract.region.as_ref());
        let rules = reference.pair_rules.iter();
        Self {
            reference,
            regions: groups.chain(contracts).collect(),
            levels: rules.map(|rule| (&*rule.head.id, rule.level)).collect(),
        }
    }

    fn line(
        &self,
        input: &Validated,
        line: &Line,
        first: &wire::LineOutcome,
        newest: &wire::LineOutcome,
        days_to_decision: i64,
    ) -> ReportedLine {
        let first_verdict = read_verdict(first.verdict).unwrap_or(Verdict::Reject);
        let verdict = read_verdict(newest.verdict).unwrap_or(Verdict::Reject);
        let insurer = input.declaration.insurer_uzovi.uzovi();
        let insurer = insurer.filter(|it| self.reference.insurers.contains_key(it));
        let contract = self.contract(input, line, verdict);
        let held = first_verdict == Verdict::Review;
        let stopped = matches!(verdict, Verdict::Reject | Verdict::Reduce);
        ReportedLine {
            kind: self.kind(&line.prestatie),
            insurer: row_of(insurer.as_ref().map(|it| it.as_str())),
            region: row_of(self.region(line, contract).map(RegionCode::as_str)),
            contract: contract.map(|(id, _)| id.clone()),
            first_day: line.period.first,
            direction: line.direction,
            declared: line.declared,
            awarded: cents(newest.awarded_cents),
            first_verdict,
            verdict,
            first_reasons: reasons(&first.reasons),
            reasons: reasons(&newest.reasons),
            held_by: held.then(|| self.hit(first, &[Effect::Review])).flatten(),
            stopped_by: stopped
                .then(|| self.hit(newest, &[Effect::Exclude, Effect::Reduce]))
                .flatten(),
            asks: Asks::First,
            days_to_decision,
        }
    }

    fn kind(&self, prestatie: &PrestatieKey) -> Box<str> {
        let entry = self.reference.catalogue.get(prestatie);
        row_of(entry.map(|entry| entry.kind.as_str()))
    }

    /// The contract that is named; of an awarded line without a name, the only one that fits.
    fn contract(
        &self,
        input: &Validated,
        line: &Line,
        verdict: Verdict,
    ) -> Option<(&'a ContractId, &'a Contract)> {
        if let Some(id) = &line.contract_id {
            return self.reference.contracts.get_key_value(id);
        }
        let declarant = input.declaration.declarant_agb.agb()?;
        let insurer = input.declaration.insurer_uzovi.uzovi()?;
        let period: Period = line
            .period
            .period()
            .filter(|_| verdict != Verdict::Reject)?;
        let fits = |contract: &Contract| {
            contract.declarants.contains(&declarant)
                && contract.insurers.iter().any(|it| it.uzovi == insurer)
                && contract.term.covers(period)
        };
        let mut found = self.reference.contracts.iter().filter(|(_, it)| fits(it));
        found.next().filter(|_| found.next().is_none())
    }

    /// The region of the line, of its group, or of its contract.
    fn region(
        &self,
        line: &Line,
        contract: Option<(&ContractId, &'a Contract)>,
    ) -> Option<&RegionCode> {
        let own = line.region.as_ref();
        let own = own.and_then(|it| self.regions.get(it).copied());
        let group = || {
            let group = self.reference.groups.get(line.patient_group_id.as_ref()?)?;
            group.region.as_ref()
        };
        own.or_else(group)
            .or_else(|| contract.and_then(|(_, contract)| contract.region.as_ref()))
    }

    /// The first rule with one of these effects, if it is one over two lines.
    fn hit(&self, outcome: &wire::LineOutcome, effects: &[Effect]) -> Option<PairHit> {
        let is_such = |it: &&wire::Evidence| effects.iter().any(|e| effect_word(*e) == it.effect);
        let evidence = outcome.evidence.iter().find(is_such)?;
        let rival = evidence.rival.as_ref()?;
        let prestatie = rival.prestatie.as_ref();
        let rival_kind = prestatie.map(|it| {
            self.kind(&PrestatieKey::new(
                it.list.as_deref().unwrap_or_default(),
                it.code.as_deref().unwrap_or_default(),
            ))
        });
        Some(PairHit {
            rule: evidence.rule.as_str().into(),
            basis: evidence.basis.as_str().into(),
            rival_kind: rival_kind.unwrap_or_else(|| UNKNOWN.into()),
            level: match self.levels.get(evidence.rule.as_str()) {
                Some(MatchLevel::SameContract) => HitLevel::OneContract,
                _ => HitLevel::Other,
            },
        })
    }
}

fn reasons(reasons: &[wire::Reason]) -> Vec<ReasonCode> {
    let codes = reasons.iter();
    codes.filter_map(|it| ReasonCode::parse(&it.code)).collect()
}

fn cents(cents: i64) -> samenloop_domain::cents::Cents {
    samenloop_domain::cents::Cents::new(cents).expect("an award is within the bound")
}
