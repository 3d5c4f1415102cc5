//! A party that sends over its own connection, and takes its replies; what tests here have in common.

use std::{collections::BTreeMap, time::Duration};

use harness::production::Production;
use samenloop::{
    in_process::{self, InProcess},
    mailbox::{Mailbox, Reply},
    scenarios::declaration_message,
};
use samenloop_adapters::{
    broker::{Message, Published, Queue},
    clock::{SCENARIO_HEADER, noon},
    config::Config,
    decision_store::DecisionFigures,
    scenario::{Action, Delivery, ScenarioSet},
};
use samenloop_domain::identifiers::PartyId;
use samenloop_proto::declaration::v1 as wire;
use serde_json::{Value, json};
use uuid::Uuid;

/// Far longer than any answer takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A party.
pub(crate) struct Sender<'a> {
    pub(crate) product: &'a InProcess,
    pub(crate) party: PartyId,
    mailbox: Mailbox,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(product: &'a InProcess, party: &PartyId) -> Self {
        let own = BTreeMap::from([(party.clone(), product.brokers[party].clone())]);
        Self {
            product,
            party: party.clone(),
            mailbox: Mailbox::open(&own),
        }
    }

    pub(crate) fn message(&self, id: Uuid, body: Vec<u8>) -> Message {
        let mut message = declaration_message(id, body, &self.product.users[&self.party]);
        let received = noon(jiff::civil::date(2024, 10, 15)).to_string();
        message.headers.insert(SCENARIO_HEADER.to_owned(), received);
        message
    }

    pub(crate) async fn send(&self, id: Uuid, body: Vec<u8>) {
        let messages = vec![(Queue::Declarations, self.message(id, body))];
        let published = self.product.brokers[&self.party]
            .publish(messages)
            .await
            .expect("it is published");
        assert_eq!(published, [Published::Confirmed]);
    }

    pub(crate) async fn reply(&mut self) -> Reply {
        let next = tokio::time::timeout(PATIENCE, self.mailbox.next()).await;
        next.expect("a reply comes").expect("the mailbox is open").1
    }

    pub(crate) async fn refusal(&mut self) -> wire::DeliveryRefusal {
        match self.reply().await {
            Reply::Refusal(refusal) => *refusal,
            Reply::Outcome(outcome) => panic!("a refusal was expected: {outcome:?}"),
        }
    }

    pub(crate) async fn outcome(&mut self) -> wire::Outcome {
        match self.reply().await {
            Reply::Outcome(outcome) => *outcome,
            Reply::Refusal(refusal) => panic!("an outcome was expected: {refusal:?}"),
        }
    }
}

/// The declaration of scenario 1.
pub(crate) fn first(set: &ScenarioSet) -> &Delivery {
    let scenario = set.scenarios.iter().find(|scenario| scenario.number == "1");
    match &scenario.expect("the sample has scenario 1").steps[0].action {
        Action::Declare(delivery) => delivery,
        Action::ImportExisting(_) | Action::Decide(_) => panic!("scenario 1 declares"),
    }
}

pub(crate) fn codes(reasons: &[wire::Reason]) -> Vec<&str> {
    reasons.iter().map(|reason| reason.code.as_str()).collect()
}

pub(crate) fn with_id(body: &[u8], id: Uuid, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(body).expect("the sample is JSON");
    value["message_id"] = json!(id.to_string());
    change(&mut value);
    serde_json::to_vec(&value).expect("it is JSON")
}

/// Asks for the figures of the store until they are as wanted.
pub(crate) async fn wait_until(product: &InProcess, wanted: impl Fn(&DecisionFigures) -> bool) {
    let asked = async {
        loop {
            let figures = product.node.decisions.figures(jiff::Timestamp::UNIX_EPOCH);
            let figures = figures.await.expect("the store answers");
            if wanted(&figures) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, asked).await;
    waited.expect("the figures become as wanted");
}

/// The embedded product in a directory.
pub(crate) async fn embedded(
    directory: &std::path::Path,
    set: &ScenarioSet,
    change: impl FnOnce(&mut Config),
) -> InProcess {
    let mut config = in_process::embedded_in(directory);
    change(&mut config);
    let product = InProcess::start(config, &set.reference, None).await;
    product.expect("it starts")
}

/// The product on RabbitMQ and PostgreSQL.
pub(crate) async fn on_production(
    production: &Production,
    set: &ScenarioSet,
    change: impl FnOnce(&mut Config),
) -> InProcess {
    let mut config = production.config(production.amqp_of_administrator());
    change(&mut config);
    let brokers = production.brokers(&set.reference);
    let product = InProcess::start(config, &set.reference, Some(brokers)).await;
    product.expect("it starts")
}
