//! All that touches the outside: configuration, brokers, stores, wire formats, telemetry, time and randomness.
//!
//! Layout, in reading order: the seams ([`clock`], [`ids`], [`fault_plan`], [`shutdown`]), what travels,
//! where it waits ([`broker`]), where it is kept ([`decision_store`], [`settlement_store`]) and on what
//! ([`sqlite`], [`postgres_pool`], [`migration`]).
//! No rule of law is decided here.

pub mod broker;
pub mod clock;
pub mod decision_store;
pub mod existing;
pub mod fault_plan;
pub mod generate;
pub mod ids;
pub mod migration;
pub mod postgres_pool;
pub mod pseudonym;
pub mod reference;
pub mod scenario;
pub mod seal;
pub mod settlement_client;
pub mod settlement_store;
pub mod shutdown;
pub mod sqlite;
pub mod wire;
