//! A SQLite database: one writing connection, on a thread of its own behind a bounded channel.
//!
//! A database in memory is called inline instead, on the caller's thread, so that a simulation stays on one thread.
//! Nothing here knows a table.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, InterruptHandle};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use crate::{
    decision_store::StoreError,
    migration::{Migrations, migrate_sqlite},
};

/// Calls that wait for the thread of one database; a caller beyond it waits for room.
pub const WAITING_CALLS_MAX: usize = 64;

/// The path of a database in memory.
pub const IN_MEMORY: &str = ":memory:";

/// Write-ahead log, synced at every commit; checkpoints are rare because each costs a pause.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA wal_autocheckpoint = 16000;
    PRAGMA trusted_schema = OFF;
";

/// How long a statement waits for a lock of another process.
const BUSY_MAX: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A database; clones share the connection. The thread ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Sqlite {
    connection: Held,
}

#[derive(Clone, Debug)]
enum Held {
    Inline(Arc<Mutex<Connection>>),
    Thread(Worker),
}

/// The thread of a database, and what it is at.
#[derive(Clone, Debug)]
struct Worker {
    jobs: mpsc::Sender<Job>,
    running: Arc<Running>,
}

impl Sqlite {
    /// Opens the database at `path`, or one in memory for [`IN_MEMORY`], and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] where a newer program wrote it; otherwise what SQLite says.
    pub async fn open(path: &str, migrations: Migrations) -> Result<Self, StoreError> {
        if path == IN_MEMORY {
            let mut connection = Connection::open_in_memory()?;
            prepare(&mut connection, migrations)?;
            let connection = Held::Inline(Arc::new(Mutex::new(connection)));
            return Ok(Self { connection });
        }
        let (opened, opening) = oneshot::channel();
        let (jobs, queue) = mpsc::channel(WAITING_CALLS_MAX);
        let file = path.to_owned();
        let name = Path::new(path).file_name().map_or_else(
            || "sqlite".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        thread::Builder::new()
            .name(name)
            .spawn(move || serve(&file, migrations, opened, queue))
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let interrupts = opening.await.map_err(|_| gone())??;
        let running = Arc::new(Running {
            handle: interrupts,
            job: Mutex::new(None),
            given: AtomicU64::new(0),
        });
        let connection = Held::Thread(Worker { jobs, running });
        Ok(Self { connection })
    }

    /// Runs `work` with the connection; calls run one after the other, whole. A panic in `work` is the caller's.
    ///
    /// Dropping the future does not stop work that has begun.
    ///
    /// # Errors
    /// Those of `work`; [`StoreError::Unavailable`] where the thread is gone.
    pub async fn call<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.call_until(None, work).await
    }

    /// As [`Self::call`], for work that is wanted until `deadline` only: after it the work is not begun any more, and
    /// work under way is interrupted and leaves nothing behind, as it is when the future is dropped.
    ///
    /// A database in memory is not interrupted: its work is done before anybody could ask for that.
    ///
    /// # Errors
    /// Those of `work`; [`StoreError::Unavailable`] where the thread is gone, or the time is over.
    pub async fn call_until<R: Send + 'static>(
        &self,
        deadline: Option<Instant>,
        work: impl FnOnce(&mut Connection) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        match &self.connection {
            Held::Inline(connection) => {
                // A panic rolls its transaction back, so the connection is as good as before.
                work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Held::Thread(worker) => match deadline {
                None => worker.call(None, work).await,
                Some(deadline) => timeout_at(deadline, worker.call(Some(deadline), work))
                    .await
                    .unwrap_or_else(|_| Err(over())),
            },
        }
    }
}

impl Worker {
    async fn call<R: Send + 'static>(
        &self,
        deadline: Option<Instant>,
        work: impl FnOnce(&mut Connection) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let number = self.running.given.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let running = Arc::clone(&self.running);
        let job: Job = Box::new(move |connection| {
            let work = || match deadline {
                None => work(connection),
                Some(deadline) => work_until(deadline, connection, work),
            };
            running.set(Some(number));
            let result = catch_unwind(AssertUnwindSafe(work));
            running.set(None);
            // Whoever asked may have gone; the work is done all the same.
            drop(answer.send(result));
        });
        self.jobs.send(job).await.map_err(|_| gone())?;
        // From here on whoever stops waiting for work with a deadline ends it.
        let mut interrupting = Interrupting {
            running: &self.running,
            number: deadline.map(|_| number),
        };
        let result: Result<_, Box<dyn Any + Send>> = answered.await.map_err(|_| gone())?;
        interrupting.number = None;
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

fn work_until<R>(
    deadline: Instant,
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<R, StoreError>,
) -> Result<R, StoreError> {
    check_time(Some(deadline))?;
    let left = deadline.saturating_duration_since(Instant::now());
    connection.busy_timeout(left.min(BUSY_MAX))?;
    let result = work(connection);
    connection.busy_timeout(BUSY_MAX)?;
    result
}

/// What the thread of a database is at, and how it is interrupted.
struct Running {
    handle: InterruptHandle,
    job: Mutex<Option<u64>>,
    given: AtomicU64,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("job", &self.job)
            .finish_non_exhaustive()
    }
}

impl Running {
    fn set(&self, job: Option<u64>) {
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = job;
    }

    /// Interrupts a job, if it is the one that runs: the lock keeps the next one from beginning meanwhile.
    fn interrupt(&self, number: u64) {
        let job = self.job.lock().unwrap_or_else(PoisonError::into_inner);
        if *job == Some(number) {
            self.handle.interrupt();
        }
    }
}

/// Interrupts a job when it is dropped, unless the job was done.
struct Interrupting<'a> {
    running: &'a Running,
    number: Option<u64>,
}

impl Drop for Interrupting<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.running.interrupt(number);
        }
    }
}

fn prepare(connection: &mut Connection, migrations: Migrations) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_MAX)?;
    connection.execute_batch(SETTINGS)?;
    connection.set_prepared_statement_cache_capacity(128);
    migrate_sqlite(connection, migrations)
}

/// The thread of one database.
fn serve(
    path: &str,
    migrations: Migrations,
    opened: oneshot::Sender<Result<InterruptHandle, StoreError>>,
    mut queue: mpsc::Receiver<Job>,
) {
    let connection = Connection::open(path)
        .map_err(StoreError::from)
        .and_then(|mut connection| prepare(&mut connection, migrations).map(|()| connection));
    let mut connection = match connection {
        Ok(connection) => connection,
        Err(e) => return drop(opened.send(Err(e))),
    };
    if opened.send(Ok(connection.get_interrupt_handle())).is_err() {
        return;
    }
    while let Some(job) = queue.blocking_recv() {
        job(&mut connection);
    }
}

/// Whether there is time left until a deadline: asked before a commit, for whoever missed it was told so.
///
/// # Errors
/// [`StoreError::Unavailable`] where there is none.
pub fn check_time(deadline: Option<Instant>) -> Result<(), StoreError> {
    let is_over = deadline.is_some_and(|deadline| deadline <= Instant::now());
    if is_over { Err(over()) } else { Ok(()) }
}

fn over() -> StoreError {
    StoreError::Unavailable("there is no time left for the call".to_owned())
}

fn gone() -> StoreError {
    StoreError::Unavailable("the thread of the database is gone".to_owned())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OperationInterrupted
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure,
            ) => Self::Unavailable(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migrations = &[("V1__table", "CREATE TABLE kept (n INTEGER) STRICT;")];
    const SECOND: Migrations = &[
        FIRST[0],
        ("V2__more", "CREATE TABLE more (n INTEGER) STRICT;"),
    ];

    async fn insert(database: &Sqlite, panics: Option<&'static str>) -> Result<(), StoreError> {
        let insert = move |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            transaction.execute("INSERT INTO kept VALUES (1)", [])?;
            if let Some(message) = panics {
                panic!("{message}");
            }
            Ok(transaction.commit()?)
        };
        database.call(insert).await
    }

    async fn count(database: &Sqlite) -> i64 {
        let count = |connection: &mut Connection| {
            Ok(connection.query_row("SELECT count(*) FROM kept", [], |row| row.get(0))?)
        };
        database.call(count).await.unwrap()
    }

    /// Goal: a panic of the caller's work reaches the caller, leaves nothing behind, and the database works on.
    #[tokio::test]
    async fn a_panic_rolls_back_and_the_database_works_on() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("kept.db");
        for path in [IN_MEMORY, file.to_str().unwrap()] {
            let database = Sqlite::open(path, FIRST).await.unwrap();
            insert(&database, None).await.unwrap();
            let other = database.clone();
            let panicking = tokio::spawn(async move { insert(&other, Some("planned")).await });
            assert!(panicking.await.unwrap_err().is_panic());
            insert(&database, None).await.unwrap();
            assert_eq!(count(&database).await, 2, "{path}");
        }
    }

    /// Goal: what nobody waits for any more is ended and leaves nothing behind, and the next work is not hit. Method:
    /// a row is written, and then a statement runs that would never end.
    #[tokio::test]
    async fn work_is_interrupted_at_its_deadline() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("kept.db");
        let database = Sqlite::open(file.to_str().unwrap(), FIRST).await.unwrap();
        let endless = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            transaction.execute("INSERT INTO kept VALUES (1)", [])?;
            let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                SELECT count(*) FROM n";
            transaction.query_row(sql, [], |row| row.get::<_, i64>(0))?;
            Ok(transaction.commit()?)
        };
        for _ in 0..3 {
            let deadline = Instant::now() + Duration::from_millis(50);
            let ended = database.call_until(Some(deadline), endless).await;
            assert!(
                matches!(ended, Err(StoreError::Unavailable(_))),
                "{ended:?}"
            );
            insert(&database, None).await.unwrap();
        }
        assert_eq!(count(&database).await, 3);
        let late = database.call_until(Some(Instant::now()), |_| Ok(())).await;
        late.unwrap_err();
    }

    #[tokio::test]
    async fn a_schema_of_a_newer_program_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("kept.db");
        let path = file.to_str().unwrap();
        insert(&Sqlite::open(path, FIRST).await.unwrap(), None)
            .await
            .unwrap();
        let newer = Sqlite::open(path, SECOND).await.unwrap();
        assert_eq!(count(&newer).await, 1, "rows stay");
        let refused = Sqlite::open(path, FIRST).await;
        assert!(
            matches!(refused, Err(StoreError::NewerSchema(_))),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn a_migration_changed_after_it_was_applied_is_refused() {
        const CHANGED: Migrations = &[("V1__table", "CREATE TABLE kept (n TEXT) STRICT;")];
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("kept.db");
        let path = file.to_str().unwrap();
        drop(Sqlite::open(path, FIRST).await.unwrap());
        let refused = Sqlite::open(path, CHANGED).await;
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    }
}
