//! `samenloop check`: what would become of declarations, and what a draft contract would fund twice. Nothing is
//! written.

mod contracts;
mod declarations;

use std::{io::Read as _, path::PathBuf};

use anyhow::{Context as _, bail};
use samenloop_adapters::{
    clock::{Clock, noon},
    config::Config,
};
use samenloop_domain::period::Day;

use crate::node::Node;

/// Arguments of `check`.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArguments {
    /// Declarations (JSON), checked as if they came one after the other, or draft contracts (files that end in .toml);
    /// `-` or none reads one declaration from standard input.
    pub files: Vec<PathBuf>,
    /// The party that would send the declarations; absent: the party with the sender's AGB code.
    #[arg(long)]
    pub party: Option<String>,
    /// The day on which the declarations would come; absent: today.
    #[arg(long, value_name = "DAY")]
    pub received_on: Option<Day>,
    /// Asks the gateway of a running hub, as `http://127.0.0.1:7430`, instead of the store.
    #[arg(long, value_name = "URL", requires = "credential", conflicts_with_all = ["party", "received_on"])]
    pub gateway: Option<String>,
    /// Credential of the party, for the gateway.
    #[arg(long, env = "SAMENLOOP_CREDENTIAL", hide_env_values = true)]
    pub credential: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Checks every file; true if nothing would be refused, held or funded twice.
///
/// # Errors
/// Where a file cannot be read, or the register cannot be asked.
pub async fn run(
    config: impl FnOnce() -> anyhow::Result<Config>,
    arguments: CheckArguments,
) -> anyhow::Result<bool> {
    let (drafts, declarations): (Vec<PathBuf>, Vec<PathBuf>) = (arguments.files.iter().cloned())
        .partition(|file| file.extension().is_some_and(|it| it == "toml"));
    let declarations = match arguments.files.is_empty() {
        true => vec![PathBuf::from("-")],
        false => declarations,
    };
    if !drafts.is_empty() && !declarations.is_empty() {
        bail!("check declarations and draft contracts one after the other, not in one go");
    }
    if let Some(gateway) = &arguments.gateway {
        if !drafts.is_empty() {
            bail!("a draft contract is checked on the store: leave out --gateway");
        }
        return declarations::over_http(gateway, &arguments, &declarations).await;
    }
    let node = Node::open(config()?, Clock::System).await?;
    if drafts.is_empty() {
        let received_at = (arguments.received_on).map_or_else(|| node.clock.now(), noon);
        return declarations::on_store(&node, &arguments, &declarations, received_at).await;
    }
    contracts::check(&node, &drafts, arguments.json).await
}

/// A file, or standard input for `-`.
fn read(file: &PathBuf) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut body = Vec::new();
        std::io::stdin().lock().read_to_end(&mut body)?;
        return Ok(body);
    }
    std::fs::read(file).with_context(|| format!("the file {}", file.display()))
}
