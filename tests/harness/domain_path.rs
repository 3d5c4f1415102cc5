//! Scenarios through the domain alone: parse, validate, decide, allocate; no broker and no store.

use std::collections::{BTreeMap, BTreeSet};

use samenloop_adapters::{
    clock::noon,
    existing,
    pseudonym::PseudonymKeys,
    report,
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
    identifiers::{Bsn, ContractId, Sequence},
    report::{
        Amount, Asked, Contribution, Emit, Report, Source, Tally,
        lines::{self, ReportedMessage},
        money::{self, Charge, ChargedClaim},
        signals::Thresholds,
    },
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
    play(set).0
}

/// The monitoring report after all scenarios, from what the domain decided and divided.
///
/// # Panics
/// Where a scenario cannot be read; it says which.
#[must_use]
pub fn report(set: &ScenarioSet, asked: Asked, thresholds: &Thresholds) -> Report {
    let (_, engine) = play(set);
    let reference = &set.reference.reference;
    let mut tally = Tally::default();
    let mut used = BTreeSet::new();
    let mut take = |it: Contribution| {
        if let ("uses", Amount::Name(contract)) = (it.figure.table, &it.amount) {
            used.insert(ContractId::new(contract));
        }
        tally.add(it);
    };
    let mut emit = Emit::new(&mut take);
    for told in engine.told.values() {
        let declared = told.input.declaration.lines.iter();
        let outcomes = told.first.lines.iter().zip(&told.outcome.lines);
        let mut is_asked = false;
        for (line, outcomes) in declared.zip(outcomes) {
            let line = report::reported(&told.input, line, outcomes, reference);
            is_asked |= lines::is_asked(&line, &asked);
            lines::line(&line, &asked, &mut emit);
        }
        if is_asked {
            lines::message(&ReportedMessage::default(), &mut emit);
        }
        for claim in &told.claims {
            money::claim(claim, &asked, &mut emit);
        }
    }
    let mut sink = |_: &Source, it| tally.add(it);
    report::contracts(reference, &used, &asked, &mut sink);
    tally.report(asked, thresholds)
}

fn play(set: &ScenarioSet) -> (Vec<String>, Engine<'_>) {
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
    let texts = texts.into_iter().map(|steps| steps.concat()).collect();
    (texts, engine)
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
    first: wire_v1::Outcome,
    outcome: wire_v1::Outcome,
    parts: Vec<(u32, Vec<Part>)>,
    claims: Vec<ChargedClaim>,
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
            first: answer.clone(),
            outcome: answer,
            parts,
            claims: decision.lines.iter().flat_map(charged_of).collect(),
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
            standing,
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
            standing: Some(Sequence(self.sequence + 1)).filter(|_| *standing),
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
        told.claims.extend(charged_of(&revision.decision));
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

/// The claim of a line, as each of its insurers bears it.
fn charged_of(line: &LineDecision) -> Vec<ChargedClaim> {
    let (Some(claim), Some((_, parts))) = (&line.claim, parts_of(line)) else {
        return Vec::new();
    };
    let insurers: BTreeSet<_> = parts.iter().map(|part| part.insurer).collect();
    let of = |insurer| ChargedClaim {
        insurer,
        kind: claim.kind.clone(),
        contract: claim.contract_id.clone(),
        region: claim.region.clone(),
        first_day: claim.period.first(),
        charges: (parts.iter().filter(|part| part.insurer == insurer))
            .map(|part| Charge {
                sector: part.sector.clone(),
                cents: part.cents,
            })
            .collect(),
    };
    insurers.into_iter().map(of).collect()
}
