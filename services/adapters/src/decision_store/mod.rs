//! The store of decisions: quarantine, log, coverage, outcomes, outbox, reference data.
//!
//! Two databases, one contract: every method behaves the same on both, and one conformance suite
//! holds them to it. SQL stands in numbered migrations and beside the methods of each database; what
//! a batch writes is worked out once for both. Nothing is decided here.
//!
//! Only a [`DecisionTransaction`] writes decisions. Whoever holds one must not write through the
//! store before it ends: on SQLite there is one writer, and it would wait for itself. Reading is fine.

mod dispatch;
pub mod postgres;
mod quarantine;
mod read_back;
mod register;
mod review;
mod rows;
mod search;
mod site;
pub mod sqlite;
mod standing;
mod words;

pub use quarantine::{
    EVENTS_MAX, GROUPS_MAX, Operation, QuarantineChange, QuarantineEvent, QuarantineFilter,
    QuarantineGroup, QuarantineOrder, QuarantinePlace, QuarantineRow, QuarantineState,
};
pub use register::{CoverageCursor, ExistingChunk, KeyedCoverage, LOG_PAGE_BYTES_MAX, Snapshot};
pub use review::{
    CaseKind, DecidedCommand, Freed, HeldLine, ListFilter, NewCase, ReviewCase, RevisedLine,
};
pub use rows::chained;
pub use search::{MessageFilter, MessageKey, Proposal, ProposalEnd, ProposalState, REVISIONS_MAX};
pub use site::{Activation, StageAttempts, StuckRow};
pub use words::key_text as coverage_key_text;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use samenloop_domain::{
    coverage::CoverageId,
    decision::{MessageDecision, Validated},
    history::{History, HistoryKeys},
    identifiers::{PartyId, ReferenceVersion, Sequence},
    period::{Day, Period},
};
use samenloop_proto::{declaration::v1 as wire, settlement::v1 as settlement};
use uuid::Uuid;

/// Most ceilings and budgets that are asked for at once.
pub const CEILINGS_MAX: usize = 1_000;

/// A decision store. The set is closed: tests use [`DecisionStore::Sqlite`] in memory.
#[derive(Clone, Debug)]
pub enum DecisionStore {
    /// PostgreSQL.
    Postgres(postgres::PostgresDecisionStore),
    /// SQLite.
    Sqlite(sqlite::SqliteDecisionStore),
}

/// The world is wrong: a database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is starting or stopping, or a transaction lost a race.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// It was written by a newer version of the product.
    #[error("the schema is newer than this program: {0}")]
    NewerSchema(String),
    /// It refused a statement, or holds what it never should.
    #[error("the database failed: {0}")]
    Failed(String),
    /// A test asked for it.
    #[error(transparent)]
    Injected(#[from] crate::fault_plan::InjectedFault),
}

impl StoreError {
    /// Whether trying again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Injected(_))
    }
}

/// A version of the reference data as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredReference {
    /// Its name.
    pub version: ReferenceVersion,
    /// SHA-256 of `canonical`.
    pub digest: [u8; 32],
    /// The form that `reference::from_canonical` reads.
    pub canonical: Vec<u8>,
    /// The log entry that activated it; absent when it is being activated.
    pub sequence: Option<Sequence>,
}

/// A delivery set aside because no role can work on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quarantined {
    /// Its id.
    pub id: Uuid,
    /// The role that gave up: "validation" or "detection".
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
    /// The body, sealed.
    pub sealed_body: Vec<u8>,
    /// When.
    pub quarantined_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
}

/// What is to be sent on, and where.
#[derive(Clone, PartialEq, Debug)]
pub enum OutboxBody {
    /// To a party's queue.
    Outcome(wire::Outcome),
    /// To a party's queue.
    Refusal(wire::DeliveryRefusal),
    /// To settlement: the claims of one message.
    Claims(Vec<settlement::Claim>),
}

/// Which relay sends a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Relay {
    /// Outcomes and refusals to the broker.
    Outcomes,
    /// Claims to settlement.
    Claims,
}

/// A row of the outbox.
#[derive(Clone, PartialEq, Debug)]
pub struct OutboxRow {
    /// Its number; order of numbers is order of sending.
    pub id: i64,
    /// Receiver of an outcome or refusal.
    pub party: Option<PartyId>,
    /// W3C trace context of the message.
    pub traceparent: String,
    /// What is sent.
    pub body: OutboxBody,
}

/// A row to be put into the outbox.
#[derive(Clone, PartialEq, Debug)]
pub struct NewOutboxRow {
    /// Receiver of an outcome or refusal.
    pub party: Option<PartyId>,
    /// W3C trace context of the message.
    pub traceparent: String,
    /// What is sent.
    pub body: OutboxBody,
}

/// What became of a sent row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// The receiver has it.
    Confirmed,
    /// No queue takes it: it stays retrievable, and an alarm is raised.
    Unclaimed,
    /// Settlement refused it for good: a broken invariant; operators see it.
    Parked,
}

/// One message of a batch, decided.
#[derive(Clone, PartialEq, Debug)]
pub struct DecidedMessage {
    /// What was decided on.
    pub input: Validated,
    /// First receipt.
    pub received_at: Timestamp,
    /// What was decided.
    pub decision: MessageDecision,
    /// The answer, version 1.
    pub outcome: wire::Outcome,
}

/// One entry of the log, ready to be written. Its hash is chained by the store under the lock.
#[derive(Clone, PartialEq, Debug)]
pub struct NewLogEntry {
    /// Its number; the numbers of a batch follow the head without gaps.
    pub sequence: Sequence,
    /// What it is: "message_decided", "reference_activated", "existing_imported", "set_aside",
    /// "released", "review_decided", "line_rejudged", "import_withdrawn", "case_dismissed",
    /// "standing_ended".
    pub kind: &'static str,
    /// When.
    pub recorded_at: Timestamp,
    /// The encoded `record.v1.LogEntry`.
    pub body: Vec<u8>,
}

/// A row of existing prestaties to be imported.
#[derive(Clone, PartialEq, Debug)]
pub struct ImportedRow {
    /// Row number in its file.
    pub row: u64,
    /// What it occupies.
    pub coverage: samenloop_domain::coverage::Coverage,
    /// What was paid for it.
    pub awarded: samenloop_domain::cents::Cents,
}

/// A message that waits for an original or predecessor that is not known yet.
#[derive(Clone, PartialEq, Debug)]
pub struct WaitingMessage {
    /// Who sent it.
    pub party: PartyId,
    /// Its id.
    pub message_id: Uuid,
    /// The encoded `record.v1.Validated`.
    pub validated: Vec<u8>,
    /// When it is decided without what it waits for.
    pub until: Timestamp,
}

/// Everything that one transaction of detection writes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DecisionBatch {
    /// Entries of the log in order of number.
    pub log: Vec<NewLogEntry>,
    /// Messages decided, in order of number; each has its entry in `log`.
    pub decided: Vec<DecidedMessage>,
    /// Lines decided again, in order; each has its entry in `log`.
    pub revisions: Vec<RevisedLine>,
    /// Of refused lines that are known already: the rival that they wait for from now on.
    pub excluded_by: BTreeMap<CoverageId, Option<CoverageId>>,
    /// Chunks of existing prestaties that occupy nothing any more.
    pub withdrawn_imports: Vec<Sequence>,
    /// Commands with their results.
    pub commands: Vec<DecidedCommand>,
    /// Cases for the list of reviews; one that is listed already stays as it is.
    pub cases: Vec<NewCase>,
    /// Cases that a command takes off the list.
    pub dismissed: Vec<(u64, Uuid)>,
    /// Entries of reviews of which nothing stands any more.
    pub ended_standing: Vec<Sequence>,
    /// New versions of outcomes of earlier messages.
    pub revised: Vec<(PartyId, wire::Outcome)>,
    /// Rows for the outbox, in order.
    pub outbox: Vec<NewOutboxRow>,
    /// Imported rows by the number of their entry.
    pub imported: Vec<(Sequence, ImportedRow)>,
    /// Which rows of which file those are.
    pub chunks: Vec<ExistingChunk>,
    /// Reference data activated by an entry.
    pub activated: Vec<StoredReference>,
    /// Messages that wait from now on.
    pub set_aside: Vec<WaitingMessage>,
    /// Messages that wait no longer.
    pub released: Vec<(PartyId, Uuid)>,
    /// When, for the age of what waits in the outbox; absent: when the last entry of `log` was
    /// recorded.
    pub written_at: Option<Timestamp>,
}

/// Where the log stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The last number given; 0 before the first.
    pub sequence: Sequence,
    /// Hash of the last entry.
    pub hash: [u8; 32],
}

/// An entry read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedEntry {
    /// Its number.
    pub sequence: Sequence,
    /// What it is.
    pub kind: String,
    /// When.
    pub recorded_at: Timestamp,
    /// The encoded `record.v1.LogEntry`.
    pub body: Vec<u8>,
    /// Hash of the entry before.
    pub previous_hash: [u8; 32],
    /// SHA-256 of `previous_hash` and `body`.
    pub hash: [u8; 32],
}

/// A registered message with its newest outcome.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredMessage {
    /// Who sent it.
    pub party: PartyId,
    /// Its id.
    pub message_id: Uuid,
    /// Its log entry.
    pub sequence: Sequence,
    /// First receipt.
    pub received_at: Timestamp,
    /// Its receipt date.
    pub received_on: Day,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// SHA-256 of its content.
    pub content_digest: [u8; 32],
    /// Newest outcome.
    pub outcome: wire::Outcome,
    /// Whether that outcome reached its queue; absent while it waits in the outbox.
    pub outcome_sent: Option<Sent>,
    /// The same of its claims; absent also where it has none.
    pub claims_sent: Option<Sent>,
}

/// A transaction of detection: it holds the lock on the head until it commits or is dropped.
#[derive(Debug)]
pub enum DecisionTransaction {
    /// On PostgreSQL.
    Postgres(postgres::PostgresTransaction),
    /// On SQLite.
    Sqlite(sqlite::SqliteTransaction),
}

/// A lease on a relay: only its holder sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    /// Which relay.
    pub relay: Relay,
    /// Who holds it.
    pub holder: Uuid,
    /// How long from now.
    pub term: Duration,
}

/// Counts for the operator page.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DecisionFigures {
    /// Messages decided.
    pub messages: u64,
    /// Lines decided, by verdict as a word of the wire.
    pub lines: Vec<(String, u64)>,
    /// Lines rejected, held or reduced, by reason code.
    pub reasons: Vec<(String, u64)>,
    /// Rows in the outbox not yet sent, by relay, with the age in seconds of the oldest.
    pub outbox: Vec<(Relay, u64, Option<u64>)>,
    /// Deliveries in quarantine, whatever became of them.
    pub quarantined: u64,
    /// Those that nobody has dealt with.
    pub quarantine_waiting: u64,
    /// Messages set aside.
    pub waiting: u64,
    /// Outcomes that no queue took.
    pub unclaimed: u64,
    /// Claims parked.
    pub parked: u64,
}
