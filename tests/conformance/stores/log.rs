//! The log and its head: numbers, hashes, one writer, and what a failure leaves behind.

use std::time::Duration;

use samenloop_adapters::{
    decision_store::{DecisionBatch, DecisionStore, StoreError, chained},
    fault_plan::{Fault, FaultPlan, FaultPoint},
};
use samenloop_domain::{decision::Verdict, history::HistoryKeys, identifiers::Sequence};
use tokio::time::timeout;

use crate::database::{Database, Kind};

use super::{
    SCHEMA,
    made::{batch, commit, debit, decide, entry, id, message},
};

pub(crate) async fn the_log_is_a_chain_without_gaps(database: &Database) {
    let store = super::open(database).await;
    store.ping().await.unwrap();
    let start = store.head().await.unwrap();
    assert_eq!((start.sequence, start.hash), (Sequence(0), [0; 32]));
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
    let two = DecisionBatch {
        log: vec![entry(2, "set_aside"), entry(3, "released")],
        ..DecisionBatch::default()
    };
    let head = commit(&store, two).await;
    // A batch without entries leaves the head as it is.
    assert_eq!(commit(&store, DecisionBatch::default()).await, head);
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(store.begin().await.unwrap().head(), head);

    let log = store.log_after(Sequence(0), 10).await.unwrap();
    let mut previous = [0; 32];
    for (expected, kept) in (1..).zip(&log) {
        let made = entry(expected, "any");
        assert_eq!(kept.sequence, made.sequence);
        assert_eq!(
            (kept.recorded_at, &kept.body),
            (made.recorded_at, &made.body)
        );
        assert_eq!(kept.previous_hash, previous);
        assert_eq!(kept.hash, chained(&previous, &made.body));
        previous = kept.hash;
    }
    let kinds: Vec<&str> = log.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds, ["message_decided", "set_aside", "released"]);
    assert_eq!((previous, log.len()), (head.hash, 3));
    assert_eq!(store.log_after(Sequence(1), 1).await.unwrap(), log[1..2]);
    assert_eq!(store.log_after(Sequence(3), 1).await.unwrap(), []);
}

pub(crate) async fn a_gap_is_a_defect_and_leaves_nothing(database: &Database) {
    let store = super::open(database).await;
    let transaction = store.begin().await.unwrap();
    let gap = batch(vec![message(2, &[debit(1, "a", Verdict::Accept)])]);
    let panicked = tokio::spawn(transaction.commit(gap)).await;
    assert!(panicked.unwrap_err().is_panic());
    assert_nothing_stands(&store).await;
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
}

pub(crate) async fn a_second_writer_waits_for_the_first(database: &Database) {
    let store = super::open(database).await;
    let first = store.begin().await.unwrap();
    let other = store.clone();
    let mut second = tokio::spawn(async move { other.begin().await.unwrap().head() });
    let early = timeout(Duration::from_millis(200), &mut second).await;
    assert!(early.is_err(), "the first has the lock");
    // What only reads does not wait.
    assert_eq!(store.message(id(1)).await.unwrap(), None);
    let batch = batch(vec![message(1, &[debit(1, "a", Verdict::Accept)])]);
    let head = first.commit(batch).await.unwrap();
    assert_eq!(second.await.unwrap(), head, "it sees what the first wrote");
}

pub(crate) async fn a_dropped_transaction_leaves_nothing(database: &Database) {
    let store = super::open(database).await;
    for _ in 0..20 {
        let mut dropped = store.begin().await.unwrap();
        dropped.load_history(&HistoryKeys::default()).await.unwrap();
        drop(dropped);
    }
    assert_nothing_stands(&store).await;
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
    assert_eq!(store.head().await.unwrap().sequence, Sequence(1));
}

pub(crate) async fn a_fault_before_the_commit_leaves_nothing(database: &Database) {
    let faults = FaultPlan::default().with(FaultPoint::BeforeCommit, 1, Fault::Error);
    let store = super::open_with(database, faults).await;
    let decided = batch(vec![message(1, &[debit(1, "a", Verdict::Accept)])]);
    let transaction = store.begin().await.unwrap();
    let failed = transaction.commit(decided.clone()).await.unwrap_err();
    assert!(failed.is_transient(), "{failed}");
    assert_nothing_stands(&store).await;
    commit(&store, decided).await;
}

pub(crate) async fn a_panic_before_the_commit_leaves_nothing(database: &Database) {
    let faults = FaultPlan::default().with(FaultPoint::BeforeCommit, 1, Fault::Panic);
    let store = super::open_with(database, faults).await;
    let decided = batch(vec![message(1, &[debit(1, "a", Verdict::Accept)])]);
    let transaction = store.begin().await.unwrap();
    let panicked = tokio::spawn(transaction.commit(decided.clone())).await;
    assert!(panicked.unwrap_err().is_panic());
    assert_nothing_stands(&store).await;
    commit(&store, decided).await;
}

pub(crate) async fn a_fault_on_a_read_is_transient(database: &Database) {
    let faults = FaultPlan::default().with(FaultPoint::OnRead, 1, Fault::Error);
    let store = super::open_with(database, faults).await;
    let mut transaction = store.begin().await.unwrap();
    let failed = transaction.load_history(&HistoryKeys::default()).await;
    assert!(failed.unwrap_err().is_transient());
    drop(transaction);
    assert_nothing_stands(&store).await;
}

async fn assert_nothing_stands(store: &DecisionStore) {
    assert_eq!(store.head().await.unwrap().sequence, Sequence(0));
    assert_eq!(store.message(id(1)).await.unwrap(), None);
    assert_eq!(store.log_after(Sequence(0), 1).await.unwrap(), []);
}

pub(crate) async fn what_is_decided_outlives_the_store(database: &Database) {
    if !database.is_lasting() {
        return;
    }
    let store = super::open(database).await;
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
    let kept = store.message(id(1)).await.unwrap();
    let head = store.head().await.unwrap();
    drop(store);
    let reopened = super::open(database).await;
    assert_eq!(reopened.message(id(1)).await.unwrap(), kept);
    assert_eq!(reopened.head().await.unwrap(), head);
}

pub(crate) async fn the_log_is_never_changed(database: &Database) {
    if !database.is_lasting() {
        return;
    }
    let store = super::open(database).await;
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
    for sql in [
        "UPDATE log SET kind = 'other'",
        "DELETE FROM log WHERE sequence = 1",
    ] {
        let refused = database.execute(SCHEMA, sql).await.unwrap_err();
        assert!(refused.contains("the log is never changed"), "{refused}");
    }
    assert_eq!(store.log_after(Sequence(0), 2).await.unwrap().len(), 1);
}

pub(crate) async fn a_newer_schema_is_refused(database: &Database) {
    if !database.is_lasting() {
        return;
    }
    drop(super::open(database).await);
    let newer = "INSERT INTO refinery_schema_history
        VALUES (9999, 'newer', '2030-01-01T00:00:00Z', '1')";
    database.execute(SCHEMA, newer).await.unwrap();
    let refused = super::try_open(database).await;
    assert!(
        matches!(refused, Err(StoreError::NewerSchema(_))),
        "{refused:?}"
    );
}

pub(crate) async fn lost_connections_come_back(database: &Database) {
    let store = super::open(database).await;
    let open = store.begin().await.unwrap();
    database.cut_connections().await;
    if database.url.starts_with("postgres") {
        let batch = batch(vec![message(1, &[debit(1, "a", Verdict::Accept)])]);
        let lost = open.commit(batch).await.unwrap_err();
        assert!(lost.is_transient(), "{lost}");
    } else {
        drop(open);
    }
    // The pool may hand a connection out before it learns that it is cut.
    let mut tries = 0;
    while let Err(lost) = store.head().await {
        assert!(lost.is_transient(), "{lost}");
        tries += 1;
        assert!(tries < 20, "connections come back");
    }
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
}

/// Goal: a process that hangs with the lock does not stop all others.
/// Method: hold it without a word until another writer, whose statement has not timed out, gets it.
pub(crate) async fn a_holder_that_hangs_loses_the_lock(database: &Database) {
    if database.kind() != Kind::Postgres {
        return;
    }
    let store = super::open(database).await;
    let hanging = store.begin().await.unwrap();
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
    let late = batch(vec![message(1, &[debit(1, "b", Verdict::Accept)])]);
    let lost = hanging.commit(late).await.unwrap_err();
    assert!(lost.is_transient(), "{lost}");
    assert_eq!(store.log_after(Sequence(0), 9).await.unwrap().len(), 1);
}
