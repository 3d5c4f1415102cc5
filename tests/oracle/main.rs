//! A naive decision by pairs and the engine must agree.
//!
//! Layout: `mod.rs` and its modules are the oracle; [`scenarios`] judges worked examples by it alone; [`histories`]
//! plans random histories, [`build`] and [`events`] make them, and [`agreement`] asks both.

mod agreement;
mod build;
mod described;
mod engine;
mod events;
mod fixtures;
mod histories;
mod lines;
#[path = "mod.rs"]
mod oracle;
mod scenarios;
mod world;
