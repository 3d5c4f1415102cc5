//! The scenarios of money as text: what was asked, and what the books say then.
//!
//! `UPDATE_GOLDEN=1` writes the files anew.

use std::{fs, path::PathBuf};

use samenloop_adapters::fault_plan::FaultPlan;
use samenloop_proto::settlement::v1::{
    Claim, RecordBudgetRequest, SettleBudgetRequest, SubmitClaimsRequest,
};

use crate::books::{Books, CONTRACTS, INSURERS, PAYEES, claim};

/// Source: 001_391917b9bc3bdc5d.txt, 4.2: the difference of budget and revenue is settled, either way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_67_budget_is_settled_both_ways() {
    let mut text =
        String::from("scenario 67: A budget is settled at the end of its year, both ways\n");
    for awarded in [46_325_000, 51_200_000] {
        let books = Books::in_memory(FaultPlan::default()).await;
        let mut api = books.api.clone();
        submit(
            &books,
            vec![of_one_insurer(claim(1, PAYEES[0], CONTRACTS[0], awarded))],
        )
        .await;
        let budget = RecordBudgetRequest {
            insurer_uzovi: INSURERS[0].to_owned(),
            request_id: "00000000-0000-4000-8000-000000000001".to_owned(),
            budget_id: "B1".to_owned(),
            payee_agb: PAYEES[0].to_owned(),
            contract_id: CONTRACTS[0].to_owned(),
            first: "2025-01-01".to_owned(),
            last: "2025-12-31".to_owned(),
            budget_cents: 50_000_000,
            terms: Vec::new(),
            sector_shares: claim(1, PAYEES[0], CONTRACTS[0], 1).sector_shares,
        };
        let budget = api
            .record_budget(budget)
            .await
            .expect("it is sound")
            .into_inner();
        let settle = SettleBudgetRequest {
            insurer_uzovi: INSURERS[0].to_owned(),
            request_id: "00000000-0000-4000-8000-000000000002".to_owned(),
            budget_id: "B1".to_owned(),
        };
        let settled = api
            .settle_budget(settle)
            .await
            .expect("it is sound")
            .into_inner();
        text += &format!(
            "\nbudget {}, awarded {awarded}: nacalculatie {:+}\n{}",
            budget.cents,
            settled.cents,
            accounts(&books).await
        );
        drop(api);
        books.stop().await;
    }
    compare("67-nacalculatie", &text);
}

/// One amount over two insurers and two sectors, and its credit: every account goes back to nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_74_credit_brings_every_level_back_to_nothing() {
    let mut text = String::from("scenario 74: The same total is allocated and then credited\n");
    let books = Books::in_memory(FaultPlan::default()).await;
    for (sequence, cents, reverses) in [(1, 10_000_001, ""), (2, -10_000_001, "1.1.1")] {
        let whole = Claim {
            reverses_claim_id: reverses.to_owned(),
            ..claim(sequence, PAYEES[0], CONTRACTS[0], cents)
        };
        submit(&books, vec![whole]).await;
        text += &format!("\nclaim of {cents}\n");
        let stored = books.store.claim(&format!("{sequence}.1.1")).await;
        for part in stored.expect("it answers").expect("it is recorded").parts {
            let cents = part.cents.get();
            text += &format!(
                "  insurer {} sector {}: {cents}\n",
                part.insurer, part.sector
            );
        }
        text += &accounts(&books).await;
    }
    books.stop().await;
    compare("74-allocated-and-credited", &text);
}

fn of_one_insurer(claim: Claim) -> Claim {
    Claim {
        insurer_shares: Vec::new(),
        ..claim
    }
}

async fn submit(books: &Books, claims: Vec<Claim>) {
    let request = tokio_stream::iter([SubmitClaimsRequest { claims }]);
    let answers = books
        .api
        .clone()
        .submit_claims(request)
        .await
        .expect("a stream");
    let answer = answers.into_inner().message().await.expect("an answer");
    let refused = answer
        .expect("a receipt")
        .receipts
        .into_iter()
        .find(|it| !it.reason.is_empty());
    assert_eq!(refused, None);
}

async fn accounts(books: &Books) -> String {
    let balances = books.store.balances().await.expect("it answers");
    let line = |it: samenloop_adapters::settlement_store::AccountBalance| {
        format!("  {}: {}\n", it.account, it.cents)
    };
    balances.into_iter().map(line).collect()
}

fn compare(stem: &str, text: &str) {
    let directory = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/money/golden"));
    let path = directory.join(format!("{stem}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).expect("the golden file is written");
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        text,
        "{stem}"
    );
}
