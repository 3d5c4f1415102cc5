//! Statements that are the same text on both databases, with values and rows that both understand.
//!
//! Parameters are `$1`, `$2`, ... in the order of their first appearance, which is how SQLite counts them. Casts are
//! written `CAST(... AS TEXT)`, for PostgreSQL would not read a domain as text otherwise.

use std::error::Error;

use deadpool_postgres::GenericClient;
use futures_util::{FutureExt as _, future::try_join_all};
use rusqlite::{Connection, params_from_iter, types::ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type};
use uuid::Uuid;

use super::StoreError;

/// A value of a statement or of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Uuid> for Value {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}

/// Values, each of its kind.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$(super::statements::Value::from($value)),*] };
}
pub(super) use values;

/// A row, taken column by column from the first.
#[derive(Debug)]
pub(super) struct Row(std::vec::IntoIter<Value>);

impl Row {
    fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }

    pub(super) fn number(&mut self) -> Result<i64, StoreError> {
        match self.next() {
            Value::Number(number) => Ok(number),
            other => Err(unexpected("a number", &other)),
        }
    }

    pub(super) fn some_number(&mut self) -> Result<Option<i64>, StoreError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Number(number) => Ok(Some(number)),
            other => Err(unexpected("a number or nothing", &other)),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        match self.next() {
            Value::Text(text) => Ok(text),
            other => Err(unexpected("a text", &other)),
        }
    }

    pub(super) fn some_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            other => Err(unexpected("bytes or nothing", &other)),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.next() {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(unexpected("bytes", &other)),
        }
    }
}

fn unexpected(what: &str, found: &Value) -> StoreError {
    // Not the value: it may be anything.
    let kind = match found {
        Value::Null => "nothing",
        Value::Number(_) => "a number",
        Value::Text(_) => "a text",
        Value::Bytes(_) => "bytes",
        Value::Uuid(_) => "an id",
    };
    StoreError::Failed(format!("a column holds {kind} instead of {what}"))
}

/// Where statements run.
pub(super) trait Statements {
    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError>;

    /// Runs one statement for each set of values, in order. Gives how many rows were changed.
    async fn change(&self, sql: &str, sets: Vec<Vec<Value>>) -> Result<u64, StoreError>;
}

/// A client or transaction of PostgreSQL.
pub(super) struct OnPostgres<'a, C>(pub(super) &'a C);

impl<C: GenericClient> Statements for OnPostgres<'_, C> {
    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let statement = self.0.prepare_cached(sql).await?;
        let found = self.0.query(&statement, &parameters(&values)).await?;
        found.iter().map(postgres_row).collect()
    }

    async fn change(&self, sql: &str, sets: Vec<Vec<Value>>) -> Result<u64, StoreError> {
        if sets.is_empty() {
            return Ok(0);
        }
        let statement = self.0.prepare_cached(sql).await?;
        let sets: Vec<_> = sets.iter().map(|set| parameters(set)).collect();
        // Sent behind each other without waiting; the server runs them in this order.
        let running = sets.iter().map(|set| self.0.execute(&statement, set));
        Ok(try_join_all(running).await?.into_iter().sum())
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(parameter).collect()
}

fn parameter(value: &Value) -> &(dyn ToSql + Sync) {
    match value {
        Value::Null => &Nothing,
        Value::Number(number) => number,
        Value::Text(text) => text,
        Value::Bytes(bytes) => bytes,
        Value::Uuid(uuid) => uuid,
    }
}

/// NULL, whatever the type that is asked for.
#[derive(Debug)]
struct Nothing;

impl ToSql for Nothing {
    fn to_sql(
        &self,
        _: &Type,
        _: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

fn postgres_row(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(row.len());
    for (place, column) in row.columns().iter().enumerate() {
        let value = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(place)?.map(Value::Number),
            Type::TEXT => row.try_get::<_, Option<String>>(place)?.map(Value::Text),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(place)?.map(Value::Bytes),
            _ => {
                let message = format!("column {} has an unknown type", column.name());
                return Err(StoreError::Failed(message));
            }
        };
        values.push(value.unwrap_or(Value::Null));
    }
    Ok(Row(values.into_iter()))
}

/// A connection of SQLite; its statements never wait.
pub(super) struct OnSqlite<'a>(pub(super) &'a Connection);

impl Statements for OnSqlite<'_> {
    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let value = |place| Ok(sqlite_value(row.get_ref(place)?));
            let values: Result<Vec<_>, StoreError> = (0..columns).map(value).collect();
            found.push(Row(values?.into_iter()));
        }
        Ok(found)
    }

    async fn change(&self, sql: &str, sets: Vec<Vec<Value>>) -> Result<u64, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut changed = 0;
        for values in sets {
            let rows = statement.execute(params_from_iter(values))?;
            changed += u64::try_from(rows).expect("rows are counted");
        }
        Ok(changed)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => rusqlite::types::Null.into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Bytes(bytes) => bytes.as_slice().into(),
            Self::Uuid(uuid) => uuid.to_string().into(),
        })
    }
}

fn sqlite_value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Number(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        // Every table is STRICT and has no such column.
        ValueRef::Real(_) => Value::Null,
    }
}

/// The result of work on SQLite, which is done at once.
pub(super) fn at_once<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never()
        .expect("a statement of SQLite never waits")
}
