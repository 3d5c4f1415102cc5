//! A pool of PostgreSQL connections for one store, each with the store's own schema as its search path.
//!
//! Nothing here knows a table.

use std::{error::Error as _, io, time::Duration};

use deadpool_postgres::{
    Hook, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use tokio_postgres::{Config, error::SqlState};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    decision_store::StoreError,
    migration::{Migrations, migrate_postgres},
    postgres_tls,
};

/// Connections of one store of one process.
pub const CONNECTIONS_MAX: usize = 16;

/// How long a caller waits for a connection, or for a connection to be made.
pub const CONNECTION_WAIT: Duration = Duration::from_secs(5);

/// How long one statement, a wait for a lock included, may take.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a transaction may lie still before the server ends it with its connection: a process
/// that hangs must not keep the lock on the head from all others. It is shorter than
/// [`STATEMENT_TIMEOUT`], so whoever waits for that lock gets it.
pub const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes the schema `schema` of the database at `url` if it is missing, brings it up to date, and gives a pool.
///
/// # Errors
/// [`StoreError::NewerSchema`] where a newer program wrote it, [`StoreError::Unavailable`] where the database cannot
/// be reached, [`StoreError::Failed`] where `url` is none or a file of the migrations was changed.
pub async fn open(
    url: &str,
    schema: &'static str,
    migrations: Migrations,
) -> Result<Pool, StoreError> {
    let (url, tls) = postgres_tls::of_url(url)?;
    let mut config: Config = url
        .parse()
        // The text of the error is not shown: it may hold the password.
        .map_err(|_| StoreError::Failed("the URL of the database cannot be read".to_owned()))?;
    if config.get_application_name().is_none() {
        config.application_name(format!("samenloop {schema}"));
    }
    config.connect_timeout(CONNECTION_WAIT);
    config.tcp_user_timeout(STATEMENT_TIMEOUT);
    migrate(&config, &tls, schema, migrations).await?;
    pool(config, tls, schema)
}

/// On a connection of its own, under a lock: programs that start at once wait for each other.
async fn migrate(
    config: &Config,
    tls: &MakeRustlsConnect,
    schema: &'static str,
    migrations: Migrations,
) -> Result<(), StoreError> {
    let (mut client, connection) = config.connect(tls.clone()).await?;
    let driver = tokio::spawn(connection);
    client
        .batch_execute(&format!(
            "SELECT pg_advisory_lock(hashtext('samenloop {schema}'));
             CREATE SCHEMA IF NOT EXISTS {schema};
             SET search_path = {schema};"
        ))
        .await?;
    let migrated = migrate_postgres(&mut client, migrations).await;
    // The lock ends with the connection.
    drop(client);
    drop(driver.await);
    migrated
}

fn pool(config: Config, tls: MakeRustlsConnect, schema: &'static str) -> Result<Pool, StoreError> {
    let manager_config = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = Manager::from_config(config, tls, manager_config);
    let settings = format!(
        "SET search_path = {schema}; SET statement_timeout = {};
         SET idle_in_transaction_session_timeout = {}; SET TIME ZONE 'UTC';",
        STATEMENT_TIMEOUT.as_millis(),
        IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
    );
    Pool::builder(manager)
        .max_size(CONNECTIONS_MAX)
        .timeouts(Timeouts {
            wait: Some(CONNECTION_WAIT),
            create: Some(CONNECTION_WAIT),
            recycle: Some(CONNECTION_WAIT),
        })
        .runtime(Runtime::Tokio1)
        .post_create(Hook::async_fn(move |client, _| {
            let settings = settings.clone();
            Box::pin(async move {
                let set = client.batch_execute(&settings).await;
                set.map_err(deadpool_postgres::HookError::Backend)
            })
        }))
        .build()
        .map_err(|e| StoreError::Failed(e.to_string()))
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        (&error).into()
    }
}

impl From<&tokio_postgres::Error> for StoreError {
    fn from(error: &tokio_postgres::Error) -> Self {
        let Some(refused) = error.as_db_error() else {
            let cause = error.source().and_then(|e| e.downcast_ref::<io::Error>());
            let text = match cause {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            };
            let is_lost = error.is_closed() || cause.is_some() || text.starts_with("timeout");
            return if is_lost {
                Self::Unavailable(text)
            } else {
                Self::Failed(text)
            };
        };
        // The detail is left out: it quotes values.
        let text = format!("{}: {}", refused.code().code(), refused.message());
        if is_transient(refused.code()) {
            Self::Unavailable(text)
        } else {
            Self::Failed(text)
        }
    }
}

/// Connection lost (08), out of resources (53), ended by an operator (57), a lost race (40001,
/// 40P01, 55P03), a transaction that lay still for too long (25P03).
fn is_transient(code: &SqlState) -> bool {
    let class = &code.code()[..2];
    matches!(class, "08" | "53" | "57")
        || [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
