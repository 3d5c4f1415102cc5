//! What people look for, on SQLite.

use prost::Message as _;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::{
    SqliteDecisionStore,
    read::{MESSAGE, collect, message},
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
pub(super) fn write_keys(connection: &Connection, rows: &KeyRows) -> Result<(), StoreError> {
    let sql = "INSERT INTO message_key (value, kind, sequence) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql)?;
    for (value, kind, sequence) in &rows.keys {
        insert.execute(params![value, kind, signed(sequence.0)])?;
    }
    let sql = "INSERT INTO known_declarant (declarant) VALUES (?1) ON CONFLICT DO NOTHING";
    let mut insert = connection.prepare_cached(sql)?;
    for declarant in &rows.declarants {
        insert.execute([declarant.as_str()])?;
    }
    let sql = "INSERT INTO revision (message_id, version, sequence) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql)?;
    for ((message_id, version), sequence) in &rows.revisions {
        insert.execute(params![message_id.as_bytes(), version, signed(sequence.0)])?;
    }
    Ok(())
}

impl SqliteDecisionStore {
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
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            collect(
                statement.query(params_from_iter(conditions.values))?,
                message,
            )
        })
        .await
    }

    pub(in crate::decision_store) async fn revisions_of(
        &self,
        message_id: Uuid,
    ) -> Result<Vec<(u32, Sequence)>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT version, sequence FROM revision WHERE message_id = ?1
                 ORDER BY version DESC LIMIT ?2",
            )?;
            let rows = statement.query(params![message_id.as_bytes(), REVISIONS_MAX])?;
            let mut found = collect(rows, |row| {
                Ok((small(row.get(0)?)?, Sequence(unsigned(row.get(1)?)?)))
            })?;
            found.reverse();
            Ok(found)
        })
        .await
    }

    pub(in crate::decision_store) async fn propose(
        &self,
        proposal: Proposal,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let mut insert = connection.prepare_cached(
                "INSERT INTO proposal (id, sequence, line_number, line_reference, insurer, person,
                     command, cents, proposed_at, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'open')
                 ON CONFLICT (sequence, line_number) WHERE state = 'open' DO NOTHING",
            )?;
            let written = insert.execute(params![
                proposal.id.as_bytes(),
                signed(proposal.line.sequence.0),
                signed(proposal.line.line),
                storable(&proposal.line_reference),
                storable(&proposal.insurer),
                storable(&proposal.person),
                proposal.command.encode_to_vec(),
                proposal.cents.get(),
                micros(proposal.proposed_at),
            ])?;
            Ok(written == 1)
        })
        .await
    }

    pub(in crate::decision_store) async fn proposals(
        &self,
        insurer: Option<String>,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError> {
        let (at, id) = after.map_or((i64::MIN, Uuid::nil()), |(at, id)| (micros(at), id));
        self.read(move |connection| {
            let sql = format!(
                "{PROPOSAL} AND (?1 IS NULL OR insurer = ?1) AND (proposed_at, id) > (?2, ?3)
                 ORDER BY proposed_at, id LIMIT ?4"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let values = params![insurer, at, id.as_bytes(), limit];
            collect(statement.query(values)?, proposal)
        })
        .await
    }

    pub(in crate::decision_store) async fn proposal_of(
        &self,
        line: CoverageId,
    ) -> Result<Option<Proposal>, StoreError> {
        self.read(move |connection| {
            let sql = format!("{PROPOSAL} AND sequence = ?1 AND line_number = ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            let values = [signed(line.sequence.0), signed(line.line)];
            let found = collect(statement.query(values)?, proposal)?;
            Ok(found.into_iter().next())
        })
        .await
    }

    pub(in crate::decision_store) async fn end_proposal(
        &self,
        id: Uuid,
        end: ProposalEnd,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let mut update = connection.prepare_cached(
                "UPDATE proposal SET state = ?2, closed_by = ?3, closed_at = ?4
                 WHERE id = ?1 AND state = 'open'",
            )?;
            let ended = update.execute(params![
                id.as_bytes(),
                end.state.word(),
                storable(&end.person),
                micros(end.at),
            ])?;
            Ok(ended == 1)
        })
        .await
    }
}

fn proposal(row: &Row<'_>) -> Result<Proposal, StoreError> {
    let columns = ProposalColumns {
        id: Uuid::from_bytes(row.get(0)?),
        line: (row.get(1)?, row.get(2)?),
        line_reference: row.get(3)?,
        insurer: row.get(4)?,
        person: row.get(5)?,
        command: row.get(6)?,
        cents: row.get(7)?,
        proposed_at: row.get(8)?,
    };
    columns.read()
}
