//! What is refused of commands, each with a reason of its own.

use samenloop_proto::settlement::v1::{
    ClosePeriodRequest, ConfirmPaymentRequest, OrderPaymentsRequest, RecordAdvanceRequest,
    RecordBudgetRequest, RecordCorrectionRequest, SettleBudgetRequest,
};
use tonic::Code;

use super::{
    money::{
        advance, books, budget, close, confirm, correction, id, insurer, order, reason, reverse,
        settle, undo,
    },
    *,
};

/// Goal: whatever is wrong is refused with its own reason, and nothing is half done.
#[tokio::test]
async fn wrong_command_is_refused_with_its_reason_and_changes_nothing() {
    let (served, mut api) = books(&[1000]).await;
    api.record_budget(budget(1000, &[])).await.unwrap();
    let run = api
        .close_period(close(2, "2024-12-31"))
        .await
        .unwrap()
        .into_inner()
        .run;
    let before = state(&served).await;
    macro_rules! refused {
        ($($reason:literal $code:ident $method:ident: $request:expr;)+) => {$(
            let refused = reason(api.$method($request).await);
            assert_eq!(refused, (Code::$code, $reason.to_owned()), "{}", stringify!($request));
        )+};
    }
    let named = |reference: &str| confirm(50, reference, 1000);
    let no_account = OrderPaymentsRequest {
        creditors: Vec::new(),
        ..order(50, run)
    };
    let mut no_iban = order(50, run);
    no_iban.creditors[0].account.as_mut().unwrap().iban = "NL91ABNA0417164301".to_owned();
    let mut twice = order(50, run);
    twice.creditors.push(twice.creditors[0].clone());
    let mut foreign = settle(50);
    foreign.insurer_uzovi = "33110".to_owned();
    let half_key = RecordCorrectionRequest {
        sector_shares: vec![Share {
            key: "WV".to_owned(),
            basis_points: 5_000,
        }],
        ..correction(50, 5)
    };
    let both = RecordCorrectionRequest {
        result: Some(wire::Result::default()),
        ..correction(50, 5)
    };
    let met = RecordBudgetRequest {
        budget_id: "B2".to_owned(),
        request_id: id(50),
        ..budget(5, &[])
    };
    refused! {
        "INSURER_INVALID" InvalidArgument settle_budget: foreign;
        "REQUEST_ID_INVALID" InvalidArgument settle_budget:
            SettleBudgetRequest { request_id: "1".to_owned(), ..settle(1) };
        "REQUEST_ID_REUSED" AlreadyExists record_budget: budget(1001, &[]);
        "REQUEST_ID_REUSED" AlreadyExists settle_budget: settle(1);
        "BUDGET_RECORDED" AlreadyExists record_budget: met;
        "AMOUNT_INVALID" InvalidArgument record_budget:
            RecordBudgetRequest { request_id: id(50), ..budget(0, &[]) };
        "AMOUNT_INVALID" InvalidArgument record_budget:
            RecordBudgetRequest { request_id: id(50), ..budget(5, &[("2024-01-01", 6)]) };
        "DAY_INVALID" InvalidArgument record_budget:
            RecordBudgetRequest { request_id: id(50), ..budget(5, &[("2024-02-30", 5)]) };
        "TERMS_TOO_MANY" InvalidArgument record_budget:
            RecordBudgetRequest { request_id: id(50), ..budget(500, &[("2024-01-01", 1); 65]) };
        "NAME_INVALID" InvalidArgument record_budget:
            RecordBudgetRequest { budget_id: "a b".to_owned(), ..budget(5, &[]) };
        "DAY_INVALID" InvalidArgument record_budget:
            RecordBudgetRequest { first: "2025-01-01".to_owned(), ..budget(5, &[]) };
        "AMOUNT_INVALID" InvalidArgument record_advance: advance(50, -5);
        "AMOUNT_OUT_OF_BOUNDS" InvalidArgument record_advance: advance(50, i64::MAX);
        "PAYEE_INVALID" InvalidArgument record_advance:
            RecordAdvanceRequest { payee_agb: "1".to_owned(), ..advance(50, 5) };
        "NOTE_INVALID" InvalidArgument record_advance:
            RecordAdvanceRequest { note: "x".repeat(501), ..advance(50, 5) };
        "AMOUNT_INVALID" InvalidArgument record_correction: correction(50, 0);
        "NOTE_INVALID" InvalidArgument record_correction:
            RecordCorrectionRequest { note: " ".to_owned(), ..correction(50, 5) };
        "CORRECTION_INVALID" InvalidArgument record_correction:
            RecordCorrectionRequest { kind: 0, ..correction(50, 5) };
        "CORRECTION_INVALID" InvalidArgument record_correction: both;
        "KEY_INVALID" InvalidArgument record_correction: half_key;
        "BUDGET_UNKNOWN" NotFound settle_budget:
            SettleBudgetRequest { budget_id: "B9".to_owned(), ..settle(50) };
        "PERIOD_CLOSED" FailedPrecondition close_period: close(50, "2024-12-31");
        "PERIOD_OPEN" FailedPrecondition close_period: close(50, "2025-02-01");
        "PERIOD_OPEN" FailedPrecondition close_period:
            ClosePeriodRequest { due_on: "2024-12-31".to_owned(), ..close(50, "2025-01-31") };
        "RUN_UNKNOWN" NotFound order_payments: order(50, 99);
        "ACCOUNT_MISSING" InvalidArgument order_payments: no_account;
        "ACCOUNT_INVALID" InvalidArgument order_payments: no_iban;
        "ACCOUNT_INVALID" InvalidArgument order_payments: twice;
        "PAYMENT_UNKNOWN" NotFound confirm_payment: named("3311-9-53530001");
        "NAME_INVALID" InvalidArgument confirm_payment: named("");
        "DAY_INVALID" InvalidArgument confirm_payment:
            ConfirmPaymentRequest { paid_on: "2025-02-02".to_owned(), ..named("x") };
        "PAYMENT_UNKNOWN" NotFound reverse_payment: reverse(50, "3311-9-53530001");
        "ENTRY_UNKNOWN" NotFound reverse_entry: undo(50, 99);
        "ENTRY_NOT_REVERSIBLE" FailedPrecondition reverse_entry: undo(50, run);
        "PAYMENT_UNKNOWN" NotFound get_remittance:
            wire::GetRemittanceRequest { insurer_uzovi: insurer(), ..Default::default() };
    }
    assert_eq!(state(&served).await, before);
    drop(api);
    served.stop().await;
}

/// Everything that a command can change.
async fn state(served: &Served) -> (Vec<(String, i64)>, Vec<(u64, i64)>) {
    let balances = served.store.balances().await.unwrap();
    let heads = served.store.stream_heads().await.unwrap();
    (
        balances
            .into_iter()
            .map(|it| (it.account, it.cents))
            .collect(),
        heads
            .into_iter()
            .map(|it| (it.position, it.cents))
            .collect(),
    )
}
