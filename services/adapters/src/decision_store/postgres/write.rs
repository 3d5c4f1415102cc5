//! What roles write beside decisions: attempts, quarantine, leases, what was sent.

use std::collections::BTreeSet;

use deadpool_postgres::Object;

use super::{Parameters, PostgresDecisionStore, Session, commit::write_outbox, execute, many, one};
use crate::{
    decision_store::{
        rows::OutboxInsert,
        words::{Word, micros, small},
        *,
    },
    wire::digest::hex,
};

impl PostgresDecisionStore {
    pub(in crate::decision_store) async fn record_attempt(
        &self,
        stage: &str,
        fingerprint: [u8; 32],
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let sql = "INSERT INTO attempt AS a (stage, fingerprint, attempts, attempted_at)
             VALUES ($1, $2, 1, $3)
             ON CONFLICT (stage, fingerprint) DO UPDATE
             SET attempts = a.attempts + 1, attempted_at = excluded.attempted_at
             RETURNING attempts";
        let client = self.pool.get().await?;
        let values: Parameters<'_> = &[&stage, &fingerprint.as_slice(), &micros(now)];
        small(one(&client, sql, values).await?.get(0))
    }

    pub(in crate::decision_store) async fn clear_attempts(
        &self,
        stage: &str,
        fingerprints: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        let fingerprints: Vec<&[u8]> = fingerprints.iter().map(<[u8; 32]>::as_slice).collect();
        if fingerprints.is_empty() {
            return Ok(());
        }
        let client = self.pool.get().await?;
        let sql = "DELETE FROM attempt WHERE stage = $1 AND fingerprint = ANY($2)";
        execute(&client, sql, &[&stage, &fingerprints]).await?;
        Ok(())
    }

    pub(in crate::decision_store) async fn quarantine(
        &self,
        deliveries: Vec<Quarantined>,
        refusals: Vec<NewOutboxRow>,
    ) -> Result<(), StoreError> {
        let session = Session(Some(self.pool.get().await?));
        session.client().batch_execute("BEGIN").await?;
        let mut answered = BTreeSet::new();
        for delivery in &deliveries {
            if !set_aside(session.client(), delivery).await? {
                answered.insert(hex(&delivery.fingerprint));
            }
        }
        let rows = OutboxInsert::of_refusals(refusals, &deliveries, &answered)?;
        write_outbox(session.client(), &rows).await?;
        session.end("COMMIT").await
    }

    pub(in crate::decision_store) async fn forget_quarantined(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE quarantine SET sealed_body = ''
             WHERE id IN (SELECT id FROM quarantine
                          WHERE quarantined_at < $1 AND length(sealed_body) > 0
                          ORDER BY quarantined_at LIMIT $2)";
        let client = self.pool.get().await?;
        execute(&client, sql, &[&micros(before), &i64::from(limit)]).await
    }

    pub(in crate::decision_store) async fn lease(
        &self,
        lease: Lease,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO relay_lease AS l (relay, holder, held_until) VALUES ($1, $2, $3)
             ON CONFLICT (relay) DO UPDATE
             SET holder = excluded.holder, held_until = excluded.held_until
             WHERE l.holder = excluded.holder OR l.held_until <= $4
             RETURNING 1";
        let client = self.pool.get().await?;
        let until = micros(lease.until(now));
        let values: Parameters<'_> = &[&lease.relay.word(), &lease.holder, &until, &micros(now)];
        Ok(!many(&client, sql, values).await?.is_empty())
    }

    /// A row that was confirmed stays so; a message shows what became of the newest version of its outcome.
    pub(in crate::decision_store) async fn mark_sent(
        &self,
        rows: &[(i64, Sent)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
        let words: Vec<&str> = rows.iter().map(|(_, sent)| sent.word()).collect();
        let session = Session(Some(self.pool.get().await?));
        session.client().batch_execute("BEGIN").await?;
        let sql = "WITH marked AS (
                 UPDATE outbox AS o SET sent = k.sent, sent_at = $3
                 FROM unnest($1::BIGINT[], $2::TEXT[]) AS k (id, sent)
                 WHERE o.id = k.id AND o.sent IS DISTINCT FROM 'confirmed'
                 RETURNING o.id, o.kind, o.message_id, o.version, o.sent)
             SELECT DISTINCT ON (kind, message_id, version) kind, message_id, version, sent
             FROM marked WHERE message_id IS NOT NULL
             ORDER BY kind, message_id, version, id DESC";
        let marked = many(session.client(), sql, &[&ids, &words, &micros(now)]).await?;
        let outcomes: Vec<_> = marked
            .iter()
            .filter(|row| row.get::<_, &str>(0) == "outcome")
            .collect();
        let claims: Vec<_> = marked
            .iter()
            .filter(|row| row.get::<_, &str>(0) == "claims")
            .collect();
        let id = |row: &&tokio_postgres::Row| row.get::<_, Uuid>(1);
        let version = |row: &&tokio_postgres::Row| row.get::<_, i64>(2);
        let sent = |row: &&tokio_postgres::Row| row.get::<_, String>(3);
        let sql = "UPDATE message AS m SET outcome_sent = k.sent
             FROM unnest($1::UUID[], $2::BIGINT[], $3::TEXT[]) AS k (id, version, sent)
             WHERE m.message_id = k.id AND m.version = k.version";
        let of_outcomes: (Vec<Uuid>, Vec<i64>, Vec<String>) = (
            outcomes.iter().map(id).collect(),
            outcomes.iter().map(version).collect(),
            outcomes.iter().map(sent).collect(),
        );
        execute(
            session.client(),
            sql,
            &[&of_outcomes.0, &of_outcomes.1, &of_outcomes.2],
        )
        .await?;
        let sql = "UPDATE message AS m SET claims_sent = k.sent
             FROM unnest($1::UUID[], $2::TEXT[]) AS k (id, sent) WHERE m.message_id = k.id";
        let of_claims: (Vec<Uuid>, Vec<String>) = (
            claims.iter().map(id).collect(),
            claims.iter().map(sent).collect(),
        );
        execute(session.client(), sql, &[&of_claims.0, &of_claims.1]).await?;
        session.end("COMMIT").await
    }
}

/// Keeps a delivery; false where it is kept already.
///
/// One that was replayed or discarded and comes back waits again, with its attempts added up and the time of the first.
async fn set_aside(client: &Object, delivery: &Quarantined) -> Result<bool, StoreError> {
    let sql =
        "INSERT INTO quarantine AS q (id, stage, fingerprint, reason, problem, party, message_id,
             content_type, sealed_body, quarantined_at, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (stage, fingerprint) DO UPDATE
         SET sealed_body = excluded.sealed_body, quarantined_at = excluded.quarantined_at,
             attempts = CASE WHEN q.state IN ('replayed', 'discarded') THEN q.attempts ELSE excluded.attempts END
         WHERE length(q.sealed_body) = 0";
    let inserted = execute(
        client,
        sql,
        &[
            &delivery.id,
            &delivery.stage,
            &delivery.fingerprint.as_slice(),
            &delivery.reason,
            &delivery.problem,
            &delivery.party.as_ref().map(PartyId::as_str),
            &delivery.message_id,
            &delivery.content_type,
            &delivery.sealed_body,
            &micros(delivery.quarantined_at),
            &i64::from(delivery.attempts),
        ],
    )
    .await?;
    let sql = "WITH back AS (
             UPDATE quarantine SET state = 'waiting', attempts = attempts + $3, reason = $4,
                 problem = $5
             WHERE stage = $1 AND fingerprint = $2 AND state IN ('replayed', 'discarded')
             RETURNING id)
         INSERT INTO quarantine_event (quarantine_id, at, kind, detail)
         SELECT id, $6, 'waiting', $5 FROM back";
    execute(
        client,
        sql,
        &[
            &delivery.stage,
            &delivery.fingerprint.as_slice(),
            &i64::from(delivery.attempts),
            &delivery.reason,
            &delivery.problem,
            &micros(delivery.quarantined_at),
        ],
    )
    .await?;
    Ok(inserted == 1)
}
