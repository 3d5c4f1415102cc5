//! Makes the exchanges, queues, policies and rights of RabbitMQ through its management API.
//!
//! Services make none of it: they have no right to, and refuse to start where something is missing.
//! The static part is `deploy/rabbitmq/definitions.json`, which a broker can also import by itself;
//! the rest is what each party gets. It is no place for passwords: a user gets one only if the
//! caller gives it, and keeps it otherwise.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, Method, StatusCode, Url};
use samenloop_domain::identifiers::PartyId;
use serde_json::{Map, Value, json};

use super::Queue;

/// The static part, as a broker imports it.
pub const DEFINITIONS: &str = include_str!("../../../../deploy/rabbitmq/definitions.json");

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What is to exist.
#[derive(Clone, Default)]
pub struct Topology {
    /// The virtual host; made if it is missing.
    pub vhost: String,
    /// Passwords of the users of services, by user.
    pub service_passwords: BTreeMap<String, String>,
    /// The parties, each with a queue for its outcomes.
    pub parties: Vec<PartyAccess>,
    /// Most messages of a queue, where it is not that of the definitions.
    pub queue_length_max: Option<u64>,
}

/// How a party reaches the broker.
#[derive(Clone)]
pub struct PartyAccess {
    /// The party.
    pub party: PartyId,
    /// Its user, if it has one.
    pub user: Option<String>,
    /// The password to give to that user.
    pub password: Option<String>,
}

/// Why the topology could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// The address of the management API is none.
    #[error("the address of the management API is no URL: {0}")]
    Address(String),
    /// The management API is away.
    #[error("the management API cannot be reached: {0}")]
    Unreachable(String),
    /// Something exists in another form, or the user may not make it.
    #[error("RabbitMQ refuses {what}: {reason}")]
    Refused {
        /// What was to be made.
        what: String,
        /// What the broker says.
        reason: String,
    },
}

/// Makes what is missing and sets rights and policies; says what now exists. Repeating it changes
/// nothing.
///
/// `management_url` is `http://user:password@host:15672`, of a user with the tag `administrator`.
///
/// # Errors
/// [`TopologyError`] at the first that could not be made; what came before it stands.
pub async fn apply(
    management_url: &str,
    topology: &Topology,
) -> Result<Vec<String>, TopologyError> {
    let management = Management::new(management_url)?;
    let mut applied = Vec::new();
    management.make_vhost(&topology.vhost).await?;
    applied.push(format!("vhost {}", topology.vhost));
    management.apply_definitions(topology, &mut applied).await?;
    for party in &topology.parties {
        management
            .apply_party(&topology.vhost, party, &mut applied)
            .await?;
    }
    Ok(applied)
}

/// The management API.
struct Management {
    client: Client,
    url: Url,
}

impl Management {
    fn new(url: &str) -> Result<Self, TopologyError> {
        let url = Url::parse(url).map_err(|error| TopologyError::Address(error.to_string()))?;
        if url.cannot_be_a_base() {
            return Err(TopologyError::Address("it has no host".to_owned()));
        }
        let client = Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(unreachable)?;
        Ok(Self { client, url })
    }

    /// Also lets the user of this API into the virtual host: it makes the queues.
    async fn make_vhost(&self, vhost: &str) -> Result<(), TopologyError> {
        self.send(Method::PUT, &["vhosts", vhost], &json!({}))
            .await?;
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        let own = self.url.username();
        if own.is_empty() {
            return Ok(());
        }
        self.send(Method::PUT, &["permissions", vhost, own], &all)
            .await
    }

    async fn apply_definitions(
        &self,
        topology: &Topology,
        applied: &mut Vec<String>,
    ) -> Result<(), TopologyError> {
        let vhost = topology.vhost.as_str();
        let definitions = definitions();
        // Policies before queues: no queue is without a bound, however short.
        for mut policy in definitions.objects("policies") {
            if let Some(length) = topology.queue_length_max {
                policy["definition"]["max-length"] = length.into();
            }
            let path = ["policies", vhost, &text(&policy, "name")];
            self.put(path, policy, applied).await?;
        }
        for exchange in definitions.objects("exchanges") {
            let path = ["exchanges", vhost, &text(&exchange, "name")];
            self.put(path, exchange, applied).await?;
        }
        for queue in definitions.objects("queues") {
            let path = ["queues", vhost, &text(&queue, "name")];
            self.put(path, queue, applied).await?;
        }
        for binding in definitions.objects("bindings") {
            let of = |field| text(&binding, field);
            let (source, destination) = (of("source"), of("destination"));
            self.bind(vhost, &source, &destination, &of("routing_key"), applied)
                .await?;
        }
        for user in definitions.objects("users") {
            let name = text(&user, "name");
            let password = topology.service_passwords.get(&name);
            self.make_user(&name, password.map(String::as_str), applied)
                .await?;
        }
        for permission in definitions.objects("permissions") {
            let path = ["permissions", vhost, &text(&permission, "user")];
            self.put(path, permission, applied).await?;
        }
        Ok(())
    }

    async fn apply_party(
        &self,
        vhost: &str,
        access: &PartyAccess,
        applied: &mut Vec<String>,
    ) -> Result<(), TopologyError> {
        let queue = Queue::Outcomes(access.party.clone());
        let name = queue.name();
        let quorum = json!({ "durable": true, "auto_delete": false,
            "arguments": { "x-queue-type": "quorum" } });
        self.put(["queues", vhost, &name], quorum, applied).await?;
        self.bind(vhost, queue.exchange(), &name, queue.routing_key(), applied)
            .await?;
        let Some(user) = &access.user else {
            return Ok(());
        };
        self.make_user(user, access.password.as_deref(), applied)
            .await?;
        let rights = json!({ "configure": "^$", "write": "^declarations$",
            "read": format!("^{}$", literal(&name)) });
        self.put(["permissions", vhost, user], rights, applied)
            .await
    }

    /// Without a password, an existing user stays as it is, and a new one cannot log in until it
    /// gets one.
    async fn make_user(
        &self,
        name: &str,
        password: Option<&str>,
        applied: &mut Vec<String>,
    ) -> Result<(), TopologyError> {
        let path = ["users", name];
        let body = match password {
            Some(password) => json!({ "password": password, "tags": "" }),
            None if self.exists(&path).await? => return Ok(()),
            None => json!({ "password_hash": "", "tags": "" }),
        };
        self.put(path, body, applied).await
    }

    async fn bind(
        &self,
        vhost: &str,
        source: &str,
        queue: &str,
        routing_key: &str,
        applied: &mut Vec<String>,
    ) -> Result<(), TopologyError> {
        let body = json!({ "routing_key": routing_key, "arguments": {} });
        let path = ["bindings", vhost, "e", source, "q", queue];
        self.send(Method::POST, &path, &body).await?;
        applied.push(format!("binding {source} to {queue}"));
        Ok(())
    }

    async fn put<const N: usize>(
        &self,
        path: [&str; N],
        mut body: Value,
        applied: &mut Vec<String>,
    ) -> Result<(), TopologyError> {
        if let Some(fields) = body.as_object_mut() {
            // What the path says is not said again: the virtual host may be another one.
            for field in ["name", "vhost", "user"] {
                fields.remove(field);
            }
        }
        self.send(Method::PUT, &path, &body).await?;
        let kind = path[0].trim_end_matches('s');
        applied.push(format!(
            "{} {}",
            if kind == "policie" { "policy" } else { kind },
            path[N - 1]
        ));
        Ok(())
    }

    async fn exists(&self, path: &[&str]) -> Result<bool, TopologyError> {
        let answer = self
            .client
            .get(self.address(path))
            .send()
            .await
            .map_err(unreachable)?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            status => Err(refused(path, status.to_string())),
        }
    }

    async fn send(&self, method: Method, path: &[&str], body: &Value) -> Result<(), TopologyError> {
        let request = self.client.request(method, self.address(path)).json(body);
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let said: Value = answer.json().await.unwrap_or_default();
        let reason = said.get("reason").and_then(Value::as_str);
        Err(refused(
            path,
            reason.map_or_else(|| status.to_string(), str::to_owned),
        ))
    }

    fn address(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        let mut segments = url.path_segments_mut().expect("checked when it was made");
        segments.pop_if_empty().push("api").extend(path);
        drop(segments);
        url
    }
}

/// The definitions as parsed.
struct Definitions(Map<String, Value>);

fn definitions() -> Definitions {
    Definitions(serde_json::from_str(DEFINITIONS).expect("the file is part of this program"))
}

impl Definitions {
    fn objects(&self, kind: &str) -> impl Iterator<Item = Value> {
        let objects = self.0.get(kind).and_then(Value::as_array);
        objects.into_iter().flatten().cloned()
    }
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_default().to_owned()
}

/// A regular expression for exactly this text.
fn literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_alphanumeric() && !matches!(character, '-' | '_') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Without the address, which may hold a password.
fn unreachable(error: reqwest::Error) -> TopologyError {
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    TopologyError::Unreachable(format!("{error}{}", cause.unwrap_or_default()))
}

fn refused(path: &[&str], reason: String) -> TopologyError {
    let what = path.join(" ");
    TopologyError::Refused { what, reason }
}
