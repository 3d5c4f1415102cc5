//! Claims are recorded once, whole, and as they were.

use samenloop_adapters::{
    fault_plan::{Fault, FaultPlan, FaultPoint},
    settlement_store::{Recorded, SettlementStore, StoreError},
};

use super::made::{
    SCHEMA, at, batch, claim, claim_of, message, message_id, open, open_with, record, uzovi,
};
use crate::database::{Database, Kind};

pub(super) async fn a_claim_is_found_as_it_was_recorded(database: &Database) {
    let store = open(database).await;
    store.ping().await.unwrap();
    let mut claims = vec![claim(1, 1, 1001), claim(1, 2, -333), claim(1, 3, 0)];
    claims[0].claim.traceparent = "00-trace-01".to_owned();
    assert_eq!(
        record(&store, batch(claims.clone())).await,
        [const { Recorded::New }; 3]
    );
    let second = claim_of(1, 2, 2, 5);
    record(&store, batch(vec![second.clone()])).await;
    for claim in &claims {
        let found = store.claim(&claim.claim.claim_id).await.unwrap();
        assert_eq!(found.as_ref(), Some(claim));
    }
    let mut all = claims;
    all.push(second);
    assert_eq!(store.claims_of(message_id(1)).await.unwrap(), all);
    assert_eq!(store.claims_of(message_id(2)).await.unwrap(), []);
    assert_eq!(store.counts().await.unwrap(), (4, 6));
}

pub(super) async fn claims_recorded_again_have_no_effect(database: &Database) {
    let store = open(database).await;
    record(&store, message(1)).await;
    let state = state(&store).await;
    let mut again = message(1);
    again.claims[0].claim.traceparent = "another way of the same claim".to_owned();
    let recorded = store.record(again, at(60)).await.unwrap();
    assert_eq!(recorded, [const { Recorded::Before }; 3]);
    assert_eq!(self::state(&store).await, state);
}

pub(super) async fn other_content_under_a_claim_id_is_refused(database: &Database) {
    let store = open(database).await;
    record(&store, message(1)).await;
    let state = state(&store).await;
    let mut other = message(1);
    other.claims[1].claim.legal_basis = "another".to_owned();
    let expected = [Recorded::Before, Recorded::Differs, Recorded::Before];
    assert_eq!(record(&store, other).await, expected);
    assert_eq!(self::state(&store).await, state);
}

/// Its journals are closed, so a claim that comes later would be in no journal.
pub(super) async fn a_claim_of_a_recorded_message_is_late(database: &Database) {
    let store = open(database).await;
    record(&store, message(1)).await;
    let state = state(&store).await;
    let late = batch(vec![claim(1, 1, 1001), claim(1, 4, 100)]);
    assert_eq!(
        record(&store, late).await,
        [Recorded::Before, Recorded::Late]
    );
    assert_eq!(self::state(&store).await, state);
}

pub(super) async fn old_and_new_messages_may_come_in_one_batch(database: &Database) {
    let store = open(database).await;
    record(&store, message(2)).await;
    let mut mixed = message(1);
    for more in [message(2), message(3)] {
        mixed.claims.extend(more.claims);
        mixed.journals.extend(more.journals);
    }
    let recorded = record(&store, mixed).await;
    let expected = [Recorded::New, Recorded::Before, Recorded::New];
    assert_eq!(
        recorded
            .chunks(3)
            .map(|line| line[0].clone())
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(store.counts().await.unwrap(), (9, 9));
    assert_eq!(record(&store, batch(Vec::new())).await, []);
}

pub(super) async fn a_claim_id_has_one_spelling(database: &Database) {
    let store = open(database).await;
    record(&store, message(1)).await;
    for other in [
        "", "1.1", "1.1.01", "+1.1.1", "1.1.1.1", "1.1.1 ", "x", "9.9.9",
    ] {
        assert_eq!(store.claim(other).await.unwrap(), None, "{other}");
    }
}

pub(super) async fn a_fault_before_the_commit_leaves_nothing(database: &Database) {
    let faults = FaultPlan::default().with(FaultPoint::BeforeCommit, 1, Fault::Error);
    let store = open_with(database, faults).await;
    let failed = store.record(message(1), at(0)).await.unwrap_err();
    assert!(failed.is_transient(), "{failed}");
    assert_eq!(state(&store).await, Default::default());
    assert_eq!(
        record(&store, message(1)).await,
        [const { Recorded::New }; 3]
    );
}

pub(super) async fn a_panic_before_the_commit_leaves_nothing(database: &Database) {
    let faults = FaultPlan::default().with(FaultPoint::BeforeCommit, 1, Fault::Panic);
    let store = open_with(database, faults).await;
    let panicking = store.clone();
    let recorded = tokio::spawn(async move { panicking.record(message(1), at(0)).await });
    assert!(recorded.await.unwrap_err().is_panic());
    assert_eq!(state(&store).await, Default::default());
    assert_eq!(
        record(&store, message(1)).await,
        [const { Recorded::New }; 3]
    );
}

pub(super) async fn a_fault_on_a_read_is_transient(database: &Database) {
    let faults = FaultPlan::default().with(FaultPoint::OnRead, 1, Fault::Error);
    let store = open_with(database, faults).await;
    assert!(store.counts().await.unwrap_err().is_transient());
    assert_eq!(store.counts().await.unwrap(), (0, 0));
}

pub(super) async fn what_is_recorded_outlives_the_store(database: &Database) {
    if !database.is_lasting() {
        return;
    }
    let store = open(database).await;
    record(&store, message(1)).await;
    store
        .acknowledge(uzovi("3311"), "backend", 2, at(0))
        .await
        .unwrap();
    let before = state(&store).await;
    drop(store);
    let store = open(database).await;
    assert_eq!(state(&store).await, before);
    assert_eq!(
        store.acknowledged(uzovi("3311"), "backend").await.unwrap(),
        2
    );
}

pub(super) async fn lost_connections_come_back(database: &Database) {
    let store = open(database).await;
    record(&store, message(1)).await;
    database.cut_connections().await;
    let mut failed = 0;
    while let Err(e) = store.record(message(2), at(0)).await {
        assert!(e.is_transient(), "{e}");
        failed += 1;
        assert!(failed < 20, "it does not come back: {e}");
    }
    assert_eq!(store.counts().await.unwrap(), (6, 6));
}

pub(super) async fn a_newer_schema_is_refused(database: &Database) {
    if !database.is_lasting() {
        return;
    }
    record(&open(database).await, message(1)).await;
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
        VALUES (9999, 'later', '2030-01-01T00:00:00Z', '1')";
    database.execute(SCHEMA, newer).await.unwrap();
    let opened = SettlementStore::open(&database.url, FaultPlan::default()).await;
    assert!(
        matches!(opened, Err(StoreError::NewerSchema(_))),
        "{opened:?}"
    );
    assert_ne!(database.kind(), Kind::Memory);
}

/// Everything that a batch can change.
async fn state(store: &SettlementStore) -> impl PartialEq + std::fmt::Debug + Default + use<> {
    let balances = store.balances().await.unwrap();
    let balances: Vec<_> = balances.into_iter().map(|b| (b.account, b.cents)).collect();
    let heads = store.stream_heads().await.unwrap();
    let heads: Vec<_> = heads
        .into_iter()
        .map(|head| (head.insurer.to_string(), head.position, head.cents))
        .collect();
    (store.counts().await.unwrap(), balances, heads)
}
