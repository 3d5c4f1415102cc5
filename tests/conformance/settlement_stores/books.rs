//! The database keeps the books by itself: what the store would never write is refused by direct statements too.

use super::made::{SCHEMA, batch, claim, message, open, record};
use crate::database::{Database, Kind, connect_to};

pub(super) async fn balances_sum_to_zero_and_a_credit_undoes_its_debit(database: &Database) {
    let store = open(database).await;
    record(&store, batch(vec![claim(1, 1, 1003), claim(1, 2, 501)])).await;
    let balances = store.balances().await.unwrap();
    let accounts: Vec<_> = balances.iter().map(|balance| &*balance.account).collect();
    assert_eq!(
        accounts.len(),
        9,
        "two sectors and a payable of each insurer"
    );
    assert!(accounts.is_sorted());
    assert_eq!(balances.iter().map(|balance| balance.cents).sum::<i64>(), 0);
    let owed = balances
        .iter()
        .filter(|balance| balance.account.contains("payable"));
    assert_eq!(owed.map(|balance| balance.cents).sum::<i64>(), -1504);
    record(&store, batch(vec![claim(2, 1, -1003), claim(2, 2, -501)])).await;
    let balances = store.balances().await.unwrap();
    assert_eq!(balances.len(), 9);
    assert!(
        balances.iter().all(|balance| balance.cents == 0),
        "{balances:?}"
    );
    // Debit and credit of one message: the journals are there and have no lines.
    record(&store, batch(vec![claim(3, 1, 100), claim(3, 2, -100)])).await;
    assert_eq!(store.counts().await.unwrap(), (6, 9));
}

fn posting(account: &str, cents: i64) -> String {
    format!(
        "INSERT INTO posting (sequence, version, insurer, account, cents)
         VALUES (7, 1, '3311', '{account}', {cents});"
    )
}

fn journal(posting_count: i64, currency: &str) -> String {
    format!(
        "INSERT INTO journal
             (sequence, version, insurer, posting_count, currency, recorded_at_us)
         VALUES (7, 1, '3311', {posting_count}, '{currency}', 0);"
    )
}

pub(super) async fn a_journal_that_does_not_balance_is_refused(database: &Database) {
    let Some(direct) = Direct::of(database).await else {
        return;
    };
    let [debit, credit] = [posting("a", 100), posting("b", -100)];
    let closed = journal(2, "EUR");
    for (wrong, sql) in [
        ("sum", format!("{}{}{closed}", posting("a", 101), credit)),
        ("one line", format!("{debit}{}", journal(1, "EUR"))),
        ("count", format!("{debit}{credit}{}", journal(3, "EUR"))),
        ("lines missing", journal(2, "EUR")),
        ("currency", format!("{debit}{credit}{}", journal(2, "USD"))),
        ("lines after", format!("{closed}{debit}{credit}")),
        (
            "nothing",
            format!("{}{}{closed}", posting("a", 0), posting("b", 0)),
        ),
    ] {
        direct.refuses(wrong, &sql).await;
    }
    direct.takes(&format!("{debit}{credit}{closed}")).await;
}

pub(super) async fn a_posting_has_a_journal_and_comes_before_it(database: &Database) {
    let Some(direct) = Direct::of(database).await else {
        return;
    };
    let [debit, credit] = [posting("a", 100), posting("b", -100)];
    direct
        .refuses("no journal", &format!("{debit}{credit}"))
        .await;
    let closed = format!("{debit}{credit}{}", journal(2, "EUR"));
    direct.takes(&closed).await;
    let more = format!("{}{}", posting("c", 100), posting("d", -100));
    direct.refuses("a closed journal", &more).await;
    direct.refuses("a second journal", &journal(2, "EUR")).await;
}

pub(super) async fn a_position_follows_the_last_one(database: &Database) {
    let Some(direct) = Direct::of(database).await else {
        return;
    };
    let event = |insurer: &str, position: i64| {
        format!(
            "INSERT INTO event (insurer, position, sequence, version, line_number, cents)
             VALUES ('{insurer}', {position}, 1, 1, 1, 0);"
        )
    };
    for (insurer, position) in [
        ("3311", 5),
        ("3311", 3),
        ("3311", 0),
        ("9999", 2),
        ("33", 1),
    ] {
        direct.refuses("a gap", &event(insurer, position)).await;
    }
    direct.takes(&event("3311", 4)).await;
    direct.takes(&event("9999", 1)).await;
}

pub(super) async fn nothing_written_is_changed_or_deleted(database: &Database) {
    let Some(direct) = Direct::of(database).await else {
        return;
    };
    for (table, column) in [
        ("claim", "awarded_cents"),
        ("journal", "recorded_at_us"),
        ("posting", "cents"),
        ("event", "cents"),
    ] {
        direct
            .refuses(
                table,
                &format!("UPDATE {table} SET {column} = {column} + 1"),
            )
            .await;
        direct
            .refuses(table, &format!("UPDATE {table} SET {column} = {column}"))
            .await;
        direct.refuses(table, &format!("DELETE FROM {table}")).await;
        if database.kind() == Kind::Postgres {
            direct
                .refuses(table, &format!("TRUNCATE {table} CASCADE"))
                .await;
        }
    }
}

/// On SQLite REPLACE would delete the row before without firing the trigger that refuses it.
pub(super) async fn a_row_is_not_written_over(database: &Database) {
    if database.kind() != Kind::File {
        return;
    }
    let direct = Direct::of(database)
        .await
        .expect("a file takes other connections");
    for table in ["claim", "journal", "posting", "event"] {
        let sql = format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1");
        direct.refuses(table, &sql).await;
    }
}

/// Goal: while a journal is written and not yet visible, nobody else can slip a line into it. Method: a second
/// connection writes a line of the same journal, and commits after the first.
pub(super) async fn a_posting_cannot_race_its_journal(database: &Database) {
    if database.kind() != Kind::Postgres {
        return;
    }
    drop(open(database).await);
    let [first, second] = [
        connect_to(&database.url, SCHEMA).await,
        connect_to(&database.url, SCHEMA).await,
    ];
    let closed = format!(
        "{}{}{}",
        posting("a", 100),
        posting("b", -100),
        journal(2, "EUR")
    );
    first
        .batch_execute(&format!("BEGIN; {closed}"))
        .await
        .unwrap();
    let slipped = format!("BEGIN; {}", posting("c", 5));
    second.batch_execute(&slipped).await.unwrap();
    first.batch_execute("COMMIT").await.unwrap();
    second.batch_execute("COMMIT").await.unwrap_err();
    // Nor by naming the other transaction.
    let named = "INSERT INTO posting SELECT sequence, version, insurer, 'c', 5, transaction_id
         FROM journal";
    second.batch_execute(named).await.unwrap_err();
    let sum = first.query_one("SELECT sum(cents)::BIGINT FROM posting", &[]);
    assert_eq!(sum.await.unwrap().get::<_, i64>(0), 0);
}

/// Statements behind the back of a store that has recorded one message.
struct Direct<'a> {
    database: &'a Database,
}

impl<'a> Direct<'a> {
    /// None where a database takes no second connection.
    async fn of(database: &'a Database) -> Option<Self> {
        if !database.is_lasting() {
            return None;
        }
        record(&open(database).await, message(1)).await;
        Some(Self { database })
    }

    async fn refuses(&self, what: &str, sql: &str) {
        let executed = self.database.execute(SCHEMA, sql).await;
        let refusal = executed.expect_err(&format!("{what} is taken: {sql}"));
        // By a rule of the database, and not because the statement says nothing.
        for mistake in ["syntax", "no such", "does not exist"] {
            assert!(!refusal.contains(mistake), "{refusal}: {sql}");
        }
    }

    async fn takes(&self, sql: &str) {
        self.database.execute(SCHEMA, sql).await.unwrap();
    }
}
