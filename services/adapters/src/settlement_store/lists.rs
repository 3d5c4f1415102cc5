//! What an insurer reads of its books: events, claims, payments, balances, keys. Nothing here writes, but for the
//! balances that are rebuilt.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use prost::Message as _;
use samenloop_domain::identifiers::Uzovi;
use samenloop_proto::settlement::v1 as wire;

use super::{
    AccountBalance, Item, Original, SUBSCRIPTIONS_MAX, StoreError, StoredEvent, Subscription,
    commands::{ClaimFilter, Difference, PaymentFilter, Remittance, StoredPayment},
    execute::decode_entry,
    facts::payments,
    rows::{ClaimKey, Unit, decode, signed, unsigned, uzovi},
    statements::{Row, Statements, values},
};

/// Begin of every statement over events; each continues with a condition over `e`.
const EVENTS: &str = "SELECT e.position, CAST(e.cents AS BIGINT), c.body, m.entry,
         coalesce(c.recorded_at_us, m.recorded_at_us)
     FROM event e
     LEFT JOIN claim c ON c.sequence = e.sequence AND c.version = e.version
         AND c.line_number = e.line_number
     LEFT JOIN command m ON m.insurer = e.insurer AND m.number = e.command";

/// Events of an insurer after a position, in order.
pub(super) async fn events(
    on: &impl Statements,
    insurer: Uzovi,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let sql =
        format!("{EVENTS} WHERE e.insurer = $1 AND e.position > $2 ORDER BY e.position LIMIT $3");
    let of = values![insurer.as_str(), signed(after)?, i64::from(limit)];
    event_rows(insurer, on.rows(&sql, of).await?)
}

/// Claims of an insurer after a position, in order of position.
pub(super) async fn claims(
    on: &impl Statements,
    insurer: Uzovi,
    filter: &ClaimFilter,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut of = values![insurer.as_str(), signed(after)?];
    let mut sql =
        format!("{EVENTS} WHERE e.insurer = $1 AND e.position > $2 AND e.command IS NULL");
    if let Some(payee) = filter.payee {
        of.push(payee.as_str().into());
        sql += &format!(" AND e.payee = ${}", of.len());
    }
    if let Some(contract_id) = &filter.contract_id {
        of.push(contract_id.as_str().into());
        sql += &format!(" AND e.contract_id = ${}", of.len());
    }
    if let Some(days) = filter.begins {
        of.push(days.first().to_string().as_str().into());
        sql += &format!(" AND e.first_day >= ${}", of.len());
        of.push(days.last().to_string().as_str().into());
        sql += &format!(" AND e.first_day <= ${}", of.len());
    }
    of.push(i64::from(limit).into());
    sql += &format!(" ORDER BY e.position LIMIT ${}", of.len());
    event_rows(insurer, on.rows(&sql, of).await?)
}

fn event_rows(insurer: Uzovi, rows: Vec<Row>) -> Result<Vec<StoredEvent>, StoreError> {
    rows.into_iter().map(|row| event(insurer, row)).collect()
}

fn event(insurer: Uzovi, mut row: Row) -> Result<StoredEvent, StoreError> {
    let (position, cents) = (unsigned(row.number()?)?, row.number()?);
    let item = match (row.some_bytes()?, row.some_bytes()?) {
        (Some(body), _) => {
            let mut claim = decode(&body)?;
            claim.parts.retain(|part| part.insurer == insurer);
            Item::Claim(Box::new(claim))
        }
        (None, Some(entry)) => Item::Entry(Box::new(decode_entry(&entry)?)),
        (None, None) => return Err(StoreError::Failed("an event is of nothing".to_owned())),
    };
    let recorded_at = Timestamp::from_microsecond(row.number()?);
    Ok(StoredEvent {
        position,
        cents,
        item,
        recorded_at: recorded_at.map_err(|e| StoreError::Failed(e.to_string()))?,
    })
}

/// Claims by their ids, and which claim credits each, where there is one.
pub(super) async fn originals(
    on: &impl Statements,
    ids: &[String],
) -> Result<BTreeMap<String, Original>, StoreError> {
    let sql = "SELECT c.body, r.sequence, r.version, r.line_number
         FROM claim c LEFT JOIN claim r ON r.reverses = $1
         WHERE c.sequence = $2 AND c.version = $3 AND c.line_number = $4";
    let find = |id: &String| {
        let key = ClaimKey::parse(id)?;
        let Unit { sequence, version } = key.unit;
        let of = values![id.as_str(), sequence, version, key.line_number];
        let id = id.clone();
        Some(async move { Ok::<_, StoreError>((id, on.rows(sql, of).await?)) })
    };
    let mut originals = BTreeMap::new();
    for (id, rows) in try_join_all(ids.iter().filter_map(find)).await? {
        for mut row in rows {
            let claim = decode(&row.bytes()?)?;
            let mut number = || row.some_number();
            let credited_by = match (number()?, number()?, number()?) {
                (Some(sequence), Some(version), Some(line_number)) => {
                    let unit = Unit { sequence, version };
                    Some(ClaimKey { unit, line_number }.claim_id())
                }
                _ => None,
            };
            let original = Original { claim, credited_by };
            originals.insert(id.clone(), original);
        }
    }
    Ok(originals)
}

/// The last position in an insurer's stream of the claims of a message under a contract.
pub(super) async fn streamed(
    on: &impl Statements,
    insurer: Uzovi,
    contract_id: &str,
    sequence: u64,
) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT max(e.position) FROM event e
         WHERE e.insurer = $1 AND e.contract_id = $2 AND e.sequence = $3";
    let of = values![insurer.as_str(), contract_id, signed(sequence)?];
    let mut rows = on.rows(sql, of).await?.into_iter();
    let position = rows.next().map(|mut row| row.some_number()).transpose()?;
    position.flatten().map(unsigned).transpose()
}

/// Subscriptions in order of insurer and name, of one insurer or of all.
pub(super) async fn subscriptions(
    on: &impl Statements,
    insurer: Option<Uzovi>,
) -> Result<Vec<Subscription>, StoreError> {
    let mut of = Vec::new();
    let mut condition = "";
    if let Some(insurer) = insurer {
        of.push(insurer.as_str().into());
        condition = "WHERE insurer = $1";
    }
    of.push(i64::from(SUBSCRIPTIONS_MAX).into());
    let sql = format!(
        "SELECT insurer, name, position, acknowledged_us FROM subscription {condition}
         ORDER BY insurer, name LIMIT ${}",
        of.len()
    );
    let read = |mut row: Row| {
        Ok(Subscription {
            insurer: uzovi(&row.text()?)?,
            name: row.text()?,
            position: unsigned(row.number()?)?,
            acknowledged_at: Timestamp::from_microsecond(row.number()?)
                .map_err(|e| StoreError::Failed(e.to_string()))?,
        })
    };
    on.rows(&sql, of).await?.into_iter().map(read).collect()
}

/// Payments of an insurer in order of run and payee, after the one given.
pub(super) async fn payment_page(
    on: &impl Statements,
    insurer: Uzovi,
    filter: PaymentFilter,
    (after_run, after_payee): (u64, &str),
    limit: u32,
) -> Result<Vec<StoredPayment>, StoreError> {
    let mut of = values![insurer.as_str(), signed(after_run)?, after_payee];
    let mut condition =
        "p.insurer = $1 AND (p.run > $2 OR (p.run = $2 AND p.payee > $3))".to_owned();
    if let Some(run) = filter.run {
        of.push(signed(run)?.into());
        condition += &format!(" AND p.run = ${}", of.len());
    }
    if let Some(payee) = filter.payee {
        of.push(payee.as_str().into());
        condition += &format!(" AND p.payee = ${}", of.len());
    }
    of.push(i64::from(limit).into());
    condition += &format!(" ORDER BY p.run, p.payee LIMIT ${}", of.len());
    payments(on, &condition, of).await
}

/// A payment, with the items of its payee in its period after a position.
pub(super) async fn remittance(
    on: &impl Statements,
    insurer: Uzovi,
    reference: &str,
    after: u64,
    limit: u32,
) -> Result<Option<Remittance>, StoreError> {
    let of = values![insurer.as_str(), reference];
    let found = payments(on, "p.insurer = $1 AND p.reference = $2", of).await?;
    let Some(payment) = found.into_iter().next() else {
        return Ok(None);
    };
    let payee = payment.settled.payee.as_str();
    // Closing leaves every account of a payee at nothing, or at what it owes.
    let sql = "SELECT r.position, CAST(coalesce(p.carried_cents, 0) AS BIGINT) FROM payment_run r
         LEFT JOIN payment p ON p.insurer = r.insurer AND p.run = r.number AND p.payee = $1
         WHERE r.insurer = $2 AND r.number < $3 ORDER BY r.number DESC LIMIT 1";
    let of = values![payee, insurer.as_str(), signed(payment.run.number)?];
    let mut rows = on.rows(sql, of).await?;
    let (begin, carried) = match rows.first_mut() {
        Some(row) => (row.number()?, row.number()?),
        None => (0, 0),
    };
    // Commands that change nothing of what is owed are left out.
    let sql = format!(
        "{EVENTS} WHERE e.insurer = $1 AND e.payee = $2 AND e.position > $3 AND e.position < $4
             AND (m.kind IS NULL OR m.kind NOT IN ('RecordBudget', 'ConfirmPayment'))
         ORDER BY e.position LIMIT $5"
    );
    let end = signed(payment.run.position)?;
    let of = values![
        insurer.as_str(),
        payee,
        begin.max(signed(after)?),
        end,
        i64::from(limit)
    ];
    let items = event_rows(insurer, on.rows(&sql, of).await?)?;
    Ok(Some(Remittance {
        payment,
        brought_forward_cents: -carried,
        items,
    }))
}

/// Balances of an insurer whose names begin with `prefix`, in order of name, after one.
pub(super) async fn balance_page(
    on: &impl Statements,
    insurer: Uzovi,
    prefix: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<(AccountBalance, u64)>, StoreError> {
    let sql = "SELECT account, cents, posting_count FROM balance
         WHERE insurer = $1 AND account > $2 AND substr(account, 1, length(CAST($3 AS TEXT))) = $3
         ORDER BY account LIMIT $4";
    let of = values![insurer.as_str(), after, prefix, i64::from(limit)];
    let mut balances = Vec::new();
    for mut row in on.rows(sql, of).await? {
        let balance = AccountBalance {
            account: row.text()?,
            cents: row.number()?,
        };
        balances.push((balance, unsigned(row.number()?)?));
    }
    Ok(balances)
}

/// Keys that claims of an insurer were split by, in order, after one: contract, region, year and digest.
pub(super) async fn key_page(
    on: &impl Statements,
    insurer: Uzovi,
    (region, year): (&str, Option<u32>),
    after: &str,
    limit: u32,
) -> Result<Vec<(String, wire::AllocationKey)>, StoreError> {
    let mut of = values![insurer.as_str(), after];
    let mut sql =
        "SELECT digest, body FROM allocation_key WHERE insurer = $1 AND digest > $2".to_owned();
    if !region.is_empty() {
        of.push(region.into());
        sql += &format!(" AND region = ${}", of.len());
    }
    if let Some(year) = year {
        of.push(i64::from(year).into());
        sql += &format!(" AND year = ${}", of.len());
    }
    of.push(i64::from(limit).into());
    sql += &format!(" ORDER BY digest LIMIT ${}", of.len());
    let mut keys = Vec::new();
    for mut row in on.rows(&sql, of).await? {
        let (digest, body) = (row.text()?, row.bytes()?);
        let key = wire::AllocationKey::decode(&*body);
        let broken = |e| StoreError::Failed(format!("a stored key cannot be read: {e}"));
        keys.push((digest, key.map_err(broken)?));
    }
    Ok(keys)
}

/// Balances that are not the sums of their postings; none where the books are right. At most a hundred.
pub(super) async fn differences(on: &impl Statements) -> Result<Vec<Difference>, StoreError> {
    let sql = "SELECT coalesce(b.account, p.account), b.cents, p.cents
         FROM balance b FULL JOIN (
             SELECT CAST(insurer AS TEXT) AS insurer, account, CAST(sum(cents) AS BIGINT) AS cents,
                 count(*) AS posting_count
             FROM posting GROUP BY insurer, account
         ) p ON p.insurer = b.insurer AND p.account = b.account
         WHERE b.cents IS NULL OR p.cents IS NULL OR b.cents <> p.cents
             OR b.posting_count <> p.posting_count
         ORDER BY 1 LIMIT 100";
    let mut differences = Vec::new();
    for mut row in on.rows(sql, Vec::new()).await? {
        differences.push(Difference {
            account: row.text()?,
            kept_cents: row.some_number()?,
            posted_cents: row.some_number()?,
        });
    }
    Ok(differences)
}

/// Writes the balances anew from the postings.
pub(super) async fn rebuild(on: &impl Statements) -> Result<(), StoreError> {
    on.change("DELETE FROM balance", vec![Vec::new()]).await?;
    let sql = "INSERT INTO balance (insurer, account, cents, posting_count)
         SELECT insurer, account, sum(cents), count(*) FROM posting GROUP BY insurer, account";
    on.change(sql, vec![Vec::new()]).await?;
    Ok(())
}
