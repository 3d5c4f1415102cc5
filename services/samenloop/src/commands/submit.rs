//! `samenloop submit`: sends declarations to a gateway, and waits for their outcomes.

use std::{io::Read as _, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{StatusCode, header};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::print;

/// Arguments of `submit`.
#[derive(Clone, Debug, clap::Args)]
pub struct SubmitArguments {
    /// JSON files of one declaration each; `-` or none reads one from standard input.
    pub files: Vec<PathBuf>,
    /// The gateway.
    #[arg(long, default_value = "http://127.0.0.1:7430")]
    pub gateway: String,
    /// Credential of the party.
    #[arg(long, env = "SAMENLOOP_CREDENTIAL", hide_env_values = true)]
    pub credential: String,
    /// Seconds to wait for an outcome.
    #[arg(long, default_value_t = 60)]
    pub wait: u64,
    /// Print outcomes as JSON, one a line.
    #[arg(long)]
    pub json: bool,
}

/// Sends every file, and prints an outcome for each; true if none is refused.
///
/// # Errors
/// Where the gateway does not take a declaration, or an outcome does not come in time.
pub async fn run(arguments: SubmitArguments) -> anyhow::Result<bool> {
    let client = reqwest::Client::new();
    let files = match arguments.files.is_empty() {
        true => vec![PathBuf::from("-")],
        false => arguments.files.clone(),
    };
    let bar = print::progress(files.len() as u64, "sending");
    let mut accepted = true;
    for file in &files {
        let body = read(file)?;
        let location = post(&client, &arguments, body).await?;
        let outcome = outcome(&client, &arguments, &location).await?;
        bar.inc(1);
        accepted &= outcome["status"] != "rejected";
        if arguments.json {
            print::line(&outcome);
        } else {
            print_outcome(&outcome);
        }
    }
    bar.finish_and_clear();
    Ok(accepted)
}

fn read(file: &PathBuf) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut body = Vec::new();
        std::io::stdin().lock().read_to_end(&mut body)?;
        return Ok(body);
    }
    std::fs::read(file).with_context(|| format!("the file {}", file.display()))
}

async fn post(
    client: &reqwest::Client,
    arguments: &SubmitArguments,
    body: Vec<u8>,
) -> anyhow::Result<String> {
    let response = client
        .post(format!("{}/v1/declarations", arguments.gateway))
        .bearer_auth(&arguments.credential)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .send()
        .await
        .with_context(|| format!("the gateway {} does not answer", arguments.gateway))?;
    let status = response.status();
    let location = response
        .headers()
        .get(header::LOCATION)
        .and_then(|it| it.to_str().ok());
    let location = location.map(ToOwned::to_owned);
    if status != StatusCode::ACCEPTED {
        bail!("the gateway answers {status}: {}", response.text().await?);
    }
    location.context("the gateway names no place for the outcome")
}

/// Asks for the outcome until it is there: a gateway has no way to call back.
async fn outcome(
    client: &reqwest::Client,
    arguments: &SubmitArguments,
    location: &str,
) -> anyhow::Result<Value> {
    let url = format!("{}{location}", arguments.gateway);
    let deadline = Instant::now() + Duration::from_secs(arguments.wait);
    loop {
        let response = client
            .get(&url)
            .bearer_auth(&arguments.credential)
            .send()
            .await?;
        if response.status() == StatusCode::OK {
            return Ok(response.json().await?);
        }
        if Instant::now() > deadline {
            bail!(
                "no outcome within {} s; it stays retrievable at {url}",
                arguments.wait
            );
        }
        sleep(Duration::from_millis(50)).await;
    }
}

fn print_outcome(outcome: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    print::line(format!(
        "{} {}",
        text(&outcome["message_id"]),
        text(&outcome["status"])
    ));
    for line in outcome["lines"].as_array().into_iter().flatten() {
        let reasons = line["reasons"].as_array().into_iter().flatten();
        let codes: Vec<String> = reasons.map(|reason| text(&reason["code"])).collect();
        let awarded = print::euro(line["awarded_cents"].as_i64().unwrap_or_default());
        let verdict = text(&line["verdict"]);
        let reference = text(&line["line_reference"]);
        print::line(format!(
            "  {reference} {verdict} {awarded} {}",
            codes.join(" ")
        ));
    }
}
