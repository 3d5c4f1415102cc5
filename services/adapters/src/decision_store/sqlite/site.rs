//! What operators are shown and do beside quarantine and reviews, on SQLite.

use rusqlite::{Row, params};

use super::{SqliteDecisionStore, read::collect};
use crate::decision_store::{
    site::{Activation, StageAttempts, StuckRow},
    words::{Word as _, instant, small, unsigned},
    *,
};

impl SqliteDecisionStore {
    pub(in crate::decision_store) async fn attempts_by_stage(
        &self,
    ) -> Result<Vec<StageAttempts>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT stage, count(*), max(attempted_at) FROM attempt GROUP BY stage ORDER BY stage",
            )?;
            collect(statement.query([])?, |row| {
                Ok(StageAttempts {
                    stage: row.get(0)?,
                    deliveries: unsigned(row.get(1)?)?,
                    last: instant(row.get(2)?)?,
                })
            })
        })
        .await
    }

    pub(in crate::decision_store) async fn activations(
        &self,
        limit: u32,
    ) -> Result<Vec<Activation>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT a.version, a.sequence, l.recorded_at
                 FROM reference_activation AS a JOIN log AS l ON l.sequence = a.sequence
                 ORDER BY a.sequence DESC LIMIT ?1",
            )?;
            collect(statement.query([limit])?, |row| {
                let version: String = row.get(0)?;
                Ok(Activation {
                    version: ReferenceVersion::new(version),
                    sequence: Sequence(unsigned(row.get(1)?)?),
                    recorded_at: instant(row.get(2)?)?,
                })
            })
        })
        .await
    }

    pub(in crate::decision_store) async fn stuck_rows(
        &self,
        sent: Sent,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StuckRow>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, relay, kind, party, message_id, version, sent, sent_at FROM outbox
                 WHERE sent = ?1 AND sent IN ('unclaimed', 'parked') AND id > ?2 ORDER BY id LIMIT ?3",
            )?;
            collect(statement.query(params![sent.word(), after, limit])?, stuck)
        })
        .await
    }

    pub(in crate::decision_store) async fn send_again(
        &self,
        sent: Sent,
        ids: Vec<i64>,
    ) -> Result<u64, StoreError> {
        self.write(move |connection| {
            let mut release = connection.prepare_cached(
                "UPDATE outbox SET sent = NULL, sent_at = NULL
                 WHERE id = ?1 AND sent = ?2 AND sent IN ('unclaimed', 'parked')",
            )?;
            let mut released = 0;
            for id in ids {
                released += release.execute(params![id, sent.word()])? as u64;
            }
            Ok(released)
        })
        .await
    }
}

fn stuck(row: &Row<'_>) -> Result<StuckRow, StoreError> {
    let (relay, party): (String, Option<String>) = (row.get(1)?, row.get(3)?);
    let (message_id, sent): (Option<[u8; 16]>, String) = (row.get(4)?, row.get(6)?);
    Ok(StuckRow {
        id: row.get(0)?,
        relay: Relay::read(&relay)?,
        kind: row.get(2)?,
        party: party.map(PartyId::new),
        message_id: message_id.map(Uuid::from_bytes),
        version: small(row.get(5)?)?,
        sent: Sent::read(&sent)?,
        sent_at: instant(row.get(7)?)?,
    })
}
