//! Decides all scenarios in one history in memory: each line gets what its scenario expects, so the
//! files, the loader and the law agree before any queue or store comes in.

use std::{collections::BTreeMap, path::PathBuf};

use samenloop_domain::{
    allocation::allocate,
    coverage::{CoverageId, CoverageState, Covered},
    decision::{MessageDecision, Review, Validated, decide_message, decide_review},
    history::History,
    identifiers::{Bsn, PartyId, Sequence},
    period::Day,
    reference::Reference,
    rejection,
    validation::{Environment, validate_declaration},
};

use samenloop_proto::declaration::v1::Outcome;
use uuid::Uuid;

use super::{
    Action, Decision, Expected, ExpectedAllocation, ExpectedLine, Import, Scenario, load_all,
    load_with, waves,
};
use crate::{
    clock::noon,
    existing,
    generate::{Generated, Generator},
    pseudonym::PseudonymKeys,
    wire::{self, review},
};

struct Engine<'a> {
    reference: &'a Reference,
    keys: PseudonymKeys,
    history: History,
    sequence: Sequence,
    told: BTreeMap<Uuid, (Validated, Outcome)>,
}

impl<'a> Engine<'a> {
    fn new(reference: &'a Reference) -> Self {
        Self {
            reference,
            keys: PseudonymKeys::fixed_for_demo(),
            history: History::default(),
            sequence: Sequence(0),
            told: BTreeMap::new(),
        }
    }

    fn decide(&mut self, party: &PartyId, received_on: Day, body: &[u8]) -> MessageDecision {
        let declaration = wire::json::parse(body, &self.keys).unwrap();
        let findings = validate_declaration(
            &declaration,
            party,
            received_on,
            self.reference,
            Environment::Production,
        );
        let input = Validated {
            party: party.clone(),
            received_on,
            content_digest: [0; 32],
            declaration,
            findings,
            judged_with: self.reference.version.clone(),
        };
        self.sequence.0 += 1;
        let decision = decide_message(&input, &self.history, self.reference, self.sequence);
        self.history.apply(&input, &decision);
        let answer =
            wire::outcome::of_decision(&input, noon(received_on), &decision, self.reference);
        self.told
            .insert(input.declaration.message_id, (input, answer));
        decision
    }

    /// What a person's decision makes of the line.
    fn review(&mut self, decision: &Decision) -> ExpectedLine {
        let (input, outcome) = self.told.get_mut(&decision.message_id).unwrap();
        let command = decision.command(outcome.sequence, outcome);
        let command = review::read_command(command).unwrap();
        let review::Action::Decide {
            line,
            version_seen,
            choice,
            overrides,
            standing: _,
        } = &command.action
        else {
            panic!("{command:?}")
        };
        let review = Review {
            input,
            line: *line,
            version_seen: *version_seen,
            shown: &review::shown_of(outcome, line.line).unwrap().unwrap(),
            choice: *choice,
            overrides,
            standing: None,
        };
        let revision = decide_review(&review, &self.history, self.reference).unwrap();
        self.sequence.0 += 1;
        let declarant = input.declaration.declarant_agb.agb().unwrap();
        self.history.revise(declarant, &revision);
        *outcome = wire::outcome::with_revision(outcome, &revision);
        let decided = &revision.decision;
        let expected = &decision.expected.lines[decision.line_number as usize - 1];
        ExpectedLine {
            line_reference: decided.line_reference.to_string(),
            verdict: decided.verdict,
            awarded_cents: decided.awarded.get(),
            proposed_cents: expected.proposed_cents.map(|_| decided.proposed.get()),
            reasons: (rejection::codes(&decided.rejections).iter())
                .map(ToString::to_string)
                .collect(),
        }
    }

    fn import(&mut self, import: &Import) {
        self.sequence.0 += 1;
        let pseudonyms = |_: &Bsn| Vec::new();
        for row in existing::read(import.csv.as_slice(), self.reference, &pseudonyms) {
            let row = row.unwrap();
            self.history.coverage.insert(Covered {
                id: CoverageId {
                    sequence: self.sequence,
                    line: row.row,
                },
                state: CoverageState::Imported,
                coverage: row.coverage,
            });
        }
    }
}

fn outcome(decision: &MessageDecision, expected: &Expected) -> Expected {
    let codes = |found: &[rejection::Rejection]| -> Vec<String> {
        rejection::codes(found)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    let lines = decision
        .lines
        .iter()
        .zip(&expected.lines)
        .map(|(line, expected)| ExpectedLine {
            line_reference: line.line_reference.to_string(),
            verdict: line.verdict,
            awarded_cents: line.awarded.get(),
            proposed_cents: expected.proposed_cents.map(|_| line.proposed.get()),
            reasons: codes(&line.rejections),
        });
    Expected {
        status: decision.status,
        reasons: codes(&decision.rejections),
        lines: lines.collect(),
        allocation: if expected.allocation.is_empty() {
            Vec::new()
        } else {
            parts(decision)
        },
    }
}

/// The split of all awards of a message.
fn parts(decision: &MessageDecision) -> Vec<ExpectedAllocation> {
    let claims = decision
        .lines
        .iter()
        .filter_map(|line| Some((line, line.claim.as_ref()?)));
    let parts = claims.flat_map(|(line, claim)| {
        allocate(line.awarded, &claim.insurer_shares, &claim.sector_shares).unwrap()
    });
    let parts = parts.map(|part| ExpectedAllocation {
        insurer: part.insurer.to_string(),
        sector: part.sector.into(),
        cents: part.cents.get(),
    });
    parts.collect()
}

fn sample() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sample"))
}

#[test]
fn every_scenario_gets_the_outcome_that_it_expects() {
    let set = load_all(&sample()).unwrap();
    let mut engine = Engine::new(&set.reference.reference);
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (scenario, step) in waves(&set.scenarios).into_iter().flatten() {
        let Scenario { number, steps, .. } = &set.scenarios[scenario];
        match &steps[step].action {
            Action::ImportExisting(import) => engine.import(import),
            Action::Decide(decision) => {
                let found = engine.review(decision);
                compared += 1;
                if found != decision.expected.lines[decision.line_number as usize - 1] {
                    wrong.push(format!("{number}, step {step}: found {found:?}"));
                }
            }
            Action::Declare(delivery) => {
                let received_on = steps[step].received_on;
                let decision = engine.decide(&delivery.party, received_on, &delivery.body);
                let (found, expected) =
                    (outcome(&decision, &delivery.expected), &delivery.expected);
                compared += 1;
                if found != *expected {
                    wrong.push(format!(
                        "{number}, step {step}: {expected:?}\nfound {found:?}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 60, "{compared}");
}

/// Verdicts and reasons of all generated lines, counted.
fn counts(reference: &Reference, messages: &[Generated]) -> BTreeMap<String, u32> {
    let mut engine = Engine::new(reference);
    let mut counts = BTreeMap::new();
    for generated in messages {
        let body = serde_json::to_vec(&generated.declaration).unwrap();
        let decision = engine.decide(&generated.party, generated.received_on, &body);
        assert!(decision.rejections.is_empty(), "{:?}", decision.rejections);
        for line in &decision.lines {
            let codes = rejection::codes(&line.rejections);
            let outcome = format!("{:?} {codes:?}", line.verdict);
            *counts.entry(outcome).or_default() += 1;
        }
    }
    counts
}

#[test]
fn most_generated_lines_are_accepted_whatever_the_order_of_messages() {
    let generator = Generator::new(10_000, 1);
    let set = load_with(&sample(), |data| generator.reference_extension(data)).unwrap();
    let mut messages: Vec<Generated> = generator.declarations().collect();
    let found = counts(&set.reference.reference, &messages);
    messages.reverse();
    assert_eq!(found, counts(&set.reference.reference, &messages));
    assert!(found["Accept []"] > 9_400, "{found:?}");
    for outcome in [
        "Reduce [8059, GDC-DF-RED]",
        "Reject [0582]",
        "Reject [0587]",
        "Reject [0634, GDC-DF-EXCL]",
        "Reject [0698, GDC-INDIV]",
        "Reject [8022]",
        "Reject [8063]",
        "Reject [8072, GDC-GROEP]",
        "Review [GDC-DF-FLAG]",
    ] {
        assert!(found[outcome] > 0, "{found:?}");
    }
    assert_eq!(found.len(), 10, "{found:?}");
}
