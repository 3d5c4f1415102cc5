//! The database of the embedded queue, and the one place that writes to it. It answers commands one
//! after another, on a thread of its own or inline; it never waits for a consumer.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{
    rows::{COLUMNS, delete, delivery, insert, row_id},
    state::Queues,
};
use crate::{
    broker::{BrokerError, Delivery, Message, Published},
    migration::{Migrations, migrate_sqlite},
};

/// Where the answer to a command goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, BrokerError>>;

/// What is asked of the database.
pub(super) enum Command {
    Declare {
        names: Vec<String>,
        reply: Reply<()>,
    },
    Publish {
        messages: Vec<(String, Message)>,
        reply: Reply<Vec<Published>>,
    },
    Ack {
        queue: String,
        ids: Vec<i64>,
        reply: Reply<()>,
    },
    Fetch {
        queue: String,
        consumer: u64,
        messages_max: usize,
        bytes_max: usize,
        reply: Reply<Vec<Delivery>>,
    },
}

/// The database with the state in memory that belongs to it.
pub(super) struct Engine {
    connection: Connection,
    queues: Arc<Mutex<Queues>>,
    queue_length_max: u64,
    id_last: i64,
}

/// What a transaction will have done to the queues once it is committed.
#[derive(Default)]
struct Effects {
    declared: Vec<(String, i64)>,
    published: BTreeMap<String, u64>,
    acked: Vec<(String, Vec<i64>)>,
    answers: Vec<Vec<Published>>,
}

const MIGRATIONS: Migrations = &[("V1__queue", include_str!("V1__queue.sql"))];

/// EXCLUSIVE: what is handed out is known to this process only, so no other may read the file.
/// `secure_delete`: a body may hold a BSN, which must not stay on disk after its message is
/// acknowledged.
const SETTINGS: &str = "PRAGMA locking_mode = EXCLUSIVE;
PRAGMA busy_timeout = 5000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA secure_delete = ON;
PRAGMA foreign_keys = ON;";

impl Engine {
    /// Opens a file, or a database in memory where there is none.
    pub(super) fn open(
        file: Option<&Path>,
        queues: Arc<Mutex<Queues>>,
        queue_length_max: u64,
    ) -> Result<Self, BrokerError> {
        let connection = match file {
            Some(file) => Connection::open(file),
            None => Connection::open_in_memory(),
        };
        let mut connection = connection.map_err(storage)?;
        connection.execute_batch(SETTINGS).map_err(storage)?;
        let migrated = migrate_sqlite(&mut connection, MIGRATIONS);
        migrated.map_err(|error| BrokerError::Storage(error.to_string()))?;
        let id_last = load_queues(&connection, &mut locked(&queues)).map_err(storage)?;
        Ok(Self {
            connection,
            queues,
            queue_length_max,
            id_last,
        })
    }

    /// Answers commands: all that write in one transaction, then the others.
    pub(super) fn handle(&mut self, commands: Vec<Command>) {
        let is_fetch = |command: &Command| matches!(command, Command::Fetch { .. });
        let (fetches, writes): (Vec<_>, Vec<_>) = commands.into_iter().partition(is_fetch);
        if !writes.is_empty() {
            match self.write(&writes) {
                Ok(answers) => confirm(writes, answers),
                Err(error) => fail(writes, &error),
            }
        }
        for fetch in fetches {
            if let Command::Fetch {
                queue,
                consumer,
                messages_max,
                bytes_max,
                reply,
            } = fetch
            {
                let fetched = self.fetch(&queue, consumer, messages_max, bytes_max);
                // A consumer that was dropped meanwhile has given back what this handed to it.
                let _ = reply.send(fetched.map_err(storage));
            }
        }
    }

    fn write(&mut self, writes: &[Command]) -> rusqlite::Result<Vec<Vec<Published>>> {
        let mut effects = Effects::default();
        let mut id_last = self.id_last;
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        for write in writes {
            match write {
                Command::Declare { names, .. } => declare(&transaction, names, &mut effects)?,
                Command::Ack { queue, ids, .. } => {
                    delete(&transaction, ids)?;
                    effects.acked.push((queue.clone(), ids.clone()));
                }
                Command::Publish { messages, .. } => {
                    let mut answers = Vec::with_capacity(messages.len());
                    for (name, message) in messages {
                        let added = effects.published.entry(name.clone()).or_default();
                        let fits = self.queue_length_max.saturating_sub(*added);
                        let (published, row) = judge(&locked(&self.queues), name, message, fits);
                        if let Some(row) = row {
                            id_last += 1;
                            insert(&transaction, id_last, row, message)?;
                            *added += 1;
                        }
                        answers.push(published);
                    }
                    effects.answers.push(answers);
                }
                Command::Fetch { .. } => {}
            }
        }
        transaction.commit()?;
        self.id_last = id_last;
        Ok(effects.apply(&mut locked(&self.queues)))
    }

    fn fetch(
        &self,
        queue: &str,
        consumer: u64,
        messages_max: usize,
        bytes_max: usize,
    ) -> rusqlite::Result<Vec<Delivery>> {
        let Some(next) = locked(&self.queues).next(queue, consumer, messages_max) else {
            return Ok(Vec::new());
        };
        let mut taken = Taken::new(messages_max, bytes_max);
        let sql = format!("SELECT {COLUMNS} FROM message WHERE id = ?1");
        let mut one = self.connection.prepare_cached(&sql)?;
        for id in next.returned {
            if taken.is_full() {
                break;
            }
            let found = one
                .query_row([id], |row| delivery(row, i64::MAX))
                .optional()?;
            taken.deliveries.extend(found);
        }
        if !taken.is_full() {
            let sql =
                format!("SELECT {COLUMNS} FROM message WHERE queue = ?1 AND id > ?2 ORDER BY id");
            let mut many = self.connection.prepare_cached(&sql)?;
            let mut rows = many.query([next.row, next.read_up_to])?;
            while !taken.is_full() {
                let Some(row) = rows.next()? else { break };
                taken.deliveries.push(delivery(row, next.from_before)?);
            }
        }
        let ids: Vec<i64> = taken
            .deliveries
            .iter()
            .map(|each| row_id(each.tag))
            .collect();
        let handed_out = locked(&self.queues).hand_out(queue, consumer, &ids);
        Ok(if handed_out {
            taken.deliveries
        } else {
            Vec::new()
        })
    }
}

/// Deliveries being read, until a bound is reached; always at least one.
struct Taken {
    deliveries: Vec<Delivery>,
    messages_max: usize,
    bytes_max: usize,
}

impl Taken {
    fn new(messages_max: usize, bytes_max: usize) -> Self {
        Self {
            deliveries: Vec::new(),
            messages_max,
            bytes_max,
        }
    }

    fn is_full(&self) -> bool {
        let bodies = self.deliveries.iter().map(|each| each.message.body.len());
        self.deliveries.len() >= self.messages_max
            || (!self.deliveries.is_empty() && bodies.sum::<usize>() >= self.bytes_max)
    }
}

impl Effects {
    /// Tells the queues, after the commit.
    fn apply(self, queues: &mut Queues) -> Vec<Vec<Published>> {
        for (name, row) in self.declared {
            queues.add(&name, row, 0, 0);
        }
        for (name, count) in self.published {
            queues.published(&name, count);
        }
        for (name, ids) in self.acked {
            queues.acked(&name, &ids);
        }
        self.answers
    }
}

/// What becomes of a publication, and the row of its queue if it is stored.
fn judge(queues: &Queues, name: &str, message: &Message, fits: u64) -> (Published, Option<i64>) {
    match queues.queue(name) {
        None => (Published::Unroutable, None),
        Some(_) if message.is_over_limit() => (Published::Refused, None),
        Some(queue) if queue.length() >= fits => (Published::Refused, None),
        Some(queue) => (Published::Confirmed, Some(queue.row)),
    }
}

fn declare(
    transaction: &Transaction<'_>,
    names: &[String],
    effects: &mut Effects,
) -> rusqlite::Result<()> {
    for name in names {
        transaction.execute("INSERT OR IGNORE INTO queue (name) VALUES (?1)", [name])?;
        let sql = "SELECT id FROM queue WHERE name = ?1";
        let row = transaction.query_row(sql, [name], |row| row.get(0))?;
        effects.declared.push((name.clone(), row));
    }
    Ok(())
}

/// Fills the queues from the database; the id last given.
fn load_queues(connection: &Connection, queues: &mut Queues) -> rusqlite::Result<i64> {
    let last = "SELECT coalesce(max(id), 0) FROM message";
    let id_last: i64 = connection.query_row(last, [], |row| row.get(0))?;
    let sql = "SELECT queue.id, queue.name, count(message.id)
               FROM queue LEFT JOIN message ON message.queue = queue.id GROUP BY queue.id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, ready): (String, i64) = (row.get(1)?, row.get(2)?);
        queues.add(&name, row.get(0)?, ready.cast_unsigned(), id_last);
    }
    Ok(id_last)
}

/// Answers after the commit. Whoever stopped waiting is not told.
fn confirm(writes: Vec<Command>, answers: Vec<Vec<Published>>) {
    let mut answers = answers.into_iter();
    for write in writes {
        match write {
            Command::Declare { reply, .. } | Command::Ack { reply, .. } => {
                let _ = reply.send(Ok(()));
            }
            Command::Publish { reply, .. } => {
                let answer = answers.next().expect("one answer for each publish");
                let _ = reply.send(Ok(answer));
            }
            Command::Fetch { .. } => {}
        }
    }
}

fn fail(writes: Vec<Command>, error: &rusqlite::Error) {
    for write in writes {
        let error = BrokerError::Storage(error.to_string());
        match write {
            Command::Declare { reply, .. } | Command::Ack { reply, .. } => {
                let _ = reply.send(Err(error));
            }
            Command::Publish { reply, .. } => {
                let _ = reply.send(Err(error));
            }
            Command::Fetch { .. } => {}
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the argument of map_err"
)]
fn storage(error: rusqlite::Error) -> BrokerError {
    BrokerError::Storage(error.to_string())
}

/// The queues, locked.
pub(super) fn locked(queues: &Mutex<Queues>) -> MutexGuard<'_, Queues> {
    queues.lock().expect("no holder of the queues panics")
}
