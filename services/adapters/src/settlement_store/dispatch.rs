//! The contract of the settlement store: every method, once, for both databases.

use super::{
    commands::{
        ClaimFilter, Difference, Effect, EntryCosts, Executed, Facts, NewCommand, PaymentFilter,
        Remittance, StoredPayment,
    },
    statements::{OnPostgres, OnSqlite, at_once},
    *,
};
use std::collections::BTreeMap;

use tokio_postgres::IsolationLevel;

macro_rules! both {
    ($on:expr, $store:ident => $call:expr) => {
        match $on {
            SettlementStore::Postgres($store) => $call.await,
            SettlementStore::Sqlite($store) => $call.await,
        }
    };
}

/// Reads one state of the books.
macro_rules! read {
    ($self:expr, $on:ident => $call:expr) => {
        match $self {
            SettlementStore::Postgres(store) => {
                let mut client = store.reader().await?;
                let transaction = client
                    .build_transaction()
                    .isolation_level(IsolationLevel::RepeatableRead)
                    .read_only(true)
                    .start()
                    .await?;
                store.bound(&transaction).await?;
                let $on = &OnPostgres(&transaction);
                let result = $call.await?;
                transaction.commit().await?;
                Ok(result)
            }
            SettlementStore::Sqlite(store) => {
                let read = move |connection: &rusqlite::Connection| {
                    let $on = &OnSqlite(connection);
                    at_once($call)
                };
                store.read(read).await
            }
        }
    };
}

impl SettlementStore {
    /// Opens a store by its URL and brings its schema up to date, as `DecisionStore::open`.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] where a newer program wrote it.
    pub async fn open(url: &str, faults: crate::fault_plan::FaultPlan) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return sqlite::SqliteSettlementStore::open(path, faults)
                .await
                .map(Self::Sqlite);
        }
        postgres::PostgresSettlementStore::open(url, faults)
            .await
            .map(Self::Postgres)
    }

    /// The same store for work that is wanted until `deadline` only: the database ends what it does for it by then,
    /// and does not begin it later.
    #[must_use]
    pub fn until(&self, deadline: Option<tokio::time::Instant>) -> Self {
        match self {
            Self::Postgres(store) => Self::Postgres(store.until(deadline)),
            Self::Sqlite(store) => Self::Sqlite(store.until(deadline)),
        }
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// [`StoreError`] where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        both!(self, store => store.ping())
    }

    /// Records claims, journals and events in one transaction: claims known before have no effect. Positions are
    /// taken last, once per insurer, in UZOVI order. Results in the order of the claims.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was recorded.
    pub async fn record(
        &self,
        batch: SettlementBatch,
        now: Timestamp,
    ) -> Result<Vec<Recorded>, StoreError> {
        both!(self, store => store.record(batch, now))
    }

    /// Executes a command of an insurer in one transaction: `decide` sees what the command asks for, under the lock on
    /// the insurer's books, and nothing is recorded where it refuses.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was recorded.
    pub async fn execute<E: Send + 'static>(
        &self,
        command: NewCommand,
        now: Timestamp,
        decide: impl FnOnce(&Facts) -> Result<Effect, E> + Send + 'static,
    ) -> Result<Executed<E>, StoreError> {
        both!(self, store => store.execute(command, now, decide))
    }

    /// Events of an insurer after a position, in order.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn events(
        &self,
        insurer: Uzovi,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        read!(self, on => lists::events(on, insurer, after, limit))
    }

    /// The claims of these ids that are recorded, each with what credits it.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn originals(
        &self,
        ids: Vec<String>,
    ) -> Result<BTreeMap<String, Original>, StoreError> {
        read!(self, on => lists::originals(on, &ids))
    }

    /// Claims of an insurer after a position, in order of position.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn claim_page(
        &self,
        insurer: Uzovi,
        filter: ClaimFilter,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        read!(self, on => lists::claims(on, insurer, &filter, after, limit))
    }

    /// Payments of an insurer in order of run and payee, after one.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn payment_page(
        &self,
        insurer: Uzovi,
        filter: PaymentFilter,
        after: (u64, String),
        limit: u32,
    ) -> Result<Vec<StoredPayment>, StoreError> {
        read!(self, on => lists::payment_page(on, insurer, filter, (after.0, &after.1), limit))
    }

    /// A payment, with the claims and entries of its payee in its period, after a position.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn remittance(
        &self,
        insurer: Uzovi,
        reference: &str,
        after: u64,
        limit: u32,
    ) -> Result<Option<Remittance>, StoreError> {
        let reference = reference.to_owned();
        read!(self, on => lists::remittance(on, insurer, &reference, after, limit))
    }

    /// Balances of an insurer whose names begin with `prefix`, in order of name, after one, with how many postings
    /// each has.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn balance_page(
        &self,
        insurer: Uzovi,
        prefix: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(AccountBalance, u64)>, StoreError> {
        let (prefix, after) = (prefix.to_owned(), after.to_owned());
        read!(self, on => lists::balance_page(on, insurer, &prefix, &after, limit))
    }

    /// Keys that claims of an insurer were split by, each with its place, after one; of a region and year, or of all.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn key_page(
        &self,
        insurer: Uzovi,
        (region, year): (String, Option<u32>),
        after: &str,
        limit: u32,
    ) -> Result<Vec<(String, wire::AllocationKey)>, StoreError> {
        let after = after.to_owned();
        read!(self, on => lists::key_page(on, insurer, (&region, year), &after, limit))
    }

    /// Entries of an insurer's books that sectors bear, among the `limit` commands after one, in order; and the number
    /// of the last command there is.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn entry_costs(
        &self,
        insurer: Uzovi,
        after: u64,
        limit: u32,
    ) -> Result<(u64, Vec<EntryCosts>), StoreError> {
        read!(self, on => costs::entry_costs(on, insurer, after, limit))
    }

    /// Budgets of an insurer in order of name, after one.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn budget_page(
        &self,
        insurer: Uzovi,
        after: &str,
        limit: u32,
    ) -> Result<Vec<wire::RecordBudgetRequest>, StoreError> {
        let after = after.to_owned();
        read!(self, on => costs::budget_page(on, insurer, &after, limit))
    }

    /// The books of an insurer at one moment; none where they have more than `rows_max` rows.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn snapshot(
        &self,
        insurer: Uzovi,
        rows_max: u32,
    ) -> Result<Option<Snapshot>, StoreError> {
        read!(self, on => snapshot::take(on, insurer, rows_max))
    }

    /// The position up to which events of an insurer are no longer sent; 0 where all are.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn floor(&self, insurer: Uzovi) -> Result<u64, StoreError> {
        read!(self, on => snapshot::floor(on, insurer))
    }

    /// The floor of every insurer that has one, in order of insurer.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn floors(&self) -> Result<Vec<(Uzovi, u64)>, StoreError> {
        read!(self, on => snapshot::floors(on))
    }

    /// Subscriptions whose acknowledged position is below the floor, at most a thousand.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn left_behind(&self) -> Result<Vec<(Uzovi, String, u64)>, StoreError> {
        read!(self, on => snapshot::left_behind(on))
    }

    /// Sends no events any more that were recorded before `before`; lists still have them.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed.
    pub async fn prune(&self, before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        both!(self, store => store.prune(before, now))
    }

    /// Balances that are not the sums of their postings, at most a hundred; none where the books are right.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn differences(&self) -> Result<Vec<Difference>, StoreError> {
        read!(self, on => lists::differences(on))
    }

    /// Writes the balances anew from the postings.
    ///
    /// # Errors
    /// [`StoreError`]; the balances are as before.
    pub async fn rebuild_balances(&self) -> Result<(), StoreError> {
        both!(self, store => store.rebuild())
    }

    /// Stores the position that a subscription has processed; never moves it back. Gives the position kept.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn acknowledge(
        &self,
        insurer: Uzovi,
        subscription: &str,
        position: u64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        both!(self, store => store.acknowledge(insurer, subscription, position, now))
    }

    /// The position that a subscription has processed; 0 before the first.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn acknowledged(
        &self,
        insurer: Uzovi,
        subscription: &str,
    ) -> Result<u64, StoreError> {
        both!(self, store => store.acknowledged(insurer, subscription))
    }

    /// The last position in an insurer's stream of the claims of a message, by the message's entry of the log, under
    /// a contract; none where the stream has none.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn streamed(
        &self,
        insurer: Uzovi,
        contract_id: &str,
        sequence: u64,
    ) -> Result<Option<u64>, StoreError> {
        let contract_id = contract_id.to_owned();
        read!(self, on => lists::streamed(on, insurer, &contract_id, sequence))
    }

    /// What subscribers have acknowledged, in order of insurer and name, of one insurer or of all; at most
    /// [`SUBSCRIPTIONS_MAX`].
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn subscriptions(
        &self,
        insurer: Option<Uzovi>,
    ) -> Result<Vec<Subscription>, StoreError> {
        read!(self, on => lists::subscriptions(on, insurer))
    }

    /// Every stream's last position and sum.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn stream_heads(&self) -> Result<Vec<StreamHead>, StoreError> {
        both!(self, store => store.stream_heads())
    }

    /// A claim with its parts.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn claim(&self, claim_id: &str) -> Result<Option<AllocatedClaim>, StoreError> {
        both!(self, store => store.claim(claim_id))
    }

    /// Claims of a message, in order of line.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn claims_of(
        &self,
        message_id: uuid::Uuid,
    ) -> Result<Vec<AllocatedClaim>, StoreError> {
        both!(self, store => store.claims_of(message_id))
    }

    /// The sum of every account, by account, from the lines themselves.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn balances(&self) -> Result<Vec<AccountBalance>, StoreError> {
        both!(self, store => store.balances())
    }

    /// Number of claims and of journals.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn counts(&self) -> Result<(u64, u64), StoreError> {
        both!(self, store => store.counts())
    }
}
