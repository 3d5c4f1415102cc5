//! Configuration: one typed tree, read once at start. Defaults, then a TOML file, then the environment, then flags.
//!
//! Every key has a default, so every key has a name in the environment: `broker.url` is `SAMENLOOP_BROKER_URL`.
//! Unknown keys are refused wherever they stand.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// Everything that can be set.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `production` or `test`: which kind of messages is judged here (8028).
    pub environment: Environment,
    /// Directory of the embedded default: databases, keys, lock file.
    pub data_dir: PathBuf,
    /// The broker.
    pub broker: Broker,
    /// The store of decisions.
    pub decisions: Store,
    /// The settlement service.
    pub settlement: Settlement,
    /// Where detection answers questions asked beforehand.
    pub funding: Funding,
    /// The HTTP intake.
    pub gateway: Listener,
    /// The operator page.
    pub operator: Operator,
    /// Probes (`/healthz`, `/readyz`) and metrics (`/metrics`) of a role that runs alone; the operator has its own.
    pub health: Listener,
    /// Files with secrets.
    pub keys: Keys,
    /// Lines that are decided again.
    pub reviews: Reviews,
    /// When the monitoring report gives a signal.
    pub report: Report,
    /// Bounds.
    pub limits: Limits,
}

/// Which kind of messages is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Production messages; test messages are refused.
    Production,
    /// The other way round.
    Test,
}

/// Where messages wait.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// `amqp://`, `amqps://`, or empty for the embedded queue in `data_dir`.
    pub url: String,
    /// Management HTTP API, for `topology apply` only; with user and password.
    pub management_url: String,
    /// Most messages that wait in an embedded queue; more are refused.
    pub embedded_length_max: u64,
}

/// A database.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// `postgres://`, `sqlite:<path>`, or empty for SQLite in `data_dir`.
    pub url: String,
}

/// The settlement service and its database.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// `postgres://`, `sqlite:<path>`, or empty for SQLite in `data_dir`; each store keeps to a schema of its own.
    pub url: String,
    /// Address that the gRPC server listens on; port 0 takes a free one.
    pub listen: String,
    /// Where detection finds it: `http://` or `https://`.
    pub endpoint: String,
    /// Whether the server tells its contracts by reflection.
    pub reflection: bool,
    /// PEM files of server certificate, its key, and the authority of client certificates; all or none. Without
    /// them the server listens on loopback only.
    pub tls_certificate: String,
    /// See `settlement.tls_certificate`.
    pub tls_key: String,
    /// See `settlement.tls_certificate`.
    pub tls_client_authority: String,
}

/// Where detection answers questions asked beforehand, over gRPC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Funding {
    /// Address that detection listens on; port 0 takes a free one.
    pub listen: String,
    /// Where the gateway finds it: `http://` or `https://`.
    pub endpoint: String,
    /// PEM files of the certificate of this process, its key, and the authority of those of others; all or none.
    /// Without them detection listens on loopback only.
    pub tls_certificate: String,
    /// See `funding.tls_certificate`.
    pub tls_key: String,
    /// See `funding.tls_certificate`.
    pub tls_client_authority: String,
}

/// The operator page, and who may look at it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// Address; port 0 takes a free one.
    pub listen: String,
    /// Persons who may open it on this machine, each by a link of its own: `NAME = ROLE ROLE; NAME = ROLE`. Roles
    /// are viewer, operator, second_person, auditor, and `purchaser:UZOVI` of one insurer.
    pub persons: String,
}

/// A server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Address; port 0 takes a free one.
    pub listen: String,
}

/// Files with secrets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Keys of pseudonyms, a line per key; empty: `pseudonyms.key` in `data_dir`, made at first start.
    pub pseudonyms: String,
    /// Key that seals quarantined bodies; empty: `sealing.key` in `data_dir`, made at first start.
    pub sealing: String,
}

/// Lines that are decided again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviews {
    /// Award in cents above which a second, other person must agree to accept a held line; 0: always.
    pub second_person_above_cents: u64,
    /// `list` or `rejudge`: what becomes of a refused line once what excluded it is gone.
    pub on_credit: OnCredit,
}

/// What becomes of a refused line once what excluded it is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnCredit {
    /// A person is told.
    List,
    /// It is decided again at once.
    Rejudge,
}

/// When the monitoring report gives a signal: above these. The NZa sets none; agree them before relying on them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Lines held for a person, in basis points of all debit lines.
    pub held_max_basis_points: u32,
    /// Lines refused, in basis points of all debit lines.
    pub refused_max_basis_points: u32,
    /// Double funding prevented, in basis points of what was declared.
    pub prevented_max_basis_points: u32,
    /// Days from receipt to the decision of a person, on average.
    pub days_to_decision_max: u32,
    /// Messages for a hundred accepted lines.
    pub messages_per_hundred_lines_max: u32,
    /// What was awarded, in basis points of the budgets.
    pub budget_max_basis_points: u32,
}

/// Bounds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Unsettled deliveries of a consumer.
    pub prefetch: u16,
    /// Messages of a batch.
    pub batch_messages_max: usize,
    /// How often a delivery that fails alone is tried before it is quarantined.
    pub attempts_max: u32,
    /// How long a credit waits for an original, and a part of an invoice for the one before it.
    pub original_wait_seconds: u32,
    /// How long the sealed body of a quarantined delivery is kept; its row and fingerprint stay.
    pub quarantine_days: u32,
    /// How long a role may drain at shutdown.
    pub drain_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        let listener = |listen: &str| Listener {
            listen: listen.to_owned(),
        };
        Self {
            environment: Environment::Production,
            data_dir: PathBuf::from("samenloop-data"),
            broker: Broker {
                url: String::new(),
                management_url: String::new(),
                embedded_length_max: 1_000_000,
            },
            decisions: Store { url: String::new() },
            settlement: Settlement {
                url: String::new(),
                listen: "127.0.0.1:7420".to_owned(),
                endpoint: "http://127.0.0.1:7420".to_owned(),
                reflection: false,
                tls_certificate: String::new(),
                tls_key: String::new(),
                tls_client_authority: String::new(),
            },
            funding: Funding {
                listen: "127.0.0.1:7410".to_owned(),
                endpoint: "http://127.0.0.1:7410".to_owned(),
                tls_certificate: String::new(),
                tls_key: String::new(),
                tls_client_authority: String::new(),
            },
            gateway: listener("127.0.0.1:7430"),
            operator: Operator {
                listen: "127.0.0.1:7440".to_owned(),
                persons: "whoever has the link = operator second_person auditor".to_owned(),
            },
            health: listener("127.0.0.1:0"),
            keys: Keys {
                pseudonyms: String::new(),
                sealing: String::new(),
            },
            reviews: Reviews {
                second_person_above_cents: 1_000_000,
                on_credit: OnCredit::List,
            },
            report: Report {
                held_max_basis_points: 1_000,
                refused_max_basis_points: 2_500,
                prevented_max_basis_points: 1_000,
                days_to_decision_max: 30,
                messages_per_hundred_lines_max: 200,
                budget_max_basis_points: 10_000,
            },
            limits: Limits {
                prefetch: 64,
                batch_messages_max: 64,
                attempts_max: 3,
                original_wait_seconds: 600,
                quarantine_days: 30,
                drain_seconds: 20,
            },
        }
    }
}

/// A configuration that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    /// The file, the variable or the flag.
    pub place: String,
    /// What is wrong, and what can be set.
    pub problem: String,
}

const PREFIX: &str = "SAMENLOOP_";

/// Variables with our prefix that are not configuration.
const OTHER_VARIABLES: [&str; 2] = ["SAMENLOOP_CONFIG", "SAMENLOOP_LOG"];

impl Config {
    /// Reads `file` if one is given, then `environment` (name and value), then `flags` (`key=value`).
    ///
    /// # Errors
    /// [`ConfigError`] names the place of the first fault.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[String],
    ) -> Result<Self, ConfigError> {
        let mut tree = Table::try_from(Self::default()).expect("the defaults are a table");
        if let Some(path) = file {
            let place = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|e| fault(&place, e))?;
            let table: Table = text.parse().map_err(|e| fault(&place, e))?;
            merge(&mut tree, table, "").map_err(|problem| ConfigError { place, problem })?;
        }
        let names = leaves(&tree, "");
        for (name, value) in environment {
            if !name.starts_with(PREFIX) || OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            let key = names.iter().find(|key| variable_of(key) == name);
            let key =
                key.ok_or_else(|| fault(&name, "no key of the configuration has this name"))?;
            set(&mut tree, key, &value).map_err(|problem| ConfigError {
                place: name,
                problem,
            })?;
        }
        for flag in flags {
            let (key, value) = flag
                .split_once('=')
                .ok_or_else(|| fault(flag, "write --set key=value"))?;
            set(&mut tree, key, value).map_err(|problem| ConfigError {
                place: format!("--set {key}"),
                problem,
            })?;
        }
        Value::Table(tree)
            .try_into()
            .map_err(|e: toml::de::Error| fault("configuration", e.message()))
    }

    /// As TOML, with passwords in URLs hidden.
    #[must_use]
    pub fn redacted(&self) -> String {
        let mut shown = self.clone();
        for url in [
            &mut shown.broker.url,
            &mut shown.broker.management_url,
            &mut shown.decisions.url,
            &mut shown.settlement.url,
        ] {
            *url = redact(url);
        }
        toml::to_string_pretty(&shown).expect("a configuration is TOML")
    }
}

/// A URL without its password.
#[must_use]
pub fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let Some((credentials, host)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = credentials.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:hidden@{host}")
}

fn fault(place: &str, problem: impl ToString) -> ConfigError {
    ConfigError {
        place: place.to_owned(),
        problem: problem.to_string(),
    }
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_uppercase())
}

fn leaves(table: &Table, prefix: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Table(inner) => keys.extend(leaves(inner, &key)),
            _ => keys.push(key),
        }
    }
    keys
}

fn merge(into: &mut Table, from: Table, prefix: &str) -> Result<(), String> {
    for (name, value) in from {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match (into.get_mut(&name), value) {
            (None, _) => return Err(format!("`{key}` is no key of the configuration")),
            (Some(Value::Table(inner)), Value::Table(given)) => merge(inner, given, &key)?,
            (Some(known), given) if known.same_type(&given) => *known = given,
            (Some(known), given) => {
                return Err(format!(
                    "`{key}` must be a {}, not a {}",
                    known.type_str(),
                    given.type_str()
                ));
            }
        }
    }
    Ok(())
}

fn set(tree: &mut Table, key: &str, text: &str) -> Result<(), String> {
    let mut table = tree;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        let known = table
            .get_mut(part)
            .ok_or_else(|| format!("`{key}` is no key of the configuration"))?;
        if parts.peek().is_none() {
            let wrong = || format!("`{key}` must be a {}", known.type_str());
            let value = match known {
                Value::String(_) => Value::String(text.to_owned()),
                Value::Integer(_) => Value::Integer(text.parse().map_err(|_| wrong())?),
                Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| wrong())?),
                _ => return Err(format!("`{key}` is a group of keys")),
            };
            *known = value;
            return Ok(());
        }
        table = known
            .as_table_mut()
            .ok_or_else(|| format!("`{key}` is no key of the configuration"))?;
    }
    Err("a key is empty".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(
        file: &str,
        environment: &[(&str, &str)],
        flags: &[&str],
    ) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("samenloop.toml");
        std::fs::write(&path, file).expect("the file is written");
        let environment = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Config::load(Some(&path), environment, &flags)
    }

    #[test]
    fn later_places_win() {
        let config = load(
            "[broker]\nurl = \"amqp://file\"\n[limits]\nprefetch = 5\n",
            &[
                ("SAMENLOOP_BROKER_URL", "amqp://environment"),
                ("PATH", "x"),
            ],
            &["limits.attempts_max=7"],
        );
        let config = config.expect("it is good");
        assert_eq!(config.broker.url, "amqp://environment");
        assert_eq!((config.limits.prefetch, config.limits.attempts_max), (5, 7));
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_refused_with_their_place() {
        for (file, environment, flag) in [
            ("[broker]\nport = 1\n", None, None),
            ("[limits]\nprefetch = \"many\"\n", None, None),
            ("", Some(("SAMENLOOP_BROKER_PORT", "1")), None),
            ("", None, Some("broker.port=1")),
            ("", None, Some("limits.prefetch=many")),
        ] {
            let environment: Vec<_> = environment.into_iter().collect();
            let flags: Vec<_> = flag.into_iter().collect();
            let error = load(file, &environment, &flags)
                .expect_err("it is bad")
                .to_string();
            assert!(
                error.contains("broker.port")
                    || error.contains("BROKER_PORT")
                    || error.contains("limits.prefetch"),
                "{error}"
            );
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let config = load(
            "",
            &[("SAMENLOOP_DECISIONS_URL", "postgres://me:secret@host/db")],
            &[],
        );
        let printed = config.expect("it is good").redacted();
        assert!(
            !printed.contains("secret") && printed.contains("me:hidden@host"),
            "{printed}"
        );
    }
}
