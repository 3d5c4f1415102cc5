//! Each insurer's stream: its own parts, in order, without a gap, whatever runs beside it or fails.

use std::{collections::BTreeSet, time::Duration};

use samenloop_adapters::{
    fault_plan::{Fault, FaultPlan, FaultPoint},
    settlement_store::{AllocatedClaim, Recorded, SettlementBatch, SettlementStore, Subscription},
};
use samenloop_domain::cents::Cents;
use tokio::{task::JoinSet, time::timeout};

use super::made::{
    INSURERS, at, batch, claim, claim_in, events, message, open, open_with, record, uzovi,
};
use crate::database::Database;

pub(super) async fn events_come_in_order_of_recording_and_in_pages(database: &Database) {
    let store = open(database).await;
    let lines = [claim(5, 2, 100), claim(5, 1, 100), claim(5, 3, 100)];
    store.record(batch(lines.to_vec()), at(1)).await.unwrap();
    store.record(message(4), at(2)).await.unwrap();
    let insurer = uzovi("3311");
    let ids = ["5.1.2", "5.1.1", "5.1.3", "4.1.1", "4.1.2", "4.1.3"];
    for (after, limit) in [(0, 6), (0, 2), (2, 3), (4, 100), (6, 1), (0, 0), (1_000, 5)] {
        let page = store.events(insurer, after, limit).await.unwrap();
        let expected: Vec<_> = (1..)
            .zip(ids)
            .skip(usize::try_from(after).unwrap())
            .take(usize::try_from(limit).unwrap())
            .collect();
        let page: Vec<_> = page
            .iter()
            .map(|event| (event.position, event.claim_id()))
            .collect();
        assert_eq!(page, expected, "after {after}, at most {limit}");
    }
    let all = store.events(insurer, 0, 100).await.unwrap();
    let recorded_at: Vec<_> = all.iter().map(|event| event.recorded_at).collect();
    assert_eq!(recorded_at, [at(1), at(1), at(1), at(2), at(2), at(2)]);
    assert_eq!(claim_in(&all[0]).claim, lines[0].claim);
}

pub(super) async fn an_insurer_hears_of_its_own_parts_only(database: &Database) {
    let store = open(database).await;
    let whole = claim(1, 1, 1001);
    // One cent: it goes to one insurer whole, and the others do not hear of it.
    record(&store, batch(vec![whole.clone(), claim(1, 2, 1)])).await;
    for (insurer, count) in INSURERS.into_iter().zip([2, 1, 1]) {
        let heard = events(&store, insurer).await;
        assert_eq!(heard.len(), count, "{insurer}");
        let own = whole
            .parts
            .iter()
            .filter(|part| part.insurer.as_str() == insurer);
        assert_eq!(claim_in(&heard[0]).parts, own.cloned().collect::<Vec<_>>());
    }
    assert_eq!(events(&store, "3332").await, []);
}

pub(super) async fn a_claim_that_nobody_owes_is_heard_by_the_insurer_asked(database: &Database) {
    let store = open(database).await;
    let nothing = claim(1, 1, 0);
    record(&store, batch(vec![nothing.clone()])).await;
    let heard = events(&store, "3311").await;
    assert_eq!(
        (heard.len(), claim_in(&heard[0])),
        (
            1,
            &AllocatedClaim {
                parts: Vec::new(),
                ..nothing
            }
        )
    );
    assert_eq!(events(&store, "7095").await, []);
    assert_eq!(store.counts().await.unwrap(), (1, 0));
}

pub(super) async fn heads_are_the_sums_of_the_events(database: &Database) {
    let store = open(database).await;
    for sequence in [3, 1, 2] {
        record(&store, message(sequence)).await;
    }
    record(&store, batch(vec![claim(9, 1, -1001)])).await;
    check_streams(&store, 10).await;
    let heads = store.stream_heads().await.unwrap();
    let insurers: Vec<_> = heads.iter().map(|head| head.insurer.as_str()).collect();
    assert_eq!(insurers, INSURERS);
}

pub(super) async fn an_acknowledgement_never_goes_back(database: &Database) {
    let store = open(database).await;
    let [own, other] = ["3311", "7095"].map(uzovi);
    assert_eq!(store.acknowledged(own, "backend").await.unwrap(), 0);
    for (position, kept) in [(0, 0), (5, 5), (3, 5), (5, 5), (6, 6)] {
        let acknowledged = store.acknowledge(own, "backend", position, at(0)).await;
        assert_eq!(acknowledged.unwrap(), kept);
        assert_eq!(store.acknowledged(own, "backend").await.unwrap(), kept);
    }
    assert_eq!(store.acknowledged(own, "another").await.unwrap(), 0);
    assert_eq!(store.acknowledged(other, "backend").await.unwrap(), 0);
}

pub(super) async fn what_subscribers_have_and_where_claims_are_told_is_known(database: &Database) {
    let store = open(database).await;
    record(&store, message(1)).await;
    record(&store, message(2)).await;
    let own = uzovi("3311");
    let heard = events(&store, "3311").await;
    let last = heard
        .iter()
        .rfind(|event| claim_in(event).claim.claim_id.starts_with("2."));
    let last = last.expect("its claims are told");
    let contract = &claim_in(last).claim.contract_id;
    let streamed = store.streamed(own, contract, 2).await.unwrap();
    assert_eq!(streamed, Some(last.position));
    assert_eq!(store.streamed(own, contract, 9).await.unwrap(), None);

    assert_eq!(store.subscriptions(None).await.unwrap(), []);
    for (insurer, name, position) in [("7095", "b", 1), ("3311", "z", 2), ("3311", "a", 3)] {
        let kept = store
            .acknowledge(uzovi(insurer), name, position, at(5))
            .await;
        kept.unwrap();
    }
    let shown = |found: Vec<Subscription>| -> Vec<(String, String, u64)> {
        let shown = found.into_iter();
        shown
            .map(|it| (it.insurer.to_string(), it.name, it.position))
            .collect()
    };
    let row = |insurer: &str, name: &str, position| (insurer.to_owned(), name.to_owned(), position);
    let all = shown(store.subscriptions(None).await.unwrap());
    assert_eq!(
        all,
        [
            row("3311", "a", 3),
            row("3311", "z", 2),
            row("7095", "b", 1)
        ]
    );
    let of_one = shown(store.subscriptions(Some(uzovi("7095"))).await.unwrap());
    assert_eq!(of_one, [row("7095", "b", 1)]);
}

/// Goal: a transaction that fails leaves no gap. Method: four writers on several connections; every third commit fails
/// and is tried again.
pub(super) async fn positions_have_no_gap_whatever_fails(database: &Database) {
    let faults = (1..40).fold(FaultPlan::default(), |plan, number| {
        plan.with(FaultPoint::BeforeCommit, 3 * number, Fault::Error)
    });
    let store = open_with(database, faults).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0..10 {
                persist(&store, message(1 + 4 * number + writer)).await;
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    check_streams(&store, 120).await;
    assert_eq!(store.counts().await.unwrap(), (120, 120));
}

/// Goal: a position that was read is never followed by a lower one that commits later. Method: a reader goes on from
/// the last position it saw while four writers commit in any order.
pub(super) async fn a_reader_misses_nothing_while_others_write(database: &Database) {
    let store = open(database).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0..10 {
                persist(&store, message(1 + 4 * number + writer)).await;
            }
        });
    }
    let mut seen = BTreeSet::new();
    let mut position = 0;
    let reading = async {
        while position < 120 {
            for event in store.events(uzovi("7119"), position, 11).await.unwrap() {
                position += 1;
                assert_eq!(event.position, position);
                assert!(seen.insert(event.claim_id().to_owned()), "it came twice");
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), reading)
        .await
        .expect("something was missed");
    assert_eq!(writers.join_all().await.len(), 4);
    assert_eq!(seen.len(), 120);
}

/// Goal: submitters that send the same at once, in any order, have the effect of one.
pub(super) async fn of_the_same_claims_at_once_each_is_recorded_once(database: &Database) {
    let store = open(database).await;
    let other = match database.is_lasting() {
        true => open(database).await,
        false => store.clone(),
    };
    for round in 0..15_u64 {
        let sequences: Vec<u64> = (1..=5).map(|number| 10 * round + number).collect();
        let forth = joined(sequences.iter().copied());
        let back = joined(sequences.iter().copied().rev());
        let second = other.clone();
        let second = tokio::spawn(async move { persist(&second, back).await });
        let first = persist(&store, forth).await;
        let second = second.await.unwrap();
        let new = first
            .iter()
            .chain(&second)
            .filter(|recorded| **recorded == Recorded::New);
        assert_eq!(new.count(), 15, "round {round}");
    }
    check_streams(&store, 15 * 15).await;
    assert_eq!(store.counts().await.unwrap(), (15 * 15, 15 * 5 * 3));
    let balances = store.balances().await.unwrap();
    assert_eq!(balances.iter().map(|balance| balance.cents).sum::<i64>(), 0);
}

fn joined(sequences: impl Iterator<Item = u64>) -> SettlementBatch {
    sequences
        .map(message)
        .fold(SettlementBatch::default(), |mut all, more| {
            all.claims.extend(more.claims);
            all.journals.extend(more.journals);
            all
        })
}

/// Records, trying again what is transient.
async fn persist(store: &SettlementStore, batch: SettlementBatch) -> Vec<Recorded> {
    loop {
        match store.record(batch.clone(), at(0)).await {
            Ok(recorded) => return recorded,
            Err(e) => assert!(e.is_transient(), "{e}"),
        }
    }
}

/// Every stream has `count` events, from 1 without a gap, each claim once, and its head is their sum.
async fn check_streams(store: &SettlementStore, count: usize) {
    for insurer in INSURERS {
        let events = events(store, insurer).await;
        assert_eq!(events.len(), count, "{insurer}");
        assert!(
            (1..)
                .zip(&events)
                .all(|(position, event)| event.position == position)
        );
        let claims: BTreeSet<_> = events.iter().map(|event| event.claim_id()).collect();
        assert_eq!(claims.len(), count, "{insurer}");
        let sum: Cents = events
            .iter()
            .flat_map(|event| &claim_in(event).parts)
            .map(|part| part.cents)
            .sum();
        let heads = store.stream_heads().await.unwrap();
        let head = heads
            .iter()
            .find(|head| head.insurer.as_str() == insurer)
            .unwrap();
        assert_eq!(head.position, u64::try_from(count).unwrap());
        assert_eq!(head.cents, sum.get(), "{insurer}");
    }
}
