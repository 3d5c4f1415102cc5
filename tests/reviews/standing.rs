//! A decision that stands between two contracts, through the product: recorded, followed, ended, and found again by the
//! replay.

use samenloop::in_process::InProcess;
use samenloop_adapters::{
    config::OnCredit,
    scenario::{Action, Delivery, ScenarioSet},
    wire::{json, record::write_line_id},
};
use samenloop_detection::check::{Asked as Question, FundingCheck};
use samenloop_domain::{coverage::CoverageId, identifiers::Sequence};
use samenloop_proto::{
    declaration::v1 as wire,
    record::v1::{self as record, command::Action as Asked},
};
use serde_json::{Value, json as object};

use crate::{asked, carry_out, check_log, codes, declared, play};

fn delivery<'a>(set: &'a ScenarioSet, number: &str, step: usize) -> &'a Delivery {
    let scenario = set.scenarios.iter().find(|it| it.number == number);
    match &scenario.expect("the sample has it").steps[step].action {
        Action::Declare(delivery) => delivery,
        other => panic!("{other:?} declares nothing"),
    }
}

/// What would become of a declaration if it came now under another reference.
async fn would_be(product: &InProcess, delivery: &Delivery) -> wire::LineOutcome {
    let node = &product.node;
    let mut message: Value = serde_json::from_slice(&delivery.body).expect("a declaration");
    message["invoice_number"] = object!("ONCE-MORE");
    message["lines"][0]["line_reference"] = object!("ONCE-MORE");
    let body = message.to_string();
    let declaration = json::parse(body.as_bytes(), &node.keys).expect("it is well-formed");
    let check = FundingCheck {
        store: node.decisions.clone(),
        reference: node.reference.clone(),
        environment: node.config.environment,
    };
    let question = Question {
        party: delivery.party.clone(),
        declaration,
    };
    let received_at = "2024-10-17T12:00:00Z".parse().expect("an instant");
    let answered = check.declarations(&[question], received_at).await;
    let mut outcomes = answered.expect("it is answered").outcomes;
    outcomes.remove(0).lines.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_that_is_refused_for_the_year_refuses_the_next_until_it_is_ended() {
    let directory = tempfile::tempdir().expect("a directory");
    let (product, set) = play(OnCredit::List, &directory).await;
    let store = &product.node.decisions;
    let held = declared(&product, &set, "35", 1).await;
    let line = CoverageId::of_line(held.sequence, 1);
    let decide = |choice| record::DecideReview {
        line: Some(write_line_id(line)),
        version_seen: held.outcome.version,
        choice: choice as i32,
        standing: true,
        ..record::DecideReview::default()
    };
    let alone = asked(Asked::DecideReview(decide(record::Choice::Accept)));
    assert_eq!(
        codes(&carry_out(&product, &alone).await),
        ["GDC-TWEEDE-PERSOON"]
    );
    assert_eq!(
        store
            .standing_reviews(Sequence(0), 10)
            .await
            .expect("it answers"),
        []
    );

    let refuse = asked(Asked::DecideReview(decide(record::Choice::Refuse)));
    let refused = carry_out(&product, &refuse).await;
    assert_eq!((codes(&refused), refused.standing.len()), (Vec::new(), 1));
    let standing = store.standing_reviews(Sequence(0), 10).await;
    let standing = standing.expect("it answers");
    let [stands] = standing.as_slice() else {
        panic!("one pair of contracts: {standing:?}")
    };
    assert_eq!(stands.decided.0, refused.sequence);

    let delivery = delivery(&set, "35", 1);
    let next = would_be(&product, delivery).await;
    assert_eq!(next.verdict(), wire::Verdict::Reject, "{next:?}");
    let evidence = &next.evidence[0];
    assert_eq!(
        (evidence.effect.as_str(), evidence.standing),
        ("exclude", Some(refused.sequence))
    );

    let sequence = refused.sequence;
    let end = asked(Asked::EndStanding(record::EndStanding { sequence }));
    let ended = carry_out(&product, &end).await;
    let entry = store.log_entry(Sequence(ended.sequence)).await;
    let entry = entry.expect("it answers").expect("an entry");
    assert_eq!(entry.kind, "standing_ended");
    let again = asked(Asked::EndStanding(record::EndStanding { sequence }));
    assert_eq!(codes(&carry_out(&product, &again).await), ["GDC-OPDRACHT"]);
    let next = would_be(&product, delivery).await;
    assert_eq!(
        (next.verdict(), next.evidence[0].standing),
        (wire::Verdict::Review, None)
    );
    check_log(&product).await;
    product.stop().await.expect("it stops");
}
