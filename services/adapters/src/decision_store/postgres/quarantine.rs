//! What operators do with the quarantine, on PostgreSQL.

use tokio_postgres::{Row, types::ToSql};

use super::{PostgresDecisionStore, execute, read::quarantined};
use crate::decision_store::{
    quarantine::{Conditions, EVENTS_MAX, GROUPS_MAX, Value},
    words::{Word, digest, instant, micros, signed, small, unsigned},
    *,
};

const ROW: &str = "SELECT id, stage, fingerprint, reason, problem, party, message_id, content_type,
    quarantined_at, attempts, state FROM quarantine";

const OPERATION: &str =
    "SELECT id, person, kind, subject, reason, matched, done, failed, started_at, ended_at
    FROM operation";

/// The values of conditions as a statement takes them.
pub(super) fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(parameter).collect()
}

fn parameter(value: &Value) -> &(dyn ToSql + Sync) {
    match value {
        Value::Text(text) => text,
        Value::Number(number) => number,
        Value::Id(id) => id,
    }
}

impl PostgresDecisionStore {
    pub(in crate::decision_store) async fn quarantine_page(
        &self,
        mut conditions: Conditions,
        order: QuarantineOrder,
        limit: u32,
    ) -> Result<Vec<QuarantineRow>, StoreError> {
        let limit = conditions.add(Value::Number(limit.into()));
        let sql = format!("{ROW}{}{} LIMIT {limit}", conditions.sql, order.sql());
        let rows = self.query(&sql, &parameters(&conditions.values)).await?;
        rows.iter().map(row).collect()
    }

    pub(in crate::decision_store) async fn quarantine_count(
        &self,
        conditions: Conditions,
    ) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM quarantine{}", conditions.sql);
        let rows = self.query(&sql, &parameters(&conditions.values)).await?;
        rows.first().map_or(Ok(0), |row| unsigned(row.get(0)))
    }

    pub(in crate::decision_store) async fn quarantine_groups(
        &self,
        conditions: Conditions,
    ) -> Result<Vec<QuarantineGroup>, StoreError> {
        let sql = format!(
            "SELECT stage, reason, problem, count(*), min(quarantined_at), max(quarantined_at)
             FROM quarantine{} GROUP BY stage, reason, problem
             ORDER BY count(*) DESC, stage, reason, problem LIMIT {GROUPS_MAX}",
            conditions.sql
        );
        let rows = self.query(&sql, &parameters(&conditions.values)).await?;
        let group = |row: &Row| {
            Ok(QuarantineGroup {
                stage: row.get(0),
                reason: row.get(1),
                problem: row.get(2),
                count: unsigned(row.get(3))?,
                first: instant(row.get(4))?,
                last: instant(row.get(5))?,
            })
        };
        rows.iter().map(group).collect()
    }

    pub(in crate::decision_store) async fn quarantined_bodies(
        &self,
        ids: &[Uuid],
    ) -> Result<Vec<Quarantined>, StoreError> {
        let sql = "SELECT id, stage, fingerprint, reason, problem, party, message_id, content_type,
                 sealed_body, quarantined_at, attempts
             FROM quarantine WHERE id = ANY ($1)";
        let rows = self.query(sql, &[&ids]).await?;
        rows.iter().map(quarantined).collect()
    }

    pub(in crate::decision_store) async fn quarantined_delivery(
        &self,
        id: Uuid,
    ) -> Result<Option<(QuarantineRow, Vec<QuarantineEvent>)>, StoreError> {
        let rows = self.query(&format!("{ROW} WHERE id = $1"), &[&id]).await?;
        let Some(found) = rows.first().map(row).transpose()? else {
            return Ok(None);
        };
        let sql = "SELECT at, kind, operation_id, detail FROM quarantine_event
             WHERE quarantine_id = $1 ORDER BY number DESC LIMIT $2";
        let rows = self.query(sql, &[&id, &i64::from(EVENTS_MAX)]).await?;
        let event = |row: &Row| {
            Ok(QuarantineEvent {
                at: instant(row.get(0))?,
                state: QuarantineState::read(row.get(1))?,
                operation: row.get(2),
                detail: row.get(3),
            })
        };
        let events: Result<Vec<_>, StoreError> = rows.iter().map(event).collect();
        Ok(Some((found, events?)))
    }

    pub(in crate::decision_store) async fn change_quarantined(
        &self,
        ids: &[Uuid],
        change: &QuarantineChange,
    ) -> Result<u64, StoreError> {
        let from: Vec<&str> = change.from.iter().map(|state| state.word()).collect();
        let sql = "WITH changed AS (
                 UPDATE quarantine SET state = $2 WHERE id = ANY ($1) AND state = ANY ($3)
                 RETURNING id, problem)
             INSERT INTO quarantine_event (quarantine_id, at, kind, operation_id, detail)
             SELECT id, $4, $2, $5, problem FROM changed";
        let client = self.pool.get().await?;
        let (to, at) = (change.to.word(), micros(change.at));
        execute(&client, sql, &[&ids, &to, &from, &at, &change.operation]).await
    }

    pub(in crate::decision_store) async fn record_operation(
        &self,
        operation: Operation,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO operation (id, person, kind, subject, reason, matched, done, failed,
                 started_at, ended_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let client = self.pool.get().await?;
        execute(
            &client,
            sql,
            &[
                &operation.id,
                &operation.person,
                &operation.kind,
                &operation.subject,
                &operation.reason,
                &signed(operation.matched),
                &signed(operation.done),
                &signed(operation.failed),
                &micros(operation.started_at),
                &operation.ended_at.map(micros),
            ],
        )
        .await?;
        Ok(())
    }

    pub(in crate::decision_store) async fn update_operation(
        &self,
        operation: &Operation,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE operation SET done = $2, failed = $3, ended_at = $4 WHERE id = $1";
        let client = self.pool.get().await?;
        let (done, failed) = (signed(operation.done), signed(operation.failed));
        let ended_at = operation.ended_at.map(micros);
        execute(&client, sql, &[&operation.id, &done, &failed, &ended_at]).await?;
        Ok(())
    }

    pub(in crate::decision_store) async fn operations(
        &self,
        before: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        let (at, id) = before.map_or((i64::MAX, Uuid::max()), |(at, id)| (micros(at), id));
        let sql = format!(
            "{OPERATION} WHERE (started_at, id) < ($1, $2) ORDER BY started_at DESC, id DESC LIMIT $3"
        );
        let rows = self.query(&sql, &[&at, &id, &i64::from(limit)]).await?;
        rows.iter().map(operation).collect()
    }

    pub(in crate::decision_store) async fn operation(
        &self,
        id: Uuid,
    ) -> Result<Option<Operation>, StoreError> {
        let sql = format!("{OPERATION} WHERE id = $1");
        let rows = self.query(&sql, &[&id]).await?;
        rows.first().map(operation).transpose()
    }
}

fn row(row: &Row) -> Result<QuarantineRow, StoreError> {
    let party: Option<&str> = row.get(5);
    Ok(QuarantineRow {
        id: row.get(0),
        stage: row.get(1),
        fingerprint: digest(row.get(2))?,
        reason: row.get(3),
        problem: row.get(4),
        party: party.map(PartyId::new),
        message_id: row.get(6),
        content_type: row.get(7),
        quarantined_at: instant(row.get(8))?,
        attempts: small(row.get(9))?,
        state: QuarantineState::read(row.get(10))?,
    })
}

fn operation(row: &Row) -> Result<Operation, StoreError> {
    let ended_at: Option<i64> = row.get(9);
    Ok(Operation {
        id: row.get(0),
        person: row.get(1),
        kind: row.get(2),
        subject: row.get(3),
        reason: row.get(4),
        matched: unsigned(row.get(5))?,
        done: unsigned(row.get(6))?,
        failed: unsigned(row.get(7))?,
        started_at: instant(row.get(8))?,
        ended_at: ended_at.map(instant).transpose()?,
    })
}
