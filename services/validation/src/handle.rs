//! One batch of deliveries: parse, judge, publish. Bodies that are no declaration are quarantined.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use samenloop_adapters::{
    broker::{BODY_BYTES_MAX, Broker, Delivery, Message, Published, Queue},
    clock::{Clock, SCENARIO_HEADER, receipt_date},
    config,
    consume::{HandleError, Handler},
    decision_store::{DecisionStore, NewOutboxRow, OutboxBody, Quarantined},
    ids::Ids,
    pseudonym::PseudonymKeys,
    reference_feed::ReferenceFeed,
    seal::SealingKey,
    wire::{
        self, Malformed, PROTOBUF, digest, outcome,
        validated::{Intake, content_digest, refusal_of, unreadable},
    },
};
use samenloop_domain::{
    decision::{Findings, Validated},
    identifiers::PartyId,
    reference::Reference,
    validation::{Environment, validate_declaration},
};
use uuid::Uuid;

/// Message type on the queue `validated`.
pub const VALIDATED_TYPE: &str = "nl.samenloop.declaration.validated.v1";

/// Header by which gateway and operator say for whom they send; no other user may set it.
pub const PARTY_HEADER: &str = "x-party";

/// Header by which they say when the message was taken from its sender; no other user may set it.
pub const RECEIVED_HEADER: &str = "x-received-at";

/// User of the gateway.
pub const GATEWAY_USER: &str = "samenloop-gateway";

/// User of the operator page, which replays what was set aside.
pub const OPERATOR_USER: &str = "samenloop-operator";

/// Whether a user may say for whom it sends.
fn speaks_for_others(user: &str) -> bool {
    [GATEWAY_USER, OPERATOR_USER].contains(&user)
}

/// What validation needs.
#[derive(Clone, Debug)]
pub struct ValidationHandler {
    /// Where it publishes.
    pub broker: Broker,
    /// Where its quarantine is.
    pub store: DecisionStore,
    /// What it judges by.
    pub reference: ReferenceFeed,
    /// Time.
    pub clock: Clock,
    /// Ids of quarantined deliveries.
    pub ids: Ids,
    /// Keys of pseudonyms.
    pub keys: PseudonymKeys,
    /// Seals quarantined bodies.
    pub seal: SealingKey,
    /// Which kind of messages is judged here.
    pub environment: config::Environment,
}

/// What became of one delivery.
enum Judged {
    PassOn(Box<Intake>),
    Quarantine(Box<(Quarantined, Option<NewOutboxRow>)>),
}

impl Handler for ValidationHandler {
    const STAGE: &'static str = "validation";

    async fn handle(&self, batch: Arc<Vec<Delivery>>) -> Result<(), HandleError> {
        let reference = self.reference.current().await?.ok_or_else(|| {
            HandleError::Transient(
                "no reference data is in force: run `samenloop reference import DIR`".to_owned(),
            )
        })?;
        let mut passed_on = Vec::with_capacity(batch.len());
        let (mut quarantined, mut refusals) = (Vec::new(), Vec::new());
        for delivery in batch.iter() {
            match self.judge(delivery, &reference) {
                Judged::PassOn(intake) => passed_on.push(*intake),
                Judged::Quarantine(set_aside) => {
                    let (delivery, refusal) = *set_aside;
                    quarantined.push(delivery);
                    refusals.extend(refusal);
                }
            }
        }
        if !quarantined.is_empty() {
            self.store.quarantine(quarantined, refusals).await?;
        }
        self.publish(passed_on).await
    }

    fn sender(&self, delivery: &Delivery) -> Option<PartyId> {
        party_of(delivery, &*self.reference.latest()?)
    }
}

impl ValidationHandler {
    fn judge(&self, delivery: &Delivery, reference: &Reference) -> Judged {
        let message = &delivery.message;
        let party = party_of(delivery, reference);
        let Some(party) = party else {
            let problem = "the broker names no user that is a party";
            return self.set_aside(delivery, None, Malformed::one(None, "", problem));
        };
        if message.body.len() > BODY_BYTES_MAX {
            let bytes = message.body.len();
            let problem = format!(
                "has {bytes} bytes; send at most {BODY_BYTES_MAX}, and more as parts of the invoice"
            );
            return self.set_aside(delivery, Some(party), Malformed::one(None, "", problem));
        }
        let received_at = self.received_at(delivery);
        let parsed = wire::parse_declaration(&message.content_type, &message.body, &self.keys);
        let traceparent = message
            .headers
            .get("traceparent")
            .cloned()
            .unwrap_or_default();
        match parsed {
            Ok(declaration) => {
                let received_on = receipt_date(received_at);
                let environment = match self.environment {
                    config::Environment::Production => Environment::Production,
                    config::Environment::Test => Environment::Test,
                };
                let findings =
                    validate_declaration(&declaration, &party, received_on, reference, environment);
                let validated = Validated {
                    party,
                    received_on,
                    content_digest: content_digest(&declaration),
                    declaration,
                    findings,
                    judged_with: reference.version.clone(),
                };
                let (faults, fault_count) = (Vec::new(), 0);
                Judged::PassOn(Box::new(Intake {
                    validated,
                    received_at,
                    traceparent,
                    faults,
                    fault_count,
                }))
            }
            Err(malformed) => match malformed.message_id {
                Some(id) => {
                    let intake =
                        self.refused(id, party, received_at, message, malformed, reference);
                    Judged::PassOn(Box::new(Intake {
                        traceparent,
                        ..intake
                    }))
                }
                None => self.set_aside(delivery, Some(party), malformed),
            },
        }
    }

    /// A body of which only the id could be read: a declaration that is refused as a whole.
    fn refused(
        &self,
        id: Uuid,
        party: PartyId,
        received_at: Timestamp,
        message: &Message,
        malformed: Malformed,
        reference: &Reference,
    ) -> Intake {
        let received_on = receipt_date(received_at);
        let findings = Findings {
            message: vec![refusal_of(&malformed)],
            lines: BTreeMap::new(),
        };
        let validated = Validated {
            party,
            received_on,
            content_digest: digest::fingerprint(&message.body),
            declaration: unreadable(id, received_on),
            findings,
            judged_with: reference.version.clone(),
        };
        Intake {
            validated,
            received_at,
            traceparent: String::new(),
            faults: malformed.faults,
            fault_count: malformed.fault_count,
        }
    }

    /// When the message was taken from its sender: by the gateway, before a replay, by us, or, in scenarios, as the
    /// message says.
    fn received_at(&self, delivery: &Delivery) -> Timestamp {
        let headers = &delivery.message.headers;
        let name = match &self.clock {
            Clock::Scenario(_) => SCENARIO_HEADER,
            Clock::System
                if delivery
                    .message
                    .user
                    .as_deref()
                    .is_some_and(speaks_for_others) =>
            {
                RECEIVED_HEADER
            }
            Clock::System => "",
        };
        let named = headers.get(name).and_then(|text| text.parse().ok());
        named.unwrap_or_else(|| self.clock.now())
    }

    fn set_aside(
        &self,
        delivery: &Delivery,
        party: Option<PartyId>,
        malformed: Malformed,
    ) -> Judged {
        let message = &delivery.message;
        let now = self.clock.now();
        let problem = malformed
            .faults
            .first()
            .map(|fault| fault.problem.clone())
            .unwrap_or_default();
        let refusal = outcome::refusal(
            "0001",
            "",
            &message.body,
            now,
            malformed.faults,
            malformed.fault_count,
        );
        // A body over the limit is refused and not stored.
        let kept = if message.body.len() > BODY_BYTES_MAX {
            &[][..]
        } else {
            &message.body[..]
        };
        let quarantined = Quarantined {
            id: self.ids.next(),
            stage: Self::STAGE.to_owned(),
            fingerprint: digest::fingerprint(&message.body),
            reason: "0001".to_owned(),
            problem,
            party: party.clone(),
            message_id: message.message_id.clone(),
            content_type: message.content_type.clone(),
            sealed_body: self.seal.seal(kept),
            quarantined_at: now,
            attempts: 1,
        };
        metrics::counter!("samenloop_quarantined_total", "stage" => Self::STAGE).increment(1);
        let refusal = party.map(|party| NewOutboxRow {
            party: Some(party),
            traceparent: String::new(),
            body: OutboxBody::Refusal(refusal),
        });
        Judged::Quarantine(Box::new((quarantined, refusal)))
    }

    async fn publish(&self, intakes: Vec<Intake>) -> Result<(), HandleError> {
        let count = intakes.len();
        let lines: usize = intakes
            .iter()
            .map(|it| it.validated.declaration.lines.len())
            .sum();
        let messages = intakes
            .into_iter()
            .map(|intake| (Queue::Validated, message_of(&intake)));
        let published = self.broker.publish(messages.collect()).await?;
        if published
            .iter()
            .any(|published| *published != Published::Confirmed)
        {
            return Err(HandleError::Transient(
                "the queue `validated` does not take messages".to_owned(),
            ));
        }
        metrics::counter!("samenloop_messages_total", "stage" => Self::STAGE)
            .increment(count as u64);
        metrics::counter!("samenloop_lines_total", "stage" => Self::STAGE).increment(lines as u64);
        Ok(())
    }
}

/// The party that the broker authenticated: its own user, or the one that gateway or operator names.
fn party_of(delivery: &Delivery, reference: &Reference) -> Option<PartyId> {
    let user = delivery.message.user.as_deref()?;
    if speaks_for_others(user) {
        let named = PartyId::new(delivery.message.headers.get(PARTY_HEADER)?);
        return reference.parties.contains_key(&named).then_some(named);
    }
    let mut parties = reference.parties.iter();
    let party = parties.find(|(_, party)| party.amqp_user.as_deref() == Some(user));
    party.map(|(id, _)| id.clone())
}

fn message_of(intake: &Intake) -> Message {
    let mut headers = BTreeMap::new();
    if !intake.traceparent.is_empty() {
        headers.insert("traceparent".to_owned(), intake.traceparent.clone());
    }
    Message {
        message_id: intake.validated.declaration.message_id.to_string(),
        correlation_id: None,
        message_type: VALIDATED_TYPE.to_owned(),
        content_type: PROTOBUF.to_owned(),
        user: None,
        headers,
        body: intake.encode().into(),
    }
}
