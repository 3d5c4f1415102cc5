//! Where a stream begins that does not begin at its start: the books at one moment, and the floor below which events
//! are no longer sent.

use jiff::Timestamp;
use samenloop_domain::identifiers::Uzovi;

use super::{
    Snapshot, StoreError, StreamHead,
    facts::payments,
    lists::balance_page,
    rows::{signed, unsigned, uzovi},
    statements::{Statements, values},
};

/// The books of an insurer, read in one transaction; none where they have more than `rows_max` rows.
pub(super) async fn take(
    on: &impl Statements,
    insurer: Uzovi,
    rows_max: u32,
) -> Result<Option<Snapshot>, StoreError> {
    let sql = "SELECT position, CAST(cents AS BIGINT) FROM stream_head WHERE insurer = $1";
    let mut rows = on.rows(sql, values![insurer.as_str()]).await?;
    let (position, cents) = match rows.first_mut() {
        Some(row) => (unsigned(row.number()?)?, row.number()?),
        None => (0, 0),
    };
    let balances = balance_page(on, insurer, "", "", rows_max + 1).await?;
    let of = values![insurer.as_str(), i64::from(rows_max) + 1];
    let open = "p.insurer = $1 AND p.cents > 0 AND p.paid_by IS NULL AND p.reversed_by IS NULL
         ORDER BY p.run, p.payee LIMIT $2";
    let payments = payments(on, open, of).await?;
    let fits = balances.len() + payments.len() <= usize::try_from(rows_max).unwrap_or(usize::MAX);
    Ok(fits.then_some(Snapshot {
        head: StreamHead {
            insurer,
            position,
            cents,
        },
        balances,
        payments,
    }))
}

/// The position up to which events of an insurer are no longer sent; 0 where all are.
pub(super) async fn floor(on: &impl Statements, insurer: Uzovi) -> Result<u64, StoreError> {
    let sql = "SELECT position FROM stream_floor WHERE insurer = $1";
    let mut rows = on.rows(sql, values![insurer.as_str()]).await?;
    rows.first_mut()
        .map_or(Ok(0), |row| unsigned(row.number()?))
}

/// The floor of every insurer that has one, in order of insurer.
pub(super) async fn floors(on: &impl Statements) -> Result<Vec<(Uzovi, u64)>, StoreError> {
    let sql = "SELECT CAST(insurer AS TEXT), position FROM stream_floor ORDER BY 1";
    let rows = on.rows(sql, Vec::new()).await?;
    let floor = |mut row: super::statements::Row| {
        let insurer = uzovi(&row.text()?)?;
        Ok((insurer, unsigned(row.number()?)?))
    };
    rows.into_iter().map(floor).collect()
}

/// Raises the floor of every insurer to its last event that was recorded before `before`; it never goes down.
pub(super) async fn prune(
    on: &impl Statements,
    before: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO stream_floor (insurer, position, pruned_us)
         SELECT e.insurer, max(e.position), CAST($1 AS BIGINT)
         FROM event e
         LEFT JOIN claim c ON c.sequence = e.sequence AND c.version = e.version
             AND c.line_number = e.line_number
         LEFT JOIN command m ON m.insurer = e.insurer AND m.number = e.command
         WHERE coalesce(c.recorded_at_us, m.recorded_at_us) < $2
         GROUP BY e.insurer
         ON CONFLICT (insurer) DO UPDATE SET
             position = excluded.position, pruned_us = excluded.pruned_us
             WHERE excluded.position > stream_floor.position";
    let of = values![now.as_microsecond(), before.as_microsecond()];
    on.change(sql, vec![of]).await?;
    Ok(())
}

/// The positions that subscriptions have acknowledged below the floor: these will have to take a snapshot.
pub(super) async fn left_behind(
    on: &impl Statements,
) -> Result<Vec<(Uzovi, String, u64)>, StoreError> {
    let sql = "SELECT CAST(s.insurer AS TEXT), s.name, s.position FROM subscription s
         JOIN stream_floor f ON f.insurer = s.insurer AND f.position > s.position
         ORDER BY 1, 2 LIMIT $1";
    let rows = on.rows(sql, values![signed(1000)?]).await?;
    let left = |mut row: super::statements::Row| {
        let insurer = uzovi(&row.text()?)?;
        Ok((insurer, row.text()?, unsigned(row.number()?)?))
    };
    rows.into_iter().map(left).collect()
}
