//! What people look for: messages by what they are known by, lines decided anew, decisions that wait for a second
//! person.

use prost::Message as _;
use samenloop_adapters::decision_store::{
    DecisionBatch, DecisionStore, MessageFilter, MessageKey, NewOutboxRow, OutboxBody, Proposal,
    ProposalEnd, ProposalState,
};
use samenloop_domain::{
    decision::{Status, Verdict},
    identifiers::Sequence,
};
use samenloop_proto::record::v1 as record;

use crate::database::Database;

use super::made::{
    DECLARANT, INSURER, at, batch, cents, commit, debit, entry, id, line_id, message, outcome,
    party,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn found(store: &DecisionStore, filter: &MessageFilter) -> Vec<u64> {
    let messages = store.find_messages(filter, None, 10).await.unwrap();
    messages.iter().map(|it| it.sequence.0).collect()
}

pub(crate) async fn a_message_is_found_by_everything_that_it_is_known_by(database: &Database) {
    let store = super::open(database).await;
    for sequence in 1..=3 {
        let reference = format!("r{sequence}");
        let line = debit(1, &reference, Verdict::Accept);
        let mut decided = batch(vec![message(sequence, &[line])]);
        decided.outbox = vec![NewOutboxRow {
            party: Some(party()),
            traceparent: match sequence {
                2 => format!("00-{TRACE}-00f067aa0ba902b7-01"),
                _ => String::new(),
            },
            body: OutboxBody::Outcome(outcome(sequence, 1, Status::Accepted)),
        }];
        commit(&store, decided).await;
    }
    let by = |key: MessageKey, value: &str| MessageFilter {
        keys: vec![(key, value.to_owned())],
        ..MessageFilter::default()
    };
    let any = |value: &str| MessageFilter {
        any: Some(value.to_owned()),
        ..MessageFilter::default()
    };
    for (key, value) in [
        (MessageKey::Party, party().as_str()),
        (MessageKey::Declarant, DECLARANT),
        (MessageKey::Insurer, INSURER),
        (MessageKey::Contract, "C1"),
    ] {
        assert_eq!(found(&store, &by(key, value)).await, [3, 2, 1], "{key:?}");
        assert_eq!(found(&store, &any(value)).await, [3, 2, 1], "{value}");
        assert_eq!(found(&store, &by(key, "another")).await, [0; 0], "{key:?}");
    }
    assert_eq!(found(&store, &by(MessageKey::Trace, TRACE)).await, [2]);
    assert_eq!(found(&store, &any(TRACE)).await, [2]);
    assert_eq!(found(&store, &any("r3")).await, [3], "a line reference");
    let line = MessageFilter {
        line_reference: Some("r1".to_owned()),
        ..MessageFilter::default()
    };
    assert_eq!(found(&store, &line).await, [1]);
    let both = MessageFilter {
        line_reference: Some("r1".to_owned()),
        ..by(MessageKey::Trace, TRACE)
    };
    assert_eq!(found(&store, &both).await, [0; 0], "all must hold");
    let entry = MessageFilter {
        sequence: Some(Sequence(2)),
        status: Some("accepted".to_owned()),
        ..MessageFilter::default()
    };
    assert_eq!(found(&store, &entry).await, [2]);
    let all = MessageFilter::default();
    let page = store
        .find_messages(&all, Some(Sequence(3)), 1)
        .await
        .unwrap();
    assert_eq!(
        page[0].sequence,
        Sequence(2),
        "newest first, before a sequence"
    );
}

pub(crate) async fn a_line_that_is_decided_anew_leads_to_its_entry(database: &Database) {
    let store = super::open(database).await;
    let held = debit(1, "a", Verdict::Review);
    commit(&store, batch(vec![message(1, &[held])])).await;
    assert_eq!(store.revisions_of(id(1)).await.unwrap(), []);
    let revised = record::RevisedLine {
        message_id: id(1).to_string(),
        version: 2,
        ..record::RevisedLine::default()
    };
    let decided = record::ReviewDecided {
        revised: Some(revised),
        ..record::ReviewDecided::default()
    };
    let mut decided_anew = entry(2, "review_decided");
    decided_anew.body = record::LogEntry {
        entry: Some(record::log_entry::Entry::ReviewDecided(decided)),
        ..record::LogEntry::default()
    }
    .encode_to_vec();
    let log = vec![decided_anew];
    commit(
        &store,
        DecisionBatch {
            log,
            ..DecisionBatch::default()
        },
    )
    .await;
    let entries = store.revisions_of(id(1)).await.unwrap();
    assert_eq!(entries, [(2, Sequence(2))]);
    assert_eq!(store.revisions_of(id(2)).await.unwrap(), []);
}

pub(crate) async fn a_proposal_is_open_once_for_a_line_and_ends_once(database: &Database) {
    let store = super::open(database).await;
    let lines = [1, 2].map(|line| debit(line, &format!("{line}"), Verdict::Review));
    commit(&store, batch(vec![message(1, &lines)])).await;
    let proposal = |number: u64, line: u32| Proposal {
        id: id(number),
        line: line_id(1, line),
        line_reference: format!("{line}"),
        insurer: INSURER.to_owned(),
        person: "A. de Vries".to_owned(),
        command: record::Command {
            note: "seen".to_owned(),
            ..record::Command::default()
        },
        cents: cents(80_000),
        proposed_at: at(i64::try_from(number).expect("small")),
    };
    let [first, again, second] = [proposal(1, 1), proposal(2, 1), proposal(3, 2)];
    assert!(store.propose(&first).await.unwrap());
    assert!(!store.propose(&again).await.unwrap(), "one for a line");
    assert!(store.propose(&second).await.unwrap());
    let all = store.proposals(None, None, 10).await.unwrap();
    assert_eq!(all, [first.clone(), second.clone()], "oldest first");
    let rest = store
        .proposals(None, Some((first.proposed_at, first.id)), 10)
        .await;
    assert_eq!(rest.unwrap(), [second]);
    let of_another = store.proposals(Some("3311".to_owned()), None, 10).await;
    assert_eq!(of_another.unwrap(), []);
    let of_line = store.proposal_of(line_id(1, 1)).await.unwrap();
    assert_eq!(of_line, Some(first.clone()));

    let end = ProposalEnd {
        state: ProposalState::Agreed,
        person: "B. Bakker".to_owned(),
        at: at(9),
    };
    assert!(store.end_proposal(first.id, end.clone()).await.unwrap());
    assert!(!store.end_proposal(first.id, end).await.unwrap(), "once");
    assert_eq!(store.proposal_of(line_id(1, 1)).await.unwrap(), None);
    assert!(
        store.propose(&again).await.unwrap(),
        "the line is free for another"
    );
}
