//! Persons decide through the running product: what a credit frees is listed or decided again, commands are carried
//! out once, and the log decides all of it the same again.

mod crash;
mod imports;
mod standing;

use harness::scenarios;
use samenloop::{
    audit,
    in_process::{self, InProcess},
    roles,
};
use samenloop_adapters::{
    config::OnCredit,
    decision_store::{CaseKind, ListFilter, ReviewCase, StoredMessage},
    ids::Ids,
    scenario::{Action, ScenarioSet},
    wire::{record::write_line_id, review},
};
use samenloop_domain::coverage::CoverageId;
use samenloop_proto::{
    declaration::v1 as wire,
    record::v1::{self as record, command::Action as Asked},
};

/// Reference of the line that lost, in the worlds of scenarios 96 and 94.
const LOSERS: [&str; 2] = ["S96-R7", "S94-R7"];

async fn play(on_credit: OnCredit, directory: &tempfile::TempDir) -> (InProcess, ScenarioSet) {
    let set = scenarios();
    let mut config = in_process::embedded_in(directory.path());
    config.reviews.on_credit = on_credit;
    let product = InProcess::start(config, &set.reference, None)
        .await
        .expect("it starts");
    harness::product_path::run(&product, &set).await;
    (product, set)
}

/// The message that a step of a scenario declared, as it is now.
async fn declared(
    product: &InProcess,
    set: &ScenarioSet,
    number: &str,
    step: usize,
) -> StoredMessage {
    let scenario = set.scenarios.iter().find(|it| it.number == number);
    let Action::Declare(delivery) = &scenario.expect("the sample has it").steps[step].action else {
        panic!("step {step} of {number} declares")
    };
    let message = product.node.decisions.message(delivery.message_id).await;
    message.expect("the store answers").expect("it is decided")
}

async fn losers(product: &InProcess) -> Vec<ReviewCase> {
    let filter = ListFilter::default();
    let cases = product.node.decisions.cases(&filter, 0, 1_000).await;
    let mut cases = cases.expect("the store answers");
    cases.retain(|it| it.case.kind == CaseKind::Loser);
    cases
}

fn asked(action: Asked) -> record::Command {
    record::Command {
        command_id: Ids::System.next().to_string(),
        person: "A. de Vries".to_owned(),
        note: "nagekeken".to_owned(),
        issued_at: "2024-11-01T12:00:00Z".to_owned(),
        action: Some(action),
        ..record::Command::default()
    }
}

async fn carry_out(product: &InProcess, command: &record::Command) -> record::CommandResult {
    let command = review::read_command(command.clone()).expect("it is good");
    let (id, digest) = (command.id, command.digest());
    let handler = roles::detection_handler(&product.node);
    handler
        .carry_out(vec![command])
        .await
        .expect("it is decided");
    let decided = product.node.decisions.command(id).await;
    decided
        .expect("the store answers")
        .expect("it is kept")
        .answer(digest)
}

fn codes(result: &record::CommandResult) -> Vec<&str> {
    result.refusals.iter().map(|it| it.code.as_str()).collect()
}

async fn check_log(product: &InProcess) {
    in_process::wait_until_settled(&product.node.decisions)
        .await
        .expect("every claim is settled");
    let audit = audit::audit(&product.node.decisions)
        .await
        .expect("it can be read");
    assert_eq!(
        audit.digest, audit.replay_digest,
        "the log decides the same again"
    );
    assert_eq!((audit.broken_at, audit.double_funding_pairs), (None, 0));
    let figures = product
        .node
        .decisions
        .figures(product.node.clock.now())
        .await;
    let figures = figures.expect("the store answers");
    assert_eq!((figures.parked, figures.quarantined), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_credit_frees_is_listed_and_decided_again_once_a_person_asks() {
    let directory = tempfile::tempdir().expect("a directory");
    let (product, set) = play(OnCredit::List, &directory).await;
    let cases = losers(&product).await;
    let listed: Vec<&str> = cases
        .iter()
        .map(|it| it.case.line_reference.as_str())
        .collect();
    assert!(
        listed.contains(&LOSERS[0]) && !listed.contains(&LOSERS[1]),
        "{listed:?}"
    );
    let case = cases
        .iter()
        .find(|it| it.case.line_reference == LOSERS[0])
        .expect("listed");
    let credited = declared(&product, &set, "96", 0).await;
    assert_eq!(case.case.other, CoverageId::of_line(credited.sequence, 1));
    for number in ["96", "94"] {
        assert_eq!(
            declared(&product, &set, number, 1).await.outcome.version,
            1,
            "{number}"
        );
    }

    let line = Some(write_line_id(case.case.line));
    let command = asked(Asked::RejudgeLine(record::RejudgeLine { line }));
    let result = carry_out(&product, &command).await;
    assert_eq!((codes(&result), result.version), (Vec::new(), 2));
    let head = product.node.decisions.head().await.expect("it answers");
    assert_eq!(
        carry_out(&product, &command).await,
        result,
        "the same command again"
    );
    let other = record::Command {
        note: "iets anders".to_owned(),
        ..command.clone()
    };
    assert_eq!(
        codes(&carry_out(&product, &other).await),
        ["GDC-OPDRACHT"],
        "the id is taken"
    );
    assert_eq!(
        carry_out(&product, &command).await,
        result,
        "the first one stands"
    );
    let now = product.node.decisions.head().await.expect("it answers");
    assert_eq!(now, head, "neither changed anything");
    let message = declared(&product, &set, "96", 1).await;
    assert_eq!(message.outcome.status(), wire::Status::Accepted);
    in_process::wait_until_settled(&product.node.decisions)
        .await
        .expect("every claim is settled");
    let id = message.message_id;
    let parts = harness::product_path::parts_of(&product.settlement, id, 2).await;
    assert_eq!(parts.len(), 1, "it is settled once");
    let open = losers(&product).await;
    assert!(open.iter().all(|it| it.id != case.id), "the case is closed");
    let again = asked(Asked::RejudgeLine(record::RejudgeLine { line }));
    assert_eq!(codes(&carry_out(&product, &again).await), ["GDC-OPDRACHT"]);
    check_log(&product).await;
    product.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_credit_frees_is_decided_again_at_once_where_that_is_configured() {
    let directory = tempfile::tempdir().expect("a directory");
    let (product, set) = play(OnCredit::Rejudge, &directory).await;
    assert_eq!(losers(&product).await, Vec::new());
    let free = declared(&product, &set, "96", 1).await.outcome;
    assert_eq!((free.version, free.status()), (2, wire::Status::Accepted));
    // Credited and declared again in one message: the line of another provider keeps its outcome.
    let excluded = declared(&product, &set, "94", 1).await.outcome;
    assert_eq!(
        (excluded.version, excluded.status()),
        (1, wire::Status::Rejected)
    );
    check_log(&product).await;
    product.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_carried_out_is_refused_and_changes_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let (product, set) = play(OnCredit::List, &directory).await;
    let head = product.node.decisions.head().await.expect("it answers");
    let held = declared(&product, &set, "42", 0).await;
    let decide = |line: CoverageId, version_seen: u32| record::DecideReview {
        line: Some(write_line_id(line)),
        version_seen,
        choice: record::Choice::Accept as i32,
        ..record::DecideReview::default()
    };
    let line = CoverageId::of_line(held.sequence, 1);
    let accepted = CoverageId::of_line(declared(&product, &set, "1", 0).await.sequence, 1);
    let missing = CoverageId::of_line(held.sequence, 99);
    let reduced = record::DecideReview {
        choice: record::Choice::AcceptReduced as i32,
        awarded_cents: 2_800_000,
        ..decide(line, 1)
    };
    for (action, code) in [
        (
            Asked::DecideReview(decide(accepted, 1)),
            "GDC-NIET-AANGEHOUDEN",
        ),
        (Asked::DecideReview(decide(line, 0)), "GDC-VERSIE"),
        (Asked::DecideReview(decide(line, 1)), "GDC-TWEEDE-PERSOON"),
        (Asked::DecideReview(reduced), "GDC-BEDRAG"),
        (Asked::DecideReview(decide(missing, 1)), "GDC-OPDRACHT"),
        (
            Asked::DismissCase(record::DismissCase { case_id: 99_999 }),
            "GDC-OPDRACHT",
        ),
        (
            Asked::WithdrawImport(record::WithdrawImport {
                sequence: held.sequence.0,
            }),
            "GDC-OPDRACHT",
        ),
    ] {
        let text = format!("{action:?}");
        assert_eq!(
            codes(&carry_out(&product, &asked(action)).await),
            [code],
            "{text}"
        );
    }
    assert_eq!(
        product.node.decisions.head().await.expect("it answers"),
        head
    );
    check_log(&product).await;
    product.stop().await.expect("it stops");
}
