//! The engine as the tests drive it: with the whole past in memory, or with what a batch asks of it.

use std::collections::{BTreeMap, BTreeSet};

use samenloop_domain::{
    coverage::{Coverage, CoverageId, CoverageState, Covered, Subject},
    decision::{MessageDecision, Validated, Verdict, decide_message},
    history::{History, HistoryKeys, keys_of},
    identifiers::{GroupId, Sequence},
    period::Period,
    reference::Reference,
};

use crate::oracle::{
    Event,
    facts::{About, Facts},
    past::Spot,
};

/// The engine with all of the past in memory.
pub(crate) fn decide_all(events: &[Event], reference: &Reference) -> Vec<Option<MessageDecision>> {
    decide_from(&mut History::default(), events, reference)
}

/// What stands in the engine's past in the end: the newest verdict of every line.
pub(crate) fn newest_verdicts(events: &[Event], reference: &Reference) -> BTreeMap<Spot, Verdict> {
    let mut history = History::default();
    decide_from(&mut history, events, reference);
    let lines = history.lines.values().flatten();
    lines
        .map(|line| ((line.id.sequence.0, line.id.line), line.verdict))
        .collect()
}

fn decide_from(
    history: &mut History,
    events: &[Event],
    reference: &Reference,
) -> Vec<Option<MessageDecision>> {
    (1..)
        .zip(events)
        .map(|(sequence, event)| match event {
            Event::Message(validated) => {
                let decision = decide_message(validated, history, reference, Sequence(sequence));
                history.apply(validated, &decision);
                Some(decision)
            }
            Event::Import(rows) => {
                for (line, facts) in (1..).zip(rows) {
                    history.coverage.insert(imported(sequence, line, facts));
                }
                None
            }
        })
        .collect()
}

fn imported(sequence: u64, line: u64, facts: &Facts) -> Covered {
    let facts = facts.clone();
    let own_group = match &facts.subject {
        About::Group(group) => Some(group.clone()),
        About::Person(_) | About::Nobody => None,
    };
    let overlapping_groups: BTreeSet<GroupId> =
        own_group.into_iter().chain(facts.overlapping).collect();
    let coverage = Coverage {
        declarant: facts.declarant,
        agbs: facts.agbs.into_iter().collect(),
        insurer: facts.insurer,
        payers: facts.payers.into_iter().collect(),
        prestatie: facts.prestatie,
        kind: facts.kind,
        form: facts.form,
        contract_id: facts.contract,
        each_insurer: facts.each_insurer,
        period: facts.period,
        subject: match facts.subject {
            About::Person(pseudonyms) => Subject::Insured(pseudonyms),
            About::Group(group) => Subject::Group(group),
            About::Nobody => Subject::None,
        },
        overlapping_groups,
        region: facts.region,
        condition: facts.condition,
        activities: facts.activities.into_iter().collect(),
        meeting: facts.meeting,
        hybrid_deduction: facts.deduction,
        on_behalf_of: facts.on_behalf_of,
        agreed_parts: facts.agreed_parts.into_iter().collect(),
        schoning_recorded: facts.schoning_recorded,
        line_reference: facts.reference,
    };
    let id = CoverageId {
        sequence: Sequence(sequence),
        line,
    };
    Covered {
        id,
        state: CoverageState::Imported,
        coverage,
    }
}

/// The same, loading for each batch of consecutive messages only what it asks for, as a store does.
pub(crate) fn decide_in_batches(
    events: &[Event],
    reference: &Reference,
    batch_size: usize,
) -> Vec<Option<MessageDecision>> {
    let mut history = History::default();
    let mut ids = Vec::new();
    let mut decisions = Vec::new();
    for batch in events.chunk_by(|a, b| is_message(a) && is_message(b)) {
        for events in batch.chunks(batch_size) {
            let messages: Vec<&Validated> = events.iter().filter_map(message).collect();
            let mut loaded = asked_for(&history, &ids, &keys_of(&messages, reference));
            for event in events {
                let sequence = decisions.len() as u64 + 1;
                match event {
                    Event::Message(validated) => {
                        let decision =
                            decide_message(validated, &loaded, reference, Sequence(sequence));
                        loaded.apply(validated, &decision);
                        history.apply(validated, &decision);
                        let lines = decision.lines.iter();
                        ids.extend(
                            lines.map(|line| {
                                CoverageId::of_line(decision.sequence, line.line_number)
                            }),
                        );
                        decisions.push(Some(decision));
                    }
                    Event::Import(rows) => {
                        for (line, facts) in (1..).zip(rows) {
                            let row = imported(sequence, line, facts);
                            ids.push(row.id);
                            history.coverage.insert(row);
                        }
                        decisions.push(None);
                    }
                }
            }
        }
    }
    decisions
}

fn is_message(event: &Event) -> bool {
    message(event).is_some()
}

fn message(event: &Event) -> Option<&Validated> {
    match event {
        Event::Message(validated) => Some(validated),
        Event::Import(_) => None,
    }
}

fn asked_for(history: &History, ids: &[CoverageId], keys: &HistoryKeys) -> History {
    let mut loaded = History::default();
    macro_rules! load {
        ($($map:ident by $keys:ident),+) => {$(
            let asked = history.$map.iter().filter(|(key, _)| keys.$keys.contains(key));
            loaded.$map = asked.map(|(key, value)| (key.clone(), value.clone())).collect();
        )+};
    }
    load!(messages by messages, lines by references, invoice_parts by invoice_parts);
    load!(known_parts by predecessors);
    load!(terms by terms, ceilings by ceilings);
    let originals: BTreeSet<CoverageId> = loaded
        .lines
        .values()
        .flatten()
        .map(|line| line.id)
        .collect();
    let meets = |covered: &Covered| {
        let mut own = covered.coverage.keys().into_iter();
        let meets = |period: &Period| period.days_in_common(covered.coverage.period) > 0;
        own.any(|key| keys.coverage.get(&key).is_some_and(meets))
    };
    for covered in ids.iter().filter_map(|id| history.coverage.entry(*id)) {
        if meets(covered) || originals.contains(&covered.id) {
            loaded.coverage.insert(covered.clone());
        }
    }
    loaded
}

/// What replay compares: number, reference, verdict, award, and the rules that spoke.
pub(crate) fn digest(decisions: &[Option<MessageDecision>]) -> Vec<String> {
    let lines = decisions.iter().flatten().flat_map(|decision| {
        decision.lines.iter().map(move |line| {
            let rules = line.evidence.iter().map(|it| (&it.rule, it.rule_version));
            let rules: Vec<_> = rules.collect();
            let (verdict, awarded) = (line.verdict, line.awarded.get());
            format!(
                "{} {} {verdict:?} {awarded} {rules:?}",
                decision.sequence, line.line_reference
            )
        })
    });
    lines.collect()
}
