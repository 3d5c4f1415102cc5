//! The past that a batch asks for: what lines took, what credits gave back.

use std::collections::BTreeSet;

use samenloop_adapters::decision_store::{DecisionBatch, DecisionStore, ImportedRow};
use samenloop_domain::{
    cents::Cents,
    coverage::{CoverageId, CoverageKey, CoverageState},
    decision::{Verdict, Withdrawal},
    declaration::Direction,
    history::{CeilingKey, History, HistoryKeys, InvoicePart, PastLine, ReferenceKey},
    identifiers::Sequence,
    period::Period,
};

use crate::database::Database;

use super::{
    made::{
        DECLARANT, INSURER, Made, PARTNER, about, agb, batch, ceiling, cents, commit, coverage,
        credit, day, debit, decide, during, entry, id, line_id, message, outcome, party, pseudonym,
        quarter, term, uzovi,
    },
    random,
};

pub(crate) async fn load(store: &DecisionStore, keys: &HistoryKeys) -> History {
    let mut transaction = store.begin().await.unwrap();
    transaction.load_history(keys).await.unwrap()
}

fn reference(reference: &str) -> ReferenceKey {
    ReferenceKey {
        declarant: agb(DECLARANT),
        reference: reference.into(),
    }
}

fn by_agb(code: &str, period: Period) -> HistoryKeys {
    HistoryKeys {
        coverage: [(CoverageKey::Agb(agb(code)), period)].into(),
        ..HistoryKeys::default()
    }
}

/// Everything that lines of [`debit`] under these references can have changed.
fn keys_of(references: &[&str]) -> HistoryKeys {
    HistoryKeys {
        references: references.iter().map(|text| reference(text)).collect(),
        terms: [term()].into(),
        ceilings: [ceiling()].into(),
        ..by_agb(PARTNER, quarter())
    }
}

fn coverage_ids(history: &History) -> Vec<CoverageId> {
    history.coverage.entries().map(|it| it.id).collect()
}

pub(crate) async fn nothing_is_loaded_without_keys(database: &Database) {
    let store = super::open(database).await;
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
    let history = load(&store, &HistoryKeys::default()).await;
    assert_eq!(format!("{history:?}"), format!("{:?}", History::default()));
    let unknown = HistoryKeys {
        messages: [id(9)].into(),
        ..keys_of(&["b"])
    };
    let history = load(&store, &unknown).await;
    assert!(history.messages.is_empty() && history.lines.is_empty());
}

pub(crate) async fn a_line_comes_back_as_it_was_decided(database: &Database) {
    let store = super::open(database).await;
    let made = about(debit(1, "a", Verdict::Review), 7);
    let decided = decide(&store, 1, std::slice::from_ref(&made)).await;
    let mut keys = keys_of(&["a"]);
    keys.messages.insert(id(1));
    let part = decided.decision.invoice_part.clone().expect("used up");
    keys.invoice_parts.insert(part.clone());
    let history = load(&store, &keys).await;
    let line = PastLine {
        id: line_id(1, 1),
        message_id: id(1),
        party: party(),
        direction: Direction::Debit,
        insurer: uzovi(INSURER),
        facts: made.decision.facts.clone(),
        verdict: Verdict::Review,
        awarded: Cents::ZERO,
        proposed: cents(80_000),
        received_on: decided.input.received_on,
        credited_by: None,
        claim: None,
        version: 1,
        seen: BTreeSet::new(),
    };
    assert_eq!(history.lines, [(reference("a"), vec![line])].into());
    assert_eq!(history.messages[&id(1)].sequence, Sequence(1));
    assert_eq!(history.messages[&id(1)].version, 1);
    assert_eq!(
        history.invoice_parts,
        [(part, decided.input.received_on)].into()
    );
    assert_eq!(history.terms, [(term(), 1)].into());
    assert_eq!(history.ceilings, [(ceiling(), cents(80_000))].into());
    let other = CeilingKey {
        name: "other".into(),
        ..ceiling()
    };
    let taken = store
        .taken(&[ceiling(), other].into())
        .await
        .expect("it answers");
    assert_eq!(taken, [(ceiling(), cents(80_000))].into());
    let held = history.coverage.entry(line_id(1, 1)).expect("in force");
    assert_eq!(held.state, CoverageState::Held);
    assert_eq!(Some(&held.coverage), made.decision.coverage.as_ref());
}

pub(crate) async fn coverage_is_found_by_key_and_period(database: &Database) {
    let store = super::open(database).await;
    let lines = [
        during(
            debit(1, "spring", Verdict::Accept),
            "2024-04-01",
            "2024-06-30",
        ),
        during(
            debit(2, "one day", Verdict::Reduce),
            "2024-07-01",
            "2024-07-01",
        ),
        about(
            during(
                debit(3, "person", Verdict::Accept),
                "2024-01-01",
                "2024-12-31",
            ),
            7,
        ),
        debit(4, "refused", Verdict::Reject),
    ];
    decide(&store, 1, &lines).await;
    for (keys, found) in [
        (
            by_agb(PARTNER, period("2024-06-30", "2024-06-30")),
            vec![1, 3],
        ),
        (
            by_agb(PARTNER, period("2024-07-01", "2024-09-30")),
            vec![2, 3],
        ),
        (
            by_agb(DECLARANT, period("2024-07-02", "2024-09-30")),
            vec![3],
        ),
        (by_agb(PARTNER, period("2025-01-01", "2025-12-31")), vec![]),
        (by_agb("91910001", quarter()), vec![]),
        (by_person(7), vec![3]),
        (by_person(107), vec![3]),
        (by_person(8), vec![]),
    ] {
        let history = load(&store, &keys).await;
        let expected: Vec<_> = found.iter().map(|line| line_id(1, *line)).collect();
        assert_eq!(coverage_ids(&history), expected, "{keys:?}");
        assert!(history.lines.is_empty(), "a line is asked for by reference");
    }
}

fn period(first: &str, last: &str) -> Period {
    Period::new(day(first), day(last)).expect("days in order")
}

fn by_person(number: u8) -> HistoryKeys {
    HistoryKeys {
        coverage: [(CoverageKey::Pseudonym(pseudonym(number)), quarter())].into(),
        ..HistoryKeys::default()
    }
}

pub(crate) async fn existing_coverage_is_found_as_imported(database: &Database) {
    let store = super::open(database).await;
    let row = |row| ImportedRow {
        row,
        coverage: coverage(&debit(1, "old", Verdict::Accept).line),
        awarded: cents(5_000),
    };
    let import = DecisionBatch {
        log: vec![entry(1, "existing_imported")],
        imported: vec![(Sequence(1), row(1)), (Sequence(1), row(7_000_000_000))],
        ..DecisionBatch::default()
    };
    commit(&store, import).await;
    let history = load(&store, &by_agb(PARTNER, quarter())).await;
    let lines: Vec<u64> = history.coverage.entries().map(|it| it.id.line).collect();
    assert_eq!(lines, [1, 7_000_000_000]);
    for covered in history.coverage.entries() {
        assert_eq!(covered.state, CoverageState::Imported);
        assert_eq!(covered.coverage, row(1).coverage);
    }
}

/// Decides the credit of line 1 of message 1, and gives what stands then.
async fn history_after_credit(store: &DecisionStore, original: &Made) -> History {
    let mut crediting = message(2, &[credit(1, original, line_id(1, 1))]);
    if original.decision.verdict == Verdict::Review {
        crediting.decision.withdrawn.push(Withdrawal {
            original: line_id(1, 1),
            message_id: id(1),
        });
    }
    commit(store, batch(vec![crediting])).await;
    load(store, &keys_of(&["a", "a-credit"])).await
}

pub(crate) async fn a_credit_frees_what_its_original_took(database: &Database) {
    let store = super::open(database).await;
    let original = debit(1, "a", Verdict::Reduce);
    decide(
        &store,
        1,
        &[original.clone(), debit(2, "b", Verdict::Accept)],
    )
    .await;
    let history = history_after_credit(&store, &original).await;
    let line = &history.lines[&reference("a")][0];
    assert_eq!(line.credited_by, Some(line_id(2, 1)));
    assert_eq!(
        (line.verdict, line.awarded),
        (Verdict::Reduce, cents(75_000))
    );
    let reversal = &history.lines[&reference("a-credit")][0];
    assert_eq!(reversal.direction, Direction::Credit);
    assert_eq!(reversal.awarded, cents(-75_000));
    let claim = reversal.claim.as_ref().expect("something is reversed");
    let reversed = claim.reverses.expect("a credit");
    assert_eq!((reversed.line, reversed.version), (line_id(1, 1), 1));
    assert_eq!(history.terms[&term()], 1, "the other line uses one");
    assert_eq!(history.ceilings[&ceiling()], cents(100_000));
    assert_eq!(coverage_ids(&history), [line_id(1, 2)]);
}

pub(crate) async fn the_credit_of_a_held_line_withdraws_it(database: &Database) {
    let store = super::open(database).await;
    let original = debit(1, "a", Verdict::Review);
    decide(&store, 1, std::slice::from_ref(&original)).await;
    let history = history_after_credit(&store, &original).await;
    let line = &history.lines[&reference("a")][0];
    assert_eq!(
        (line.verdict, line.proposed),
        (Verdict::Withdrawn, Cents::ZERO)
    );
    assert_eq!(line.credited_by, Some(line_id(2, 1)));
    assert_eq!(history.terms[&term()], 0);
    assert_eq!(history.ceilings[&ceiling()], Cents::ZERO);
    assert_eq!(coverage_ids(&history), []);
    let figures = store.figures(super::made::at(0)).await.unwrap();
    let counted = |word: &str| {
        figures
            .lines
            .iter()
            .find(|(it, _)| it == word)
            .map(|it| it.1)
    };
    assert_eq!((counted("review"), counted("withdrawn")), (None, Some(1)));
    assert_eq!(figures.reasons, []);
}

pub(crate) async fn two_lines_withdrawn_at_once_make_one_new_version(database: &Database) {
    let store = super::open(database).await;
    let held = [1, 2].map(|line| debit(line, &format!("{line}"), Verdict::Review));
    let first = decide(&store, 1, &held).await;
    let credits = [1, 2].map(|line: u32| {
        let original = &held[line as usize - 1];
        credit(line, original, line_id(1, line))
    });
    let mut crediting = message(2, &credits);
    crediting.decision.withdrawn = [1, 2]
        .map(|line| Withdrawal {
            original: line_id(1, line),
            message_id: id(1),
        })
        .to_vec();
    let mut applied = History::default();
    applied.apply(&first.input, &first.decision);
    applied.apply(&crediting.input, &crediting.decision);
    let mut revising = batch(vec![crediting]);
    let withdrawn = outcome(1, 2, samenloop_domain::decision::Status::Rejected);
    revising.revised.push((party(), withdrawn));
    commit(&store, revising).await;
    let keys = HistoryKeys {
        messages: [id(1), id(2)].into(),
        ..HistoryKeys::default()
    };
    assert_eq!(load(&store, &keys).await.messages, applied.messages);
}

pub(crate) async fn a_credit_in_the_same_batch_frees_as_well(database: &Database) {
    let store = super::open(database).await;
    let original = debit(1, "a", Verdict::Accept);
    let messages = vec![
        message(1, std::slice::from_ref(&original)),
        message(2, &[credit(1, &original, line_id(1, 1))]),
    ];
    commit(&store, batch(messages)).await;
    let history = load(&store, &keys_of(&["a"])).await;
    assert_eq!(
        history.lines[&reference("a")][0].credited_by,
        Some(line_id(2, 1))
    );
    assert_eq!(history.terms[&term()], 0);
    assert_eq!(history.ceilings[&ceiling()], Cents::ZERO);
    assert_eq!(coverage_ids(&history), []);
}

pub(crate) async fn a_reused_invoice_part_has_its_newest_day(database: &Database) {
    let store = super::open(database).await;
    let part = InvoicePart {
        payee: agb(DECLARANT),
        invoice_number: "F".into(),
        part: 2,
    };
    for (sequence, received) in [(1, "2024-10-15"), (2, "2029-10-15")] {
        let mut decided = message(sequence, &[debit(1, "a", Verdict::Accept)]);
        decided.input.received_on = day(received);
        decided.decision.invoice_part = Some(part.clone());
        commit(&store, batch(vec![decided])).await;
    }
    let keys = HistoryKeys {
        invoice_parts: [part.clone()].into(),
        ..HistoryKeys::default()
    };
    let history = load(&store, &keys).await;
    assert_eq!(history.invoice_parts, [(part, day("2029-10-15"))].into());
}

pub(crate) async fn refused_lines_may_repeat_a_number(database: &Database) {
    let store = super::open(database).await;
    let twice = [
        debit(1, "a", Verdict::Reject),
        debit(1, "a", Verdict::Reject),
    ];
    decide(&store, 1, &twice).await;
    let history = load(&store, &keys_of(&["a"])).await;
    assert_eq!(history.lines[&reference("a")].len(), 2);
    let mut unreadable = message(2, &[]);
    unreadable.input.declaration.declarant_agb = "".into();
    unreadable.outcome = outcome(2, 1, samenloop_domain::decision::Status::Rejected);
    commit(&store, batch(vec![unreadable])).await;
    assert!(store.message(id(2)).await.unwrap().is_some());
}

/// Goal: deciding on what a store loads is deciding on what stands in memory.
/// Method: random messages with credits of earlier lines, in batches of random size; after
/// each, whatever random
/// keys ask for must be the part of the applied history that they name.
pub(crate) async fn what_is_loaded_is_what_was_applied(database: &Database) {
    let store = super::open(database).await;
    let mut story = random::Story::new(20_241_123);
    for _ in 0..40 {
        let batch = story.next_batch();
        commit(&store, batch).await;
        for keys in [story.some_keys(), story.all_keys()] {
            let loaded = load(&store, &keys).await;
            random::assert_same(&loaded, &story.part(&keys), &keys);
        }
    }
    let (lines, credits) = (story.lines, story.credits);
    assert!(
        lines > 200 && credits > 40,
        "{lines} lines, {credits} credits"
    );
}
