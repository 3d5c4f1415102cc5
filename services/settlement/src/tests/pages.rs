//! Page tokens of every list: good for the very request, and for nothing else.

use super::{
    money::{PAYEE, advance, books, close, insurer, reason},
    *,
};

/// The token with its last digit changed.
fn tampered(token: &str) -> String {
    let (rest, last) = token.split_at(token.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

/// Reads a list row by row to its end, and has each token refused that is changed, of another list, or shown with
/// another filter. Gives how many rows there are, and one of its tokens.
macro_rules! check_list {
    ($api:expr, $method:ident, $rows:ident, $request:expr, $foreign:expr, $other:expr) => {{
        let (mut token, mut count, mut kept) = (String::new(), 0, String::new());
        loop {
            let mut request = $request;
            (request.page_size, request.page_token) = (1, token.clone());
            let page = $api.$method(request).await.unwrap().into_inner();
            assert!(page.$rows.len() <= 1);
            count += page.$rows.len();
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            kept.clone_from(&token);
            let mut wrong = vec![($request, tampered(&token)), ($other, token.clone())];
            wrong.extend(
                $foreign
                    .iter()
                    .map(|foreign: &String| ($request, foreign.clone())),
            );
            for (mut request, token) in wrong {
                request.page_token = token;
                let refused = reason($api.$method(request).await);
                let expected = (
                    tonic::Code::InvalidArgument,
                    "PAGE_TOKEN_INVALID".to_owned(),
                );
                assert_eq!(refused, expected, stringify!($method));
            }
        }
        assert!(!kept.is_empty(), "{} has pages", stringify!($method));
        (count, kept)
    }};
}

#[tokio::test]
async fn page_token_of_every_list_is_good_for_its_own_request_only() {
    let (served, mut api) = books(&[5, 6, 7]).await;
    let other_contract = Claim {
        contract_id: "C2".to_owned(),
        first: "2024-07-01".to_owned(),
        ..claim(9, 1, 10)
    };
    states(&served.client, vec![other_contract]).await;
    let run = api
        .close_period(close(1, "2024-12-31"))
        .await
        .unwrap()
        .into_inner()
        .run;
    api.record_advance(advance(2, 5)).await.unwrap();
    api.close_period(close(3, "2025-01-31")).await.unwrap();

    let claims = wire::ListClaimsRequest {
        insurer_uzovi: insurer(),
        ..Default::default()
    };
    let of_payee = wire::ListClaimsRequest {
        payee_agb: PAYEE.to_owned(),
        ..claims.clone()
    };
    let mut foreign = Vec::new();
    let (count, token) = check_list!(
        api,
        list_claims,
        claims,
        claims.clone(),
        foreign,
        of_payee.clone()
    );
    assert_eq!(count, 4);
    foreign.push(token);

    let payments = wire::ListSettlementsRequest {
        insurer_uzovi: insurer(),
        ..Default::default()
    };
    let of_run = wire::ListSettlementsRequest {
        run,
        ..payments.clone()
    };
    let (count, token) = check_list!(
        api,
        list_settlements,
        settlements,
        payments.clone(),
        foreign,
        of_run.clone()
    );
    assert_eq!(count, 2);
    foreign.push(token);

    let balances = wire::GetBalanceRequest {
        insurer_uzovi: insurer(),
        ..Default::default()
    };
    let of_provider = wire::GetBalanceRequest {
        account_prefix: "provider:".to_owned(),
        ..balances.clone()
    };
    let (_, token) = check_list!(
        api,
        get_balance,
        balances,
        balances.clone(),
        foreign,
        of_provider.clone()
    );
    foreign.push(token);

    let remittance = wire::GetRemittanceRequest {
        insurer_uzovi: insurer(),
        payment_reference: format!("3311-{run}-{PAYEE}"),
        ..Default::default()
    };
    let next = served.store.payment_page(
        uzovi("3311"),
        samenloop_adapters::settlement_store::commands::PaymentFilter::default(),
        (run, PAYEE.to_owned()),
        1,
    );
    let next = next.await.unwrap()[0].settled.reference.clone();
    let of_next = wire::GetRemittanceRequest {
        payment_reference: next,
        ..remittance.clone()
    };
    let (count, token) = check_list!(
        api,
        get_remittance,
        items,
        remittance.clone(),
        foreign,
        of_next.clone()
    );
    assert_eq!(count, 4);
    foreign.push(token);

    let keys = wire::GetAllocationKeysRequest {
        insurer_uzovi: insurer(),
        ..Default::default()
    };
    let of_year = wire::GetAllocationKeysRequest {
        year: 2024,
        ..keys.clone()
    };
    let (count, _) = check_list!(
        api,
        get_allocation_keys,
        keys,
        keys.clone(),
        foreign,
        of_year.clone()
    );
    assert_eq!(count, 2);
    drop(api);
    served.stop().await;
}
