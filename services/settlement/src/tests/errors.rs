//! Every error has a code, a reason of the registry, and changes nothing.

use samenloop_proto::settlement::v1::settlement_client;
use tonic::{Code, transport::Endpoint};
use tonic_types::StatusExt as _;

use super::*;
use crate::{Callers, REQUEST_BYTES_MAX, submit::CLAIMS_MAX};

#[tokio::test]
async fn a_token_of_another_stream_is_refused_with_one_to_begin_with() {
    let served = served(SettlementConfig::default()).await;
    let client = &served.client;
    states(client, vec![claim(1, 1, 100), claim(1, 2, 100)]).await;
    let (own, other) = (uzovi("3311"), uzovi("7095"));
    let mut stream = client.subscribe(own, "backend", None).await.unwrap();
    let Some(Response::Events(page)) = stream.next().await.unwrap().unwrap().response else {
        panic!("there are events");
    };
    let ahead = crate::token::Tokens::new(b"samenloop").token(own, 3);
    let elsewhere = crate::token::Tokens::new(b"elsewhere").token(own, 1);
    for (insurer, token) in [
        (other, page.token.as_str()),
        (own, "unreadable"),
        (own, &ahead),
        (own, &elsewhere),
    ] {
        let subscribed = client.subscribe(insurer, "backend", Some(token.to_owned()));
        let (code, reason, earliest) = refused(subscribed.await, "earliest");
        assert_eq!(
            (code, &*reason),
            (Code::OutOfRange, "RESUME_TOKEN_EXPIRED"),
            "{token}"
        );
        let resumed = client.subscribe(insurer, "backend", Some(earliest)).await;
        let first = resumed.unwrap().next().await.unwrap().unwrap().response;
        assert!(matches!(first, Some(Response::Events(page)) if page.events[0].position == 1));
        let acknowledged = client.acknowledge(insurer, "backend", token).await;
        assert_eq!(refused(acknowledged, "").1, "RESUME_TOKEN_EXPIRED");
    }
    served.stop().await;
}

/// Errors by place in the claim; the other claim of the message is refused with it, that of another is recorded.
#[tokio::test]
async fn a_claim_that_cannot_be_recorded_refuses_its_message_and_no_other() {
    let served = served(SettlementConfig::default()).await;
    let share = |key: &str, basis_points| Share {
        key: key.to_owned(),
        basis_points,
    };
    type Change<'a> = &'a dyn Fn(&mut Claim);
    let months = |risk_class: &str, months| wire::InsuredMonths {
        risk_class: risk_class.to_owned(),
        months,
    };
    let table: [(&str, Change<'_>); 17] = [
        ("DOMAIN_INVALID", &|claim| {
            claim.domain_shares = vec![share("WMO", 10_000)]
        }),
        ("ATTRIBUTION_INVALID", &|claim| {
            claim.insured_months = vec![months("A", 0)]
        }),
        ("ATTRIBUTION_INVALID", &|claim| {
            claim.insured_months = vec![months("A", 1), months("A", 2)]
        }),
        ("ATTRIBUTION_INVALID", &|claim| {
            claim.insured_months = vec![months("A", 1)];
            claim.set_attribution_exception(wire::AttributionException::Lumpsum);
        }),
        ("CLAIM_ID_INVALID", &|claim| {
            claim.claim_id = "1.1.02".into()
        }),
        ("CLAIM_TOO_LARGE", &|claim| {
            claim.region = "x".repeat(17_000)
        }),
        ("MESSAGE_ID_INVALID", &|claim| claim.message_id = "1".into()),
        ("INSURER_INVALID", &|claim| {
            claim.insurer_uzovi = "33110".into()
        }),
        ("PAYEE_INVALID", &|claim| {
            claim.payee_agb = "00000000".into()
        }),
        ("SIGN_INVALID", &|claim| claim.awarded_cents = -100),
        ("SIGN_INVALID", &|claim| {
            claim.reverses_claim_id = "1.1.1".into()
        }),
        ("AMOUNT_OUT_OF_BOUNDS", &|claim| {
            claim.awarded_cents = 10_000_000_000_001
        }),
        ("AMOUNT_OUT_OF_BOUNDS", &|claim| {
            claim.awarded_cents = i64::MIN
        }),
        ("KEY_INVALID", &|claim| {
            claim.sector_shares[0].basis_points = 4999
        }),
        ("KEY_INVALID", &|claim| {
            claim.insurer_shares[0].basis_points = u32::MAX
        }),
        ("KEY_INVALID", &|claim| {
            claim.insurer_shares = vec![share("HA", 10_000)]
        }),
        ("KEY_INVALID", &|claim| {
            claim.sector_shares = vec![share("HA", 5000); 2]
        }),
    ];
    for (number, (reason, change)) in (1..).zip(table) {
        let mut wrong = claim(2 * number, 2, 100);
        change(&mut wrong);
        let claims = vec![
            claim(2 * number, 1, 100),
            wrong,
            claim(2 * number + 1, 1, 100),
        ];
        let expected = [
            (ClaimState::Refused, "MESSAGE_REFUSED".to_owned()),
            (ClaimState::Refused, reason.to_owned()),
            (ClaimState::Recorded, String::new()),
        ];
        assert_eq!(states(&served.client, claims).await, expected);
        assert_eq!(served.store.counts().await.unwrap().0, number);
    }
    served.stop().await;
}

#[tokio::test]
async fn other_content_under_a_claim_id_is_refused() {
    let served = served(SettlementConfig::default()).await;
    let client = &served.client;
    let twice = vec![claim(1, 1, 100), claim(1, 1, 100)];
    let expected = [ClaimState::Recorded, ClaimState::AlreadyRecorded];
    let expected = expected.map(|state| (state, String::new()));
    assert_eq!(states(client, twice).await, expected);
    let late = vec![claim(1, 1, 101), claim(1, 2, 100)];
    let expected = [
        (ClaimState::Refused, "CLAIM_DIFFERS".to_owned()),
        (ClaimState::Refused, "MESSAGE_RECORDED".to_owned()),
    ];
    assert_eq!(states(client, late).await, expected);
    let differing = vec![claim(2, 1, 100), claim(2, 1, 101)];
    let expected = [
        (ClaimState::Refused, "MESSAGE_REFUSED".to_owned()),
        (ClaimState::Refused, "CLAIM_DIFFERS".to_owned()),
    ];
    assert_eq!(states(client, differing).await, expected);
    assert_eq!(served.store.counts().await.unwrap(), (1, 2));
    served.stop().await;
}

/// Goal: whoever makes the error, the service or the transport, it has exactly one ErrorInfo.
#[tokio::test]
async fn every_error_has_one_reason() {
    let served = served(SettlementConfig::default()).await;
    let channel = Endpoint::from_shared(served.endpoint.clone())
        .unwrap()
        .connect_lazy();
    let mut api = settlement_client::SettlementClient::new(channel.clone());
    let subscribe = |insurer: &str, subscription: &str| wire::SubscribeRequest {
        insurer_uzovi: insurer.to_owned(),
        subscription: subscription.to_owned(),
        ..Default::default()
    };
    let too_many = vec![claim(1, 1, 1); CLAIMS_MAX + 1];
    let too_big = vec![Claim {
        region: "x".repeat(REQUEST_BYTES_MAX),
        ..claim(1, 1, 1)
    }];
    let mut submit = async |claims| {
        let requests = tokio_stream::iter([wire::SubmitClaimsRequest { claims }]);
        let mut answers = api.submit_claims(requests).await.unwrap().into_inner();
        answers.message().await.unwrap_err()
    };
    let (too_many, too_big) = (submit(too_many).await, submit(too_big).await);
    let big_id = wire::GetClaimRequest {
        claim_id: "x".repeat(REQUEST_BYTES_MAX + 1),
    };
    let unknown = wire::GetClaimRequest {
        claim_id: "1.1.1".to_owned(),
    };
    let mut nowhere = tonic_health::pb::health_client::HealthClient::new(channel);
    let nowhere = nowhere.check(tonic_health::pb::HealthCheckRequest {
        service: "nowhere".to_owned(),
    });
    for (status, code, reason) in [
        (too_many, Code::InvalidArgument, "BATCH_TOO_LARGE"),
        (too_big, Code::InvalidArgument, "REQUEST_UNREADABLE"),
        (
            api.get_claim(big_id).await.unwrap_err(),
            Code::OutOfRange,
            "REQUEST_REFUSED",
        ),
        (
            api.get_claim(unknown).await.unwrap_err(),
            Code::NotFound,
            "CLAIM_UNKNOWN",
        ),
        (
            api.subscribe(subscribe("", "backend")).await.unwrap_err(),
            Code::InvalidArgument,
            "INSURER_INVALID",
        ),
        (
            api.subscribe(subscribe("3311", &"x".repeat(65)))
                .await
                .unwrap_err(),
            Code::InvalidArgument,
            "SUBSCRIPTION_INVALID",
        ),
        (
            nowhere.await.unwrap_err(),
            Code::NotFound,
            "REQUEST_REFUSED",
        ),
    ] {
        assert_eq!(status.code(), code, "{status:?}");
        let details = status.get_error_details_vec();
        assert_eq!(details.len(), 1, "{status:?}");
        let info = status.get_details_error_info().unwrap();
        assert_eq!(
            (&*info.reason, &*info.domain),
            (reason, crate::reason::DOMAIN)
        );
    }
    assert_eq!(served.store.counts().await.unwrap(), (0, 0));
    drop(api);
    served.stop().await;
}

#[tokio::test]
async fn a_bearer_token_is_asked_for_where_one_is_set() {
    let bearer = Some("secret".to_owned());
    let callers = Callers::Loopback { bearer };
    let config = SettlementConfig {
        callers,
        ..SettlementConfig::default()
    };
    let served = served(config).await;
    for (bearer, reason) in [(None, "CALLER_UNKNOWN"), (Some("other"), "CALLER_UNKNOWN")] {
        let options = ClientOptions {
            bearer: bearer.map(str::to_owned),
            ..ClientOptions::default()
        };
        let client = SettlementClient::new(&served.endpoint, options).unwrap();
        let (code, given, _) = refused(client.get_claim("1.1.1").await, "");
        assert_eq!((code, &*given), (Code::Unauthenticated, reason));
        let submitted = client.submit(vec![claim(1, 1, 1)]).await;
        assert_eq!(refused(submitted, "").1, reason);
    }
    let options = ClientOptions {
        bearer: Some("secret".to_owned()),
        ..ClientOptions::default()
    };
    let client = SettlementClient::new(&served.endpoint, options).unwrap();
    assert_eq!(client.get_claim("1.1.1").await.unwrap(), None);
    drop(client);
    served.stop().await;
}

#[tokio::test]
async fn without_certificates_only_loopback_is_served() {
    let store = SettlementStore::open("sqlite::memory:", FaultPlan::default());
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let config = SettlementConfig::default();
    let clock = Clock::scenario(Timestamp::UNIX_EPOCH);
    let ran = run(
        config,
        store.await.unwrap(),
        listener,
        clock,
        Shutdown::new(),
    );
    let refusal = ran.await.unwrap_err().to_string();
    assert!(refusal.contains("only loopback is served"), "{refusal}");
}
