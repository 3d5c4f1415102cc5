//! `samenloop topology apply`: exchanges, queues and permissions of RabbitMQ, for the parties in force.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, bail};
use samenloop_adapters::{
    broker::topology::{self, PartyAccess, Topology},
    config::Config,
    reference,
};

use crate::print;

/// Arguments of `topology apply`.
#[derive(Clone, Debug, clap::Args)]
pub struct TopologyArguments {
    /// Directory of the reference data whose parties get queues.
    #[arg(long)]
    pub reference: PathBuf,
    /// Virtual host.
    #[arg(long, default_value = "/")]
    pub vhost: String,
    /// TOML file of passwords, `user = "password"`: of the services and of the parties' AMQP users.
    #[arg(long)]
    pub passwords: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Makes what is missing over the management API (`broker.management_url`); repeating it changes nothing.
///
/// # Errors
/// Names what could not be made.
pub async fn apply(config: Config, arguments: TopologyArguments) -> anyhow::Result<()> {
    if config.broker.management_url.is_empty() {
        bail!(
            "broker.management_url: name the management API, as http://user:password@127.0.0.1:15672"
        );
    }
    let loaded = reference::load(&arguments.reference).map_err(|faults| {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", texts.join("\n"))
    })?;
    let mut passwords: BTreeMap<String, String> = match &arguments.passwords {
        None => BTreeMap::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            toml::from_str(&text).with_context(|| path.display().to_string())?
        }
    };
    let parties = loaded
        .reference
        .parties
        .iter()
        .map(|(id, party)| PartyAccess {
            party: id.clone(),
            user: party.amqp_user.clone(),
            password: party
                .amqp_user
                .as_ref()
                .and_then(|user| passwords.remove(user)),
        });
    let parties = parties.collect();
    let topology = Topology {
        vhost: arguments.vhost.clone(),
        parties,
        service_passwords: passwords,
        queue_length_max: None,
    };
    let made = topology::apply(&config.broker.management_url, &topology).await?;
    if arguments.json {
        print::line(serde_json::json!({"vhost": arguments.vhost, "exists": made}));
    } else {
        made.iter().for_each(print::line);
    }
    Ok(())
}
