//! A subscriber that is cut at a thousand random points, while claims and entries are recorded.

use samenloop_adapters::fault_plan::FaultPlan;
use samenloop_proto::settlement::v1::{
    RecordAdvanceRequest, SubmitClaimsRequest, SubscribeRequest, subscribe_response::Response,
};

use crate::{
    books::{Books, CONTRACTS, INSURERS, PAYEES, claim},
    random::Random,
};

const CUTS: u64 = 1000;
const CLAIMS: u64 = 1500;

/// Goal: every event comes once, in order. Method: each connection reads a few responses of a few events, is cut, and
/// resumes from the last event that it read; meanwhile everything is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_cut_at_a_thousand_points_gets_every_event_once_in_order() {
    let books = Books::in_memory(FaultPlan::default()).await;
    let writing = tokio::spawn(write(books.api.clone()));
    let mut random = Random::new(1);
    let mut api = books.api.clone();
    let (mut token, mut positions, mut entries) = (String::new(), Vec::new(), Vec::new());
    let mut cuts = 0;
    while cuts < CUTS || positions.len() < usize::try_from(2 * CLAIMS).expect("it is small") {
        let request = SubscribeRequest {
            insurer_uzovi: INSURERS[0].to_owned(),
            subscription: "cut".to_owned(),
            resume_token: token.clone(),
            events_max: 1 + u32::try_from(random.below(4)).expect("it is small"),
        };
        let mut stream = api
            .subscribe(request)
            .await
            .expect("it resumes")
            .into_inner();
        // Once everything was read, a stream is quiet: it is cut at once.
        let is_all = positions.len() == usize::try_from(2 * CLAIMS).expect("it is small");
        let responses = if is_all { 0 } else { 1 + random.below(3) };
        for _ in 0..responses {
            let response = stream
                .message()
                .await
                .expect("it is whole")
                .expect("it goes on");
            let Some(Response::Events(page)) = response.response else {
                continue;
            };
            let sum: i64 = page.events.iter().map(|event| event.cents).sum();
            assert_eq!(sum, page.sum_cents);
            for event in page.events {
                positions.push(event.position);
                entries.extend(event.entry.map(|entry| entry.number));
                token = event.token;
            }
            if positions.len() == usize::try_from(2 * CLAIMS).expect("it is small") {
                break;
            }
        }
        cuts += 1;
    }
    writing.await.expect("it is written");
    assert_eq!(positions, (1..=2 * CLAIMS).collect::<Vec<_>>());
    assert_eq!(entries, (1..=CLAIMS).collect::<Vec<_>>());
    drop(api);
    books.stop().await;
}

/// As many entries as claims.
async fn write(mut api: crate::books::Api) {
    for sequence in 1..=CLAIMS {
        let claims = vec![claim(sequence, PAYEES[0], CONTRACTS[0], 1000)];
        let request = tokio_stream::iter([SubmitClaimsRequest { claims }]);
        let answers = api.submit_claims(request).await.expect("a stream");
        let answer = answers.into_inner().message().await.expect("an answer");
        assert_eq!(answer.expect("a receipt").receipts.len(), 1);
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
