//! What a payee is told of a payment adds up to it, in every form.

use samenloop::commands::remittance::{Language, advice, page};
use samenloop_adapters::fault_plan::FaultPlan;
use samenloop_proto::settlement::v1::{
    Claim, ClosePeriodRequest, CorrectionKind, RecordCorrectionRequest, SubmitClaimsRequest,
};

use crate::books::{Api, Books, CONTRACTS, INSURERS, PAYEES, claim};

const CLAIMS: u64 = 1200;

/// More claims than one page has, one of them with an invoice number that is no HTML.
async fn submit(api: &mut Api) {
    let claims = (1..=CLAIMS).map(|sequence| Claim {
        invoice_number: format!("F-<{sequence}>&"),
        line_reference: format!("R{sequence}"),
        ..claim(sequence, PAYEES[0], CONTRACTS[0], 10_000)
    });
    let request = tokio_stream::iter([SubmitClaimsRequest {
        claims: claims.collect(),
    }]);
    let answers = api.submit_claims(request).await.expect("a stream");
    answers.into_inner().message().await.expect("an answer");
}

async fn close(api: &mut Api, number: u8, last: &str) -> String {
    let closed = ClosePeriodRequest {
        insurer_uzovi: INSURERS[0].to_owned(),
        request_id: format!("00000000-0000-4000-8000-{number:012}"),
        last: last.to_owned(),
        due_on: String::new(),
    };
    let run = api
        .close_period(closed)
        .await
        .expect("it is closed")
        .into_inner()
        .run;
    format!("{}-{run}-{}", INSURERS[0], PAYEES[0])
}

async fn correct(api: &mut Api, number: u8, cents: i64) {
    let correction = RecordCorrectionRequest {
        insurer_uzovi: INSURERS[0].to_owned(),
        request_id: format!("00000000-0000-4000-8000-{number:012}"),
        payee_agb: PAYEES[0].to_owned(),
        contract_id: CONTRACTS[0].to_owned(),
        kind: CorrectionKind::Ceiling.into(),
        cents,
        note: "plafond 2025".to_owned(),
        ..RecordCorrectionRequest::default()
    };
    api.record_correction(correction)
        .await
        .expect("it is sound");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_advice_adds_up_to_its_payment_in_every_form() {
    let books = Books::in_memory(FaultPlan::default()).await;
    let mut api = books.api.clone();
    submit(&mut api).await;
    correct(&mut api, 1, -50_000).await;
    let first = close(&mut api, 2, "2026-01-15").await;
    correct(&mut api, 3, -7).await;
    let second = close(&mut api, 4, "2026-01-31").await;

    let told = advice(&books.store, &first)
        .await
        .expect("there is such a payment");
    // 60 percent of each claim is this insurer's.
    let claimed = 6_000 * i64::try_from(CLAIMS).expect("it is small");
    assert_eq!(told.cents, claimed - 50_000);
    assert_eq!(
        told.items.len(),
        usize::try_from(CLAIMS).expect("it is small") + 1
    );
    let dutch = page(&told, Language::Nl).expect("a page");
    for piece in [
        "€\u{a0}71.500,00",
        "F-&#60;1&#62;&#38; / R1",
        "plafond 2025",
        "3311-",
    ] {
        assert!(dutch.contains(piece), "{piece}");
    }
    assert!(!dutch.contains("<1>"), "what is declared is no markup");
    let english = page(&told, Language::En).expect("a page");
    assert!(english.contains("EUR 71,500.00") && english.contains("Remittance advice"));

    let carried = advice(&books.store, &second)
        .await
        .expect("there is such a payment");
    assert_eq!(
        (carried.cents, carried.carried_cents, carried.state),
        (0, 7, "carried")
    );
    for wrong in ["", "x", "3311-9-53530001", "9999"] {
        let refused = advice(&books.store, wrong)
            .await
            .expect_err("there is none");
        assert!(refused.to_string().contains("payment"), "{refused}");
    }
    drop(api);
    books.stop().await;
}
