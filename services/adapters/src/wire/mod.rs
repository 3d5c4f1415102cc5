//! Wire formats: bytes to domain types and back. Nothing is judged here, only read and written.
//!
//! Layout: [`json`] and [`protobuf`] read what senders put on the queue, both through [`declaration`];
//! [`validated`] is what validation passes on; [`outcome`] and [`claim`] are what detection answers and submits;
//! [`record`] is what the store and the log keep of a line; [`log`] reads
//! an entry of the log back.

pub mod claim;
pub mod declaration;
pub mod digest;
pub mod json;
pub mod log;
pub mod outcome;
pub mod protobuf;
pub mod record;
pub mod review;
pub mod validated;
mod write;

use samenloop_domain::declaration::Declaration;
use samenloop_proto::declaration::v1 as wire;
use uuid::Uuid;

pub use samenloop_proto::declaration::v1;
pub use write::{write, write_meeting, write_prestatie, write_pseudonym, write_span};

/// Content type of the JSON form.
pub const JSON: &str = "application/json";

/// Content type of the protobuf form.
pub const PROTOBUF: &str = "application/x-protobuf";

/// Most faults that are listed; the rest is counted.
pub const FAULTS_MAX: usize = 100;

/// Deepest nesting of a JSON body.
pub const DEPTH_MAX: usize = 32;

/// A body that is no declaration of this contract.
#[derive(Clone, PartialEq, Debug)]
pub struct Malformed {
    /// Its message id, if one could be read: it is then a declaration that is refused.
    pub message_id: Option<Uuid>,
    /// At most [`FAULTS_MAX`] faults, with their paths.
    pub faults: Vec<wire::Fault>,
    /// How many there are.
    pub fault_count: u32,
}

impl Malformed {
    /// A body with these faults; only the first are kept.
    #[must_use]
    pub fn new(message_id: Option<Uuid>, mut faults: Vec<wire::Fault>) -> Self {
        let fault_count = u32::try_from(faults.len()).unwrap_or(u32::MAX);
        faults.truncate(FAULTS_MAX);
        Self {
            message_id,
            faults,
            fault_count,
        }
    }

    /// A body with one fault.
    #[must_use]
    pub fn one(message_id: Option<Uuid>, path: &str, problem: impl Into<String>) -> Self {
        Self::new(
            message_id,
            vec![wire::Fault {
                path: path.to_owned(),
                problem: problem.into(),
            }],
        )
    }
}

/// Reads a declaration in the form that its content type names.
///
/// # Errors
/// [`Malformed`] with every fault and its path.
pub fn parse_declaration(
    content_type: &str,
    body: &[u8],
    keys: &crate::pseudonym::PseudonymKeys,
) -> Result<Declaration, Malformed> {
    match content_type {
        JSON => json::parse(body, keys),
        PROTOBUF => protobuf::parse(body, keys),
        other => Err(Malformed::one(
            None,
            "",
            format!("content type is `{other}`; send {JSON} or {PROTOBUF}"),
        )),
    }
}

/// The message id of a body, if it can be read; nothing else of the body is looked at.
#[must_use]
pub fn read_message_id(content_type: &str, body: &[u8]) -> Option<Uuid> {
    #[derive(serde::Deserialize)]
    struct Identified {
        message_id: String,
    }
    let text = match content_type {
        JSON => serde_json::from_slice::<Identified>(body).ok()?.message_id,
        PROTOBUF => {
            let message: wire::Declaration = prost::Message::decode(body).ok()?;
            message.message_id?
        }
        _ => return None,
    };
    Uuid::try_parse(&text).ok()
}
