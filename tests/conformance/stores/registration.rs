//! Message ids, resends, and newer versions of outcomes.

use samenloop_adapters::decision_store::{
    DecidedMessage, DecisionBatch, StoreError, StoredMessage,
};
use samenloop_domain::{
    decision::{Status, Verdict},
    identifiers::{Sequence, Uzovi},
};

use crate::database::Database;

use super::made::{INSURER, at, batch, commit, debit, decide, entry, id, message, outcome, party};

fn stored(decided: &DecidedMessage) -> StoredMessage {
    let sequence = decided.decision.sequence;
    StoredMessage {
        party: decided.input.party.clone(),
        message_id: decided.input.declaration.message_id,
        sequence,
        received_at: decided.received_at,
        received_on: decided.input.received_on,
        decided_at: at(100 + i64::try_from(sequence.0).unwrap()),
        content_digest: decided.input.content_digest,
        outcome: decided.outcome.clone(),
        outcome_sent: None,
        claims_sent: None,
    }
}

pub(crate) async fn a_message_is_registered_with_its_outcome(database: &Database) {
    let store = super::open(database).await;
    let first = decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
    let second = decide(&store, 2, &[debit(1, "b", Verdict::Reject)]).await;
    assert_eq!(store.message(id(1)).await.unwrap(), Some(stored(&first)));
    assert_eq!(store.message(id(9)).await.unwrap(), None);
    let mut transaction = store.begin().await.unwrap();
    let found = transaction.load_messages(&[id(2), id(9), id(1)]).await;
    assert_eq!(found.unwrap(), [stored(&first), stored(&second)]);
    assert_eq!(transaction.load_messages(&[]).await.unwrap(), []);
}

pub(crate) async fn messages_are_listed_newest_first(database: &Database) {
    let store = super::open(database).await;
    let mut decided = Vec::new();
    for sequence in 1..=3 {
        decided.push(decide(&store, sequence, &[debit(1, "a", Verdict::Reject)]).await);
    }
    let newest = store.latest(None, 2).await.unwrap();
    assert_eq!(newest, [stored(&decided[2]), stored(&decided[1])]);
    let rest = store.latest(Some(Sequence(2)), 2).await.unwrap();
    assert_eq!(rest, [stored(&decided[0])]);
    let own = Uzovi::parse(INSURER).unwrap();
    let newest = store.latest_to(own, None, 2).await.unwrap();
    assert_eq!(newest, [stored(&decided[2]), stored(&decided[1])]);
    let rest = store.latest_to(own, Some(Sequence(2)), 2).await.unwrap();
    assert_eq!(rest, [stored(&decided[0])]);
    let another = Uzovi::parse("9999").unwrap();
    assert_eq!(store.latest_to(another, None, 2).await.unwrap(), []);
}

pub(crate) async fn an_id_is_registered_once(database: &Database) {
    let store = super::open(database).await;
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
    let mut again = message(2, &[debit(1, "b", Verdict::Accept)]);
    again.input.declaration.message_id = id(1);
    let transaction = store.begin().await.unwrap();
    let refused = transaction.commit(batch(vec![again])).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    assert_eq!(store.head().await.unwrap().sequence, Sequence(1));
}

pub(crate) async fn a_revised_outcome_replaces_the_one_before(database: &Database) {
    let store = super::open(database).await;
    decide(&store, 1, &[debit(1, "a", Verdict::Review)]).await;
    let versions = [2, 3].map(|version| outcome(1, version, Status::Rejected));
    let revised = DecisionBatch {
        log: vec![entry(2, "message_decided")],
        revised: versions.iter().map(|it| (party(), it.clone())).collect(),
        ..DecisionBatch::default()
    };
    commit(&store, revised).await;
    let kept = store.message(id(1)).await.unwrap().expect("registered");
    assert_eq!(kept.outcome, versions[1]);
    let stale = DecisionBatch {
        log: vec![entry(3, "message_decided")],
        revised: vec![(party(), versions[0].clone())],
        ..DecisionBatch::default()
    };
    let refused = store.begin().await.unwrap().commit(stale).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
}
