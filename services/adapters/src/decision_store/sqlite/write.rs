//! What roles write beside decisions: attempts, quarantine, leases, what was sent.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{SqliteDecisionStore, commit::write_outbox, quarantine::note_event};
use crate::{
    decision_store::{
        rows::OutboxInsert,
        words::{Word, micros, small},
        *,
    },
    wire::digest::hex,
};

impl SqliteDecisionStore {
    pub(in crate::decision_store) async fn record_attempt(
        &self,
        stage: &str,
        fingerprint: [u8; 32],
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let stage = stage.to_owned();
        self.write(move |connection| {
            let mut upsert = connection.prepare_cached(
                "INSERT INTO attempt (stage, fingerprint, attempts, attempted_at)
                 VALUES (?1, ?2, 1, ?3)
                 ON CONFLICT DO UPDATE
                 SET attempts = attempts + 1, attempted_at = excluded.attempted_at
                 RETURNING attempts",
            )?;
            let count =
                upsert.query_row(params![stage, fingerprint, micros(now)], |row| row.get(0))?;
            small(count)
        })
        .await
    }

    pub(in crate::decision_store) async fn clear_attempts(
        &self,
        stage: &str,
        fingerprints: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        if fingerprints.is_empty() {
            return Ok(());
        }
        let (stage, fingerprints) = (stage.to_owned(), fingerprints.to_vec());
        self.write(move |connection| {
            let sql = "DELETE FROM attempt WHERE stage = ?1 AND fingerprint = ?2";
            let mut delete = connection.prepare_cached(sql)?;
            for fingerprint in fingerprints {
                delete.execute(params![stage, fingerprint])?;
            }
            Ok(())
        })
        .await
    }

    pub(in crate::decision_store) async fn quarantine(
        &self,
        deliveries: Vec<Quarantined>,
        refusals: Vec<NewOutboxRow>,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            let mut answered = BTreeSet::new();
            for delivery in &deliveries {
                if !set_aside(connection, delivery)? {
                    answered.insert(hex(&delivery.fingerprint));
                }
            }
            let rows = OutboxInsert::of_refusals(refusals, &deliveries, &answered)?;
            write_outbox(connection, &rows)
        })
        .await
    }

    pub(in crate::decision_store) async fn forget_quarantined(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.write(move |connection| {
            let mut forget = connection.prepare_cached(
                "UPDATE quarantine SET sealed_body = x''
                 WHERE id IN (SELECT id FROM quarantine
                              WHERE quarantined_at < ?1 AND length(sealed_body) > 0
                              ORDER BY quarantined_at LIMIT ?2)",
            )?;
            Ok(forget.execute(params![micros(before), limit])? as u64)
        })
        .await
    }

    pub(in crate::decision_store) async fn lease(
        &self,
        lease: Lease,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let mut upsert = connection.prepare_cached(
                "INSERT INTO relay_lease (relay, holder, held_until) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE
                 SET holder = excluded.holder, held_until = excluded.held_until
                 WHERE holder = excluded.holder OR held_until <= ?4
                 RETURNING 1",
            )?;
            let until = micros(lease.until(now));
            let values = params![
                lease.relay.word(),
                lease.holder.as_bytes(),
                until,
                micros(now)
            ];
            let taken: Option<i64> = upsert.query_row(values, |row| row.get(0)).optional()?;
            Ok(taken.is_some())
        })
        .await
    }

    pub(in crate::decision_store) async fn mark_sent(
        &self,
        rows: &[(i64, Sent)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let rows = rows.to_vec();
        self.write(move |connection| mark_sent(connection, &rows, now))
            .await
    }
}

/// Keeps a delivery; false where it is kept already, body included.
///
/// One that was replayed or discarded and comes back waits again, with its attempts added up and the time of the first.
fn set_aside(connection: &Connection, delivery: &Quarantined) -> Result<bool, StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO quarantine (id, stage, fingerprint, reason, problem, party, message_id,
             content_type, sealed_body, quarantined_at, attempts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (stage, fingerprint) DO UPDATE
         SET sealed_body = excluded.sealed_body, quarantined_at = excluded.quarantined_at,
             attempts = CASE WHEN state IN ('replayed', 'discarded') THEN attempts ELSE excluded.attempts END
         WHERE length(sealed_body) = 0",
    )?;
    let inserted = insert.execute(params![
        delivery.id.as_bytes(),
        delivery.stage,
        delivery.fingerprint,
        delivery.reason,
        delivery.problem,
        delivery.party.as_ref().map(PartyId::as_str),
        delivery.message_id,
        delivery.content_type,
        delivery.sealed_body,
        micros(delivery.quarantined_at),
        delivery.attempts,
    ])?;
    let mut back = connection.prepare_cached(
        "UPDATE quarantine SET state = 'waiting', attempts = attempts + ?3, reason = ?4,
             problem = ?5
         WHERE stage = ?1 AND fingerprint = ?2 AND state IN ('replayed', 'discarded')
         RETURNING id",
    )?;
    let values = params![
        delivery.stage,
        delivery.fingerprint,
        delivery.attempts,
        delivery.reason,
        delivery.problem,
    ];
    let id: Option<[u8; 16]> = back.query_row(values, |row| row.get(0)).optional()?;
    if let Some(id) = id.map(Uuid::from_bytes) {
        let at = delivery.quarantined_at;
        note_event(connection, id, at, "waiting", None, &delivery.problem)?;
    }
    Ok(inserted == 1)
}

/// A row that was confirmed stays so; a message shows what became of the newest version of its outcome.
fn mark_sent(
    connection: &Connection,
    rows: &[(i64, Sent)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut mark = connection.prepare_cached(
        "UPDATE outbox SET sent = ?2, sent_at = ?3
         WHERE id = ?1 AND sent IS NOT 'confirmed'
         RETURNING kind, message_id, version",
    )?;
    let mut outcome = connection.prepare_cached(
        "UPDATE message SET outcome_sent = ?1 WHERE message_id = ?2 AND version = ?3",
    )?;
    let mut claims =
        connection.prepare_cached("UPDATE message SET claims_sent = ?1 WHERE message_id = ?2")?;
    for (id, sent) in rows {
        let word = sent.word();
        let marked: Option<(String, Option<[u8; 16]>, i64)> = mark
            .query_row(params![id, word, micros(now)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        match marked {
            Some((kind, Some(message_id), version)) if kind == "outcome" => {
                outcome.execute(params![word, message_id, version])?;
            }
            Some((_, Some(message_id), _)) => {
                claims.execute(params![word, message_id])?;
            }
            _ => {}
        }
    }
    Ok(())
}
