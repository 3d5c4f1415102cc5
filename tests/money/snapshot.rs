//! A subscriber that begins with a snapshot misses nothing and gets nothing twice, whatever is written meanwhile; and
//! one whose events are no longer sent is told to take one.

use samenloop_adapters::{clock::noon, fault_plan::FaultPlan};
use samenloop_proto::settlement::v1::{
    AcknowledgeRequest, ListClaimsRequest, RecordAdvanceRequest, SnapshotEnd, SubmitClaimsRequest,
    SubscribeRequest, TakeSnapshotRequest, subscribe_response::Response,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::books::{Api, Books, CONTRACTS, INSURERS, PAYEES, claim};

/// As many entries as claims.
const CLAIMS: u64 = 150;
const EVENTS: u64 = 2 * CLAIMS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshot_then_stream_is_whole_on_sqlite() {
    let books = Books::in_memory(FaultPlan::default()).await;
    begin_with_snapshots(&books).await;
    be_pruned(&books).await;
    books.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshot_then_stream_is_whole_on_postgres() {
    let books = Books::on_postgres(FaultPlan::default()).await;
    begin_with_snapshots(&books).await;
    be_pruned(&books).await;
    books.stop().await;
}

/// Goal: snapshot and events after it are the books as they become. Method: snapshots are taken one after the other
/// while everything is written; each is followed to the end afterwards.
async fn begin_with_snapshots(books: &Books) {
    let writing = tokio::spawn(write(books.api.clone()));
    let mut snapshots = Vec::new();
    while !writing.is_finished() {
        snapshots.push(snapshot(books.api.clone()).await);
    }
    writing.await.expect("it is written");
    snapshots.push(snapshot(books.api.clone()).await);
    let moments: std::collections::BTreeSet<u64> =
        snapshots.iter().map(|(end, _)| end.position).collect();
    assert!(
        moments.len() > 10,
        "they are of different moments: {moments:?}"
    );
    let heads = books.store.stream_heads().await.expect("it answers");
    let head = heads
        .iter()
        .find(|head| head.insurer.as_str() == INSURERS[0]);
    let head = head.expect("it has a stream");
    assert_eq!(head.position, EVENTS);
    for (end, cost_cents) in snapshots {
        assert_eq!(
            cost_cents, end.sum_cents,
            "balances are of the moment of the token"
        );
        let (positions, cents) = follow(books.api.clone(), &end).await;
        assert_eq!(positions, (end.position + 1..=EVENTS).collect::<Vec<_>>());
        assert_eq!(end.sum_cents + cents, head.cents);
    }
}

/// The end of a snapshot, and what the sectors cost by its balances.
async fn snapshot(mut api: Api) -> (SnapshotEnd, i64) {
    let request = TakeSnapshotRequest {
        insurer_uzovi: INSURERS[0].to_owned(),
    };
    let mut parts = api
        .take_snapshot(request)
        .await
        .expect("it is taken")
        .into_inner();
    let (mut cost_cents, mut sum_cents, mut end) = (0, 0, None);
    while let Some(part) = parts.message().await.expect("it is whole") {
        assert_eq!(end, None, "the end comes last");
        for balance in part.balances {
            sum_cents += balance.cents;
            if balance
                .account
                .starts_with(&format!("insurer:{}:cost:", INSURERS[0]))
            {
                cost_cents += balance.cents;
            }
        }
        end = part.end;
    }
    assert_eq!(sum_cents, 0, "the books balance at every moment");
    (end.expect("it has an end"), cost_cents)
}

fn subscription(name: &str, token: &str) -> SubscribeRequest {
    SubscribeRequest {
        insurer_uzovi: INSURERS[0].to_owned(),
        subscription: name.to_owned(),
        resume_token: token.to_owned(),
        events_max: 0,
    }
}

/// Positions and sum of what comes after a snapshot.
async fn follow(mut api: Api, end: &SnapshotEnd) -> (Vec<u64>, i64) {
    let (mut positions, mut cents) = (Vec::new(), 0);
    if end.position == EVENTS {
        return (positions, cents);
    }
    let stream = api.subscribe(subscription("begins", &end.token)).await;
    let mut stream = stream.expect("its token is good").into_inner();
    while positions.last() != Some(&EVENTS) {
        let response = stream
            .message()
            .await
            .expect("it is whole")
            .expect("it goes on");
        if let Some(Response::Events(page)) = response.response {
            positions.extend(page.events.iter().map(|event| event.position));
            cents += page.sum_cents;
        }
    }
    (positions, cents)
}

/// As many entries as claims.
async fn write(mut api: Api) {
    for sequence in 1..=CLAIMS {
        let claims = vec![claim(sequence, PAYEES[0], CONTRACTS[0], 1000)];
        let request = tokio_stream::iter([SubmitClaimsRequest { claims }]);
        let answers = api.submit_claims(request).await.expect("a stream");
        answers.into_inner().message().await.expect("an answer");
        let advance = RecordAdvanceRequest {
            insurer_uzovi: INSURERS[0].to_owned(),
            request_id: format!("00000000-0000-4000-8000-{sequence:012}"),
            payee_agb: PAYEES[0].to_owned(),
            contract_id: CONTRACTS[0].to_owned(),
            cents: 1,
            note: String::new(),
        };
        api.record_advance(advance).await.expect("it is sound");
    }
}

/// Whoever has not had the events that are no longer sent is refused, whether it comes with a token, with what it
/// acknowledged, or with nothing; a snapshot helps each of them, and lists still have everything.
async fn be_pruned(books: &Books) {
    let mut api = books.api.clone();
    let mut stream = api
        .subscribe(subscription("early", ""))
        .await
        .expect("all is sent")
        .into_inner();
    let first = stream
        .message()
        .await
        .expect("it is whole")
        .expect("it goes on");
    let Some(Response::Events(page)) = first.response else {
        panic!("there are events");
    };
    let token = page.events[4].token.clone();
    drop(stream);
    let acknowledged = AcknowledgeRequest {
        insurer_uzovi: INSURERS[0].to_owned(),
        subscription: "early".to_owned(),
        token: token.clone(),
    };
    api.acknowledge(acknowledged).await.expect("it is its own");
    let recorded = noon(jiff::civil::date(2026, 2, 1));
    // What was recorded at that moment or later stays.
    books
        .store
        .prune(recorded, recorded)
        .await
        .expect("it answers");
    api.subscribe(subscription("late", &token))
        .await
        .expect("nothing was older");
    let later = recorded + jiff::SignedDuration::from_hours(1);
    books.store.prune(later, later).await.expect("it answers");
    books
        .store
        .prune(recorded, later)
        .await
        .expect("the floor never goes down");
    for (name, token) in [("late", &*token), ("early", ""), ("new", "")] {
        let refused = api.subscribe(subscription(name, token)).await.map(drop);
        let earliest = expired(refused);
        api.subscribe(subscription(name, &earliest))
            .await
            .expect("it goes on from there");
    }
    let behind = books.store.left_behind().await.expect("it answers");
    let behind: Vec<_> = behind
        .iter()
        .map(|(_, name, position)| (&**name, *position))
        .collect();
    assert_eq!(behind, [("early", 5)]);
    let (end, _) = snapshot(api.clone()).await;
    api.subscribe(subscription("new", &end.token))
        .await
        .expect("a snapshot helps");
    let listed = ListClaimsRequest {
        insurer_uzovi: INSURERS[0].to_owned(),
        page_size: 1000,
        ..ListClaimsRequest::default()
    };
    let listed = api
        .list_claims(listed)
        .await
        .expect("it answers")
        .into_inner();
    assert_eq!(u64::try_from(listed.claims.len()), Ok(CLAIMS));
}

/// The token that a refusal names.
fn expired(refused: Result<(), Status>) -> String {
    let status = refused.expect_err("its events are no longer sent");
    assert!(status.message().contains("take a snapshot"), "{status:?}");
    let info = status.get_details_error_info().expect("it has a reason");
    assert_eq!(
        (status.code(), &*info.reason),
        (Code::OutOfRange, "RESUME_TOKEN_EXPIRED")
    );
    info.metadata["earliest"].clone()
}
