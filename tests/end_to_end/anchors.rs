//! An anchor outside the database shows what the chain alone does not: that the log was written anew, or cut short.

use samenloop::commands::log::{head, verified};
use samenloop_adapters::{clock::Clock, decision_store::DecisionStore, fault_plan::FaultPlan};

use crate::sender::{Sender, embedded, first, with_id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_is_held_against_its_anchors() {
    let directory = tempfile::tempdir().expect("a directory");
    let set = harness::scenarios();
    let product = embedded(directory.path(), &set, |_| {}).await;
    let delivery = first(&set);
    let mut sender = Sender::new(&product, &delivery.party);
    let mut anchors = Vec::new();
    for number in 0..3 {
        let id = uuid::Uuid::from_u128(0xa0 + number);
        let body = with_id(&delivery.body, id, |value| {
            value["invoice_number"] = serde_json::json!(format!("A-{number}"));
        });
        sender.send(id, body).await;
        sender.outcome().await;
        let anchor = head(&product.node.decisions, &Clock::System).await;
        anchors.push(anchor.expect("the store answers"));
    }
    let checked = verified(&product.node.decisions, &anchors)
        .await
        .expect("read");
    assert_eq!(checked.faults, Vec::<String>::new());
    assert_eq!((checked.entries, checked.anchors), (anchors[2].sequence, 3));
    drop(sender);
    product.stop().await.expect("it stops");

    let path = directory.path().join("decisions.db");
    let file = rusqlite::Connection::open(&path).expect("it opens");
    let faults = async || {
        let url = format!("sqlite:{}", path.display());
        let store = DecisionStore::open(&url, FaultPlan::default());
        let store = store.await.expect("it opens");
        verified(&store, &anchors)
            .await
            .expect("it can be read")
            .faults
    };
    // Who may drop the triggers can change an entry: the chain tells.
    let sequence = anchors[1].sequence;
    let change = format!(
        "DROP TRIGGER log_is_never_updated; DROP TRIGGER log_is_never_deleted;
         UPDATE log SET body = x'00' WHERE sequence = {sequence};"
    );
    file.execute_batch(&change).expect("it is changed");
    let broken = format!("entry {sequence} does not follow from the one before it");
    assert_eq!(faults().await, [broken]);
    // Who chains everything anew is found by the anchor alone.
    rechain(&file);
    let told = faults().await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("is another than was anchored"), "{told:?}");
    // An end that is cut off is found likewise.
    let last = anchors[2].sequence;
    let cut = format!("PRAGMA foreign_keys = OFF; DELETE FROM log WHERE sequence = {last};");
    file.execute_batch(&cut).expect("it is cut");
    let told = faults().await;
    let gone = told.iter().any(|it| it.ends_with("is gone"));
    assert!(gone, "{told:?}");
}

/// Gives every entry the hash that follows from the one before.
fn rechain(file: &rusqlite::Connection) {
    let mut rows = file.prepare("SELECT sequence, body FROM log ORDER BY sequence");
    let rows = rows.as_mut().expect("the log can be read");
    let entries = rows.query_map([], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
    });
    let entries: Vec<_> = entries
        .expect("rows")
        .map(|it| it.expect("a row"))
        .collect();
    let mut hash = [0; 32];
    for (sequence, body) in entries {
        let next = samenloop_adapters::decision_store::chained(&hash, &body);
        let sql = "UPDATE log SET previous_hash = ?2, hash = ?3 WHERE sequence = ?1";
        file.execute(sql, (sequence, hash, next))
            .expect("it is written");
        hash = next;
    }
}
