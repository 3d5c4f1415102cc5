//! Scenarios through the domain alone: parse, validate, decide, allocate; no broker and no store.

use samenloop_adapters::{
    clock::noon,
    existing,
    pseudonym::PseudonymKeys,
    scenario::{Action, Delivery, ScenarioSet, waves},
    wire::{self, JSON, outcome},
};
use samenloop_domain::{
    allocation::{self, Part},
    coverage::{CoverageId, CoverageState, Covered},
    decision::{Registration, Validated, decide_message, register},
    history::History,
    identifiers::{Bsn, Sequence},
    validation::{Environment, validate_declaration},
};

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
        }
    }
    texts.into_iter().map(|steps| steps.concat()).collect()
}

struct Engine<'a> {
    keys: PseudonymKeys,
    history: History,
    sequence: u64,
    set: &'a ScenarioSet,
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
        let parts: Vec<(u32, Vec<Part>)> = (decision.lines.iter())
            .filter_map(|line| Some((line, line.claim.as_ref()?)))
            .filter(|(line, _)| line.awarded.get() != 0)
            .map(|(line, claim)| {
                let parts =
                    allocation::allocate(line.awarded, &claim.insurer_shares, &claim.sector_shares);
                (
                    line.line_number,
                    parts.expect("the keys of the sample are whole"),
                )
            })
            .collect();
        text::outcome(&outcome::for_provider(&answer), &parts).repeat(delivery.deliveries as usize)
    }
}
