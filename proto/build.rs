//! Compiles the contracts with protox (no protoc), and gives the message types their JSON form.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;
use prost_types::{
    FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

const FILES: [&str; 7] = [
    "samenloop/declaration/v1/declaration.proto",
    "samenloop/record/v1/record.proto",
    "samenloop/settlement/v1/share.proto",
    "samenloop/settlement/v1/money.proto",
    "samenloop/settlement/v1/report.proto",
    "samenloop/settlement/v1/settlement.proto",
    "samenloop/funding/v1/funding.proto",
];

/// Fields that hold an enum, and the module of `json` that writes it as a word.
const ENUM_FIELDS: [(&str, &str); 5] = [
    ("Declaration.kind", "optional_kind"),
    ("Line.direction", "optional_direction"),
    ("Line.meeting", "optional_meeting"),
    ("Outcome.status", "status"),
    ("LineOutcome.verdict", "verdict"),
];

const DECLARATION: &str = ".samenloop.declaration.v1";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=samenloop");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;

    let mut config = tonic_prost_build::configure()
        .message_attribute(
            DECLARATION,
            "#[derive(serde::Serialize, serde::Deserialize)]",
        )
        .message_attribute(DECLARATION, "#[serde(deny_unknown_fields, default)]");
    for (field, attribute) in json_attributes(&descriptors) {
        config = config.field_attribute(field, attribute);
    }
    config.compile_fds(descriptors)?;
    Ok(())
}

/// Absent fields are left out of the JSON form; enums are words.
fn json_attributes(descriptors: &FileDescriptorSet) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    let files = descriptors
        .file
        .iter()
        .filter(|file| file.package() == &DECLARATION[1..]);
    for message in files.flat_map(|file| &file.message_type) {
        for field in &message.field {
            let name = format!("{}.{}", message.name(), field.name());
            let path = format!("{DECLARATION}.{name}");
            if field.label() == Label::Repeated {
                let skip = "#[serde(skip_serializing_if = \"Vec::is_empty\")]";
                attributes.push((path.clone(), skip.to_owned()));
            } else if field.proto3_optional() || field.r#type() == Type::Message {
                let skip = "#[serde(skip_serializing_if = \"Option::is_none\")]";
                attributes.push((path.clone(), skip.to_owned()));
            }
            if let Some((_, module)) = ENUM_FIELDS.iter().find(|(field, _)| *field == name) {
                attributes.push((path, format!("#[serde(with = \"crate::json::{module}\")]")));
            }
        }
    }
    attributes
}
