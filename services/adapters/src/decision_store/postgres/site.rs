//! What operators are shown and do beside quarantine and reviews, on PostgreSQL.

use tokio_postgres::Row;

use super::{PostgresDecisionStore, execute};
use crate::decision_store::{
    site::{Activation, StageAttempts, StuckRow},
    words::{Word as _, instant, small, unsigned},
    *,
};

impl PostgresDecisionStore {
    pub(in crate::decision_store) async fn attempts_by_stage(
        &self,
    ) -> Result<Vec<StageAttempts>, StoreError> {
        let sql =
            "SELECT stage, count(*), max(attempted_at) FROM attempt GROUP BY stage ORDER BY stage";
        let read = |row: &Row| {
            Ok(StageAttempts {
                stage: row.get(0),
                deliveries: unsigned(row.get(1))?,
                last: instant(row.get(2))?,
            })
        };
        self.query(sql, &[]).await?.iter().map(read).collect()
    }

    pub(in crate::decision_store) async fn activations(
        &self,
        limit: u32,
    ) -> Result<Vec<Activation>, StoreError> {
        let sql = "SELECT a.version, a.sequence, l.recorded_at
             FROM reference_activation AS a JOIN log AS l ON l.sequence = a.sequence
             ORDER BY a.sequence DESC LIMIT $1";
        let read = |row: &Row| {
            let version: &str = row.get(0);
            Ok(Activation {
                version: ReferenceVersion::new(version),
                sequence: Sequence(unsigned(row.get(1))?),
                recorded_at: instant(row.get(2))?,
            })
        };
        let rows = self.query(sql, &[&i64::from(limit)]).await?;
        rows.iter().map(read).collect()
    }

    pub(in crate::decision_store) async fn stuck_rows(
        &self,
        sent: Sent,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StuckRow>, StoreError> {
        let sql = "SELECT id, relay, kind, party, message_id, version, sent, sent_at FROM outbox
             WHERE sent = $1 AND sent IN ('unclaimed', 'parked') AND id > $2 ORDER BY id LIMIT $3";
        let rows = self
            .query(sql, &[&sent.word(), &after, &i64::from(limit)])
            .await?;
        rows.iter().map(stuck).collect()
    }

    pub(in crate::decision_store) async fn send_again(
        &self,
        sent: Sent,
        ids: Vec<i64>,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE outbox SET sent = NULL, sent_at = NULL
             WHERE id = ANY($1) AND sent = $2 AND sent IN ('unclaimed', 'parked')";
        let client = self.pool.get().await?;
        execute(&client, sql, &[&ids, &sent.word()]).await
    }
}

fn stuck(row: &Row) -> Result<StuckRow, StoreError> {
    let party: Option<&str> = row.get(3);
    Ok(StuckRow {
        id: row.get(0),
        relay: Relay::read(row.get(1))?,
        kind: row.get(2),
        party: party.map(PartyId::new),
        message_id: row.get(4),
        version: small(row.get(5))?,
        sent: Sent::read(row.get(6))?,
        sent_at: instant(row.get(7))?,
    })
}
