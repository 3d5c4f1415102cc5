//! One meaning for whatever has two forms: each promise is checked on both.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod brokers;
mod database;
mod settlement_stores;
mod stores;
