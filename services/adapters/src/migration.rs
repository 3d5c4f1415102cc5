//! Brings a schema up to date by numbered files, forward only, and refuses one that a newer program wrote.
//!
//! Files that were applied are compared with ours by checksum: a changed file stops the start.

use refinery::{Migration, Runner, error::Kind};

use crate::decision_store::StoreError;

/// Numbered files in order: name as `V1__what`, and SQL.
pub type Migrations = &'static [(&'static str, &'static str)];

/// Applies what a SQLite database lacks, in one transaction.
///
/// # Errors
/// [`StoreError::NewerSchema`] where a newer program wrote it, [`StoreError::Failed`] where a file was changed.
pub fn migrate_sqlite(
    connection: &mut rusqlite::Connection,
    migrations: Migrations,
) -> Result<(), StoreError> {
    let runner = runner(migrations)?;
    let applied = runner.run(connection);
    applied.map_err(|e| store_error(&e, &runner)).map(drop)
}

/// Applies what a PostgreSQL database lacks, in one transaction.
///
/// # Errors
/// [`StoreError::NewerSchema`] where a newer program wrote it, [`StoreError::Failed`] where a file was changed.
pub async fn migrate_postgres(
    client: &mut tokio_postgres::Client,
    migrations: Migrations,
) -> Result<(), StoreError> {
    let runner = runner(migrations)?;
    let applied = runner.run_async(client).await;
    applied.map_err(|e| store_error(&e, &runner)).map(drop)
}

/// Grouped: the files and the notes that they were applied are one transaction.
fn runner(migrations: Migrations) -> Result<Runner, StoreError> {
    let files: Result<Vec<_>, _> = migrations
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect();
    let files = files.map_err(|e| StoreError::Failed(e.to_string()))?;
    Ok(Runner::new(&files).set_grouped(true))
}

fn store_error(error: &refinery::Error, runner: &Runner) -> StoreError {
    let newest = runner.get_migrations().iter().map(Migration::version).max();
    match error.kind() {
        Kind::MissingVersion(applied) if Some(applied.version()) > newest => {
            StoreError::NewerSchema(format!(
                "it has {applied}, and this program knows up to V{}",
                newest.unwrap_or_default()
            ))
        }
        Kind::Connection(step, source) => match source.downcast_ref::<tokio_postgres::Error>() {
            Some(source) => source.into(),
            None => StoreError::Failed(format!("{step}: {source}")),
        },
        _ => StoreError::Failed(error.to_string()),
    }
}
