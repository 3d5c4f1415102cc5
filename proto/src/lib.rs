//! The wire contracts: what travels over AMQP and gRPC, and what the log keeps.
//!
//! Generated from `samenloop/**/*.proto`; nothing here decides anything.
//! Layout: [`declaration`] is the contract with provider systems, [`settlement`] the one with insurers,
//! [`funding`] the question asked beforehand, [`record`] what our own services say to each other.

#![expect(
    clippy::allow_attributes_without_reason,
    clippy::large_enum_variant,
    reason = "generated code carries such attributes"
)]

mod json;

/// Declarations and their answers.
pub mod declaration {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("samenloop.declaration.v1");
    }
}

/// Messages between our own services, and entries of the log.
pub mod record {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("samenloop.record.v1");
    }
}

/// The settlement service.
pub mod settlement {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("samenloop.settlement.v1");
    }
}

/// The funding check.
pub mod funding {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("samenloop.funding.v1");
    }
}

/// Descriptors of all files, for reflection and for finding unknown protobuf fields.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The published JSON Schema (2020-12) of a declaration.
pub const DECLARATION_SCHEMA: &str = include_str!("../schemas/declaration.v1.json");

/// The published JSON Schema (2020-12) of an outcome.
pub const OUTCOME_SCHEMA: &str = include_str!("../schemas/outcome.v1.json");

/// The published JSON Schema (2020-12) of the refusal of a delivery.
pub const REFUSAL_SCHEMA: &str = include_str!("../schemas/refusal.v1.json");

/// The published AsyncAPI document: exchanges, queues, messages.
pub const ASYNCAPI: &str = include_str!("../schemas/asyncapi.yaml");
