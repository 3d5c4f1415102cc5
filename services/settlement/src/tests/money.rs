//! A year of money between an insurer and its payees, over the API; and what is refused.

use jiff::civil::date;
use samenloop_adapters::clock::noon;
use samenloop_proto::settlement::v1::{
    BankAccount, ClosePeriodRequest, ConfirmPaymentRequest, CorrectionKind, Entry, EntryKind,
    OrderPaymentsRequest, PayeeAccount, PaymentState, RecordAdvanceRequest, RecordBudgetRequest,
    RecordCorrectionRequest, ReverseEntryRequest, ReversePaymentRequest, SettleBudgetRequest, Term,
    remittance_item::Item, settlement_client,
};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt as _;

use super::*;

type Api = settlement_client::SettlementClient<Channel>;

const IBAN: &str = "NL91ABNA0417164300";
pub(super) const PAYEE: &str = "53530001";

pub(super) fn insurer() -> String {
    "3311".to_owned()
}

pub(super) fn id(number: u64) -> String {
    format!("00000000-0000-7000-8000-{number:012}")
}

/// Served on a day of 2025, with claims of 2024 under contract C1.
pub(super) async fn books(claims: &[i64]) -> (Served, Api) {
    let served = served_at(SettlementConfig::default(), noon(date(2025, 2, 1))).await;
    let claims: Vec<Claim> = (1..)
        .zip(claims)
        .map(|(sequence, cents)| Claim {
            insurer_shares: Vec::new(),
            contract_id: "C1".to_owned(),
            first: "2024-07-01".to_owned(),
            last: "2024-09-30".to_owned(),
            ..claim(sequence, 1, *cents)
        })
        .collect();
    if !claims.is_empty() {
        states(&served.client, claims).await;
    }
    let api = Api::connect(served.endpoint.clone()).await.unwrap();
    (served, api)
}

pub(super) fn budget(cents: i64, terms: &[(&str, i64)]) -> RecordBudgetRequest {
    let term = |(due_on, cents): &(&str, i64)| Term {
        due_on: (*due_on).to_owned(),
        cents: *cents,
    };
    RecordBudgetRequest {
        insurer_uzovi: insurer(),
        request_id: id(1),
        budget_id: "B1".to_owned(),
        payee_agb: PAYEE.to_owned(),
        contract_id: "C1".to_owned(),
        first: "2024-01-01".to_owned(),
        last: "2024-12-31".to_owned(),
        budget_cents: cents,
        terms: terms.iter().map(term).collect(),
        ..RecordBudgetRequest::default()
    }
}

pub(super) fn settle(number: u64) -> SettleBudgetRequest {
    SettleBudgetRequest {
        insurer_uzovi: insurer(),
        request_id: id(number),
        budget_id: "B1".to_owned(),
    }
}

pub(super) fn close(number: u64, last: &str) -> ClosePeriodRequest {
    ClosePeriodRequest {
        insurer_uzovi: insurer(),
        request_id: id(number),
        last: last.to_owned(),
        due_on: String::new(),
    }
}

pub(super) fn advance(number: u64, cents: i64) -> RecordAdvanceRequest {
    RecordAdvanceRequest {
        insurer_uzovi: insurer(),
        request_id: id(number),
        payee_agb: PAYEE.to_owned(),
        contract_id: "C1".to_owned(),
        cents,
        note: String::new(),
    }
}

pub(super) fn correction(number: u64, cents: i64) -> RecordCorrectionRequest {
    RecordCorrectionRequest {
        insurer_uzovi: insurer(),
        request_id: id(number),
        payee_agb: PAYEE.to_owned(),
        contract_id: "C1".to_owned(),
        kind: CorrectionKind::Ceiling.into(),
        cents,
        note: "ceiling of 2024".to_owned(),
        ..RecordCorrectionRequest::default()
    }
}

pub(super) fn order(number: u64, run: u64) -> OrderPaymentsRequest {
    let account = |name: &str| {
        Some(BankAccount {
            name: name.to_owned(),
            iban: IBAN.to_owned(),
        })
    };
    OrderPaymentsRequest {
        insurer_uzovi: insurer(),
        request_id: id(number),
        run,
        debtor: account("Verzekeraar"),
        creditors: vec![PayeeAccount {
            payee_agb: PAYEE.to_owned(),
            account: account("Zorggroep"),
        }],
    }
}

pub(super) fn confirm(number: u64, reference: &str, cents: i64) -> ConfirmPaymentRequest {
    ConfirmPaymentRequest {
        insurer_uzovi: insurer(),
        request_id: id(number),
        payment_reference: reference.to_owned(),
        cents,
        paid_on: "2025-01-31".to_owned(),
    }
}

pub(super) fn reverse(number: u64, reference: &str) -> ReversePaymentRequest {
    ReversePaymentRequest {
        insurer_uzovi: insurer(),
        request_id: id(number),
        payment_reference: reference.to_owned(),
        note: "returned by the bank".to_owned(),
    }
}

pub(super) fn undo(request: u64, number: u64) -> ReverseEntryRequest {
    ReverseEntryRequest {
        insurer_uzovi: insurer(),
        request_id: id(request),
        number,
        note: "a mistake".to_owned(),
    }
}

/// The reason of a refusal, which is the only detail that it has.
pub(super) fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, String) {
    let status = result.unwrap_err();
    assert_eq!(status.get_error_details_vec().len(), 1, "{status:?}");
    let info = status.get_details_error_info().unwrap();
    (status.code(), info.reason)
}

/// Amount and state of every payment, in order.
async fn payments(api: &mut Api) -> Vec<(i64, i64, PaymentState)> {
    let request = wire::ListSettlementsRequest {
        insurer_uzovi: insurer(),
        ..wire::ListSettlementsRequest::default()
    };
    let listed = api.list_settlements(request).await.unwrap().into_inner();
    let settlements = listed.settlements.iter();
    settlements
        .map(|it| (it.cents, it.carried_cents, it.state()))
        .collect()
}

async fn balance(api: &mut Api, account: &str) -> i64 {
    let request = wire::GetBalanceRequest {
        insurer_uzovi: insurer(),
        account_prefix: account.to_owned(),
        ..wire::GetBalanceRequest::default()
    };
    let listed = api.get_balance(request).await.unwrap().into_inner();
    listed.balances.iter().map(|it| it.cents).sum()
}

#[tokio::test]
async fn budget_is_paid_up_at_the_end_of_its_year_or_paid_back() {
    for (awarded, expected) in [(46_325_000, 3_675_000), (51_200_000, -1_200_000)] {
        let (served, mut api) = books(&[awarded]).await;
        api.record_budget(budget(50_000_000, &[])).await.unwrap();
        let entry = api.settle_budget(settle(2)).await.unwrap().into_inner();
        assert_eq!((entry.cents, entry.cost_cents), (expected, expected));
        // Late claims, of which one is credited: only the difference is settled.
        let credit = Claim {
            contract_id: "C1".to_owned(),
            insurer_shares: Vec::new(),
            first: "2024-07-01".to_owned(),
            last: "2024-09-30".to_owned(),
            reverses_claim_id: "8.1.1".to_owned(),
            ..claim(9, 1, -100)
        };
        let late = Claim {
            reverses_claim_id: String::new(),
            claim_id: "8.1.1".to_owned(),
            sequence: 8,
            awarded_cents: 100,
            ..credit.clone()
        };
        let other = Claim {
            claim_id: "10.1.1".to_owned(),
            sequence: 10,
            awarded_cents: 300,
            ..late.clone()
        };
        states(&served.client, vec![late, credit, other]).await;
        let entry = api.settle_budget(settle(3)).await.unwrap().into_inner();
        assert_eq!(entry.cents, -300);
        assert_eq!(
            balance(&mut api, "provider:53530001:payable").await,
            -50_000_000
        );
        assert_eq!(balance(&mut api, "insurer:3311:cost:").await, 50_000_000);
        assert_eq!(served.store.differences().await.unwrap(), []);
        drop(api);
        served.stop().await;
    }
}

/// Goal: terms are advanced, set off against claims, paid, and what is left comes out at the end of the year.
#[tokio::test]
async fn year_with_advances_ends_with_what_the_budget_says() {
    let (served, mut api) = books(&[300]).await;
    let terms = [("2024-03-31", 400), ("2024-09-30", 400)];
    api.record_budget(budget(1000, &terms)).await.unwrap();
    let first = api
        .close_period(close(2, "2024-06-30"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (first.cents, first.payment_count),
        (700, 1),
        "the claim and a term"
    );
    let again = api
        .close_period(close(2, "2024-06-30"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, first, "the same answer, and one effect");
    let more = Claim {
        contract_id: "C1".to_owned(),
        insurer_shares: Vec::new(),
        first: "2024-10-01".to_owned(),
        last: "2024-12-31".to_owned(),
        ..claim(2, 1, 250)
    };
    states(&served.client, vec![more]).await;
    let second = api
        .close_period(close(3, "2024-12-31"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(second.cents, 400, "the second term; the claim is set off");
    assert_eq!(balance(&mut api, "provider:53530001:advance").await, 550);
    let settled = api.settle_budget(settle(4)).await.unwrap().into_inner();
    assert_eq!((settled.cents, settled.set_off_cents), (450, 550));
    let third = api
        .close_period(close(5, "2025-01-31"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (third.cents, third.payment_count),
        (0, 0),
        "100 is owed back, and carried"
    );
    let states = [
        (700, 0, PaymentState::Payable),
        (400, 0, PaymentState::Payable),
        (0, 100, PaymentState::Carried),
    ];
    assert_eq!(payments(&mut api).await, states);
    // Paid 1,100 of a budget of 1,000: what is carried is the difference.
    assert_eq!(balance(&mut api, "insurer:3311:cost:").await, 1000);
    check_remittances(&mut api).await;
    assert_eq!(served.store.differences().await.unwrap(), []);
    drop(api);
    served.stop().await;
}

/// What was brought forward and the items of each payment give what was paid or carried.
async fn check_remittances(api: &mut Api) {
    let request = wire::ListSettlementsRequest {
        insurer_uzovi: insurer(),
        ..wire::ListSettlementsRequest::default()
    };
    let listed = api.list_settlements(request).await.unwrap().into_inner();
    for payment in listed.settlements {
        let request = wire::GetRemittanceRequest {
            insurer_uzovi: insurer(),
            payment_reference: payment.payment_reference.clone(),
            ..wire::GetRemittanceRequest::default()
        };
        let advice = api.get_remittance(request).await.unwrap().into_inner();
        let owed = |item: &wire::RemittanceItem| match item.item.as_ref().unwrap() {
            Item::Claim(claim) => claim.cents,
            Item::Entry(entry) => entry.cents - entry.set_off_cents,
        };
        let owed: i64 = advice.items.iter().map(owed).sum();
        let before = advice.brought_forward_cents + owed;
        let after = payment.cents - payment.carried_cents;
        assert_eq!(
            before + payment.advanced_cents - payment.set_off_cents,
            after,
            "{advice:?}"
        );
    }
}

#[tokio::test]
async fn payment_is_ordered_confirmed_reversed_and_paid_again() {
    let (served, mut api) = books(&[1000, 234]).await;
    let run = api
        .close_period(close(1, "2024-12-31"))
        .await
        .unwrap()
        .into_inner()
        .run;
    let reference = format!("3311-{run}-{PAYEE}");
    let ordered = api
        .order_payments(order(2, run))
        .await
        .unwrap()
        .into_inner();
    let file = String::from_utf8(ordered.pain001.clone()).unwrap();
    for piece in [IBAN, &reference, "<InstdAmt Ccy=\"EUR\">12.34</InstdAmt>"] {
        assert!(file.contains(piece), "{piece} in {file}");
    }
    let again = api
        .order_payments(order(2, run))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again, ordered, "the same file");
    let twice = reason(api.order_payments(order(3, run)).await);
    assert_eq!(
        twice,
        (Code::FailedPrecondition, "PAYMENT_STATE_WRONG".to_owned())
    );
    let other = reason(api.confirm_payment(confirm(4, &reference, 1233)).await);
    assert_eq!(
        other,
        (
            Code::FailedPrecondition,
            "PAYMENT_AMOUNT_DIFFERS".to_owned()
        )
    );
    api.confirm_payment(confirm(4, &reference, 1234))
        .await
        .unwrap();
    api.confirm_payment(confirm(4, &reference, 1234))
        .await
        .unwrap();
    let twice = reason(api.confirm_payment(confirm(5, &reference, 1234)).await);
    assert_eq!(twice.1, "PAYMENT_STATE_WRONG");
    assert_eq!(balance(&mut api, "insurer:3311:paid").await, -1234);
    api.reverse_payment(reverse(6, &reference)).await.unwrap();
    let twice = reason(api.reverse_payment(reverse(7, &reference)).await);
    assert_eq!(twice.1, "PAYMENT_STATE_WRONG");
    assert_eq!(balance(&mut api, "insurer:3311:paid").await, 0);
    assert_eq!(balance(&mut api, "provider:53530001:payable").await, -1234);
    let next = api
        .close_period(close(8, "2025-01-31"))
        .await
        .unwrap()
        .into_inner();
    // Paid in the insurer's own way, without a file of ours.
    let reference = format!("3311-{}-{PAYEE}", next.run);
    api.confirm_payment(confirm(9, &reference, 1234))
        .await
        .unwrap();
    let states = [
        (1234, 0, PaymentState::Reversed),
        (1234, 0, PaymentState::Paid),
    ];
    assert_eq!(payments(&mut api).await, states);
    check_remittances(&mut api).await;
    assert_eq!(served.store.differences().await.unwrap(), []);
    drop(api);
    served.stop().await;
}

#[tokio::test]
async fn entry_is_undone_once_and_a_result_follows_from_its_budget() {
    let (served, mut api) = books(&[]).await;
    api.record_budget(budget(50_000_000, &[])).await.unwrap();
    let result = RecordCorrectionRequest {
        kind: CorrectionKind::Result.into(),
        result: Some(wire::Result {
            budget_id: "B1".to_owned(),
            at_stake_basis_points: 1_000,
            reached_basis_points: 8_000,
        }),
        ..correction(2, 0)
    };
    let entry = api.record_correction(result).await.unwrap().into_inner();
    assert_eq!(entry.cents, -1_000_000);
    let advanced = api
        .record_advance(advance(3, 500))
        .await
        .unwrap()
        .into_inner();
    for number in [entry.number, advanced.number] {
        let undone = api
            .reverse_entry(undo(10 + number, number))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(undone.kind(), EntryKind::Reversal);
        let twice = reason(api.reverse_entry(undo(20 + number, number)).await);
        assert_eq!(
            twice,
            (Code::FailedPrecondition, "ENTRY_REVERSED".to_owned())
        );
    }
    assert_eq!(balance(&mut api, "provider:").await, 0);
    let event_numbers = events(&served).await;
    assert_eq!(
        event_numbers,
        [1, 2, 3, 4, 5],
        "every entry is in the stream, in order"
    );
    drop(api);
    served.stop().await;
}

/// Numbers of the entries in the stream of the insurer.
async fn events(served: &Served) -> Vec<u64> {
    let mut stream = served
        .client
        .subscribe(uzovi("3311"), "backend", None)
        .await
        .unwrap();
    match stream.next().await.unwrap().unwrap().response {
        Some(Response::Events(page)) => {
            let entries = page.events.iter().filter_map(|event| event.entry.as_ref());
            entries.map(|entry: &Entry| entry.number).collect()
        }
        other => panic!("there are events: {other:?}"),
    }
}

#[tokio::test]
async fn lists_come_in_pages_whose_tokens_are_good_for_them_only() {
    let (served, mut api) = books(&[5, 6, 7]).await;
    let list = |size: u32, token: &str| wire::ListClaimsRequest {
        insurer_uzovi: insurer(),
        page_size: size,
        page_token: token.to_owned(),
        ..wire::ListClaimsRequest::default()
    };
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = api.list_claims(list(2, &token)).await.unwrap().into_inner();
        seen.extend(page.claims.iter().map(|claim| claim.cents));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
        let filtered = wire::ListClaimsRequest {
            payee_agb: PAYEE.to_owned(),
            ..list(2, &token)
        };
        let other = wire::ListClaimsRequest {
            insurer_uzovi: "7095".to_owned(),
            ..list(2, &token)
        };
        for wrong in [filtered, other, list(2, "00")] {
            let refused = reason(api.list_claims(wrong).await);
            assert_eq!(
                refused,
                (Code::InvalidArgument, "PAGE_TOKEN_INVALID".to_owned())
            );
        }
    }
    assert_eq!(seen, [5, 6, 7]);
    let keys = wire::GetAllocationKeysRequest {
        insurer_uzovi: insurer(),
        year: 2024,
        ..wire::GetAllocationKeysRequest::default()
    };
    let keys = api
        .get_allocation_keys(keys)
        .await
        .unwrap()
        .into_inner()
        .keys;
    assert_eq!((keys.len(), &*keys[0].first_claim_id), (1, "1.1.1"));
    drop(api);
    served.stop().await;
}
