//! What keeps the services running: outbox, leases, attempts, quarantine, reference data,
//! waiting, figures.

use std::time::Duration;

use samenloop_adapters::decision_store::{
    DecisionBatch, DecisionStore, Lease, NewOutboxRow, OutboxBody, Quarantined, Relay, Sent,
    StoreError, StoredReference, WaitingMessage,
};
use samenloop_domain::{
    decision::{Status, Verdict},
    identifiers::Sequence,
};
use samenloop_proto::{declaration::v1 as wire, settlement::v1 as settlement};

use crate::database::Database;

use super::made::{at, batch, commit, debit, decide, entry, id, message, outcome, party};

fn to_party(body: OutboxBody) -> NewOutboxRow {
    NewOutboxRow {
        party: Some(party()),
        traceparent: "00-trace".to_owned(),
        body,
    }
}

fn outcome_row(sequence: u64, version: u32) -> NewOutboxRow {
    to_party(OutboxBody::Outcome(outcome(
        sequence,
        version,
        Status::Accepted,
    )))
}

fn claims_row(sequence: u64) -> NewOutboxRow {
    let claim = settlement::Claim {
        claim_id: format!("{sequence}.1.1"),
        version: 1,
        message_id: id(sequence).to_string(),
        awarded_cents: 100_000,
        ..settlement::Claim::default()
    };
    NewOutboxRow {
        party: None,
        traceparent: String::new(),
        body: OutboxBody::Claims(vec![claim]),
    }
}

pub(super) fn refusal_row(fingerprint: u8) -> NewOutboxRow {
    to_party(OutboxBody::Refusal(wire::DeliveryRefusal {
        fingerprint: format!("{fingerprint:02x}").repeat(32),
        ..wire::DeliveryRefusal::default()
    }))
}

/// Decides a message with an outcome and claims to be sent.
async fn decide_and_send(store: &DecisionStore, sequence: u64) {
    let mut decided = batch(vec![message(sequence, &[debit(1, "a", Verdict::Accept)])]);
    decided.outbox = vec![outcome_row(sequence, 1), claims_row(sequence)];
    commit(store, decided).await;
}

async fn ids(store: &DecisionStore, relay: Relay, after: i64, limit: u32) -> Vec<i64> {
    let rows = store.outbox(relay, after, limit).await.unwrap();
    rows.iter().map(|row| row.id).collect()
}

pub(crate) async fn rows_leave_the_outbox_in_order(database: &Database) {
    let store = super::open(database).await;
    for sequence in 1..=3 {
        decide_and_send(&store, sequence).await;
    }
    let rows = store.outbox(Relay::Outcomes, 0, 10).await.unwrap();
    let sent: Vec<_> = rows
        .iter()
        .map(|row| (row.party.clone(), row.traceparent.clone(), row.body.clone()))
        .collect();
    let put = [1, 2, 3].map(|sequence| outcome_row(sequence, 1));
    let put = put.map(|row| (row.party, row.traceparent, row.body));
    assert_eq!(sent, put);
    let claims = store.outbox(Relay::Claims, 0, 10).await.unwrap();
    assert_eq!(claims[0].body, claims_row(1).body);
    assert_eq!(claims[0].party, None);

    let numbers = ids(&store, Relay::Outcomes, 0, 10).await;
    assert!(numbers.is_sorted());
    assert_eq!(ids(&store, Relay::Outcomes, 0, 2).await, numbers[..2]);
    assert_eq!(
        ids(&store, Relay::Outcomes, numbers[0], 10).await,
        numbers[1..]
    );
    let marked = [(numbers[0], Sent::Confirmed), (numbers[1], Sent::Unclaimed)];
    for _ in 0..2 {
        store.mark_sent(&marked, at(500)).await.unwrap();
    }
    store.mark_sent(&[], at(500)).await.unwrap();
    assert_eq!(ids(&store, Relay::Outcomes, 0, 10).await, numbers[2..]);
    assert_eq!(ids(&store, Relay::Claims, 0, 10).await.len(), 3);
}

pub(crate) async fn a_message_shows_what_became_of_its_rows(database: &Database) {
    let store = super::open(database).await;
    decide_and_send(&store, 1).await;
    let sent = async || {
        let kept = store.message(id(1)).await.unwrap().expect("registered");
        (kept.outcome_sent, kept.claims_sent)
    };
    assert_eq!(sent().await, (None, None));
    let outcomes = ids(&store, Relay::Outcomes, 0, 10).await;
    let claims = ids(&store, Relay::Claims, 0, 10).await;
    let marked = [(claims[0], Sent::Parked), (outcomes[0], Sent::Confirmed)];
    store.mark_sent(&marked, at(500)).await.unwrap();
    assert_eq!(sent().await, (Some(Sent::Confirmed), Some(Sent::Parked)));
    // A parked row may be sent after all; a confirmed one stays so.
    let again = [(claims[0], Sent::Confirmed), (outcomes[0], Sent::Unclaimed)];
    store.mark_sent(&again, at(600)).await.unwrap();
    let confirmed = (Some(Sent::Confirmed), Some(Sent::Confirmed));
    assert_eq!(sent().await, confirmed);

    let revised = DecisionBatch {
        log: vec![entry(2, "message_decided")],
        revised: vec![(party(), outcome(1, 2, Status::Rejected))],
        outbox: vec![outcome_row(1, 2)],
        ..DecisionBatch::default()
    };
    commit(&store, revised).await;
    assert_eq!(sent().await, (None, Some(Sent::Confirmed)));
    let newer = ids(&store, Relay::Outcomes, 0, 10).await;
    store
        .mark_sent(&[(newer[0], Sent::Unclaimed)], at(700))
        .await
        .unwrap();
    assert_eq!(sent().await.0, Some(Sent::Unclaimed));
}

pub(crate) async fn a_lease_is_held_by_one(database: &Database) {
    let store = super::open(database).await;
    let lease = |relay, holder| Lease {
        relay,
        holder: id(holder),
        term: Duration::from_secs(10),
    };
    for (relay, holder, now, taken) in [
        (Relay::Outcomes, 1, 0, true),
        (Relay::Outcomes, 2, 5, false),
        (Relay::Claims, 2, 5, true),
        (Relay::Outcomes, 1, 8, true),
        (Relay::Outcomes, 2, 17, false),
        (Relay::Outcomes, 2, 18, true),
        (Relay::Outcomes, 1, 19, false),
    ] {
        let held = store.lease(lease(relay, holder), at(now)).await.unwrap();
        assert_eq!(held, taken, "{holder} at {now}");
    }
}

pub(crate) async fn attempts_are_counted_until_they_are_cleared(database: &Database) {
    let store = super::open(database).await;
    let attempt = async |stage, fingerprint| {
        let counted = store.record_attempt(stage, [fingerprint; 32], at(0)).await;
        counted.unwrap()
    };
    assert_eq!(attempt("detection", 1).await, 1);
    assert_eq!(attempt("detection", 1).await, 2);
    assert_eq!(attempt("detection", 2).await, 1);
    assert_eq!(attempt("validation", 1).await, 1);
    let through = [[1; 32], [9; 32]];
    store.clear_attempts("detection", &through).await.unwrap();
    store.clear_attempts("detection", &[]).await.unwrap();
    assert_eq!(attempt("detection", 1).await, 1);
    assert_eq!(attempt("detection", 2).await, 2);
    assert_eq!(attempt("validation", 1).await, 2);
}

fn delivery(number: u8) -> Quarantined {
    Quarantined {
        id: id(u64::from(number)),
        stage: "validation".to_owned(),
        fingerprint: [number; 32],
        reason: "0001".to_owned(),
        problem: "no message id".to_owned(),
        party: Some(party()),
        message_id: "m".to_owned(),
        content_type: "application/json".to_owned(),
        sealed_body: vec![number; 5],
        quarantined_at: at(i64::from(number)),
        attempts: 3,
    }
}

pub(crate) async fn quarantined_bodies_have_a_term_and_their_rows_have_none(database: &Database) {
    let store = super::open(database).await;
    let deliveries = (1..=4).map(delivery).collect();
    store.quarantine(deliveries, Vec::new()).await.unwrap();
    assert_eq!(store.forget_quarantined(at(1), 10).await.unwrap(), 0);
    // The oldest first, and no more than asked for.
    assert_eq!(store.forget_quarantined(at(4), 2).await.unwrap(), 2);
    assert_eq!(store.forget_quarantined(at(4), 10).await.unwrap(), 1);
    assert_eq!(store.forget_quarantined(at(4), 10).await.unwrap(), 0);
    let kept = store.quarantined(10).await.unwrap();
    let bodies: Vec<bool> = kept.iter().map(|it| it.sealed_body.is_empty()).collect();
    assert_eq!(bodies, [false, true, true, true], "newest first");
    assert_eq!(kept[3].fingerprint, delivery(1).fingerprint);
    // One that comes again later is kept again, for a term of its own.
    let mut again = delivery(1);
    again.quarantined_at = at(9);
    store
        .quarantine(vec![again.clone()], Vec::new())
        .await
        .unwrap();
    let kept = store.quarantined(10).await.unwrap();
    assert_eq!(kept.len(), 4);
    assert_eq!(kept[0].sealed_body, again.sealed_body);
}

pub(crate) async fn a_delivery_is_quarantined_once(database: &Database) {
    let store = super::open(database).await;
    let quarantine = async |deliveries, refusals| {
        let kept = store.quarantine(deliveries, refusals).await;
        kept.unwrap();
    };
    quarantine(vec![delivery(1)], vec![refusal_row(1)]).await;
    let mut redelivered = delivery(1);
    redelivered.id = id(99);
    redelivered.attempts = 7;
    let mut elsewhere = delivery(1);
    elsewhere.id = id(98);
    elsewhere.stage = "detection".to_owned();
    elsewhere.party = None;
    elsewhere.quarantined_at = at(50);
    let deliveries = vec![redelivered, delivery(2), elsewhere.clone()];
    quarantine(deliveries, vec![refusal_row(1), refusal_row(2)]).await;
    let kept = store.quarantined(10).await.unwrap();
    assert_eq!(kept, [elsewhere, delivery(2), delivery(1)]);
    assert_eq!(store.quarantined(1).await.unwrap(), kept[..1]);
    // Who was told once is not told again.
    let refusals = store.outbox(Relay::Outcomes, 0, 10).await.unwrap();
    let bodies: Vec<_> = refusals.into_iter().map(|row| row.body).collect();
    assert_eq!(bodies, [refusal_row(1).body, refusal_row(2).body]);
}

/// Goal: what a sender writes into a header cannot keep its delivery from being set aside.
pub(crate) async fn what_no_database_keeps_is_quarantined_all_the_same(database: &Database) {
    let store = super::open(database).await;
    let mut hostile = delivery(1);
    for text in [
        &mut hostile.problem,
        &mut hostile.message_id,
        &mut hostile.content_type,
    ] {
        text.push('\0');
    }
    let mut refusal = refusal_row(1);
    refusal.traceparent.push('\0');
    let quarantined = store.quarantine(vec![hostile], vec![refusal]).await;
    quarantined.unwrap();
    let kept = store.quarantined(1).await.unwrap();
    assert_eq!(kept[0].message_id, "m\u{FFFD}");
    assert_eq!(kept[0].sealed_body, delivery(1).sealed_body);
    let rows = store.outbox(Relay::Outcomes, 0, 1).await.unwrap();
    assert_eq!(rows[0].traceparent, "00-trace\u{FFFD}");
}

fn version(name: &str, content: u8) -> StoredReference {
    StoredReference {
        version: name.into(),
        digest: [content; 32],
        canonical: vec![content; 3],
        sequence: None,
    }
}

fn activation(sequence: u64, reference: StoredReference) -> DecisionBatch {
    DecisionBatch {
        log: vec![entry(sequence, "reference_activated")],
        activated: vec![reference],
        ..DecisionBatch::default()
    }
}

pub(crate) async fn the_last_activated_version_is_in_force(database: &Database) {
    let store = super::open(database).await;
    assert_eq!(store.active_version().await.unwrap(), None);
    assert_eq!(store.reference(&"v1".into()).await.unwrap(), None);
    let activated = [("v1", 1), ("v2", 2), ("v1", 1)];
    for (sequence, (name, content)) in (1..).zip(activated) {
        commit(&store, activation(sequence, version(name, content))).await;
        let active = store.active_version().await.unwrap();
        assert_eq!(active, Some((name.into(), Sequence(sequence))));
        let transaction = store.begin().await.unwrap();
        assert_eq!(transaction.active_version(), Some(&name.into()));
        // A transaction that finds another version in force asks for it while it holds the lock.
        let kept = store.reference(&name.into()).await.unwrap();
        let expected = StoredReference {
            sequence: Some(Sequence(sequence)),
            ..version(name, content)
        };
        assert_eq!(kept, Some(expected));
    }
}

pub(crate) async fn a_version_keeps_its_content(database: &Database) {
    let store = super::open(database).await;
    commit(&store, activation(1, version("v1", 1))).await;
    let other = activation(2, version("v1", 2));
    let refused = store.begin().await.unwrap().commit(other).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(store.head().await.unwrap().sequence, Sequence(1));
}

pub(crate) async fn messages_wait_until_they_are_released(database: &Database) {
    let store = super::open(database).await;
    let waiting = |number: u64, until| WaitingMessage {
        party: party(),
        message_id: id(number),
        validated: vec![1, 2, 3],
        until: at(until),
    };
    let set_aside = vec![waiting(1, 300), waiting(2, 100), waiting(3, 200)];
    let batch = |sequence, set_aside, released| DecisionBatch {
        log: vec![entry(sequence, "set_aside")],
        set_aside,
        released,
        ..DecisionBatch::default()
    };
    commit(&store, batch(1, set_aside, vec![])).await;
    let found = store.waiting(10).await.unwrap();
    assert_eq!(found, [waiting(2, 100), waiting(3, 200), waiting(1, 300)]);
    assert_eq!(store.waiting(1).await.unwrap(), [waiting(2, 100)]);
    // A redelivered message keeps its term; one that is set aside and released at once waits no
    // more.
    let again = vec![waiting(2, 900), waiting(4, 400)];
    commit(
        &store,
        batch(2, again, vec![(party(), id(3)), (party(), id(4))]),
    )
    .await;
    let found = store.waiting(10).await.unwrap();
    assert_eq!(found, [waiting(2, 100), waiting(1, 300)]);
}

pub(crate) async fn figures_count_what_stands(database: &Database) {
    let store = super::open(database).await;
    let none = store.figures(at(0)).await.unwrap();
    assert_eq!(
        none.outbox,
        [(Relay::Outcomes, 0, None), (Relay::Claims, 0, None)]
    );
    let verdicts = [
        Verdict::Accept,
        Verdict::Reduce,
        Verdict::Review,
        Verdict::Reject,
    ];
    let lines: Vec<_> = (1..)
        .zip(verdicts)
        .map(|(number, verdict)| debit(number, &format!("r{number}"), verdict))
        .collect();
    decide(&store, 1, &lines).await;
    decide_and_send(&store, 2).await;
    decide_and_send(&store, 3).await;
    store.quarantine(vec![delivery(1)], vec![]).await.unwrap();
    let outcomes = ids(&store, Relay::Outcomes, 0, 10).await;
    let claims = ids(&store, Relay::Claims, 0, 10).await;
    let marked = [
        (outcomes[0], Sent::Unclaimed),
        (claims[0], Sent::Confirmed),
        (claims[1], Sent::Parked),
    ];
    store.mark_sent(&marked, at(500)).await.unwrap();

    // The second row was written when entry 3 was recorded.
    let figures = store.figures(at(103 + 42)).await.unwrap();
    assert_eq!(figures.messages, 3);
    let counts = |counts: &[(&str, u64)]| -> Vec<(String, u64)> {
        counts
            .iter()
            .map(|(word, count)| ((*word).to_owned(), *count))
            .collect()
    };
    let by_verdict = [("accept", 3), ("reduce", 1), ("reject", 1), ("review", 1)];
    assert_eq!(figures.lines, counts(&by_verdict));
    let by_reason = [("0587", 2), ("0634", 2), ("8020", 1), ("GDC-DF-EXCL", 2)];
    assert_eq!(figures.reasons, counts(&by_reason));
    let waiting = [(Relay::Outcomes, 1, Some(42)), (Relay::Claims, 0, None)];
    assert_eq!(figures.outbox, waiting);
    assert_eq!((figures.quarantined, figures.waiting), (1, 0));
    assert_eq!((figures.unclaimed, figures.parked), (1, 1));
}
