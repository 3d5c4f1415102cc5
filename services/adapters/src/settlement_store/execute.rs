//! A command of an insurer, in one transaction: what it asks is read under the lock on the insurer's stream, whoever
//! decides decides, and everything that it leaves is written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use prost::Message as _;
use samenloop_domain::{cents::Cents, identifiers::Uzovi, ledger::Posting};
use samenloop_proto::settlement::v1 as wire;

use super::{
    StoreError,
    commands::{
        Answer, Effect, Executed, Facts, Move, MoveTo, NewCommand, NewJournal, NewPayment,
        PaymentRun,
    },
    facts::load,
    rows::{signed, unsigned},
    statements::{Statements, Value, values},
};

/// Executes `command`; nothing is written unless it gives [`Executed::Done`].
pub(super) async fn execute<E>(
    on: &impl Statements,
    command: &NewCommand,
    now: Timestamp,
    decide: impl FnOnce(&Facts) -> Result<Effect, E>,
) -> Result<Executed<E>, StoreError> {
    // From here on nobody else changes the books of this insurer.
    let position = take_position(on, command.insurer).await?;
    if let Some((digest, answer)) = recorded(on, command).await? {
        let same = digest == command.content_digest;
        return Ok(if same {
            Executed::Before(answer)
        } else {
            Executed::Differs
        });
    }
    let facts = load(on, command).await?;
    match decide(&facts) {
        Ok(effect) => record(on, command, facts.number, position, now, effect)
            .await
            .map(Executed::Done),
        Err(refusal) => Ok(Executed::Refused(refusal)),
    }
}

/// Takes the position of the command's event, and with it the lock on the insurer's books.
async fn take_position(on: &impl Statements, insurer: Uzovi) -> Result<i64, StoreError> {
    let sql = "INSERT INTO stream_head AS h (insurer, position, cents)
         VALUES (CAST($1 AS TEXT), 1, 0)
         ON CONFLICT (insurer) DO UPDATE SET position = h.position + 1 RETURNING position";
    let mut rows = on.rows(sql, values![insurer.as_str()]).await?;
    rows[0].number()
}

/// The command as it was recorded before, with the digest of its content.
async fn recorded(
    on: &impl Statements,
    command: &NewCommand,
) -> Result<Option<(Vec<u8>, Answer)>, StoreError> {
    let sql = "SELECT content_digest, entry, file FROM command
         WHERE insurer = $1 AND request_id = $2";
    let of = values![command.insurer.as_str(), command.request_id];
    let mut rows = on.rows(sql, of).await?;
    let Some(row) = rows.first_mut() else {
        return Ok(None);
    };
    let (digest, entry, file) = (row.bytes()?, row.bytes()?, row.bytes()?);
    let entry = decode_entry(&entry)?;
    Ok(Some((digest, Answer { entry, file })))
}

pub(super) fn decode_entry(bytes: &[u8]) -> Result<wire::Entry, StoreError> {
    let decoded = wire::Entry::decode(bytes);
    decoded.map_err(|e| StoreError::Failed(format!("a stored entry cannot be read: {e}")))
}

async fn record(
    on: &impl Statements,
    command: &NewCommand,
    number: u64,
    position: i64,
    now: Timestamp,
    mut effect: Effect,
) -> Result<Answer, StoreError> {
    let insurer = command.insurer.as_str();
    let entry = &mut effect.entry;
    entry.number = number;
    entry.request_id = command.request_id.to_string();
    entry.recorded_at = now.to_string();
    let number = signed(number)?;
    let sql = "INSERT INTO command (insurer, number, request_id, kind, content_digest, entry, file,
             recorded_at_us)
         VALUES (CAST($1 AS TEXT), $2, $3, $4, $5, $6, $7, $8)";
    let row = values![
        insurer,
        number,
        command.request_id,
        command.kind,
        &command.content_digest[..],
        &*entry.encode_to_vec(),
        &*effect.file,
        now.as_microsecond(),
    ];
    on.change(sql, vec![row]).await?;
    insert_journals(on, insurer, number, now, &effect.journals).await?;
    let lines = effect.journals.iter().flat_map(|journal| &journal.postings);
    add_to_balances(on, lines.map(|line| (command.insurer, line))).await?;
    if let Some(budget) = &effect.budget {
        insert_budget(on, insurer, number, budget).await?;
    }
    if let Some((last_day, due_on)) = effect.run {
        let run = PaymentRun {
            number: unsigned(number)?,
            last_day,
            due_on,
            position: unsigned(position)?,
        };
        insert_run(on, insurer, run, &effect.payments).await?;
    }
    let sql = "UPDATE budget_term SET advanced_by = $1
         WHERE insurer = $2 AND budget_id = $3 AND number = $4";
    let advanced = effect.advanced.iter();
    let advanced =
        advanced.map(|(budget, term)| values![number, insurer, budget.as_str(), i64::from(*term)]);
    on.change(sql, advanced.collect()).await?;
    take_steps(on, insurer, number, &effect.moves).await?;
    insert_event(on, insurer, position, number, &effect.entry).await?;
    Ok(Answer {
        entry: effect.entry,
        file: effect.file,
    })
}

/// The postings, then the journals that close them.
async fn insert_journals(
    on: &impl Statements,
    insurer: &str,
    number: i64,
    now: Timestamp,
    journals: &[NewJournal],
) -> Result<(), StoreError> {
    let mut postings = Vec::new();
    let mut closing = Vec::new();
    for (version, journal) in (0_i64..).zip(journals) {
        let line = |line: &Posting| {
            values![
                number,
                version,
                insurer,
                line.account.as_str(),
                line.cents.get()
            ]
        };
        postings.extend(journal.postings.iter().map(line));
        let (sequence, of) = match journal.reverses {
            Some((sequence, version)) => (Some(signed(sequence)?), Some(i64::from(version))),
            None => (None, None),
        };
        let count = i64::try_from(journal.postings.len()).expect("a journal fits in memory");
        let now = now.as_microsecond();
        closing.push(values![number, version, insurer, count, now, sequence, of]);
    }
    let sql = "INSERT INTO posting (origin, sequence, version, insurer, account, cents)
         VALUES ('commands', $1, $2, CAST($3 AS TEXT), $4, CAST($5 AS BIGINT))";
    on.change(sql, postings).await?;
    let sql = "INSERT INTO journal (origin, sequence, version, insurer, posting_count, currency,
             recorded_at_us, reverses_sequence, reverses_version)
         VALUES ('commands', $1, $2, CAST($3 AS TEXT), $4, 'EUR', $5, $6, $7)";
    on.change(sql, closing).await?;
    Ok(())
}

/// Adds postings to the balances of their accounts; the lock on the streams of their insurers is held.
pub(super) async fn add_to_balances<'a>(
    on: &impl Statements,
    postings: impl Iterator<Item = (Uzovi, &'a Posting)>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO balance AS b (insurer, account, cents, posting_count)
         VALUES (CAST($1 AS TEXT), $2, $3, $4)
         ON CONFLICT (insurer, account) DO UPDATE SET
             cents = b.cents + excluded.cents,
             posting_count = b.posting_count + excluded.posting_count";
    let rows = balance_changes(postings).into_iter();
    let rows = rows.map(|((insurer, account), (cents, count))| {
        values![insurer.as_str(), account, cents, count]
    });
    on.change(sql, rows.collect()).await?;
    Ok(())
}

/// Sum and number of postings by insurer and account.
pub(super) fn balance_changes<'a>(
    postings: impl Iterator<Item = (Uzovi, &'a Posting)>,
) -> BTreeMap<(Uzovi, &'a str), (i64, i64)> {
    let mut changes: BTreeMap<(Uzovi, &str), (i64, i64)> = BTreeMap::new();
    for (insurer, posting) in postings {
        let change = changes.entry((insurer, &posting.account)).or_default();
        change.0 += posting.cents.get();
        change.1 += 1;
    }
    changes
}

async fn insert_budget(
    on: &impl Statements,
    insurer: &str,
    number: i64,
    budget: &wire::RecordBudgetRequest,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO budget (insurer, budget_id, payee, contract_id, first_day, last_day,
             cents, body, command)
         VALUES (CAST($1 AS TEXT), $2, CAST($3 AS TEXT), $4, CAST($5 AS TEXT), CAST($6 AS TEXT),
             CAST($7 AS BIGINT), $8, $9)";
    let id = budget.budget_id.as_str();
    let row = values![
        insurer,
        id,
        budget.payee_agb.as_str(),
        budget.contract_id.as_str(),
        budget.first.as_str(),
        budget.last.as_str(),
        budget.budget_cents,
        &*budget.encode_to_vec(),
        number,
    ];
    on.change(sql, vec![row]).await?;
    let sql = "INSERT INTO budget_term (insurer, budget_id, number, due_on, cents)
         VALUES (CAST($1 AS TEXT), $2, $3, CAST($4 AS TEXT), CAST($5 AS BIGINT))";
    let terms = (1_i64..).zip(&budget.terms);
    let terms =
        terms.map(|(place, term)| values![insurer, id, place, term.due_on.as_str(), term.cents]);
    on.change(sql, terms.collect()).await?;
    Ok(())
}

async fn insert_run(
    on: &impl Statements,
    insurer: &str,
    run: PaymentRun,
    payments: &[NewPayment],
) -> Result<(), StoreError> {
    let number = signed(run.number)?;
    let sql = "INSERT INTO payment_run (insurer, number, last_day, due_on, position)
         VALUES (CAST($1 AS TEXT), $2, CAST($3 AS TEXT), CAST($4 AS TEXT), $5)";
    let [last_day, due_on] = [run.last_day, run.due_on].map(|day| day.to_string());
    let row = values![insurer, number, &*last_day, &*due_on, signed(run.position)?];
    on.change(sql, vec![row]).await?;
    let sql = "INSERT INTO payment (insurer, run, payee, reference, cents, advanced_cents,
             set_off_cents, carried_cents, payable_version)
         VALUES (CAST($1 AS TEXT), $2, CAST($3 AS TEXT), $4, CAST($5 AS BIGINT),
             CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT), $9)";
    let row = |payment: &NewPayment| {
        let amounts = [
            payment.cents,
            payment.advanced,
            payment.set_off,
            payment.carried,
        ];
        let [cents, advanced, set_off, carried] = amounts.map(Cents::get);
        let version = i64::from(payment.payable_version);
        let (payee, reference) = (payment.payee.as_str(), payment.reference.as_str());
        values![
            insurer, number, payee, reference, cents, advanced, set_off, carried, version
        ]
    };
    on.change(sql, payments.iter().map(row).collect()).await?;
    Ok(())
}

async fn take_steps(
    on: &impl Statements,
    insurer: &str,
    number: i64,
    moves: &[Move],
) -> Result<(), StoreError> {
    for Move { payment, to } in moves {
        let (run, payee) = (signed(payment.0)?, payment.1.as_str());
        let (sql, version) = match to {
            MoveTo::Ordered(version) => (
                "UPDATE payment SET ordered_by = $1, ordered_version = $2
                 WHERE insurer = $3 AND run = $4 AND payee = $5",
                Some(*version),
            ),
            MoveTo::Paid(version) => (
                "UPDATE payment SET paid_by = $1, paid_version = $2
                 WHERE insurer = $3 AND run = $4 AND payee = $5",
                Some(*version),
            ),
            MoveTo::Reversed => (
                "UPDATE payment SET reversed_by = $1
                 WHERE insurer = $2 AND run = $3 AND payee = $4",
                None,
            ),
        };
        let mut row = values![number];
        row.extend(version.map(|version| Value::Number(version.into())));
        row.extend(values![insurer, run, payee]);
        on.change(sql, vec![row]).await?;
    }
    Ok(())
}

async fn insert_event(
    on: &impl Statements,
    insurer: &str,
    position: i64,
    number: i64,
    entry: &wire::Entry,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO event (insurer, position, cents, command, payee, contract_id)
         VALUES (CAST($1 AS TEXT), $2, CAST($3 AS BIGINT), $4, CAST($5 AS TEXT), $6)";
    let [payee, contract] = [&entry.payee_agb, &entry.contract_id].map(|text| match &**text {
        "" => Value::Null,
        text => text.into(),
    });
    let mut row = values![insurer, position, entry.cost_cents, number];
    row.extend([payee, contract]);
    on.change(sql, vec![row]).await?;
    let sql = "UPDATE stream_head SET cents = cents + $1 WHERE insurer = $2";
    on.change(sql, vec![values![entry.cost_cents, insurer]])
        .await?;
    Ok(())
}
