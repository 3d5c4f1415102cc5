//! SHA-256 of contents and deliveries, and how digests are written.

use prost::Message as _;
use ring::digest::{Context, SHA256, digest};
use samenloop_proto::{declaration::v1 as wire, record::v1 as record};

/// SHA-256 of bytes: the fingerprint of a delivery.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes)
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

/// SHA-256 of the canonical form of a declaration after pseudonymisation: the same in JSON and protobuf.
///
/// Of an insured person only the first pseudonym counts, so that a declaration that is sent again after a key was
/// added is the same content still.
#[must_use]
pub fn content(declaration: &wire::Declaration, subjects: &[record::LineSubject]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(&declaration.encode_to_vec());
    for subject in subjects {
        let mut subject = subject.clone();
        subject.pseudonyms.truncate(1);
        context.update(&subject.encode_length_delimited_to_vec());
    }
    context
        .finish()
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        })
}
