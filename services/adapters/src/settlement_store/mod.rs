//! The store of settlement: claims, commands of insurers, their journals, and the gapless events of each insurer.
//!
//! Two databases, one contract, as in `decision_store`. Journals are enforced by the database: lines are immutable
//! and sum to zero.

pub mod commands;
mod costs;
mod dispatch;
mod execute;
mod facts;
mod lists;
pub mod postgres;
mod rows;
mod snapshot;
pub mod sqlite;
mod statements;

use jiff::Timestamp;
use samenloop_domain::{allocation::Part, identifiers::Uzovi, ledger::Journal};
use samenloop_proto::settlement::v1 as wire;

pub use crate::decision_store::StoreError;

/// A settlement store. The set is closed: tests use [`SettlementStore::Sqlite`] in memory.
#[derive(Clone, Debug)]
pub enum SettlementStore {
    /// PostgreSQL.
    Postgres(postgres::PostgresSettlementStore),
    /// SQLite.
    Sqlite(sqlite::SqliteSettlementStore),
}

/// A claim with its split, to be recorded.
#[derive(Clone, PartialEq, Debug)]
pub struct AllocatedClaim {
    /// The claim.
    pub claim: wire::Claim,
    /// Its parts; they add up to its awarded amount.
    pub parts: Vec<Part>,
}

/// A batch to be recorded in one transaction. The claims of one version of a message come in one batch.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SettlementBatch {
    /// Claims in the order of submission, each id once.
    pub claims: Vec<AllocatedClaim>,
    /// One journal per message and insurer that has a part; those of messages stored before have no effect.
    pub journals: Vec<Journal>,
}

/// What became of a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recorded {
    /// Stored now.
    New,
    /// Stored before with the same content.
    Before,
    /// Stored before with other content: refused.
    Differs,
    /// Its message was stored before without it: refused, for the journals of a message are closed.
    Late,
}

/// A claim that another one may credit.
#[derive(Clone, PartialEq, Debug)]
pub struct Original {
    /// The claim.
    pub claim: AllocatedClaim,
    /// Id of the claim that credits it.
    pub credited_by: Option<String>,
}

/// An event of one insurer.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredEvent {
    /// Gapless from 1.
    pub position: u64,
    /// By how much more this insurer's sectors cost.
    pub cents: i64,
    /// What it is of.
    pub item: Item,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// What an event is of.
#[derive(Clone, PartialEq, Debug)]
pub enum Item {
    /// A claim, with the parts of this insurer only.
    Claim(Box<AllocatedClaim>),
    /// An entry of the insurer's books.
    Entry(Box<wire::Entry>),
}

impl StoredEvent {
    /// Id of the claim; empty where it is of an entry.
    #[must_use]
    pub fn claim_id(&self) -> &str {
        match &self.item {
            Item::Claim(allocated) => &allocated.claim.claim_id,
            Item::Entry(_) => "",
        }
    }
}

/// The books of one insurer at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// Up to which event of its stream.
    pub head: StreamHead,
    /// In order of account, each with how many postings it has.
    pub balances: Vec<(AccountBalance, u64)>,
    /// Payments that are payable or ordered, in order of run and payee.
    pub payments: Vec<commands::StoredPayment>,
}

/// Sum of one account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountBalance {
    /// Name of the account.
    pub account: String,
    /// Sum of its lines.
    pub cents: i64,
}

/// What a subscriber of an insurer's stream has processed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// Whose stream.
    pub insurer: Uzovi,
    /// Its name, of the insurer's choice.
    pub name: String,
    /// The last position that it has acknowledged.
    pub position: u64,
    /// When it did.
    pub acknowledged_at: Timestamp,
}

/// Most subscriptions that are read at once.
pub const SUBSCRIPTIONS_MAX: u32 = 1_000;

/// Position of an insurer's stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamHead {
    /// Whose.
    pub insurer: Uzovi,
    /// The last position given.
    pub position: u64,
    /// Sum of cents of all its events.
    pub cents: i64,
}
