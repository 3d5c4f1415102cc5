//! What relays, operators and the gateway read.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use samenloop_domain::{
    cents::Cents,
    history::CeilingKey,
    identifiers::{Sequence, Uzovi},
};
use serde_json::json;

use super::{
    SqliteDecisionStore, active_of, day_of, head_of,
    history::{each_row, load_ceilings},
};
use crate::{
    decision_store::{
        read_back::{MessageColumns, add_tally, outbox_row},
        words::{Word, age_seconds, digest, instant, signed, small, unsigned},
        *,
    },
    wire::digest::hex,
};

pub(super) const MESSAGE: &str =
    "SELECT message_id, party, content_digest, sequence, received_at, received_on,
    decided_at, outcome, outcome_sent, claims_sent FROM message";

impl SqliteDecisionStore {
    pub(in crate::decision_store) async fn ping(&self) -> Result<(), StoreError> {
        self.read(|connection| head_of(connection).map(drop)).await
    }

    pub(in crate::decision_store) async fn head(&self) -> Result<Head, StoreError> {
        self.read(head_of).await
    }

    pub(in crate::decision_store) async fn active_version(
        &self,
    ) -> Result<Option<(ReferenceVersion, Sequence)>, StoreError> {
        self.read(active_of).await
    }

    pub(in crate::decision_store) async fn reference(
        &self,
        version: &ReferenceVersion,
    ) -> Result<Option<StoredReference>, StoreError> {
        let version = version.clone();
        self.read(move |connection| reference(connection, &version))
            .await
    }

    pub(in crate::decision_store) async fn taken(
        &self,
        keys: &BTreeSet<CeilingKey>,
    ) -> Result<BTreeMap<CeilingKey, Cents>, StoreError> {
        let keys = HistoryKeys {
            ceilings: keys.clone(),
            ..HistoryKeys::default()
        };
        self.read(move |connection| {
            let mut history = History::default();
            load_ceilings(connection, &keys, &mut history)?;
            Ok(history.ceilings)
        })
        .await
    }

    pub(in crate::decision_store) async fn quarantined(
        &self,
        limit: u32,
    ) -> Result<Vec<Quarantined>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, stage, fingerprint, reason, problem, party, message_id, content_type,
                     sealed_body, quarantined_at, attempts
                 FROM quarantine ORDER BY quarantined_at DESC, id DESC LIMIT ?1",
            )?;
            collect(statement.query([limit])?, quarantined)
        })
        .await
    }

    pub(in crate::decision_store) async fn outbox(
        &self,
        relay: Relay,
        after: i64,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, party, traceparent, kind, body FROM outbox
                 WHERE relay = ?1 AND sent IS NULL AND id > ?2 ORDER BY id LIMIT ?3",
            )?;
            collect(
                statement.query(params![relay.word(), after, limit])?,
                |row| {
                    let (party, kind): (Option<String>, String) = (row.get(1)?, row.get(3)?);
                    let body: Vec<u8> = row.get(4)?;
                    outbox_row(row.get(0)?, party.as_deref(), row.get(2)?, &kind, &body)
                },
            )
        })
        .await
    }

    pub(in crate::decision_store) async fn waiting(
        &self,
        limit: u32,
    ) -> Result<Vec<WaitingMessage>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT party, message_id, validated, wait_until FROM waiting
                 ORDER BY wait_until, message_id LIMIT ?1",
            )?;
            collect(statement.query([limit])?, |row| {
                let party: String = row.get(0)?;
                Ok(WaitingMessage {
                    party: PartyId::new(party),
                    message_id: Uuid::from_bytes(row.get(1)?),
                    validated: row.get(2)?,
                    until: instant(row.get(3)?)?,
                })
            })
        })
        .await
    }

    pub(in crate::decision_store) async fn message(
        &self,
        message_id: Uuid,
    ) -> Result<Option<StoredMessage>, StoreError> {
        let found = self
            .read(move |connection| messages(connection, &[message_id]))
            .await?;
        Ok(found.into_iter().next())
    }

    pub(in crate::decision_store) async fn latest(
        &self,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.read(move |connection| {
            let sql = format!("{MESSAGE} WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2");
            let before = before.map_or(i64::MAX, |sequence| signed(sequence.0));
            let mut statement = connection.prepare_cached(&sql)?;
            collect(statement.query(params![before, limit])?, message)
        })
        .await
    }

    pub(in crate::decision_store) async fn latest_to(
        &self,
        insurer: Uzovi,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.read(move |connection| {
            let sql = format!(
                "{MESSAGE} WHERE sequence IN (SELECT DISTINCT sequence FROM decision
                     WHERE insurer = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3)
                 ORDER BY sequence DESC"
            );
            let before = before.map_or(i64::MAX, |sequence| signed(sequence.0));
            let mut statement = connection.prepare_cached(&sql)?;
            collect(
                statement.query(params![insurer.as_str(), before, limit])?,
                message,
            )
        })
        .await
    }

    pub(in crate::decision_store) async fn log_after(
        &self,
        after: Sequence,
        limit: u32,
    ) -> Result<Vec<LoggedEntry>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sequence, kind, recorded_at, body, previous_hash, hash FROM log
                 WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
            )?;
            let mut rows = statement.query(params![signed(after.0), limit])?;
            let (mut entries, mut bytes) = (Vec::new(), 0);
            while bytes < LOG_PAGE_BYTES_MAX
                && let Some(row) = rows.next()?
            {
                let body: Vec<u8> = row.get(3)?;
                bytes += body.len();
                entries.push(LoggedEntry {
                    sequence: Sequence(unsigned(row.get(0)?)?),
                    kind: row.get(1)?,
                    recorded_at: instant(row.get(2)?)?,
                    body,
                    previous_hash: row.get(4)?,
                    hash: row.get(5)?,
                });
            }
            Ok(entries)
        })
        .await
    }

    pub(in crate::decision_store) async fn figures(
        &self,
        now: Timestamp,
    ) -> Result<DecisionFigures, StoreError> {
        self.read(move |connection| figures(connection, now)).await
    }
}

/// Registered messages in order of their entries.
pub(super) fn messages(
    connection: &Connection,
    ids: &[Uuid],
) -> Result<Vec<StoredMessage>, StoreError> {
    let sql = format!(
        "{MESSAGE} WHERE message_id IN (SELECT unhex(value) FROM json_each(?1)) ORDER BY sequence"
    );
    let wanted = ids.iter().map(|id| json!(hex(id.as_bytes())));
    let mut found = Vec::new();
    each_row(connection, &sql, wanted.collect(), |row| {
        found.push(message(row)?);
        Ok(())
    })?;
    Ok(found)
}

pub(super) fn message(row: &Row<'_>) -> Result<StoredMessage, StoreError> {
    let received_on: String = row.get(5)?;
    let columns = MessageColumns {
        message_id: Uuid::from_bytes(row.get(0)?),
        party: row.get(1)?,
        content_digest: row.get(2)?,
        sequence: row.get(3)?,
        received_at: instant(row.get(4)?)?,
        received_on: day_of(&received_on)?,
        decided_at: instant(row.get(6)?)?,
        outcome: row.get(7)?,
        outcome_sent: row.get(8)?,
        claims_sent: row.get(9)?,
    };
    columns.read()
}

fn reference(
    connection: &Connection,
    version: &ReferenceVersion,
) -> Result<Option<StoredReference>, StoreError> {
    let sql = "SELECT digest, canonical, (SELECT max(a.sequence) FROM reference_activation AS a
             WHERE a.version = v.version)
         FROM reference_version AS v WHERE version = ?1";
    let found: Option<(Vec<u8>, Vec<u8>, Option<i64>)> = (connection.prepare_cached(sql)?)
        .query_row([version.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((kept, canonical, sequence)) = found else {
        return Ok(None);
    };
    Ok(Some(StoredReference {
        version: version.clone(),
        digest: digest(&kept)?,
        canonical,
        sequence: sequence.map(unsigned).transpose()?.map(Sequence),
    }))
}

pub(super) fn quarantined(row: &Row<'_>) -> Result<Quarantined, StoreError> {
    let party: Option<String> = row.get(5)?;
    Ok(Quarantined {
        id: Uuid::from_bytes(row.get(0)?),
        stage: row.get(1)?,
        fingerprint: row.get(2)?,
        reason: row.get(3)?,
        problem: row.get(4)?,
        party: party.map(PartyId::new),
        message_id: row.get(6)?,
        content_type: row.get(7)?,
        sealed_body: row.get(8)?,
        quarantined_at: instant(row.get(9)?)?,
        attempts: small(row.get(10)?)?,
    })
}

fn figures(connection: &Connection, now: Timestamp) -> Result<DecisionFigures, StoreError> {
    let mut figures = DecisionFigures::default();
    let sql = "SELECT kind, tally_key, count FROM tally ORDER BY kind, tally_key";
    let mut tallies = connection.prepare_cached(sql)?;
    let mut rows = tallies.query([])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        add_tally(&mut figures, &kind, row.get(1)?, row.get(2)?)?;
    }
    let mut unsent = connection.prepare_cached(
        "SELECT count(*), min(written_at) FROM outbox WHERE relay = ?1 AND sent IS NULL",
    )?;
    for relay in [Relay::Outcomes, Relay::Claims] {
        let (count, oldest): (i64, Option<i64>) =
            unsent.query_row([relay.word()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let age = oldest.map(|since| age_seconds(since, now));
        figures.outbox.push((relay, unsigned(count)?, age));
    }
    let mut counts = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM quarantine), (SELECT count(*) FROM waiting),
             (SELECT count(*) FROM outbox WHERE sent = 'unclaimed'),
             (SELECT count(*) FROM outbox WHERE sent = 'parked'),
             (SELECT count(*) FROM quarantine WHERE state = 'waiting')",
    )?;
    let counted: (i64, i64, i64, i64, i64) = counts.query_row([], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    })?;
    figures.quarantined = unsigned(counted.0)?;
    figures.waiting = unsigned(counted.1)?;
    figures.unclaimed = unsigned(counted.2)?;
    figures.parked = unsigned(counted.3)?;
    figures.quarantine_waiting = unsigned(counted.4)?;
    Ok(figures)
}

pub(super) fn collect<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}
