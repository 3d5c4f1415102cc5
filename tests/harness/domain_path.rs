//! Scenarios through the domain alone: parse, validate, decide, allocate; no broker and no store.

use std::collections::BTreeMap;

use samenloop_adapters::{
    clock::noon,
    existing,
    pseudonym::PseudonymKeys,
    scenario::{Action, Decision, Delivery, ScenarioSet, waves},
    wire::{self, JSON, outcome, review},
};
use samenloop_domain::{
    allocation::{self, Part},
    coverage::{CoverageId, CoverageState, Covered},
    decision::{
        LineDecision, Registration, Review, Validated, decide_message, decide_review, register,
    },
    history::History,
    identifiers::{Bsn, Sequence},
    validation::{Environment, validate_declaration},
};
use samenloop_proto::declaration::v1 as wire_v1;
use uuid::Uuid;

use crate::text;

/// The text of every scenario, in the order of the set.
///
/// # Panics
/// Where a scenario cannot be read; it says which.
#[must_use]
pub fn run(set: &ScenarioSet) -> Vec<String> {
    let mut engine = Engine {
        keys: PseudonymKeys::fixed_for_demo(),
        history: History::default(),
        sequence: 0,
        told: BTreeMap::new(),
        set,
    };
    let mut texts: Vec<Vec<String>> = set
        .scenarios
        .iter()
        .map(|scenario| vec![String::new(); scenario.steps.len()])
        .collect();
    for (scenario, step) in waves(&set.scenarios).into_iter().flatten() {
        let found = &set.scenarios[scenario].steps[step];
        match &found.action {
            Action::Declare(delivery) => {
                texts[scenario][step] = engine.declare(delivery, found.received_on);
            }
            Action::ImportExisting(import) => engine.import(&import.csv),
            Action::Decide(decision) => texts[scenario][step] = engine.decide(decision),
        }
    }
    texts.into_iter().map(|steps| steps.concat()).collect()
}

struct Engine<'a> {
    keys: PseudonymKeys,
    history: History,
    sequence: u64,
    told: BTreeMap<Uuid, Told>,
    set: &'a ScenarioSet,
}

/// A message with its newest outcome.
struct Told {
    input: Validated,
    outcome: wire_v1::Outcome,
    parts: Vec<(u32, Vec<Part>)>,
}

impl Engine<'_> {
    fn import(&mut self, csv: &[u8]) {
        self.sequence += 1;
        let pseudonyms = |bsn: &Bsn| self.keys.pseudonyms(bsn);
        for row in existing::read(csv, &self.set.reference.reference, &pseudonyms) {
            let row = row.expect("the rows of a scenario are good");
            let id = CoverageId {
                sequence: Sequence(self.sequence),
                line: row.row,
            };
            let covered = Covered {
                id,
                state: CoverageState::Imported,
                coverage: row.coverage,
            };
            self.history.coverage.insert(covered);
        }
    }

    /// The text of its outcomes: one per delivery, equal where it is delivered again.
    fn declare(
        &mut self,
        delivery: &Delivery,
        received_on: samenloop_domain::period::Day,
    ) -> String {
        let reference = &self.set.reference.reference;
        let declaration = wire::parse_declaration(JSON, &delivery.body, &self.keys)
            .unwrap_or_else(|malformed| panic!("{}: {malformed:?}", delivery.message_id));
        let environment = Environment::Production;
        let findings = validate_declaration(
            &declaration,
            &delivery.party,
            received_on,
            reference,
            environment,
        );
        let input = Validated {
            party: delivery.party.clone(),
            received_on,
            content_digest: wire::validated::content_digest(&declaration),
            declaration,
            findings,
            judged_with: reference.version.clone(),
        };
        assert_eq!(
            register(&input, &self.history),
            Registration::New,
            "scenarios use new ids"
        );
        self.sequence += 1;
        let decision = decide_message(&input, &self.history, reference, Sequence(self.sequence));
        let answer = outcome::of_decision(&input, noon(received_on), &decision, reference);
        self.history.apply(&input, &decision);
        for withdrawal in &decision.withdrawn {
            let number = u32::try_from(withdrawal.original.line).expect("a line number is a u32");
            if let Some(told) = self.told.get_mut(&withdrawal.message_id) {
                told.outcome = outcome::with_withdrawn(&told.outcome, &[number]);
            }
        }
        let parts: Vec<(u32, Vec<Part>)> = decision.lines.iter().filter_map(parts_of).collect();
        let text = text::outcome(&outcome::for_provider(&answer), &parts);
        let told = Told {
            input,
            outcome: answer,
            parts,
        };
        self.told.insert(delivery.message_id, told);
        text.repeat(delivery.deliveries as usize)
    }

    /// The text of what a person decided, and of the new version of the outcome.
    fn decide(&mut self, decision: &Decision) -> String {
        let told = (self.told.get_mut(&decision.message_id)).expect("its step was decided before");
        let command = decision.command(told.outcome.sequence, &told.outcome);
        let command = review::read_command(command).expect("a scenario's command is good");
        let review::Action::Decide {
            line,
            version_seen,
            choice,
            overrides,
        } = &command.action
        else {
            panic!("a scenario decides held lines")
        };
        let shown = review::shown_of(&told.outcome, line.line).expect("its reasons are registered");
        let review = Review {
            input: &told.input,
            line: *line,
            version_seen: *version_seen,
            shown: &shown.expect("the line is there"),
            choice: *choice,
            overrides,
        };
        let reference = &self.set.reference.reference;
        let revision = decide_review(&review, &self.history, reference)
            .unwrap_or_else(|refusal| panic!("{}: {refusal:?}", decision.message_id));
        self.sequence += 1;
        let declarant = told.input.declaration.declarant_agb.agb();
        let declarant = declarant.expect("a held line has a declarant");
        self.history.revise(declarant, &revision);
        told.outcome = outcome::with_revision(&told.outcome, &revision);
        told.parts.extend(parts_of(&revision.decision));
        let shown = outcome::for_provider(&told.outcome);
        text::decision(decision) + &text::outcome(&shown, &told.parts)
    }
}

/// How the award of a line is divided.
fn parts_of(line: &LineDecision) -> Option<(u32, Vec<Part>)> {
    let claim = line.claim.as_ref().filter(|_| line.awarded.get() != 0)?;
    let parts = allocation::allocate(line.awarded, &claim.insurer_shares, &claim.sector_shares);
    let parts = parts.expect("the keys of the sample are whole");
    Some((line.line_number, parts))
}
