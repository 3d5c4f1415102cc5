//! A command whose acknowledgement is lost after its commit comes again: it is done once, with the same result.

use std::time::Duration;

use samenloop::in_process::InProcess;
use samenloop_adapters::{
    broker::{Published, Queue},
    config::OnCredit,
    fault_plan::{Fault, FaultPoint},
    wire::{record::write_line_id, review},
};
use samenloop_domain::coverage::CoverageId;
use samenloop_proto::{
    declaration::v1 as wire,
    record::v1::{self as record, command::Action as Asked},
};

use crate::{asked, carry_out, check_log, declared, play};

/// Far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until everything on these queues is acknowledged.
async fn drained(product: &InProcess, queues: &[Queue]) {
    let empty = async {
        for queue in queues {
            loop {
                let depth = product.node.broker.depth(queue).await;
                let depth = depth.expect("it answers");
                if depth.ready == 0 && depth.unacked == Some(0) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
    };
    let empty = tokio::time::timeout(PATIENCE, empty).await;
    empty.expect("everything is acknowledged in the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_comes_again_after_a_crash_is_done_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let (product, set) = play(OnCredit::List, &directory).await;
    let store = &product.node.decisions;
    let held = declared(&product, &set, "42", 0).await;
    let line = CoverageId::of_line(held.sequence, 1);
    let command = record::Command {
        second_person: "B. Bakker".to_owned(),
        ..asked(Asked::DecideReview(record::DecideReview {
            line: Some(write_line_id(line)),
            version_seen: held.outcome.version,
            choice: record::Choice::Accept as i32,
            ..record::DecideReview::default()
        }))
    };
    let before = store.head().await.expect("it answers").sequence;
    // What the scenarios sent is acknowledged, so that the next one is that of the command.
    drained(
        &product,
        &[Queue::Declarations, Queue::Validated, Queue::Commands],
    )
    .await;
    let lost = FaultPoint::AfterCommitBeforeAck;
    let plan = product.node.faults.clone();
    let plan = plan.with(lost, 1, Fault::Error);

    let message = vec![(Queue::Commands, review::command_message(&command))];
    let published = product.node.broker.publish(message).await;
    assert_eq!(published.expect("it answers"), [Published::Confirmed]);
    drained(&product, &[Queue::Commands]).await;
    assert!(plan.visits(lost) > 0, "an acknowledgement was lost");
    plan.clear();

    let after = store.head().await.expect("it answers").sequence;
    assert_eq!(after.0, before.0 + 1, "one entry");
    let now = declared(&product, &set, "42", 0).await;
    assert_eq!(
        (now.outcome.version, now.outcome.status()),
        (held.outcome.version + 1, wire::Status::Accepted)
    );
    let id = review::read_command(command.clone())
        .expect("it is good")
        .id;
    let kept = store.command(id).await.expect("it answers");
    let result = kept.expect("it is decided").result;
    assert_eq!(
        (result.sequence, result.version),
        (after.0, now.outcome.version)
    );
    assert_eq!(
        carry_out(&product, &command).await,
        result,
        "the same result"
    );
    check_log(&product).await;
    let (message, version) = (now.message_id, now.outcome.version);
    let parts = harness::product_path::parts_of(&product.settlement, message, version).await;
    assert_eq!(parts.len(), 1, "it is settled once");
    product.stop().await.expect("it stops");
}
