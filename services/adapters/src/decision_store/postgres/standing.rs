//! Decisions that stand between contracts, on PostgreSQL.

use deadpool_postgres::Object;
use samenloop_domain::standing::StandingReview;
use tokio_postgres::Row;

use super::{
    Parameters, PostgresDecisionStore, PostgresTransaction, commit::column, day_of, execute, many,
    one,
};
use crate::{
    decision_store::{
        rows::ReviewRows,
        standing::{COLUMNS, StandingColumns},
        words::{Word as _, signed},
        *,
    },
    fault_plan::FaultPoint,
};

/// The columns of [`COLUMNS`], days as texts.
const SELECT: &str = "SELECT sequence, contract_id, other_contract_id, rule, rule_version, choice,
        first_day::TEXT, last_day::TEXT
    FROM standing_review";

pub(super) async fn write(client: &Object, rows: &ReviewRows) -> Result<(), StoreError> {
    if !rows.standing.is_empty() {
        let standing = &rows.standing;
        let sql = format!(
            "INSERT INTO standing_review ({COLUMNS})
             SELECT sequence, contract_id, other_contract_id, rule, rule_version, choice,
                 first_day::DATE, last_day::DATE
             FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[],
                 $7::TEXT[], $8::TEXT[]) AS k ({COLUMNS})"
        );
        let sequences = column(standing, |it| signed(it.decided.0));
        let contracts = column(standing, |it| it.pair.contract.as_str());
        let others = column(standing, |it| it.pair.other.as_str());
        let rules = column(standing, |it| &*it.rule);
        let versions = column(standing, |it| i64::from(it.rule_version));
        let choices = column(standing, |it| it.choice.word());
        let firsts = column(standing, |it| it.period.first().to_string());
        let lasts = column(standing, |it| it.period.last().to_string());
        let values: Parameters<'_> = &[
            &sequences, &contracts, &others, &rules, &versions, &choices, &firsts, &lasts,
        ];
        execute(client, &sql, values).await?;
    }
    let sql = "DELETE FROM standing_review WHERE sequence = $1";
    for decided in &rows.ended_standing {
        execute(client, sql, &[&signed(decided.0)]).await?;
    }
    Ok(())
}

/// What stands between one of the contracts and another.
pub(super) async fn load(
    client: &Object,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let wanted: Vec<&str> = keys.contracts.iter().map(|id| id.as_str()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let sql = format!("{SELECT} WHERE contract_id = ANY($1) OR other_contract_id = ANY($1)");
    for row in many(client, &sql, &[&wanted]).await? {
        history.standing.add(read(&row)?);
    }
    Ok(())
}

fn read(row: &Row) -> Result<StandingReview, StoreError> {
    let columns = StandingColumns {
        sequence: row.get(0),
        contract_id: row.get(1),
        other_contract_id: row.get(2),
        rule: row.get(3),
        rule_version: row.get(4),
        choice: row.get(5),
        days: (day_of(row.get(6))?, day_of(row.get(7))?),
    };
    columns.read()
}

impl PostgresDecisionStore {
    pub(in crate::decision_store) async fn standing_reviews(
        &self,
        after: Sequence,
        limit: u32,
    ) -> Result<Vec<StandingReview>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE sequence > $1
             ORDER BY sequence, contract_id, other_contract_id, rule LIMIT $2"
        );
        let values: Parameters<'_> = &[&signed(after.0), &i64::from(limit)];
        let rows = self.query(&sql, values).await?;
        rows.iter().map(read).collect()
    }
}

impl PostgresTransaction {
    pub(in crate::decision_store) async fn is_standing(
        &mut self,
        decided: Sequence,
    ) -> Result<bool, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM standing_review WHERE sequence = $1)";
        let decided = signed(decided.0);
        Ok(one(self.session.client(), sql, &[&decided]).await?.get(0))
    }
}
