//! What operators do with the quarantine, on SQLite.

use rusqlite::{
    Connection, OptionalExtension as _, Row, ToSql, params, params_from_iter, types::ToSqlOutput,
};

use super::{
    SqliteDecisionStore,
    read::{collect, quarantined},
};
use crate::decision_store::{
    quarantine::{Conditions, EVENTS_MAX, GROUPS_MAX, Value},
    words::{Word, instant, micros, signed, small, unsigned},
    *,
};

const ROW: &str = "SELECT id, stage, fingerprint, reason, problem, party, message_id, content_type,
    quarantined_at, attempts, state FROM quarantine";

const OPERATION: &str =
    "SELECT id, person, kind, subject, reason, matched, done, failed, started_at, ended_at
    FROM operation";

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Number(number) => number.to_sql(),
            Self::Id(id) => Ok(ToSqlOutput::from(id.as_bytes().as_slice())),
        }
    }
}

impl SqliteDecisionStore {
    pub(in crate::decision_store) async fn quarantine_page(
        &self,
        mut conditions: Conditions,
        order: QuarantineOrder,
        limit: u32,
    ) -> Result<Vec<QuarantineRow>, StoreError> {
        let limit = conditions.add(Value::Number(limit.into()));
        let sql = format!("{ROW}{}{} LIMIT {limit}", conditions.sql, order.sql());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            collect(statement.query(params_from_iter(conditions.values))?, row)
        })
        .await
    }

    pub(in crate::decision_store) async fn quarantine_count(
        &self,
        conditions: Conditions,
    ) -> Result<u64, StoreError> {
        self.read(move |connection| {
            let sql = format!("SELECT count(*) FROM quarantine{}", conditions.sql);
            let mut statement = connection.prepare_cached(&sql)?;
            let values = params_from_iter(conditions.values);
            unsigned(statement.query_row(values, |row| row.get(0))?)
        })
        .await
    }

    pub(in crate::decision_store) async fn quarantine_groups(
        &self,
        conditions: Conditions,
    ) -> Result<Vec<QuarantineGroup>, StoreError> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT stage, reason, problem, count(*), min(quarantined_at), max(quarantined_at)
                 FROM quarantine{} GROUP BY stage, reason, problem
                 ORDER BY count(*) DESC, stage, reason, problem LIMIT {GROUPS_MAX}",
                conditions.sql
            );
            let mut statement = connection.prepare_cached(&sql)?;
            collect(
                statement.query(params_from_iter(conditions.values))?,
                |row| {
                    Ok(QuarantineGroup {
                        stage: row.get(0)?,
                        reason: row.get(1)?,
                        problem: row.get(2)?,
                        count: unsigned(row.get(3)?)?,
                        first: instant(row.get(4)?)?,
                        last: instant(row.get(5)?)?,
                    })
                },
            )
        })
        .await
    }

    pub(in crate::decision_store) async fn quarantined_bodies(
        &self,
        ids: &[Uuid],
    ) -> Result<Vec<Quarantined>, StoreError> {
        let ids = ids.to_vec();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, stage, fingerprint, reason, problem, party, message_id, content_type,
                     sealed_body, quarantined_at, attempts
                 FROM quarantine WHERE id = ?1",
            )?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(collect(statement.query([id.as_bytes()])?, quarantined)?);
            }
            Ok(found)
        })
        .await
    }

    pub(in crate::decision_store) async fn quarantined_delivery(
        &self,
        id: Uuid,
    ) -> Result<Option<(QuarantineRow, Vec<QuarantineEvent>)>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!("{ROW} WHERE id = ?1"))?;
            let found = collect(statement.query([id.as_bytes()])?, row)?;
            let Some(found) = found.into_iter().next() else {
                return Ok(None);
            };
            let mut statement = connection.prepare_cached(
                "SELECT at, kind, operation_id, detail FROM quarantine_event
                 WHERE quarantine_id = ?1 ORDER BY number DESC LIMIT ?2",
            )?;
            let events = collect(
                statement.query(params![id.as_bytes(), EVENTS_MAX])?,
                |row| {
                    let (state, operation): (String, Option<[u8; 16]>) = (row.get(1)?, row.get(2)?);
                    Ok(QuarantineEvent {
                        at: instant(row.get(0)?)?,
                        state: QuarantineState::read(&state)?,
                        operation: operation.map(Uuid::from_bytes),
                        detail: row.get(3)?,
                    })
                },
            )?;
            Ok(Some((found, events)))
        })
        .await
    }

    pub(in crate::decision_store) async fn change_quarantined(
        &self,
        ids: &[Uuid],
        change: &QuarantineChange,
    ) -> Result<u64, StoreError> {
        let (ids, change) = (ids.to_vec(), change.clone());
        self.write(move |connection| {
            let mut changed = 0;
            for id in ids {
                changed += u64::from(change_one(connection, id, &change)?);
            }
            Ok(changed)
        })
        .await
    }

    pub(in crate::decision_store) async fn record_operation(
        &self,
        operation: Operation,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            let mut insert = connection.prepare_cached(
                "INSERT INTO operation (id, person, kind, subject, reason, matched, done, failed, started_at, ended_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            insert.execute(params![
                operation.id.as_bytes(),
                operation.person,
                operation.kind,
                operation.subject,
                operation.reason,
                signed(operation.matched),
                signed(operation.done),
                signed(operation.failed),
                micros(operation.started_at),
                operation.ended_at.map(micros),
            ])?;
            Ok(())
        })
        .await
    }

    pub(in crate::decision_store) async fn update_operation(
        &self,
        operation: &Operation,
    ) -> Result<(), StoreError> {
        let operation = operation.clone();
        self.write(move |connection| {
            let mut update = connection.prepare_cached(
                "UPDATE operation SET done = ?2, failed = ?3, ended_at = ?4 WHERE id = ?1",
            )?;
            update.execute(params![
                operation.id.as_bytes(),
                signed(operation.done),
                signed(operation.failed),
                operation.ended_at.map(micros),
            ])?;
            Ok(())
        })
        .await
    }

    pub(in crate::decision_store) async fn operations(
        &self,
        before: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        let (at, id) = before.map_or((i64::MAX, Uuid::max()), |(at, id)| (micros(at), id));
        self.read(move |connection| {
            let sql = format!(
                "{OPERATION} WHERE (started_at, id) < (?1, ?2) ORDER BY started_at DESC, id DESC LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            collect(statement.query(params![at, id.as_bytes(), limit])?, operation)
        })
        .await
    }

    pub(in crate::decision_store) async fn operation(
        &self,
        id: Uuid,
    ) -> Result<Option<Operation>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!("{OPERATION} WHERE id = ?1"))?;
            let found = collect(statement.query([id.as_bytes()])?, operation)?;
            Ok(found.into_iter().next())
        })
        .await
    }
}

/// Changes one delivery, if it is in a state that the change begins from.
fn change_one(
    connection: &Connection,
    id: Uuid,
    change: &QuarantineChange,
) -> Result<bool, StoreError> {
    let mut now =
        connection.prepare_cached("SELECT state, problem FROM quarantine WHERE id = ?1")?;
    let found: Option<(String, String)> = now
        .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((state, problem)) = found else {
        return Ok(false);
    };
    if !change.from.contains(&QuarantineState::read(&state)?) {
        return Ok(false);
    }
    let to = change.to.word();
    connection
        .prepare_cached("UPDATE quarantine SET state = ?2 WHERE id = ?1")?
        .execute(params![id.as_bytes(), to])?;
    let operation = change.operation;
    note_event(connection, id, change.at, to, Some(operation), &problem)?;
    Ok(true)
}

/// Writes down what became of a delivery.
pub(super) fn note_event(
    connection: &Connection,
    id: Uuid,
    at: Timestamp,
    kind: &str,
    operation: Option<Uuid>,
    detail: &str,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO quarantine_event (quarantine_id, at, kind, operation_id, detail)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let operation = operation.map(Uuid::into_bytes);
    insert.execute(params![id.as_bytes(), micros(at), kind, operation, detail])?;
    Ok(())
}

fn row(row: &Row<'_>) -> Result<QuarantineRow, StoreError> {
    let (party, state): (Option<String>, String) = (row.get(5)?, row.get(10)?);
    Ok(QuarantineRow {
        id: Uuid::from_bytes(row.get(0)?),
        stage: row.get(1)?,
        fingerprint: row.get(2)?,
        reason: row.get(3)?,
        problem: row.get(4)?,
        party: party.map(PartyId::new),
        message_id: row.get(6)?,
        content_type: row.get(7)?,
        quarantined_at: instant(row.get(8)?)?,
        attempts: small(row.get(9)?)?,
        state: QuarantineState::read(&state)?,
    })
}

fn operation(row: &Row<'_>) -> Result<Operation, StoreError> {
    let ended_at: Option<i64> = row.get(9)?;
    Ok(Operation {
        id: Uuid::from_bytes(row.get(0)?),
        person: row.get(1)?,
        kind: row.get(2)?,
        subject: row.get(3)?,
        reason: row.get(4)?,
        matched: unsigned(row.get(5)?)?,
        done: unsigned(row.get(6)?)?,
        failed: unsigned(row.get(7)?)?,
        started_at: instant(row.get(8)?)?,
        ended_at: ended_at.map(instant).transpose()?,
    })
}
