//! What relays, operators and the gateway read.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Object;
use samenloop_domain::{
    cents::Cents,
    history::CeilingKey,
    identifiers::{Sequence, Uzovi},
};
use tokio_postgres::Row;

use super::{PostgresDecisionStore, day_of, history::load_ceilings, many, read_active};
use crate::{
    decision_store::{
        read_back::{self, MessageColumns, add_tally, outbox_row},
        words::{Word, age_seconds, digest, instant, signed, small, unsigned},
        *,
    },
    fault_plan::FaultPoint,
};

pub(super) const MESSAGE: &str =
    "SELECT message_id, party, content_digest, sequence, received_at, received_on::TEXT,
    decided_at, outcome, outcome_sent, claims_sent FROM message";

impl PostgresDecisionStore {
    pub(in crate::decision_store) async fn ping(&self) -> Result<(), StoreError> {
        self.head().await.map(drop)
    }

    pub(in crate::decision_store) async fn head(&self) -> Result<Head, StoreError> {
        let sql = "SELECT last_sequence, last_hash FROM decision_head";
        let rows = self.query(sql, &[]).await?;
        let row = rows.first().ok_or_else(|| words::unexpected("head", 0))?;
        read_back::head(row.get(0), row.get(1))
    }

    pub(in crate::decision_store) async fn active_version(
        &self,
    ) -> Result<Option<(ReferenceVersion, Sequence)>, StoreError> {
        let sql =
            "SELECT version, sequence FROM reference_activation ORDER BY sequence DESC LIMIT 1";
        let rows = self.query(sql, &[]).await?;
        rows.first().map(read_active).transpose()
    }

    pub(in crate::decision_store) async fn reference(
        &self,
        version: &ReferenceVersion,
    ) -> Result<Option<StoredReference>, StoreError> {
        let sql = "SELECT digest, canonical, (SELECT max(a.sequence) FROM reference_activation AS a
                 WHERE a.version = v.version)
             FROM reference_version AS v WHERE version = $1";
        let rows = self.query(sql, &[&version.as_str()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let sequence: Option<i64> = row.get(2);
        Ok(Some(StoredReference {
            version: version.clone(),
            digest: digest(row.get(0))?,
            canonical: row.get(1),
            sequence: sequence.map(unsigned).transpose()?.map(Sequence),
        }))
    }

    pub(in crate::decision_store) async fn taken(
        &self,
        keys: &BTreeSet<CeilingKey>,
    ) -> Result<BTreeMap<CeilingKey, Cents>, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let keys = HistoryKeys {
            ceilings: keys.clone(),
            ..HistoryKeys::default()
        };
        let mut history = History::default();
        load_ceilings(&self.pool.get().await?, &keys, &mut history).await?;
        Ok(history.ceilings)
    }

    pub(in crate::decision_store) async fn quarantined(
        &self,
        limit: u32,
    ) -> Result<Vec<Quarantined>, StoreError> {
        let sql = "SELECT id, stage, fingerprint, reason, problem, party, message_id, content_type,
                 sealed_body, quarantined_at, attempts
             FROM quarantine ORDER BY quarantined_at DESC, id DESC LIMIT $1";
        let rows = self.query(sql, &[&i64::from(limit)]).await?;
        rows.iter().map(quarantined).collect()
    }

    pub(in crate::decision_store) async fn outbox(
        &self,
        relay: Relay,
        after: i64,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = "SELECT id, party, traceparent, kind, body FROM outbox
             WHERE relay = $1 AND sent IS NULL AND id > $2 ORDER BY id LIMIT $3";
        let rows = self
            .query(sql, &[&relay.word(), &after, &i64::from(limit)])
            .await?;
        let read =
            |row: &Row| outbox_row(row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
        rows.iter().map(read).collect()
    }

    pub(in crate::decision_store) async fn waiting(
        &self,
        limit: u32,
    ) -> Result<Vec<WaitingMessage>, StoreError> {
        let sql = "SELECT party, message_id, validated, wait_until FROM waiting
             ORDER BY wait_until, message_id LIMIT $1";
        let read = |row: &Row| {
            let party: &str = row.get(0);
            Ok(WaitingMessage {
                party: PartyId::new(party),
                message_id: row.get(1),
                validated: row.get(2),
                until: instant(row.get(3))?,
            })
        };
        let rows = self.query(sql, &[&i64::from(limit)]).await?;
        rows.iter().map(read).collect()
    }

    pub(in crate::decision_store) async fn message(
        &self,
        message_id: Uuid,
    ) -> Result<Option<StoredMessage>, StoreError> {
        let sql = format!("{MESSAGE} WHERE message_id = $1");
        let rows = self.query(&sql, &[&message_id]).await?;
        rows.first().map(message).transpose()
    }

    pub(in crate::decision_store) async fn latest(
        &self,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let sql = format!("{MESSAGE} WHERE sequence < $1 ORDER BY sequence DESC LIMIT $2");
        let before = before.map_or(i64::MAX, |sequence| signed(sequence.0));
        let rows = self.query(&sql, &[&before, &i64::from(limit)]).await?;
        rows.iter().map(message).collect()
    }

    pub(in crate::decision_store) async fn latest_to(
        &self,
        insurer: Uzovi,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let sql = format!(
            "{MESSAGE} WHERE sequence IN (SELECT DISTINCT sequence FROM decision
                 WHERE insurer = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3)
             ORDER BY sequence DESC"
        );
        let before = before.map_or(i64::MAX, |sequence| signed(sequence.0));
        let rows = self
            .query(&sql, &[&insurer.as_str(), &before, &i64::from(limit)])
            .await?;
        rows.iter().map(message).collect()
    }

    pub(in crate::decision_store) async fn log_after(
        &self,
        after: Sequence,
        limit: u32,
    ) -> Result<Vec<LoggedEntry>, StoreError> {
        let sql = "SELECT sequence, kind, recorded_at, body, previous_hash, hash
             FROM (SELECT *, sum(length(body)) OVER (ORDER BY sequence) - length(body) AS before
                   FROM (SELECT * FROM log WHERE sequence > $1 ORDER BY sequence LIMIT $2) AS few)
                 AS page
             WHERE before < $3 ORDER BY sequence";
        let read = |row: &Row| {
            Ok(LoggedEntry {
                sequence: Sequence(unsigned(row.get(0))?),
                kind: row.get(1),
                recorded_at: instant(row.get(2))?,
                body: row.get(3),
                previous_hash: digest(row.get(4))?,
                hash: digest(row.get(5))?,
            })
        };
        let bytes_max = signed(LOG_PAGE_BYTES_MAX as u64);
        let rows = self
            .query(sql, &[&signed(after.0), &i64::from(limit), &bytes_max])
            .await?;
        rows.iter().map(read).collect()
    }

    pub(in crate::decision_store) async fn figures(
        &self,
        now: Timestamp,
    ) -> Result<DecisionFigures, StoreError> {
        let mut figures = DecisionFigures::default();
        let sql = "SELECT kind, tally_key, count FROM tally
             ORDER BY kind COLLATE \"C\", tally_key COLLATE \"C\"";
        for row in self.query(sql, &[]).await? {
            add_tally(&mut figures, row.get(0), row.get(1), row.get(2))?;
        }
        let sql = "SELECT count(*), min(written_at) FROM outbox WHERE relay = $1 AND sent IS NULL";
        for relay in [Relay::Outcomes, Relay::Claims] {
            for row in self.query(sql, &[&relay.word()]).await? {
                let oldest: Option<i64> = row.get(1);
                let age = oldest.map(|since| age_seconds(since, now));
                figures.outbox.push((relay, unsigned(row.get(0))?, age));
            }
        }
        let sql = "SELECT (SELECT count(*) FROM quarantine), (SELECT count(*) FROM waiting),
                 (SELECT count(*) FROM outbox WHERE sent = 'unclaimed'),
                 (SELECT count(*) FROM outbox WHERE sent = 'parked'),
                 (SELECT count(*) FROM quarantine WHERE state = 'waiting')";
        for row in self.query(sql, &[]).await? {
            figures.quarantined = unsigned(row.get(0))?;
            figures.waiting = unsigned(row.get(1))?;
            figures.unclaimed = unsigned(row.get(2))?;
            figures.parked = unsigned(row.get(3))?;
            figures.quarantine_waiting = unsigned(row.get(4))?;
        }
        Ok(figures)
    }
}

/// Registered messages in order of their entries.
pub(super) async fn messages(
    client: &Object,
    ids: &[Uuid],
) -> Result<Vec<StoredMessage>, StoreError> {
    let sql = format!("{MESSAGE} WHERE message_id = ANY($1) ORDER BY sequence");
    many(client, &sql, &[&ids])
        .await?
        .iter()
        .map(message)
        .collect()
}

pub(super) fn message(row: &Row) -> Result<StoredMessage, StoreError> {
    let columns = MessageColumns {
        message_id: row.get(0),
        party: row.get(1),
        content_digest: row.get(2),
        sequence: row.get(3),
        received_at: instant(row.get(4))?,
        received_on: day_of(row.get(5))?,
        decided_at: instant(row.get(6))?,
        outcome: row.get(7),
        outcome_sent: row.get(8),
        claims_sent: row.get(9),
    };
    columns.read()
}

pub(super) fn quarantined(row: &Row) -> Result<Quarantined, StoreError> {
    let party: Option<&str> = row.get(5);
    Ok(Quarantined {
        id: row.get(0),
        stage: row.get(1),
        fingerprint: digest(row.get(2))?,
        reason: row.get(3),
        problem: row.get(4),
        party: party.map(PartyId::new),
        message_id: row.get(6),
        content_type: row.get(7),
        sealed_body: row.get(8),
        quarantined_at: instant(row.get(9))?,
        attempts: small(row.get(10))?,
    })
}
