//! Credits and bounds of claims.

use super::*;

fn credit(sequence: u64, original: &str, cents: i64) -> Claim {
    Claim {
        reverses_claim_id: original.to_owned(),
        ..claim(sequence, 1, cents)
    }
}

/// Goal: a credit reverses one claim that is recorded, whole, once; nothing else is recorded.
#[tokio::test]
async fn a_credit_that_does_not_mirror_its_original_is_refused() {
    let served = served(SettlementConfig::default()).await;
    let client = &served.client;
    states(client, vec![claim(1, 1, 101), claim(2, 1, 100)]).await;
    let foreign = Claim {
        payee_agb: "01056789".to_owned(),
        ..credit(3, "1.1.1", -101)
    };
    let other_key = Claim {
        insurer_shares: Vec::new(),
        ..credit(3, "1.1.1", -101)
    };
    for (wrong, reason) in [
        (credit(3, "9.1.1", -101), "ORIGINAL_UNKNOWN"),
        (credit(3, "x", -101), "ORIGINAL_UNKNOWN"),
        (credit(3, "1.1.1", -100), "CREDIT_DIFFERS"),
        (foreign, "CREDIT_DIFFERS"),
        (other_key, "CREDIT_DIFFERS"),
    ] {
        let expected = [(ClaimState::Refused, reason.to_owned())];
        assert_eq!(states(client, vec![wrong]).await, expected, "{reason}");
    }
    let first = credit(3, "1.1.1", -101);
    let done = [(ClaimState::Recorded, String::new())];
    assert_eq!(states(client, vec![first.clone()]).await, done);
    let again = [(ClaimState::AlreadyRecorded, String::new())];
    assert_eq!(states(client, vec![first]).await, again);
    let twice = vec![
        credit(4, "1.1.1", -101),
        credit(5, "2.1.1", -100),
        credit(6, "2.1.1", -100),
    ];
    let refused = (ClaimState::Refused, "ORIGINAL_CREDITED".to_owned());
    let expected = [refused.clone(), done[0].clone(), refused];
    assert_eq!(states(client, twice).await, expected);
    // Debit and credit may come in one request.
    let both = vec![claim(7, 1, 5), credit(8, "7.1.1", -5)];
    let expected = [done[0].clone(), done[0].clone()];
    assert_eq!(states(client, both).await, expected);
    served.stop().await;
}

#[tokio::test]
async fn a_message_whose_amounts_are_over_the_bound_is_refused_whole() {
    let served = served(SettlementConfig::default()).await;
    let most = 10_000_000_000_000;
    let claims = vec![claim(1, 1, most), claim(1, 2, 1), claim(2, 1, most)];
    let expected = [
        (ClaimState::Refused, "MESSAGE_REFUSED".to_owned()),
        (ClaimState::Refused, "AMOUNT_OUT_OF_BOUNDS".to_owned()),
        (ClaimState::Recorded, String::new()),
    ];
    assert_eq!(states(&served.client, claims).await, expected);
    served.stop().await;
}
