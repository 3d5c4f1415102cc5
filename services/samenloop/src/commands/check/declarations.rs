//! Declarations: decided on the store, or asked of a running hub.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use samenloop_adapters::wire::{json, outcome::for_provider, v1};
use samenloop_detection::check::Asked;
use samenloop_domain::{
    declaration::Declaration, identifiers::PartyId, reasons::REASONS, reference::Reference,
};
use serde::Deserialize;

use super::{CheckArguments, read};
use crate::{node::Node, print, roles, scenarios::verdict_word};

/// What the gateway answers.
#[derive(Deserialize)]
struct Checked {
    outcome: v1::Outcome,
    sequence: u64,
}

pub(super) async fn on_store(
    node: &Node,
    arguments: &CheckArguments,
    files: &[PathBuf],
    received_at: Timestamp,
) -> anyhow::Result<bool> {
    let reference = node
        .reference
        .current()
        .await?
        .context("no reference data is in force: run `samenloop reference import DIR`")?;
    let mut asked = Vec::with_capacity(files.len());
    for file in files {
        let body = read(file)?;
        let declaration = json::parse(&body, &node.keys).map_err(|malformed| {
            let faults = malformed.faults.iter();
            let faults: Vec<String> = faults
                .map(|fault| format!("{} {}", fault.path, fault.problem))
                .collect();
            anyhow::anyhow!(
                "{} is no declaration:\n{}",
                file.display(),
                faults.join("\n")
            )
        })?;
        let party = match &arguments.party {
            Some(party) => PartyId::new(party),
            None => party_of(&declaration, &reference).with_context(|| {
                let sender = &declaration.sender_agb;
                format!("no party has the AGB code {sender} of the sender, or a mandate: name one with --party")
            })?,
        };
        asked.push(Asked { party, declaration });
    }
    let answered = roles::funding_check(node)
        .declarations(&asked, received_at)
        .await?;
    let outcomes = answered.outcomes.iter().map(for_provider).collect();
    Ok(show(outcomes, answered.sequence.0, arguments.json))
}

/// The party whose own code the sender has, else one with a mandate of the declarant.
fn party_of(declaration: &Declaration, reference: &Reference) -> Option<PartyId> {
    let sender = declaration.sender_agb.agb()?;
    let mut parties = reference.parties.iter();
    let own = parties.find(|(_, party)| party.agb == Some(sender));
    let declarant = declaration.declarant_agb.agb()?;
    let mandated = || {
        let mut mandates = reference.mandates.iter();
        mandates.find(|it| it.declarant == declarant)
    };
    own.map(|(id, _)| id.clone())
        .or_else(|| mandated().map(|it| it.party.clone()))
}

pub(super) async fn over_http(
    gateway: &str,
    arguments: &CheckArguments,
    files: &[PathBuf],
) -> anyhow::Result<bool> {
    let client = reqwest::Client::new();
    let credential = arguments.credential.as_deref().unwrap_or_default();
    let (mut outcomes, mut sequence) = (Vec::new(), 0);
    for file in files {
        let response = client
            .post(format!("{gateway}/v1/checks"))
            .bearer_auth(credential)
            .header("content-type", "application/json")
            .body(read(file)?)
            .send()
            .await
            .with_context(|| format!("the gateway {gateway} does not answer"))?;
        let status = response.status();
        if !status.is_success() {
            let problem = response.text().await?;
            bail!(
                "{}: the gateway answers {status}: {problem}",
                file.display()
            );
        }
        let checked: Checked = response.json().await?;
        outcomes.push(checked.outcome);
        sequence = checked.sequence;
    }
    Ok(show(outcomes, sequence, arguments.json))
}

/// Prints what would become of each; true if nothing would be refused or held.
fn show(outcomes: Vec<v1::Outcome>, sequence: u64, as_json: bool) -> bool {
    let clear = outcomes
        .iter()
        .all(|it| it.status() == v1::Status::Accepted);
    if as_json {
        print::line(serde_json::json!({
            "sequence": sequence, "clear": clear, "outcomes": outcomes,
        }));
        return clear;
    }
    let mut told: Vec<&str> = Vec::new();
    for outcome in &outcomes {
        let status = serde_json::to_value(outcome).unwrap_or_default();
        let status = status["status"].as_str().unwrap_or_default().to_owned();
        let of_message: Vec<&str> = outcome.reasons.iter().map(|it| it.code.as_str()).collect();
        print::line(format!(
            "{} {status} {}",
            outcome.message_id,
            of_message.join(" ")
        ));
        let header = [
            "line",
            "verdict",
            "declared",
            "would be awarded",
            "reasons",
            "rule",
        ];
        let mut table = print::table(&header);
        for line in &outcome.lines {
            let codes: Vec<&str> = line.reasons.iter().map(|it| it.code.as_str()).collect();
            let rules = line.evidence.iter().map(|it| {
                let days = it.days_in_common;
                let rival = match it.rival.as_ref() {
                    Some(rival) => format!(", beside your line {}", rival.line_reference),
                    None => String::new(),
                };
                format!(
                    "{}.{} ({}), {days} days{rival}",
                    it.rule, it.rule_version, it.basis
                )
            });
            table.add_row([
                line.line_reference.clone(),
                verdict_word(line.verdict()).to_owned(),
                print::euro(line.declared_cents),
                print::euro(line.awarded_cents + line.proposed_cents),
                codes.join(" "),
                rules.collect::<Vec<_>>().join("\n"),
            ]);
            told.extend(&codes);
        }
        told.extend(&of_message);
        print::line(table);
        if !outcome.notice.is_empty() {
            print::line(&outcome.notice);
        }
    }
    for reason in REASONS.iter().filter(|reason| told.contains(&reason.code)) {
        print::line(format!(
            "{}: {} {}",
            reason.code, reason.english, reason.remedy
        ));
    }
    print::line(format!(
        "asked of the register as of entry {sequence}; nothing was written"
    ));
    clear
}
