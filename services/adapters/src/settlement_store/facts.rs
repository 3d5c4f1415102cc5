//! What of the books a command is decided by, read under the lock on them.

use prost::Message as _;
use samenloop_domain::{
    budget::Parties,
    cents::Cents,
    identifiers::{Agb, Uzovi},
    ledger::{Account, Posting},
};
use samenloop_proto::settlement::v1 as wire;

use super::{
    AccountBalance, StoreError,
    commands::{
        Asked, Claimed, DueTerm, Facts, NewCommand, NewPayment, PaymentRun, StoredJournal,
        StoredPayment,
    },
    execute::decode_entry,
    rows::{signed, unsigned},
    statements::{Row, Statements, Value, values},
};

/// The facts of a command.
pub(super) async fn load(on: &impl Statements, command: &NewCommand) -> Result<Facts, StoreError> {
    let insurer = command.insurer;
    let sql = "SELECT coalesce(max(number), 0) + 1 FROM command WHERE insurer = $1";
    let mut rows = on.rows(sql, values![insurer.as_str()]).await?;
    let mut facts = Facts {
        number: unsigned(rows[0].number()?)?,
        ..Facts::default()
    };
    match &command.asks {
        Asked::Nothing => {}
        Asked::NewBudget {
            budget_id,
            payee,
            contract_id,
            period,
        } => {
            let sql = "SELECT budget_id FROM budget WHERE insurer = $1 AND (budget_id = $2 OR (
                 contract_id = $3 AND payee = $4 AND first_day <= $5 AND last_day >= $6)) LIMIT 1";
            let [last, first] = [period.last(), period.first()].map(|day| day.to_string());
            let of = values![
                insurer.as_str(),
                budget_id.as_str(),
                contract_id.as_str(),
                payee.as_str(),
                last.as_str(),
                first.as_str(),
            ];
            let mut rows = on.rows(sql, of).await?;
            facts.met_budget = rows.first_mut().map(Row::text).transpose()?;
        }
        Asked::Budget(budget_id) => load_budget(on, insurer, budget_id, &mut facts).await?,
        Asked::Period(last_day) => {
            load_period(on, insurer, &last_day.to_string(), &mut facts).await?;
        }
        Asked::Run(number) => {
            let condition = "p.insurer = $1 AND p.run = $2 ORDER BY p.payee";
            let of = values![insurer.as_str(), signed(*number)?];
            facts.payments = payments(on, condition, of).await?;
            facts.run = facts.payments.first().map(|payment| payment.run);
        }
        Asked::Payment(reference) => {
            let of = values![insurer.as_str(), reference.as_str()];
            let condition = "p.insurer = $1 AND p.reference = $2";
            facts.payments = payments(on, condition, of).await?;
            // All its journals, each to be reversed by itself.
            if let Some(payment) = facts.payments.first() {
                let steps = [
                    Some((payment.run.number, payment.settled.payable_version)),
                    payment.ordered,
                    payment.paid,
                ];
                for (number, version) in steps.into_iter().flatten() {
                    let found = journals(on, insurer, number).await?;
                    facts
                        .journals
                        .extend(found.into_iter().filter(|it| it.version == version));
                }
            }
        }
        Asked::Entry(number) => {
            let sql = "SELECT entry FROM command WHERE insurer = $1 AND number = $2";
            let of = values![insurer.as_str(), signed(*number)?];
            let mut rows = on.rows(sql, of).await?;
            if let Some(row) = rows.first_mut() {
                facts.entry = Some(decode_entry(&row.bytes()?)?);
                facts.journals = journals(on, insurer, *number).await?;
            }
        }
    }
    Ok(facts)
}

async fn load_budget(
    on: &impl Statements,
    insurer: Uzovi,
    budget_id: &str,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let sql = "SELECT body FROM budget WHERE insurer = $1 AND budget_id = $2";
    let mut rows = on.rows(sql, values![insurer.as_str(), budget_id]).await?;
    let Some(row) = rows.first_mut() else {
        return Ok(());
    };
    let broken = |e: &dyn std::fmt::Display| {
        StoreError::Failed(format!("a stored budget cannot be read: {e}"))
    };
    let budget = wire::RecordBudgetRequest::decode(&*row.bytes()?).map_err(|e| broken(&e))?;
    let payee = Agb::parse(&budget.payee_agb).ok_or_else(|| broken(&"no payee"))?;
    // Of claims only: what a command books is no award.
    let sql = "SELECT CAST(coalesce(sum(cents), 0) AS BIGINT) FROM event
         WHERE insurer = $1 AND contract_id = $2 AND payee = $3 AND command IS NULL
             AND first_day >= $4 AND last_day <= $5";
    let of = values![
        insurer.as_str(),
        &*budget.contract_id,
        payee.as_str(),
        &*budget.first,
        &*budget.last,
    ];
    facts.awarded_cents = on.rows(sql, of).await?[0].number()?;
    let settled = Account::BudgetSettled {
        insurer,
        budget: budget_id.into(),
    };
    let advance = Parties { insurer, payee }.advance(&budget.contract_id);
    let sql = "SELECT account, cents FROM balance WHERE insurer = $1 AND account IN ($2, $3)";
    let of = values![
        insurer.as_str(),
        &*settled.to_string(),
        &*advance.to_string()
    ];
    facts.balances = balances(on.rows(sql, of).await?)?;
    facts.budget = Some(budget);
    Ok(())
}

async fn load_period(
    on: &impl Statements,
    insurer: Uzovi,
    last_day: &str,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let of = || values![insurer.as_str()];
    let sql = "SELECT number, CAST(last_day AS TEXT), CAST(due_on AS TEXT), position
         FROM payment_run WHERE insurer = $1 ORDER BY number DESC LIMIT 1";
    let mut rows = on.rows(sql, of()).await?;
    facts.run = rows.first_mut().map(run).transpose()?;
    let sql = "SELECT account, cents FROM balance
         WHERE insurer = $1 AND cents <> 0 AND account >= 'provider:' AND account < 'provider;'
         ORDER BY account";
    facts.balances = balances(on.rows(sql, of()).await?)?;
    let since = facts.run.map_or(0, |run| run.position);
    let sql = "SELECT CAST(payee AS TEXT), contract_id, CAST(sum(cents) AS BIGINT) FROM event
         WHERE insurer = $1 AND position > $2 AND command IS NULL
         GROUP BY payee, contract_id";
    for mut row in on
        .rows(sql, values![insurer.as_str(), signed(since)?])
        .await?
    {
        facts.claimed.push(Claimed {
            payee: agb(&row.text()?)?,
            contract_id: row.text()?,
            cents: row.number()?,
        });
    }
    let sql = "SELECT t.budget_id, t.number, CAST(b.payee AS TEXT), b.contract_id,
             CAST(t.cents AS BIGINT)
         FROM budget_term t JOIN budget b ON b.insurer = t.insurer AND b.budget_id = t.budget_id
         WHERE t.insurer = $1 AND t.due_on <= $2 AND t.advanced_by IS NULL
         ORDER BY t.budget_id, t.number";
    for mut row in on.rows(sql, values![insurer.as_str(), last_day]).await? {
        facts.terms.push(DueTerm {
            budget_id: row.text()?,
            number: version(row.number()?)?,
            payee: agb(&row.text()?)?,
            contract_id: row.text()?,
            cents: cents(row.number()?)?,
        });
    }
    Ok(())
}

/// Payments by a condition over `p`, which may also order and limit.
pub(super) async fn payments(
    on: &impl Statements,
    condition: &str,
    of: Vec<Value>,
) -> Result<Vec<StoredPayment>, StoreError> {
    let sql = format!(
        "SELECT r.number, CAST(r.last_day AS TEXT), CAST(r.due_on AS TEXT), r.position,
             CAST(p.payee AS TEXT), p.reference, CAST(p.cents AS BIGINT),
             CAST(p.advanced_cents AS BIGINT), CAST(p.set_off_cents AS BIGINT),
             CAST(p.carried_cents AS BIGINT), p.payable_version, p.ordered_by, p.ordered_version,
             p.paid_by, p.paid_version, p.reversed_by
         FROM payment p JOIN payment_run r ON r.insurer = p.insurer AND r.number = p.run
         WHERE {condition}"
    );
    let rows = on.rows(&sql, of).await?;
    rows.into_iter().map(|mut row| payment(&mut row)).collect()
}

fn payment(row: &mut Row) -> Result<StoredPayment, StoreError> {
    let run = run(row)?;
    let settled = NewPayment {
        payee: agb(&row.text()?)?,
        reference: row.text()?,
        cents: cents(row.number()?)?,
        advanced: cents(row.number()?)?,
        set_off: cents(row.number()?)?,
        carried: cents(row.number()?)?,
        payable_version: version(row.number()?)?,
    };
    let mut step = || -> Result<Option<(u64, u32)>, StoreError> {
        match (row.some_number()?, row.some_number()?) {
            (Some(by), Some(place)) => Ok(Some((unsigned(by)?, version(place)?))),
            _ => Ok(None),
        }
    };
    let (ordered, paid) = (step()?, step()?);
    Ok(StoredPayment {
        run,
        settled,
        ordered,
        paid,
        reversed_by: row.some_number()?.map(unsigned).transpose()?,
    })
}

/// The journals of a command, with the place in `version`.
async fn journals(
    on: &impl Statements,
    insurer: Uzovi,
    number: u64,
) -> Result<Vec<StoredJournal>, StoreError> {
    let sql = "SELECT j.version, p.account, CAST(p.cents AS BIGINT), r.sequence
         FROM journal j
         JOIN posting p ON p.origin = j.origin AND p.sequence = j.sequence
             AND p.version = j.version AND p.insurer = j.insurer
         LEFT JOIN journal r ON r.origin = j.origin AND r.insurer = j.insurer
             AND r.reverses_sequence = j.sequence AND r.reverses_version = j.version
         WHERE j.origin = 'commands' AND j.insurer = $1 AND j.sequence = $2
         ORDER BY j.version, p.account";
    let rows = on
        .rows(sql, values![insurer.as_str(), signed(number)?])
        .await?;
    let mut journals: Vec<StoredJournal> = Vec::new();
    for mut row in rows {
        let version = version(row.number()?)?;
        let posting = Posting {
            account: row.text()?,
            cents: cents(row.number()?)?,
        };
        let is_reversed = row.some_number()?.is_some();
        match journals.last_mut() {
            Some(last) if last.version == version => last.postings.push(posting),
            _ => journals.push(StoredJournal {
                version,
                postings: vec![posting],
                is_reversed,
            }),
        }
    }
    Ok(journals)
}

fn run(row: &mut Row) -> Result<PaymentRun, StoreError> {
    Ok(PaymentRun {
        number: unsigned(row.number()?)?,
        last_day: day(&row.text()?)?,
        due_on: day(&row.text()?)?,
        position: unsigned(row.number()?)?,
    })
}

fn balances(rows: Vec<Row>) -> Result<Vec<AccountBalance>, StoreError> {
    let balance = |mut row: Row| {
        Ok(AccountBalance {
            account: row.text()?,
            cents: row.number()?,
        })
    };
    rows.into_iter().map(balance).collect()
}

fn day(text: &str) -> Result<jiff::civil::Date, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Failed(format!("{text:?} is no day")))
}

fn agb(text: &str) -> Result<Agb, StoreError> {
    Agb::parse(text).ok_or_else(|| StoreError::Failed(format!("{text:?} is no AGB code")))
}

fn cents(cents: i64) -> Result<Cents, StoreError> {
    Cents::new(cents).ok_or_else(|| StoreError::Failed(format!("{cents} cents are over the bound")))
}

fn version(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Failed(format!("{number} is no place")))
}
