//! What stands behind the executable: assembling a process from its configuration, and one file per subcommand.
//!
//! Layout: [`cli`] is the command line; [`node`] opens what a process needs, [`roles`] starts roles on it,
//! [`in_process`] starts them all;
//! [`scenarios`] and [`load`] send declarations and collect outcomes; [`audit`] reads the log again, and on
//! [`log_reader`] stand [`funding_audit`] and [`what_if`];
//! [`commands`] has a file per subcommand. No rule of law is decided here.

pub mod audit;
pub mod cli;
pub mod commands;
pub mod funding_audit;
pub mod in_process;
pub mod load;
pub mod log_reader;
pub mod mailbox;
pub mod node;
pub mod print;
pub mod roles;
pub mod scenarios;
mod wanted;
pub mod what_if;
