//! A database of its own for each test, on which a store is opened.

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
};

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// Where a store keeps its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// SQLite in memory, called inline.
    Memory,
    /// SQLite in a file, on its thread.
    File,
    /// PostgreSQL.
    Postgres,
}

/// A database that is new, and gone afterwards.
pub(crate) struct Database {
    pub(crate) url: String,
    kept: Kept,
}

enum Kept {
    Memory,
    File(TempDir),
    Postgres { name: String },
}

static CREATED: AtomicU32 = AtomicU32::new(0);

impl Database {
    pub(crate) async fn new(kind: Kind) -> Self {
        match kind {
            Kind::Memory => Self {
                url: "sqlite::memory:".to_owned(),
                kept: Kept::Memory,
            },
            Kind::File => {
                let directory = tempfile::tempdir().unwrap();
                Self {
                    url: format!("sqlite:{}", directory.path().join("store.db").display()),
                    kept: Kept::File(directory),
                }
            }
            Kind::Postgres => Self::on_postgres().await,
        }
    }

    async fn on_postgres() -> Self {
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("conformance_{}_{number}", process::id());
        let admin = connect(&server()).await;
        for sql in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
        ] {
            admin.batch_execute(&sql).await.unwrap();
        }
        let server = server();
        let (server, _) = server
            .rsplit_once('/')
            .expect("TEST_POSTGRES_URL names a database after its last slash");
        Self {
            url: format!("{server}/{name}"),
            kept: Kept::Postgres { name },
        }
    }

    /// Which it is.
    pub(crate) fn kind(&self) -> Kind {
        match self.kept {
            Kept::Memory => Kind::Memory,
            Kept::File(_) => Kind::File,
            Kept::Postgres { .. } => Kind::Postgres,
        }
    }

    /// Whether it outlives a store that is dropped, and takes other connections.
    pub(crate) fn is_lasting(&self) -> bool {
        !matches!(self.kept, Kept::Memory)
    }

    /// Runs SQL behind the back of the store whose schema is `schema`, in one transaction of its own.
    pub(crate) async fn execute(&self, schema: &str, sql: &str) -> Result<(), String> {
        let sql = format!("BEGIN; {sql}; COMMIT;");
        match &self.kept {
            Kept::Memory => panic!("a database in memory has no second connection"),
            Kept::File(directory) => {
                let path = directory.path().join("store.db");
                let connection = rusqlite::Connection::open(path).unwrap();
                connection
                    .pragma_update(None, "foreign_keys", true)
                    .unwrap();
                connection.execute_batch(&sql).map_err(|e| e.to_string())
            }
            Kept::Postgres { .. } => {
                let client = connect_to(&self.url, schema).await;
                let executed = client.batch_execute(&sql).await;
                executed.map_err(|e| e.as_db_error().map_or(e.to_string(), |e| e.to_string()))
            }
        }
    }

    /// Ends every connection that a store holds.
    pub(crate) async fn cut_connections(&self) {
        let Kept::Postgres { name } = &self.kept else {
            return;
        };
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        connect(&server()).await.query(sql, &[name]).await.unwrap();
    }

    /// The same database, in the hands of a new role that is no superuser, as a service has it.
    pub(crate) async fn owned_by_a_role(&self) -> RoleDatabase {
        let Kept::Postgres { name } = &self.kept else {
            panic!("only PostgreSQL has roles");
        };
        let role = format!("role_of_{name}");
        let admin = connect(&server()).await;
        for sql in [
            format!("DROP ROLE IF EXISTS {role}"),
            format!("CREATE ROLE {role} LOGIN PASSWORD '{role}' NOSUPERUSER"),
            format!("ALTER DATABASE {name} OWNER TO {role}"),
        ] {
            admin.batch_execute(&sql).await.unwrap();
        }
        let (_, address) = self.url.rsplit_once('@').unwrap_or_else(|| {
            let (_, address) = self.url.split_once("//").expect("a URL has an address");
            ("", address)
        });
        RoleDatabase {
            url: format!("postgres://{role}:{role}@{address}"),
            role,
        }
    }

    /// Takes the database back from a role, and ends the role.
    pub(crate) async fn drop_role(&self, RoleDatabase { role, .. }: RoleDatabase) {
        let Kept::Postgres { name } = &self.kept else {
            panic!("only PostgreSQL has roles");
        };
        self.cut_connections().await;
        let take = format!("REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}");
        connect(&self.url).await.batch_execute(&take).await.unwrap();
        let admin = connect(&server()).await;
        for sql in [
            format!("ALTER DATABASE {name} OWNER TO CURRENT_USER"),
            format!("DROP ROLE {role}"),
        ] {
            admin.batch_execute(&sql).await.unwrap();
        }
    }

    pub(crate) async fn close(self) {
        if let Kept::Postgres { name } = &self.kept {
            let sql = format!("DROP DATABASE {name} WITH (FORCE)");
            connect(&server()).await.batch_execute(&sql).await.unwrap();
        }
    }
}

/// A database as a role of its own reaches it.
pub(crate) struct RoleDatabase {
    pub(crate) url: String,
    role: String,
}

impl RoleDatabase {
    /// As [`Database::execute`], under the role.
    pub(crate) async fn execute(&self, schema: &str, sql: &str) -> Result<(), String> {
        let client = connect_to(&self.url, schema).await;
        let executed = client.batch_execute(sql).await;
        executed.map_err(|e| e.as_db_error().map_or(e.to_string(), |e| e.to_string()))
    }
}

fn server() -> String {
    env::var("TEST_POSTGRES_URL").expect(
        "TEST_POSTGRES_URL must name a PostgreSQL superuser: eval \"$(tests/nodes/up postgres)\"",
    )
}

/// A connection whose search path is `schema`.
pub(crate) async fn connect_to(url: &str, schema: &str) -> Client {
    let client = connect(url).await;
    let path = format!("SET search_path = {schema}");
    client.batch_execute(&path).await.unwrap();
    client
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
