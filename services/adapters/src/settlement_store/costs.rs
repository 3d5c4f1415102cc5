//! What sectors bear beside claims, and the budgets that insurers recorded: for the monitoring report.

use futures_util::future::try_join_all;
use jiff::{Timestamp, civil::Date};
use prost::Message as _;
use samenloop_domain::{cents::Cents, identifiers::Uzovi};
use samenloop_proto::settlement::v1 as wire;

use super::{
    StoreError,
    commands::EntryCosts,
    execute::decode_entry,
    rows::signed,
    statements::{Row, Statements, values},
};

/// The number of the last command of an insurer, and the entries that sectors bear among the `limit` after one.
pub(super) async fn entry_costs(
    on: &impl Statements,
    insurer: Uzovi,
    after: u64,
    limit: u32,
) -> Result<(u64, Vec<EntryCosts>), StoreError> {
    let sql = "SELECT CAST(coalesce(max(number), 0) AS BIGINT) FROM command WHERE insurer = $1";
    let mut rows = on.rows(sql, values![insurer.as_str()]).await?;
    let last = rows.first_mut().map_or(Ok(0), Row::number)?;
    let account = format!("insurer:{insurer}:cost:");
    let sql = "SELECT m.number, m.entry, m.recorded_at_us, p.account, CAST(sum(p.cents) AS BIGINT)
         FROM command m
         JOIN posting p ON p.origin = 'commands' AND p.insurer = m.insurer AND p.sequence = m.number
         WHERE m.insurer = $1 AND m.number > $2 AND m.number <= $3 AND p.account >= $4
             AND p.account < $5
         GROUP BY m.number, m.entry, m.recorded_at_us, p.account
         ORDER BY m.number, p.account";
    let of = values![
        insurer.as_str(),
        signed(after)?,
        signed(after.saturating_add(limit.into()))?,
        account.as_str(),
        format!("insurer:{insurer}:cost;").as_str(),
    ];
    let mut found: Vec<(i64, EntryCosts)> = Vec::new();
    for mut row in on.rows(sql, of).await? {
        let (number, entry) = (row.number()?, row.bytes()?);
        let recorded_at = Timestamp::from_microsecond(row.number()?);
        let recorded_at = recorded_at.map_err(|e| StoreError::Failed(e.to_string()))?;
        let sector = row.text()?;
        let sector = sector.strip_prefix(&account).unwrap_or_default().into();
        let cost = (sector, cents(row.number()?)?);
        match found.last_mut() {
            Some((last, costs)) if *last == number => costs.costs.push(cost),
            _ => {
                let costs = EntryCosts {
                    entry: decode_entry(&entry)?,
                    recorded_at,
                    budget_first: None,
                    costs: vec![cost],
                };
                found.push((number, costs));
            }
        }
    }
    let first_days = found
        .iter()
        .map(|(_, costs)| first_day(on, insurer, &costs.entry));
    let first_days = try_join_all(first_days).await?;
    let found = found.into_iter().zip(first_days);
    let found = found.map(|((_, costs), budget_first)| EntryCosts {
        budget_first,
        ..costs
    });
    Ok((u64::try_from(last).unwrap_or_default(), found.collect()))
}

/// First day of the budget of an entry.
async fn first_day(
    on: &impl Statements,
    insurer: Uzovi,
    entry: &wire::Entry,
) -> Result<Option<Date>, StoreError> {
    if entry.budget_id.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT CAST(first_day AS TEXT) FROM budget WHERE insurer = $1 AND budget_id = $2";
    let of = values![insurer.as_str(), entry.budget_id.as_str()];
    let mut rows = on.rows(sql, of).await?;
    let Some(row) = rows.first_mut() else {
        return Ok(None);
    };
    let text = row.text()?;
    let day = text.parse();
    day.map(Some)
        .map_err(|_| StoreError::Failed(format!("{text:?} is no day")))
}

/// Budgets of an insurer in order of name, after one.
pub(super) async fn budget_page(
    on: &impl Statements,
    insurer: Uzovi,
    after: &str,
    limit: u32,
) -> Result<Vec<wire::RecordBudgetRequest>, StoreError> {
    let sql = "SELECT body FROM budget WHERE insurer = $1 AND budget_id > $2
         ORDER BY budget_id LIMIT $3";
    let of = values![insurer.as_str(), after, i64::from(limit)];
    let read = |mut row: Row| {
        let body = row.bytes()?;
        Ok(wire::RecordBudgetRequest::decode(body.as_slice())?)
    };
    on.rows(sql, of).await?.into_iter().map(read).collect()
}

fn cents(cents: i64) -> Result<Cents, StoreError> {
    Cents::new(cents).ok_or_else(|| StoreError::Failed(format!("{cents} cents are over the bound")))
}
