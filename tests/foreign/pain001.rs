//! Payment orders, judged by a schema and a validator that are not ours.

use std::{fs, process::Output};

use jiff::{Timestamp, civil::date};
use samenloop_adapters::pain001::{Account, Order, TRANSFER_CENTS_MAX, Transfer, write};
use samenloop_domain::cents::Cents;

use super::python_at;

fn account(name: &str) -> Account {
    Account::new(name, "NL91ABNA0417164300").expect("an account")
}

fn order(amounts: &[i64]) -> Order {
    let transfer = |(number, cents): (usize, &i64)| Transfer {
        reference: format!("7095-{number}-53530001"),
        cents: Cents::new(*cents).expect("an amount"),
        creditor: account("Zorggroep Noord (GP's) +/-?:,."),
    };
    Order {
        message_id: "7095-18446744073709551615-1234567890"
            .chars()
            .take(35)
            .collect(),
        created_at: Timestamp::UNIX_EPOCH,
        execute_on: date(2024, 10, 30),
        debtor: account(&"V".repeat(70)),
        transfers: amounts.iter().enumerate().map(transfer).collect(),
    }
}

async fn validate(file: &[u8]) -> Output {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("order.xml");
    fs::write(&path, file).expect("written");
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/foreign/validate_pain001.py");
    python_at(directory.path(), &[program, "order.xml"]).await
}

#[tokio::test]
async fn payment_orders_are_accepted_by_an_independent_validator() {
    for amounts in [
        vec![1],
        vec![5, TRANSFER_CENTS_MAX, 100],
        (1..=1000).collect(),
    ] {
        let file = write(&order(&amounts));
        let output = validate(&file).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        // The validator does refuse: without a reference, and with another number of transfers.
        let text = String::from_utf8(file).expect("UTF-8");
        for (from, to) in [("EndToEndId", "EndToEnd"), ("<NbOfTxs>", "<NbOfTxs>9")] {
            let broken = validate(text.replace(from, to).as_bytes()).await;
            assert!(!broken.status.success(), "{from}");
        }
    }
}
