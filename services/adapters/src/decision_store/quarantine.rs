//! What operators do with the quarantine: find, look, change, and the log of what they did.

use jiff::Timestamp;
use samenloop_domain::identifiers::PartyId;
use uuid::Uuid;

use super::{
    DecisionStore, Quarantined, StoreError,
    dispatch::both,
    words::{Word, micros, storable},
};

/// Most groups of a quarantine that are given.
pub const GROUPS_MAX: u32 = 200;

/// Most events of one delivery that are given, the newest.
pub const EVENTS_MAX: u32 = 100;

/// What became of a delivery in quarantine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuarantineState {
    /// Nobody has dealt with it.
    Waiting,
    /// It was published again to the queue that it came from.
    Replayed,
    /// Kept for later.
    Parked,
    /// Not wanted.
    Discarded,
}

impl QuarantineState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Replayed, Self::Parked, Self::Discarded];

    /// Its word, on pages and in addresses as in columns.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.word()
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::read(word).ok()
    }
}

impl Word for QuarantineState {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Waiting, "waiting"),
        (Self::Replayed, "replayed"),
        (Self::Parked, "parked"),
        (Self::Discarded, "discarded"),
    ];
}

/// A place in the quarantine: its rows are in order of time and id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct QuarantinePlace {
    /// When the delivery was set aside.
    pub at: Timestamp,
    /// Its id.
    pub id: Uuid,
}

/// Which deliveries are meant; what is absent or empty means all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QuarantineFilter {
    /// In this state.
    pub state: Option<QuarantineState>,
    /// Set aside by this role.
    pub stage: Option<String>,
    /// With this reason code.
    pub reason: Option<String>,
    /// With exactly this problem.
    pub problem: Option<String>,
    /// Sent by this party.
    pub party: Option<PartyId>,
    /// With this text in problem, message id or party, whatever its case.
    pub text: Option<String>,
    /// This one only.
    pub id: Option<Uuid>,
    /// Not after this one: what comes later is not meant.
    pub until: Option<QuarantinePlace>,
}

/// Which way a page of the quarantine goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuarantineOrder {
    /// As people read it.
    NewestFirst,
    /// As it arrived.
    OldestFirst,
}

/// A delivery in quarantine, without its body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuarantineRow {
    /// Its id.
    pub id: Uuid,
    /// The role that gave up.
    pub stage: String,
    /// SHA-256 of the delivered bytes.
    pub fingerprint: [u8; 32],
    /// Code of the reason registry.
    pub reason: String,
    /// What went wrong, without personal data.
    pub problem: String,
    /// Who sent it, if the broker said.
    pub party: Option<PartyId>,
    /// Message id property of the delivery.
    pub message_id: String,
    /// Content type property.
    pub content_type: String,
    /// When it was set aside first: its receipt, for a replay.
    pub quarantined_at: Timestamp,
    /// How often it was tried, over all replays.
    pub attempts: u32,
    /// What became of it.
    pub state: QuarantineState,
}

impl QuarantineRow {
    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> QuarantinePlace {
        QuarantinePlace {
            at: self.quarantined_at,
            id: self.id,
        }
    }
}

/// Deliveries that failed alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuarantineGroup {
    /// The role that gave up.
    pub stage: String,
    /// Code of the reason registry.
    pub reason: String,
    /// What went wrong.
    pub problem: String,
    /// How many there are.
    pub count: u64,
    /// When the first was set aside.
    pub first: Timestamp,
    /// When the last was.
    pub last: Timestamp,
}

/// Something that became of a delivery in quarantine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuarantineEvent {
    /// When.
    pub at: Timestamp,
    /// The state that it was given.
    pub state: QuarantineState,
    /// The operation that did it; absent where a role did.
    pub operation: Option<Uuid>,
    /// More about it.
    pub detail: String,
}

/// A change of the state of deliveries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuarantineChange {
    /// Only of those in one of these states.
    pub from: Vec<QuarantineState>,
    /// The new state.
    pub to: QuarantineState,
    /// The operation that does it.
    pub operation: Uuid,
    /// When.
    pub at: Timestamp,
}

/// An action of a person, or a look at what is masked elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub person: String,
    /// What: "replay", "park", "discard", "restore", "look".
    pub kind: String,
    /// At what: a filter or an id.
    pub subject: String,
    /// Why, in the words of the person.
    pub reason: String,
    /// How many it was about.
    pub matched: u64,
    /// How many are done.
    pub done: u64,
    /// How many could not be done.
    pub failed: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; absent while it runs, or where the process was lost.
    pub ended_at: Option<Timestamp>,
}

/// A value of a condition.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Id(Uuid),
}

/// Conditions over the quarantine, as both databases read them: `$1` and on, in order of use.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Conditions {
    pub(super) fn of(filter: &QuarantineFilter) -> Self {
        let mut conditions = Self::default();
        let texts = [
            ("state", filter.state.map(|state| state.word().to_owned())),
            ("stage", filter.stage.clone()),
            ("reason", filter.reason.clone()),
            ("problem", filter.problem.clone()),
            ("party", filter.party.as_ref().map(ToString::to_string)),
        ];
        for (column, value) in texts {
            if let Some(value) = value {
                conditions.and(&format!("{column} = ?"), [Value::Text(storable(&value))]);
            }
        }
        if let Some(text) = &filter.text {
            let escaped = storable(&text.to_lowercase())
                .replace('\\', "\\\\")
                .replace('%', "\\%")
                .replace('_', "\\_");
            let like = Value::Text(format!("%{escaped}%"));
            let found = "lower(problem || ' ' || message_id || ' ' || coalesce(party, '')) LIKE ? ESCAPE '\\'";
            conditions.and(found, [like]);
        }
        if let Some(id) = filter.id {
            conditions.and("id = ?", [Value::Id(id)]);
        }
        if let Some(until) = filter.until {
            conditions.and_place("<=", until);
        }
        conditions
    }

    /// What lies beyond a place, in an order.
    pub(super) fn and_beyond(&mut self, order: QuarantineOrder, place: QuarantinePlace) {
        match order {
            QuarantineOrder::NewestFirst => self.and_place("<", place),
            QuarantineOrder::OldestFirst => self.and_place(">", place),
        }
    }

    fn and_place(&mut self, comparison: &str, place: QuarantinePlace) {
        let values = [Value::Number(micros(place.at)), Value::Id(place.id)];
        self.and(&format!("(quarantined_at, id) {comparison} (?, ?)"), values);
    }

    /// A value that is no condition: a limit.
    pub(super) fn add(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    pub(super) fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(if self.sql.is_empty() {
            " WHERE "
        } else {
            " AND "
        });
        let mut values = values.into_iter();
        for (place, part) in condition.split('?').enumerate() {
            if place > 0 {
                let value = values.next().expect("a value for every place");
                let name = self.add(value);
                self.sql.push_str(&name);
            }
            self.sql.push_str(part);
        }
    }
}

impl QuarantineOrder {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::NewestFirst => " ORDER BY quarantined_at DESC, id DESC",
            Self::OldestFirst => " ORDER BY quarantined_at, id",
        }
    }
}

impl DecisionStore {
    /// A page of the quarantine, beyond a place, at most `limit` rows.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn quarantine_page(
        &self,
        filter: &QuarantineFilter,
        order: QuarantineOrder,
        beyond: Option<QuarantinePlace>,
        limit: u32,
    ) -> Result<Vec<QuarantineRow>, StoreError> {
        let mut conditions = Conditions::of(filter);
        if let Some(place) = beyond {
            conditions.and_beyond(order, place);
        }
        both!(self, store => store.quarantine_page(conditions, order, limit))
    }

    /// How many deliveries a filter matches.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn quarantine_count(&self, filter: &QuarantineFilter) -> Result<u64, StoreError> {
        let conditions = Conditions::of(filter);
        both!(self, store => store.quarantine_count(conditions))
    }

    /// What a filter matches, by role, reason and problem; the largest groups, at most [`GROUPS_MAX`].
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn quarantine_groups(
        &self,
        filter: &QuarantineFilter,
    ) -> Result<Vec<QuarantineGroup>, StoreError> {
        let conditions = Conditions::of(filter);
        both!(self, store => store.quarantine_groups(conditions))
    }

    /// Deliveries in quarantine with their sealed bodies, in no order; unknown ids are left out.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn quarantined_bodies(&self, ids: &[Uuid]) -> Result<Vec<Quarantined>, StoreError> {
        both!(self, store => store.quarantined_bodies(ids))
    }

    /// One delivery in quarantine, with what became of it, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn quarantined_delivery(
        &self,
        id: Uuid,
    ) -> Result<Option<(QuarantineRow, Vec<QuarantineEvent>)>, StoreError> {
        both!(self, store => store.quarantined_delivery(id))
    }

    /// Gives deliveries another state, with an event each, in one transaction; says how many changed.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn change_quarantined(
        &self,
        ids: &[Uuid],
        change: &QuarantineChange,
    ) -> Result<u64, StoreError> {
        both!(self, store => store.change_quarantined(ids, change))
    }

    /// Writes an operation down, before it begins.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn record_operation(&self, operation: &Operation) -> Result<(), StoreError> {
        let operation = Operation {
            person: storable(&operation.person),
            subject: storable(&operation.subject),
            reason: storable(&operation.reason),
            ..operation.clone()
        };
        both!(self, store => store.record_operation(operation))
    }

    /// How far an operation is: counts, and its end if it has ended.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn update_operation(&self, operation: &Operation) -> Result<(), StoreError> {
        both!(self, store => store.update_operation(operation))
    }

    /// Operations before a time and id (for paging), newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn operations(
        &self,
        before: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        both!(self, store => store.operations(before, limit))
    }

    /// An operation by its id.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn operation(&self, id: Uuid) -> Result<Option<Operation>, StoreError> {
        both!(self, store => store.operation(id))
    }
}
