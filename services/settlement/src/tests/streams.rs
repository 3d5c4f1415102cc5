//! What subscribers are promised: every event once, in order, whatever happens to the connection.

use super::*;

/// Goal: no cut loses or repeats an event. Method: claims are submitted all the while; the subscriber hangs up after
/// a random number of events, in the middle of a page, and resumes with the token of the last one it took.
#[tokio::test]
async fn a_subscriber_cut_at_random_points_gets_every_event_once_in_order() {
    let served = served(SettlementConfig::default()).await;
    let writer = served.client.clone();
    let submitting = tokio::spawn(async move {
        for sequence in 1..=60 {
            let claims = (1..=10).map(|line| claim(sequence, line, 100 * i64::from(line) + 1));
            writer.submit(claims.collect()).await.unwrap();
        }
    });
    let (insurer, mut token, mut taken, mut cuts, mut cents) = (uzovi("7095"), None, 0, 0, 0);
    let mut random = 20_261_123_u64;
    while taken < 600 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let mut left = 1 + (random >> 33) % 40;
        let stream = served.client.subscribe(insurer, "backend", token.clone());
        let mut stream = stream.await.unwrap();
        while left > 0 && taken < 600 {
            let response = timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
            let Some(Response::Events(page)) = response.unwrap().response else {
                continue;
            };
            let sum: i64 = page.events.iter().map(|event| event.cents).sum();
            assert_eq!(page.sum_cents, sum);
            for event in page.events {
                if left == 0 {
                    break;
                }
                taken += 1;
                left -= 1;
                assert_eq!(event.position, taken, "after {cuts} cuts");
                let parts: i64 = event.parts.iter().map(|part| part.cents).sum();
                assert_eq!(event.cents, parts);
                cents += event.cents;
                token = Some(event.token);
            }
        }
        cuts += 1;
    }
    submitting.await.unwrap();
    assert!(cuts > 10, "{cuts} cuts");
    let heads = served.store.stream_heads().await.unwrap();
    let head = heads.iter().find(|head| head.insurer == insurer).unwrap();
    assert_eq!((head.position, head.cents), (600, cents));
    served.stop().await;
}

#[tokio::test]
async fn claims_sent_again_have_no_effect() {
    let served = served(SettlementConfig::default()).await;
    let claims: Vec<Claim> = (1..=5).map(|line| claim(1, line, 333)).collect();
    let recorded = (ClaimState::Recorded, String::new());
    let before = (ClaimState::AlreadyRecorded, String::new());
    assert_eq!(
        states(&served.client, claims.clone()).await,
        vec![recorded; 5]
    );
    let balances = served.store.balances().await.unwrap();
    let mut again = claims.clone();
    again[0].traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned();
    assert_eq!(states(&served.client, again).await, vec![before; 5]);
    assert_eq!(served.store.balances().await.unwrap(), balances);
    assert_eq!(balances.iter().map(|balance| balance.cents).sum::<i64>(), 0);
    assert_eq!(served.store.counts().await.unwrap(), (5, 2));
    let found = served.client.get_claim("1.1.3").await.unwrap();
    assert_eq!(found, Some(claims[2].clone()));
    served.stop().await;
}

#[tokio::test]
async fn a_new_connection_begins_after_the_position_acknowledged() {
    let served = served(SettlementConfig::default()).await;
    let (client, insurer) = (&served.client, uzovi("3311"));
    states(client, (1..=9).map(|line| claim(1, line, 100)).collect()).await;
    let first = async |token| {
        let mut stream = client.subscribe(insurer, "backend", token).await.unwrap();
        let response = timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
        match response.unwrap().response {
            Some(Response::Events(page)) => page.events[0].clone(),
            other => panic!("{other:?}"),
        }
    };
    let event = first(None).await;
    assert_eq!(event.position, 1);
    assert_eq!(
        client
            .acknowledge(insurer, "backend", &event.token)
            .await
            .unwrap(),
        1
    );
    let second = first(None).await;
    assert_eq!(second.position, 2);
    assert_eq!(
        client
            .acknowledge(insurer, "backend", &second.token)
            .await
            .unwrap(),
        2
    );
    let earlier = client.acknowledge(insurer, "backend", &event.token).await;
    assert_eq!(earlier.unwrap(), 2, "it never goes back");
    assert_eq!(
        first(Some(event.token)).await.position,
        2,
        "a token goes first"
    );
    served.stop().await;
}

#[tokio::test]
async fn a_quiet_stream_tells_where_it_is() {
    let served = served(SettlementConfig {
        progress_interval: Duration::from_millis(20),
        ..SettlementConfig::default()
    })
    .await;
    let insurer = uzovi("3311");
    let stream = served.client.subscribe(insurer, "backend", None).await;
    let mut stream = stream.unwrap();
    let response = timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
    let Some(Response::Progress(progress)) = response.unwrap().response else {
        panic!("there is nothing to send");
    };
    let resumed = served
        .client
        .subscribe(insurer, "backend", Some(progress.token));
    resumed.await.unwrap();
    served.stop().await;
}

/// Goal: a shutdown with open streams is quick, and nobody loses its place. Readiness goes first.
#[tokio::test]
async fn a_shutdown_ends_each_stream_with_a_goaway_that_can_be_resumed_from() {
    let served = served(SettlementConfig {
        lame_duck: Duration::from_millis(300),
        ..SettlementConfig::default()
    })
    .await;
    let insurer = uzovi("3311");
    states(&served.client, vec![claim(1, 1, 100)]).await;
    let mut streams = Vec::new();
    for number in 0..20 {
        let name = format!("backend-{number}");
        let mut stream = served.client.subscribe(insurer, &name, None).await.unwrap();
        stream.next().await.unwrap();
        streams.push(stream);
    }
    served.shutdown.cancel();
    for stream in &mut streams {
        let response = timeout(PATIENCE, stream.next()).await.unwrap().unwrap();
        let Some(Response::Goaway(goaway)) = response.unwrap().response else {
            panic!("a goaway comes last");
        };
        let tokens = crate::token::Tokens::new(b"samenloop");
        assert_eq!(tokens.position(insurer, &goaway.token), Some(1));
        assert_eq!(goaway.reason, "SHUTTING_DOWN");
        assert!(stream.next().await.unwrap().is_none());
    }
    let channel = tonic::transport::Endpoint::from_shared(served.endpoint.clone()).unwrap();
    let channel = channel.connect().await.expect("the listener is still open");
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let asked = tonic_health::pb::HealthCheckRequest {
        service: "samenloop.settlement.v1.Settlement".to_owned(),
    };
    let status = health.check(asked).await.unwrap().into_inner().status();
    let not_serving = tonic_health::pb::health_check_response::ServingStatus::NotServing;
    assert_eq!(status, not_serving);
    drop(health);
    served.stop().await;
}

/// Goal: a waiting subscriber hears of what another process wrote. Method: past the service, into its store.
#[tokio::test]
async fn claims_recorded_by_another_process_reach_a_waiting_subscriber() {
    let served = served(SettlementConfig::default()).await;
    let mut stream = served
        .client
        .subscribe(uzovi("3311"), "backend", None)
        .await
        .unwrap();
    let mut waiting = Box::pin(stream.next());
    let early = timeout(Duration::from_millis(50), &mut waiting).await;
    assert!(early.is_err(), "there is nothing yet");
    let claims = vec![claim(1, 1, 100)];
    let now = Timestamp::UNIX_EPOCH;
    crate::submit::handle_claims(&served.store, claims, now)
        .await
        .unwrap();
    let response = timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert!(matches!(
        response.unwrap().response,
        Some(Response::Events(_))
    ));
    drop(stream);
    served.stop().await;
}

/// More than every buffer between the service and a subscriber holds.
async fn submit_much(client: &SettlementClient) {
    for sequence in 1..=8 {
        let claims = (1..=200).map(|line| Claim {
            legal_basis: "x".repeat(15_000),
            ..claim(sequence, line, 100)
        });
        states(client, claims.collect()).await;
    }
}

#[tokio::test]
async fn a_shutdown_waits_for_no_subscriber_that_does_not_read() {
    let served = served(SettlementConfig {
        shutdown_max: Duration::from_millis(200),
        ..SettlementConfig::default()
    })
    .await;
    submit_much(&served.client).await;
    let stream = served
        .client
        .subscribe(uzovi("3311"), "stalled", None)
        .await;
    served.stop().await;
    drop(stream);
}

/// Goal: a subscriber that does not read is dropped and slows nobody. Method: more than every buffer on the way holds.
#[tokio::test]
async fn a_subscriber_that_does_not_read_is_dropped_and_slows_nobody() {
    let served = served(SettlementConfig {
        stall_max: Duration::from_millis(300),
        streams_max: 2,
        ..SettlementConfig::default()
    })
    .await;
    let (client, insurer) = (&served.client, uzovi("3311"));
    submit_much(client).await;
    let mut stalled = client.subscribe(insurer, "stalled", None).await.unwrap();
    let mut reading = client.subscribe(insurer, "reading", None).await.unwrap();
    let mut position = 0;
    while position < 1600 {
        let response = timeout(PATIENCE, reading.next()).await.unwrap().unwrap();
        if let Some(Response::Events(page)) = response.unwrap().response {
            position = page.events.last().unwrap().position;
        }
    }
    // The service has given up when there is room for another stream.
    while let Err(e) = client.subscribe(insurer, "another", None).await {
        assert_eq!(refused::<(), _>(Err(e), "").1, "STREAMS_EXHAUSTED");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let refusal = loop {
        match timeout(PATIENCE, stalled.next()).await.unwrap() {
            Ok(Some(_)) => {}
            other => break other,
        }
    };
    let (code, reason, _) = refused(refusal, "token");
    assert_eq!(
        (code, &*reason),
        (tonic::Code::ResourceExhausted, "CLIENT_TOO_SLOW")
    );
    served.stop().await;
}
