//! What operators are shown and do: attempts under way, versions that were activated, rows that nobody took.

use samenloop_adapters::decision_store::{
    Activation, DecisionBatch, NewOutboxRow, OutboxBody, Relay, Sent, StageAttempts,
    StoredReference,
};
use samenloop_domain::{decision::Verdict, identifiers::Sequence};
use samenloop_proto::declaration::v1 as wire;

use crate::database::Database;

use super::made::{at, batch, commit, debit, entry, message, party};

pub(crate) async fn attempts_are_told_by_stage(database: &Database) {
    let store = super::open(database).await;
    assert_eq!(store.attempts_by_stage().await.unwrap(), []);
    for (stage, fingerprint, second) in [
        ("validation", 1, 1),
        ("validation", 2, 2),
        ("detection", 1, 3),
    ] {
        let tried = store
            .record_attempt(stage, [fingerprint; 32], at(second))
            .await;
        tried.unwrap();
    }
    let of = |stage: &str, deliveries, second| StageAttempts {
        stage: stage.to_owned(),
        deliveries,
        last: at(second),
    };
    let found = store.attempts_by_stage().await.unwrap();
    assert_eq!(found, [of("detection", 1, 3), of("validation", 2, 2)]);
}

pub(crate) async fn activated_versions_are_listed_newest_first(database: &Database) {
    let store = super::open(database).await;
    for (sequence, version) in [(1, "v1"), (2, "v2")] {
        let activated = StoredReference {
            version: version.into(),
            digest: [u8::try_from(sequence).expect("small"); 32],
            canonical: b"{}".to_vec(),
            sequence: None,
        };
        let batch = DecisionBatch {
            log: vec![entry(sequence, "reference_activated")],
            activated: vec![activated],
            ..DecisionBatch::default()
        };
        commit(&store, batch).await;
    }
    let of = |sequence: u64, version: &str| Activation {
        version: version.into(),
        sequence: Sequence(sequence),
        recorded_at: at(100 + i64::try_from(sequence).expect("small")),
    };
    let found = store.activations(10).await.unwrap();
    assert_eq!(found, [of(2, "v2"), of(1, "v1")]);
    assert_eq!(store.activations(1).await.unwrap(), [of(2, "v2")]);
}

pub(crate) async fn a_row_that_nobody_took_is_sent_again_when_asked(database: &Database) {
    let store = super::open(database).await;
    let mut decided = batch(vec![message(1, &[debit(1, "a", Verdict::Accept)])]);
    let refusal = |fingerprint: &str| NewOutboxRow {
        party: Some(party()),
        traceparent: String::new(),
        body: OutboxBody::Refusal(wire::DeliveryRefusal {
            fingerprint: fingerprint.to_owned(),
            ..wire::DeliveryRefusal::default()
        }),
    };
    decided.outbox = ["a", "b", "c"].map(refusal).into();
    commit(&store, decided).await;
    let rows = store.outbox(Relay::Outcomes, 0, 10).await.unwrap();
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let marks = [
        (ids[0], Sent::Unclaimed),
        (ids[1], Sent::Confirmed),
        (ids[2], Sent::Unclaimed),
    ];
    store.mark_sent(&marks, at(7)).await.unwrap();
    let stuck = store.stuck_rows(Sent::Unclaimed, 0, 10).await.unwrap();
    let shown: Vec<_> = stuck
        .iter()
        .map(|it| (it.id, it.sent, it.sent_at))
        .collect();
    assert_eq!(
        shown,
        [
            (ids[0], Sent::Unclaimed, at(7)),
            (ids[2], Sent::Unclaimed, at(7))
        ]
    );
    assert_eq!(stuck[0].party, Some(party()));
    assert_eq!(store.stuck_rows(Sent::Parked, 0, 10).await.unwrap(), []);
    let confirmed = store.stuck_rows(Sent::Confirmed, 0, 10).await.unwrap();
    assert_eq!(confirmed, [], "what was taken is not stuck");
    assert_eq!(
        store.send_again(Sent::Parked, &ids).await.unwrap(),
        0,
        "only what was shown"
    );
    assert_eq!(store.send_again(Sent::Unclaimed, &ids).await.unwrap(), 2);
    let again = store.outbox(Relay::Outcomes, 0, 10).await.unwrap();
    let again: Vec<i64> = again.iter().map(|row| row.id).collect();
    assert_eq!(again, [ids[0], ids[2]], "in their order");
    assert_eq!(
        store.send_again(Sent::Unclaimed, &ids).await.unwrap(),
        0,
        "once"
    );
}
