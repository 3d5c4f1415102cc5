//! Messages as AMQP properties and headers, and back.

use lapin::{
    BasicProperties,
    message::Delivery as Received,
    types::{AMQPValue, FieldTable, LongString, ShortString},
};

use crate::broker::{Delivery, DeliveryTag, Message};

const PERSISTENT: u8 = 2;

/// Properties of a message that `login` publishes; the broker compares `user_id` with the login.
///
/// No timestamp: when a message was received is decided by the role that takes it.
pub(super) fn properties(message: &Message, login: &str) -> BasicProperties {
    let mut properties = BasicProperties::default()
        .with_message_id(short(&message.message_id))
        .with_type(short(&message.message_type))
        .with_content_type(short(&message.content_type))
        .with_user_id(short(login))
        .with_app_id(short("samenloop"))
        .with_delivery_mode(PERSISTENT);
    if let Some(correlation_id) = &message.correlation_id {
        properties = properties.with_correlation_id(short(correlation_id));
    }
    if !message.headers.is_empty() {
        let mut headers = FieldTable::default();
        for (name, value) in &message.headers {
            let value = LongString::from(value.as_bytes());
            headers.insert(short(name), AMQPValue::LongString(value));
        }
        properties = properties.with_headers(headers);
    }
    properties
}

/// Whoever publishes has checked the length: see `Message::is_over_limit`.
fn short(text: &str) -> ShortString {
    ShortString::try_new(text).expect("a text over 255 bytes is refused before it is sent")
}

/// A delivery as received.
pub(super) fn delivery(received: Received) -> Delivery {
    let properties = &received.properties;
    let text = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
    let headers = properties
        .headers()
        .iter()
        .flat_map(|headers| headers.inner());
    let headers = headers.filter_map(|(name, value)| Some((name.to_string(), header(value)?)));
    Delivery {
        tag: DeliveryTag(received.delivery_tag),
        redelivered: received.redelivered,
        message: Message {
            message_id: text(properties.message_id()).unwrap_or_default(),
            correlation_id: text(properties.correlation_id()),
            message_type: text(properties.kind()).unwrap_or_default(),
            content_type: text(properties.content_type()).unwrap_or_default(),
            user: text(properties.user_id()),
            headers: headers.collect(),
            body: received.data.into(),
        },
    }
}

/// A header as text. Tables and lists (`x-death`) are of no use to us.
fn header(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        AMQPValue::Boolean(value) => Some(value.to_string()),
        AMQPValue::ShortShortInt(value) => Some(value.to_string()),
        AMQPValue::ShortShortUInt(value) => Some(value.to_string()),
        AMQPValue::ShortInt(value) => Some(value.to_string()),
        AMQPValue::ShortUInt(value) => Some(value.to_string()),
        AMQPValue::LongInt(value) => Some(value.to_string()),
        AMQPValue::LongUInt(value) => Some(value.to_string()),
        AMQPValue::LongLongInt(value) => Some(value.to_string()),
        _ => None,
    }
}
