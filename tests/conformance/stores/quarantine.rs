//! What operators do with the quarantine, and the log of what they did.

use samenloop_adapters::decision_store::{
    Operation, QuarantineChange, QuarantineFilter, QuarantineOrder, QuarantineRow, QuarantineState,
    Quarantined,
};
use samenloop_domain::identifiers::PartyId;
use uuid::Uuid;

use super::made::{at, id};
use crate::database::Database;

/// Deliveries 1 to 6: two problems, two parties, one without a party.
fn delivery(number: u8) -> Quarantined {
    let is_odd = !number.is_multiple_of(2);
    Quarantined {
        id: id(u64::from(number)),
        stage: if number == 6 {
            "detection"
        } else {
            "validation"
        }
        .to_owned(),
        fingerprint: [number; 32],
        reason: "0001".to_owned(),
        problem: if is_odd { "no 100%_ JSON" } else { "too long" }.to_owned(),
        party: (number > 1).then(|| PartyId::new(if is_odd { "Noord" } else { "Zuid" })),
        message_id: format!("m{number}"),
        content_type: "application/json".to_owned(),
        sealed_body: vec![number; 5],
        quarantined_at: at(i64::from(number / 2)),
        attempts: 3,
    }
}

fn ids(rows: &[QuarantineRow]) -> Vec<Uuid> {
    rows.iter().map(|row| row.id).collect()
}

fn numbered<const N: usize>(numbers: [u64; N]) -> Vec<Uuid> {
    numbers.map(id).to_vec()
}

pub(crate) async fn a_filter_finds_what_it_says_in_pages_of_either_order(database: &Database) {
    let store = super::open(database).await;
    let all = (1..=6).map(delivery).collect();
    store.quarantine(all, Vec::new()).await.unwrap();
    let any = QuarantineFilter::default;
    let place = {
        let order = QuarantineOrder::OldestFirst;
        let rows = store.quarantine_page(&any(), order, None, 3).await.unwrap();
        assert_eq!(ids(&rows), numbered([1, 2, 3]));
        rows[2].place()
    };
    let text = |text: &str| QuarantineFilter {
        text: Some(text.to_owned()),
        ..any()
    };
    for (filter, wanted) in [
        (any(), vec![6, 5, 4, 3, 2, 1]),
        (
            QuarantineFilter {
                stage: Some("detection".to_owned()),
                ..any()
            },
            vec![6],
        ),
        (
            QuarantineFilter {
                problem: Some("too long".to_owned()),
                ..any()
            },
            vec![6, 4, 2],
        ),
        (
            QuarantineFilter {
                party: Some(PartyId::new("Noord")),
                ..any()
            },
            vec![5, 3],
        ),
        (
            QuarantineFilter {
                reason: Some("0586".to_owned()),
                ..any()
            },
            vec![],
        ),
        (
            QuarantineFilter {
                state: Some(QuarantineState::Parked),
                ..any()
            },
            vec![],
        ),
        (
            QuarantineFilter {
                id: Some(id(4)),
                ..any()
            },
            vec![4],
        ),
        (
            QuarantineFilter {
                until: Some(place),
                ..any()
            },
            vec![3, 2, 1],
        ),
        (text("ZUID"), vec![6, 4, 2]),
        (text("100%_"), vec![5, 3, 1]),
        (text("100__"), vec![]),
        (text("M5"), vec![5]),
    ] {
        let wanted: Vec<Uuid> = wanted.into_iter().map(id).collect();
        let order = QuarantineOrder::NewestFirst;
        let found = store
            .quarantine_page(&filter, order, None, 10)
            .await
            .unwrap();
        assert_eq!(ids(&found), wanted, "{filter:?}");
        let count = store.quarantine_count(&filter).await.unwrap();
        assert_eq!(count, wanted.len() as u64, "{filter:?}");
    }
    for (order, wanted) in [
        (QuarantineOrder::OldestFirst, numbered([4, 5])),
        (QuarantineOrder::NewestFirst, numbered([2, 1])),
    ] {
        let rows = store
            .quarantine_page(&any(), order, Some(place), 2)
            .await
            .unwrap();
        assert_eq!(ids(&rows), wanted);
    }
    let groups = store.quarantine_groups(&any()).await.unwrap();
    let shown = groups
        .iter()
        .map(|it| (it.stage.as_str(), it.problem.as_str(), it.count));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            ("validation", "no 100%_ JSON", 3),
            ("validation", "too long", 2),
            ("detection", "too long", 1)
        ]
    );
    assert_eq!((groups[0].first, groups[0].last), (at(0), at(2)));
    let mut bodies = store
        .quarantined_bodies(&numbered([3, 77, 5]))
        .await
        .unwrap();
    bodies.sort_by_key(|body| body.id);
    assert_eq!(bodies, [delivery(3), delivery(5)]);
}

/// Goal: an action changes only what it may begin from, each with an event; what was replayed and fails again waits
/// again, with the time of its first receipt, and its sender is not told a second time.
pub(crate) async fn a_change_is_made_once_and_what_comes_back_waits_again(database: &Database) {
    let store = super::open(database).await;
    let kept = (1..=3).map(delivery).collect();
    store.quarantine(kept, Vec::new()).await.unwrap();
    let replay = QuarantineChange {
        from: vec![QuarantineState::Waiting],
        to: QuarantineState::Replayed,
        operation: id(500),
        at: at(50),
    };
    let change = async |ids: &[Uuid]| store.change_quarantined(ids, &replay).await.unwrap();
    assert_eq!(change(&numbered([1, 2, 88])).await, 2);
    assert_eq!(
        change(&numbered([1, 2])).await,
        0,
        "they do not wait any more"
    );
    let figures = store.figures(at(51)).await.unwrap();
    assert_eq!((figures.quarantined, figures.quarantine_waiting), (3, 1));

    let mut again = delivery(1);
    again.id = id(99);
    again.problem = "still no JSON".to_owned();
    again.quarantined_at = at(60);
    let refusal = super::operation::refusal_row(1);
    store.quarantine(vec![again], vec![refusal]).await.unwrap();
    let (row, events) = store.quarantined_delivery(id(1)).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempts), (QuarantineState::Waiting, 6));
    assert_eq!(
        (row.problem.as_str(), row.quarantined_at),
        ("still no JSON", at(0))
    );
    let events: Vec<_> = events
        .iter()
        .map(|it| (it.state, it.operation, it.at, it.detail.as_str()))
        .collect();
    assert_eq!(
        events,
        [
            (QuarantineState::Waiting, None, at(60), "still no JSON"),
            (
                QuarantineState::Replayed,
                Some(id(500)),
                at(50),
                "no 100%_ JSON"
            ),
        ]
    );
    let refusals = store
        .outbox(samenloop_adapters::decision_store::Relay::Outcomes, 0, 10)
        .await;
    assert_eq!(refusals.unwrap(), [], "who was told once is not told again");
    assert_eq!(store.quarantined_delivery(id(99)).await.unwrap(), None);
}

pub(crate) async fn operations_are_kept_newest_first_with_how_far_they_are(database: &Database) {
    let store = super::open(database).await;
    let operation = |number: u8| Operation {
        id: id(u64::from(number)),
        person: "Jansen".to_owned(),
        kind: "replay".to_owned(),
        subject: "state=waiting".to_owned(),
        reason: "mended\0".to_owned(),
        matched: 7,
        done: 0,
        failed: 0,
        started_at: at(i64::from(number / 2)),
        ended_at: None,
    };
    for number in 1..=3 {
        store.record_operation(&operation(number)).await.unwrap();
    }
    let ended = Operation {
        reason: "mended\u{FFFD}".to_owned(),
        done: 5,
        failed: 2,
        ended_at: Some(at(9)),
        ..operation(2)
    };
    store.update_operation(&ended).await.unwrap();
    assert_eq!(store.operation(id(2)).await.unwrap(), Some(ended.clone()));
    assert_eq!(store.operation(id(9)).await.unwrap(), None);
    let page = store.operations(None, 2).await.unwrap();
    let newest: Vec<Uuid> = page.iter().map(|it| it.id).collect();
    assert_eq!(newest, numbered([3, 2]));
    let rest = store
        .operations(Some((page[1].started_at, page[1].id)), 2)
        .await
        .unwrap();
    assert_eq!(
        rest.iter().map(|it| it.id).collect::<Vec<_>>(),
        numbered([1])
    );
}
