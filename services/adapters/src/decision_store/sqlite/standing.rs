//! Decisions that stand between contracts, on SQLite.

use rusqlite::{Connection, Row, params};
use samenloop_domain::standing::StandingReview;
use serde_json::json;

use super::{SqliteDecisionStore, SqliteTransaction, day_of, history::each_row, read::collect};
use crate::decision_store::{
    rows::ReviewRows,
    standing::{COLUMNS, StandingColumns},
    words::{Word as _, signed},
    *,
};

pub(super) fn write(connection: &Connection, rows: &ReviewRows) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(&format!(
        "INSERT INTO standing_review ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    ))?;
    for it in &rows.standing {
        insert.execute(params![
            signed(it.decided.0),
            it.pair.contract.as_str(),
            it.pair.other.as_str(),
            it.rule,
            it.rule_version,
            it.choice.word(),
            it.period.first().to_string(),
            it.period.last().to_string(),
        ])?;
    }
    let sql = "DELETE FROM standing_review WHERE sequence = ?1";
    let mut end = connection.prepare_cached(sql)?;
    for decided in &rows.ended_standing {
        end.execute([signed(decided.0)])?;
    }
    Ok(())
}

/// What stands between one of the contracts and another.
pub(super) fn load(
    connection: &Connection,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let wanted = keys.contracts.iter().map(|id| json!(id.as_str()));
    // A pair of which both contracts are asked is found once.
    let sql = format!(
        "SELECT {COLUMNS} FROM standing_review
         WHERE contract_id IN (SELECT value FROM json_each(?1))
            OR other_contract_id IN (SELECT value FROM json_each(?1))"
    );
    each_row(connection, &sql, wanted.collect(), |row| {
        history.standing.add(read(row)?);
        Ok(())
    })
}

fn read(row: &Row<'_>) -> Result<StandingReview, StoreError> {
    let texts: [String; 6] = [
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(5)?,
        row.get(6)?,
        row.get(7)?,
    ];
    let [contract_id, other_contract_id, rule, choice, first, last] = &texts;
    let columns = StandingColumns {
        sequence: row.get(0)?,
        contract_id,
        other_contract_id,
        rule,
        rule_version: row.get(4)?,
        choice,
        days: (day_of(first)?, day_of(last)?),
    };
    columns.read()
}

impl SqliteDecisionStore {
    pub(in crate::decision_store) async fn standing_reviews(
        &self,
        after: Sequence,
        limit: u32,
    ) -> Result<Vec<StandingReview>, StoreError> {
        let load = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM standing_review WHERE sequence > ?1
                 ORDER BY sequence, contract_id, other_contract_id, rule LIMIT ?2"
            ))?;
            collect(statement.query(params![signed(after.0), limit])?, read)
        };
        self.read(load).await
    }
}

impl SqliteTransaction {
    pub(in crate::decision_store) async fn is_standing(
        &mut self,
        decided: Sequence,
    ) -> Result<bool, StoreError> {
        let load = move |connection: &Connection| {
            let sql = "SELECT count(*) FROM standing_review WHERE sequence = ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let found: i64 = statement.query_row([signed(decided.0)], |row| row.get(0))?;
            Ok(found > 0)
        };
        self.store.read(load).await
    }
}
