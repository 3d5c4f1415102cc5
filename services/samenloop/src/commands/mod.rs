//! One file per subcommand.

pub mod all;
pub mod audit;
pub mod check;
pub mod contracts;
pub mod demo;
pub mod existing;
pub mod generate;
pub mod healthcheck;
pub mod ledger;
pub mod log;
pub mod monitoring;
pub mod reference;
pub mod remittance;
pub mod replay;
pub mod report;
pub mod reviews;
pub mod role;
pub mod standing;
pub mod submit;
pub mod topology;
pub mod trace;
pub mod what_if;
