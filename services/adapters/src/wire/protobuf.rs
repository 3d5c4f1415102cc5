//! The protobuf form of a declaration. Unknown fields are found and named, not dropped.

use std::sync::LazyLock;

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage as _, Value as Reflected};
use samenloop_domain::declaration::Declaration;
use samenloop_proto::declaration::v1 as wire;

use super::{FAULTS_MAX, Malformed, declaration, json};
use crate::pseudonym::PseudonymKeys;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(samenloop_proto::FILE_DESCRIPTOR_SET)
        .expect("our own descriptors decode")
});

/// Reads the protobuf form.
///
/// # Errors
/// [`Malformed`] with every fault and its path.
pub fn parse(body: &[u8], keys: &PseudonymKeys) -> Result<Declaration, Malformed> {
    let message = wire::Declaration::decode(body)
        .map_err(|_| Malformed::one(None, "", "is no protobuf message of type Declaration"))?;
    // Every scalar is optional, so a message without unknown fields has the length that we would write.
    if message.encoded_len() != body.len() {
        let unknown = unknown_fields(body);
        if !unknown.is_empty() {
            let id = message
                .message_id
                .as_deref()
                .and_then(|id| uuid::Uuid::try_parse(id).ok());
            return Err(Malformed::new(id, unknown));
        }
    }
    declaration::read(&message, keys).map_err(|problem| {
        let value = serde_json::to_value(&message).expect("generated messages are JSON");
        json::explain(&value, problem)
    })
}

fn unknown_fields(body: &[u8]) -> Vec<wire::Fault> {
    let descriptor = POOL
        .get_message_by_name("samenloop.declaration.v1.Declaration")
        .expect("our own descriptors have the declaration");
    let mut faults = Vec::new();
    if let Ok(message) = DynamicMessage::decode(descriptor, body) {
        collect_unknown(&message, "", &mut faults);
    }
    faults
}

fn collect_unknown(message: &DynamicMessage, path: &str, faults: &mut Vec<wire::Fault>) {
    for field in message.unknown_fields() {
        if faults.len() < FAULTS_MAX {
            let problem = format!("has a field with the unknown number {}", field.number());
            faults.push(wire::Fault {
                path: path.to_owned(),
                problem,
            });
        }
    }
    for field in message
        .descriptor()
        .fields()
        .filter(|field| message.has_field(field))
    {
        let path = format!("{path}/{}", field.name());
        match &*message.get_field(&field) {
            Reflected::Message(inner) => collect_unknown(inner, &path, faults),
            Reflected::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Reflected::Message(inner) = item {
                        collect_unknown(inner, &format!("{path}/{index}"), faults);
                    }
                }
            }
            _ => {}
        }
    }
}
