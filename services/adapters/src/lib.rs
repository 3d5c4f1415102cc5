//! All that touches the outside: configuration, brokers, stores, wire formats, telemetry, time and randomness.
//!
//! Layout, in reading order: how a process is set up ([`config`], [`telemetry`]), the seams ([`clock`], [`ids`],
//! [`fault_plan`], [`shutdown`]), what travels ([`wire`], [`pain001`], with [`pseudonym`] and [`seal`]), where it waits
//! ([`broker`], [`consume`]), what it is judged by ([`reference`](mod@reference), [`reference_feed`], [`existing`]),
//! where it is kept ([`decision_store`], [`settlement_store`]) and on what ([`sqlite`], [`postgres_pool`],
//! [`postgres_tls`], [`migration`]), what sends it on or asks ([`outbox`], [`settlement_client`], [`funding_client`];
//! [`server_tls`] is the other end), what tells whether all this answers ([`health`]), and what of both stores is
//! reported ([`report`]). [`scenario`] loads the
//! sample's scenarios. No rule of law is decided here.

pub mod broker;
pub mod clock;
pub mod config;
pub mod consume;
pub mod decision_store;
pub mod existing;
pub mod fault_plan;
pub mod funding_client;
pub mod generate;
pub mod health;
pub mod ids;
pub mod migration;
pub mod outbox;
pub mod pain001;
pub mod postgres_pool;
pub mod postgres_tls;
pub mod pseudonym;
pub mod reference;
pub mod reference_feed;
pub mod report;
pub mod scenario;
pub mod seal;
pub mod server_tls;
pub mod settlement_client;
pub mod settlement_store;
pub mod shutdown;
pub mod sqlite;
pub mod telemetry;
pub mod wire;
