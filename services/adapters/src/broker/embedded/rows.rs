//! Messages as rows, and back.

use rusqlite::{Row, Transaction, params};

use crate::broker::{Delivery, DeliveryTag, Message};

/// Columns that [`delivery`] reads.
pub(super) const COLUMNS: &str =
    "id, message_id, correlation_id, message_type, content_type, user, headers, body";

pub(super) fn insert(
    transaction: &Transaction<'_>,
    id: i64,
    queue: i64,
    message: &Message,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO message (id, queue, message_id, correlation_id, message_type,
                 content_type, user, headers, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let headers = serde_json::to_string(&message.headers).expect("a map of texts is JSON");
    transaction.prepare_cached(sql)?.execute(params![
        id,
        queue,
        message.message_id,
        message.correlation_id,
        message.message_type,
        message.content_type,
        message.user,
        headers,
        &message.body[..],
    ])?;
    Ok(())
}

pub(super) fn delete(transaction: &Transaction<'_>, ids: &[i64]) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached("DELETE FROM message WHERE id = ?1")?;
    for id in ids {
        statement.execute([id])?;
    }
    Ok(())
}

/// A message with id up to `redelivered_up_to` may have been handed out before.
pub(super) fn delivery(row: &Row<'_>, redelivered_up_to: i64) -> rusqlite::Result<Delivery> {
    let id: i64 = row.get(0)?;
    let headers: String = row.get(6)?;
    let headers = serde_json::from_str(&headers).map_err(|error| {
        let text = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(6, text, Box::new(error))
    })?;
    Ok(Delivery {
        tag: DeliveryTag(id.cast_unsigned()),
        redelivered: id <= redelivered_up_to,
        message: Message {
            message_id: row.get(1)?,
            correlation_id: row.get(2)?,
            message_type: row.get(3)?,
            content_type: row.get(4)?,
            user: row.get(5)?,
            headers,
            body: row.get::<_, Vec<u8>>(7)?.into(),
        },
    })
}

/// The row behind a tag.
pub(super) fn row_id(tag: DeliveryTag) -> i64 {
    tag.0.cast_signed()
}
