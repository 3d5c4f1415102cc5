//! What people look for, on PostgreSQL.

use deadpool_postgres::Object;
use prost::Message as _;
use tokio_postgres::Row;

use super::{
    PostgresDecisionStore,
    commit::column,
    execute,
    quarantine::parameters,
    read::{MESSAGE, message},
};
use crate::decision_store::{
    quarantine::{Conditions, Value},
    read_back::ProposalColumns,
    rows::KeyRows,
    search::{Proposal, ProposalEnd, REVISIONS_MAX},
    words::{Word as _, micros, signed, small, storable, unsigned},
    *,
};

const PROPOSAL: &str = "SELECT id, sequence, line_number, line_reference, insurer, person, command,
        cents, proposed_at
    FROM proposal WHERE state = 'open'";

/// What the messages of a batch can be found by.
pub(super) async fn write_keys(client: &Object, rows: &KeyRows) -> Result<(), StoreError> {
    if !rows.keys.is_empty() {
        let keys: Vec<_> = rows.keys.iter().collect();
        let values = column(&keys, |it| it.0.as_str());
        let kinds = column(&keys, |it| it.1);
        let sequences = column(&keys, |it| signed(it.2.0));
        let sql = "INSERT INTO message_key (value, kind, sequence)
             SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[])";
        execute(client, sql, &[&values, &kinds, &sequences]).await?;
    }
    if !rows.declarants.is_empty() {
        let declarants: Vec<&str> = rows.declarants.iter().map(|it| it.as_str()).collect();
        let sql = "INSERT INTO known_declarant (declarant) SELECT unnest($1::TEXT[])
             ON CONFLICT DO NOTHING";
        execute(client, sql, &[&declarants]).await?;
    }
    if !rows.revisions.is_empty() {
        let revisions: Vec<_> = rows.revisions.iter().collect();
        let messages = column(&revisions, |it| it.0.0);
        let versions = column(&revisions, |it| i64::from(it.0.1));
        let sequences = column(&revisions, |it| signed(it.1.0));
        let sql = "INSERT INTO revision (message_id, version, sequence)
             SELECT * FROM unnest($1::UUID[], $2::BIGINT[], $3::BIGINT[])";
        execute(client, sql, &[&messages, &versions, &sequences]).await?;
    }
    Ok(())
}

impl PostgresDecisionStore {
    pub(in crate::decision_store) async fn find_messages(
        &self,
        mut conditions: Conditions,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let limit = conditions.add(Value::Number(limit.into()));
        let sql = format!(
            "{MESSAGE}{} ORDER BY sequence DESC LIMIT {limit}",
            conditions.sql
        );
        let rows = self.query(&sql, &parameters(&conditions.values)).await?;
        rows.iter().map(message).collect()
    }

    pub(in crate::decision_store) async fn revisions_of(
        &self,
        message_id: Uuid,
    ) -> Result<Vec<(u32, Sequence)>, StoreError> {
        let sql = "SELECT version, sequence FROM revision WHERE message_id = $1
             ORDER BY version DESC LIMIT $2";
        let rows = self
            .query(sql, &[&message_id, &i64::from(REVISIONS_MAX)])
            .await?;
        let read = |row: &Row| Ok((small(row.get(0))?, Sequence(unsigned(row.get(1))?)));
        rows.iter().rev().map(read).collect()
    }

    pub(in crate::decision_store) async fn propose(
        &self,
        proposal: Proposal,
    ) -> Result<bool, StoreError> {
        let sql =
            "INSERT INTO proposal (id, sequence, line_number, line_reference, insurer, person,
                 command, cents, proposed_at, state)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open')
             ON CONFLICT (sequence, line_number) WHERE state = 'open' DO NOTHING";
        let client = self.pool.get().await?;
        let written = execute(
            &client,
            sql,
            &[
                &proposal.id,
                &signed(proposal.line.sequence.0),
                &signed(proposal.line.line),
                &storable(&proposal.line_reference),
                &storable(&proposal.insurer),
                &storable(&proposal.person),
                &proposal.command.encode_to_vec(),
                &proposal.cents.get(),
                &micros(proposal.proposed_at),
            ],
        )
        .await?;
        Ok(written == 1)
    }

    pub(in crate::decision_store) async fn proposals(
        &self,
        insurer: Option<String>,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError> {
        let (at, id) = after.map_or((i64::MIN, Uuid::nil()), |(at, id)| (micros(at), id));
        let sql = format!(
            "{PROPOSAL} AND ($1::TEXT IS NULL OR insurer = $1) AND (proposed_at, id) > ($2, $3)
             ORDER BY proposed_at, id LIMIT $4"
        );
        let rows = self
            .query(&sql, &[&insurer, &at, &id, &i64::from(limit)])
            .await?;
        rows.iter().map(proposal).collect()
    }

    pub(in crate::decision_store) async fn proposal_of(
        &self,
        line: CoverageId,
    ) -> Result<Option<Proposal>, StoreError> {
        let sql = format!("{PROPOSAL} AND sequence = $1 AND line_number = $2");
        let (sequence, number) = (signed(line.sequence.0), signed(line.line));
        let rows = self.query(&sql, &[&sequence, &number]).await?;
        rows.first().map(proposal).transpose()
    }

    pub(in crate::decision_store) async fn end_proposal(
        &self,
        id: Uuid,
        end: ProposalEnd,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE proposal SET state = $2, closed_by = $3, closed_at = $4
             WHERE id = $1 AND state = 'open'";
        let client = self.pool.get().await?;
        let (state, person) = (end.state.word(), storable(&end.person));
        let ended = execute(&client, sql, &[&id, &state, &person, &micros(end.at)]).await?;
        Ok(ended == 1)
    }
}

fn proposal(row: &Row) -> Result<Proposal, StoreError> {
    let columns = ProposalColumns {
        id: row.get(0),
        line: (row.get(1), row.get(2)),
        line_reference: row.get(3),
        insurer: row.get(4),
        person: row.get(5),
        command: row.get(6),
        cents: row.get(7),
        proposed_at: row.get(8),
    };
    columns.read()
}
