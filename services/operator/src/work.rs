//! What an operator does with many deliveries at once: replay, park, discard, restore.
//!
//! An operation is written down before it begins and says afterwards how many were done. It goes through what its
//! filter matches from the oldest to the newest, a page at a time, and not beyond the newest that its preview saw. A
//! replay publishes the very bytes that were delivered, under the same message id, to the queue that they came from:
//! the first registration of an id stands, so no replay can pay twice. Bodies are unsealed in memory only.

use std::{collections::BTreeMap, time::Duration};

use samenloop_adapters::{
    broker::{Broker, Message, Published, Queue},
    clock::Clock,
    decision_store::{
        DecisionStore, Operation, QuarantineChange, QuarantineFilter, QuarantineOrder,
        QuarantinePlace, QuarantineState, Quarantined, StoreError,
    },
    ids::Ids,
    seal::SealingKey,
    shutdown::Shutdown,
};
use uuid::Uuid;

/// Deliveries of a page of an operation.
const PAGE: u32 = 100;

/// Pause between two pages: so at most so many times a hundred are replayed per second.
const PAUSE: Duration = Duration::from_millis(200);

/// Longest reason, in characters.
pub const REASON_CHARACTERS_MAX: usize = 500;

/// User of the operator page on an embedded broker; RabbitMQ checks that of the connection.
const OPERATOR_USER: &str = "samenloop-operator";

/// What is done with deliveries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Published again to the queue that it came from.
    Replay,
    /// Kept for later.
    Park,
    /// Not wanted.
    Discard,
    /// Waits again.
    Restore,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Replay, Self::Park, Self::Discard, Self::Restore];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Park => "park",
            Self::Discard => "discard",
            Self::Restore => "restore",
        }
    }

    /// The action of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }

    /// The states that it begins from; the first is meant where a filter names none.
    #[must_use]
    pub fn from(self) -> &'static [QuarantineState] {
        match self {
            Self::Replay | Self::Discard => &[QuarantineState::Waiting, QuarantineState::Parked],
            Self::Park => &[QuarantineState::Waiting],
            Self::Restore => &[QuarantineState::Parked, QuarantineState::Discarded],
        }
    }

    fn to(self) -> QuarantineState {
        match self {
            Self::Replay => QuarantineState::Replayed,
            Self::Park => QuarantineState::Parked,
            Self::Discard => QuarantineState::Discarded,
            Self::Restore => QuarantineState::Waiting,
        }
    }

    /// What a filter means for this action: in one state, which it must begin from.
    #[must_use]
    pub fn narrow(self, filter: &QuarantineFilter) -> Option<QuarantineFilter> {
        let state = filter.state.unwrap_or(self.from()[0]);
        self.from().contains(&state).then(|| QuarantineFilter {
            state: Some(state),
            ..filter.clone()
        })
    }
}

/// What an operation would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preview {
    /// The filter, up to the newest delivery of now.
    pub filter: QuarantineFilter,
    /// How many it matches.
    pub count: u64,
}

/// What the work needs.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Where replays go.
    pub broker: Broker,
    /// The quarantine, and the log of operations.
    pub store: DecisionStore,
    /// Opens bodies.
    pub seal: SealingKey,
    /// Time.
    pub clock: Clock,
    /// Ids of operations.
    pub ids: Ids,
}

/// An operation that is written down and has not begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What is written down.
    pub operation: Operation,
    action: Action,
    filter: QuarantineFilter,
}

/// Who does something, and why.
#[derive(Clone, Copy, Debug)]
pub struct Because<'a> {
    /// Who.
    pub person: &'a str,
    /// Why.
    pub reason: &'a str,
}

impl Worker {
    /// What an action would do to what a filter matches now; none where the filter names a state that it cannot
    /// begin from.
    ///
    /// # Errors
    /// [`StoreError`] where the store is away.
    pub async fn preview(
        &self,
        action: Action,
        filter: &QuarantineFilter,
    ) -> Result<Option<Preview>, StoreError> {
        let Some(mut filter) = action.narrow(filter) else {
            return Ok(None);
        };
        if filter.until.is_none() {
            let order = QuarantineOrder::NewestFirst;
            let newest = self.store.quarantine_page(&filter, order, None, 1).await?;
            filter.until = newest.first().map(|row| row.place());
        }
        let count = match filter.until {
            Some(_) => self.store.quarantine_count(&filter).await?,
            None => 0,
        };
        Ok(Some(Preview { filter, count }))
    }

    /// Writes an operation down.
    ///
    /// # Errors
    /// [`StoreError`] where the store is away.
    pub async fn begin(
        &self,
        action: Action,
        preview: Preview,
        because: Because<'_>,
    ) -> Result<Begun, StoreError> {
        let operation = Operation {
            id: self.ids.next(),
            person: because.person.to_owned(),
            kind: action.as_str().to_owned(),
            subject: describe(&preview.filter),
            reason: because.reason.to_owned(),
            matched: preview.count,
            done: 0,
            failed: 0,
            started_at: self.clock.now(),
            ended_at: None,
        };
        self.store.record_operation(&operation).await?;
        let filter = preview.filter;
        Ok(Begun {
            operation,
            action,
            filter,
        })
    }

    /// Writes down that somebody looked at what is masked elsewhere, and gives its operation.
    ///
    /// # Errors
    /// [`StoreError`] where the store is away; then nothing may be shown.
    pub async fn record_look(&self, subject: Uuid, because: Because<'_>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let look = Operation {
            id: self.ids.next(),
            person: because.person.to_owned(),
            kind: "look".to_owned(),
            subject: format!("id={subject}"),
            reason: because.reason.to_owned(),
            matched: 1,
            done: 1,
            failed: 0,
            started_at: now,
            ended_at: Some(now),
        };
        self.store.record_operation(&look).await
    }

    /// Carries an operation out, until shutdown; what is not done then waits as before.
    ///
    /// # Errors
    /// [`StoreError`] where the store is away: the operation stays without an end.
    pub async fn carry_out(
        &self,
        begun: Begun,
        shutdown: &Shutdown,
    ) -> Result<Operation, StoreError> {
        let Begun {
            mut operation,
            action,
            filter,
        } = begun;
        let mut beyond: Option<QuarantinePlace> = None;
        while !shutdown.is_cancelled() {
            let order = QuarantineOrder::OldestFirst;
            let page = self
                .store
                .quarantine_page(&filter, order, beyond, PAGE)
                .await?;
            let Some(last) = page.last() else {
                break;
            };
            beyond = Some(last.place());
            let ids: Vec<Uuid> = page.iter().map(|row| row.id).collect();
            let (ready, goes_on) = match action {
                Action::Replay => self.publish(&ids).await?,
                Action::Park | Action::Discard | Action::Restore => (ids.clone(), true),
            };
            let change = QuarantineChange {
                from: vec![filter.state.unwrap_or(action.from()[0])],
                to: action.to(),
                operation: operation.id,
                at: self.clock.now(),
            };
            let changed = self.store.change_quarantined(&ready, &change).await?;
            operation.done += changed;
            operation.failed += (ids.len() - ready.len()) as u64;
            self.store.update_operation(&operation).await?;
            if !goes_on {
                break;
            }
            if page.len() == PAGE as usize && action == Action::Replay {
                tokio::select! {
                    biased;
                    () = shutdown.cancelled() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
        operation.ended_at = Some(self.clock.now());
        self.store.update_operation(&operation).await?;
        Ok(operation)
    }

    /// Publishes bodies in the order of their ids; gives those that a queue has, and whether more would be taken.
    async fn publish(&self, ids: &[Uuid]) -> Result<(Vec<Uuid>, bool), StoreError> {
        let mut deliveries: BTreeMap<Uuid, Quarantined> = BTreeMap::new();
        for delivery in self.store.quarantined_bodies(ids).await? {
            deliveries.insert(delivery.id, delivery);
        }
        let ordered = ids.iter().filter_map(|id| deliveries.remove(id));
        let (mut sent, mut messages) = (Vec::new(), Vec::new());
        for delivery in ordered {
            // A body over the limit was never kept, and one under another key stays closed: neither can be replayed.
            let body = self
                .seal
                .open(&delivery.sealed_body)
                .filter(|body| !body.is_empty());
            if let Some(body) = body {
                sent.push(delivery.id);
                messages.push(message_of(&delivery, body));
            }
        }
        let published = match self.broker.publish(messages).await {
            Ok(published) => published,
            Err(error) => {
                tracing::warn!(%error, "a replay stops");
                return Ok((Vec::new(), false));
            }
        };
        let goes_on = published.iter().all(|it| *it == Published::Confirmed);
        let confirmed = sent.into_iter().zip(published);
        let confirmed = confirmed.filter(|(_, published)| *published == Published::Confirmed);
        Ok((confirmed.map(|(id, _)| id).collect(), goes_on))
    }
}

/// The delivery as it came: to the queue that its role reads, for its sender, with the time of its first receipt.
fn message_of(delivery: &Quarantined, body: Vec<u8>) -> (Queue, Message) {
    let (queue, message_type) = match delivery.stage.as_str() {
        "detection" => (Queue::Validated, "nl.samenloop.declaration.validated.v1"),
        _ => (Queue::Declarations, "nl.samenloop.declaration.submitted.v1"),
    };
    let mut headers = BTreeMap::new();
    if let (Queue::Declarations, Some(party)) = (&queue, &delivery.party) {
        headers.insert("x-party".to_owned(), party.to_string());
        headers.insert(
            "x-received-at".to_owned(),
            delivery.quarantined_at.to_string(),
        );
    }
    let message = Message {
        message_id: delivery.message_id.clone(),
        correlation_id: None,
        message_type: message_type.to_owned(),
        content_type: delivery.content_type.clone(),
        user: Some(OPERATOR_USER.to_owned()),
        headers,
        body: body.into(),
    };
    (queue, message)
}

/// A filter in words of the address, as the log of operations keeps it.
fn describe(filter: &QuarantineFilter) -> String {
    let fields = [
        ("state", filter.state.map(|state| state.as_str().to_owned())),
        ("stage", filter.stage.clone()),
        ("reason", filter.reason.clone()),
        ("problem", filter.problem.clone()),
        ("party", filter.party.as_ref().map(ToString::to_string)),
        ("text", filter.text.clone()),
        ("id", filter.id.map(|id| id.to_string())),
    ];
    let given = fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    given.collect::<Vec<_>>().join(", ")
}
