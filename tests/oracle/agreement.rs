//! The engine beside the oracle: on random histories both say the same of every line.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, RngSeed, TestError, TestRunner},
};
use samenloop_domain::{
    coverage::CoverageId,
    decision::{LineDecision, MessageDecision, Verdict},
    reference::{Effect, Reference},
    rejection,
};

use crate::{
    build,
    described::described,
    engine, events, histories,
    oracle::{
        self, Event, Judged, Outcome,
        past::{Past, Spot},
    },
};

/// Histories judged by one test.
const CASES: u32 = 4_000;

/// What differs between oracle and engine, if anything does.
fn disagreement(expected: &Outcome, actual: &MessageDecision) -> Option<String> {
    let whole = (
        expected.status,
        expected.codes.clone(),
        expected.uses_invoice_part,
        expected.withdrawn.clone(),
        expected.lines.len(),
    );
    let withdrawn: BTreeSet<Spot> = actual
        .withdrawn
        .iter()
        .map(|it| spot(it.original))
        .collect();
    let actual_whole = (
        actual.status,
        rejection::codes(&actual.rejections),
        actual.invoice_part.is_some(),
        withdrawn,
        actual.lines.len(),
    );
    if whole != actual_whole {
        return Some(format!("oracle {whole:?}\nengine {actual_whole:?}"));
    }
    let mut pairs = expected.lines.iter().zip(&actual.lines);
    pairs.find_map(|(expected, actual)| line_disagreement(expected, actual))
}

fn line_disagreement(expected: &Judged, actual: &LineDecision) -> Option<String> {
    let said = (
        expected.line_number,
        expected.verdict,
        expected.awarded,
        expected.proposed,
        expected.codes.clone(),
        expected.reverses,
        expected.rivals.len(),
    );
    let actual_said = (
        actual.line_number,
        actual.verdict,
        actual.awarded,
        actual.proposed,
        rejection::codes(&actual.rejections),
        actual.reverses.map(spot),
        usize::try_from(actual.rivals).expect("a few rivals"),
    );
    let effect = effect_of(actual.verdict);
    let deciding = actual
        .evidence
        .iter()
        .filter(|evidence| evidence.effect == effect);
    let rules: BTreeSet<(String, u32)> = deciding
        .map(|evidence| (evidence.rule.to_string(), evidence.rule_version))
        .collect();
    let rivals = actual
        .evidence
        .iter()
        .filter_map(|evidence| evidence.rival.as_ref());
    let rivals: BTreeSet<Spot> = rivals.map(|rival| spot(rival.id)).collect();
    let complete = actual.evidence.len() == expected.hits;
    let same_rules = if complete {
        rules == expected.rules && rivals == expected.rivals
    } else {
        rules.is_subset(&expected.rules) && rivals.is_subset(&expected.rivals)
    };
    let enough = actual.evidence.len() == expected.hits.min(5);
    let same = said == actual_said && same_rules && enough;
    (!same).then(|| {
        let by_oracle = format!("{said:?} {:?} {:?}", expected.rules, expected.rivals);
        format!("oracle {by_oracle}\nengine {actual_said:?} {rules:?} {rivals:?}")
    })
}

/// The effect that a verdict comes from; evidence of an accepted line is none.
fn effect_of(verdict: Verdict) -> Effect {
    match verdict {
        Verdict::Accept => Effect::Allow,
        Verdict::Reduce => Effect::Reduce,
        Verdict::Review | Verdict::Withdrawn => Effect::Review,
        Verdict::Reject => Effect::Exclude,
    }
}

fn spot(id: CoverageId) -> Spot {
    (id.sequence.0, id.line)
}

/// The first message on which both disagree, with all that happened until then.
fn check(events: &[Event], reference: &Reference) -> Result<(), TestCaseError> {
    let mut past = Past::default();
    let expected = oracle::decide_all(&mut past, events, reference);
    let actual = engine::decide_all(events, reference);
    for (sequence, (expected, actual)) in (1..).zip(expected.iter().zip(&actual)) {
        if let (Some(expected), Some(actual)) = (expected, actual)
            && let Some(difference) = disagreement(expected, actual)
        {
            let past = described(&events[..sequence], reference);
            return Err(TestCaseError::fail(format!(
                "{past}\nat {sequence}:\n{difference}"
            )));
        }
    }
    let verdicts = (
        past.newest_verdicts(),
        engine::newest_verdicts(events, reference),
    );
    prop_assert_eq!(verdicts.0, verdicts.1, "{}", described(events, reference));
    Ok(())
}

/// Runs `test` over random histories, the same ones in every run.
fn over_histories(cases: u32, test: impl Fn(&[Event], &Reference) -> Result<(), TestCaseError>) {
    let config = Config {
        cases,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(20_240_501),
        ..Config::default()
    };
    let judged = TestRunner::new(config).run(&histories::history(), |plan| {
        let reference = build::reference(&plan);
        test(&events::events(&plan, &reference), &reference)
    });
    match judged {
        Ok(()) => {}
        Err(TestError::Fail(history, _)) => panic!("{history}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn engine_and_oracle_agree_on_random_histories() {
    over_histories(CASES, check);
}

#[test]
fn engine_and_oracle_agree_when_senders_take_turns_otherwise() {
    over_histories(CASES / 4, |events, reference| {
        let mut by_sender = events.to_vec();
        by_sender.sort_by_key(|event| match event {
            Event::Message(validated) => Some(validated.party.clone()),
            Event::Import(_) => None,
        });
        check(&by_sender, reference)?;
        by_sender.sort_by_key(|event| match event {
            Event::Message(validated) => validated.party.as_str().bytes().rev().collect(),
            Event::Import(_) => Vec::new(),
        });
        check(&by_sender, reference)
    });
}

#[test]
fn replaying_the_same_log_gives_the_same_digest() {
    over_histories(CASES / 4, |events, reference| {
        let once = engine::digest(&engine::decide_all(events, reference));
        let again = engine::digest(&engine::decide_all(events, &reference.clone()));
        prop_assert_eq!(once, again);
        Ok(())
    });
}

#[test]
fn what_a_batch_asks_of_the_past_is_enough_to_decide_it() {
    over_histories(CASES / 4, |events, reference| {
        let whole = engine::decide_all(events, reference);
        for batch_size in [1, 3] {
            let in_batches = engine::decide_in_batches(events, reference, batch_size);
            prop_assert_eq!(&whole, &in_batches, "{}", described(events, reference));
        }
        Ok(())
    });
}
