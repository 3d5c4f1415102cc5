//! `samenloop trace ID`: one declaration from its receipt to the streams of insurers.

use anyhow::Context as _;
use samenloop_adapters::{
    clock::Clock,
    config::Config,
    decision_store::{Sent, StoredMessage},
    settlement_store::AllocatedClaim,
};
use uuid::Uuid;

use crate::{node::Node, print, scenarios};

/// Prints what became of a declaration.
///
/// # Errors
/// Where no message has the id, or a store is away.
pub async fn run(config: Config, message_id: Uuid, json: bool) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let message = node.decisions.message(message_id).await?;
    let message = message.with_context(|| format!("no message {message_id} was registered"))?;
    let claims = node.open_settlement().await?.claims_of(message_id).await?;
    if json {
        print::line(as_json(&message, &claims));
        return Ok(());
    }
    print::line(format!(
        "received  {} from {}",
        message.received_at, message.party
    ));
    let status = scenarios::status_word(message.outcome.status());
    let version = message.outcome.version;
    print::line(format!(
        "decided   {} as entry {}: {status}, version {version}",
        message.decided_at, message.sequence
    ));
    for line in &message.outcome.lines {
        let codes: Vec<&str> = line
            .reasons
            .iter()
            .map(|reason| reason.code.as_str())
            .collect();
        let verdict = scenarios::verdict_word(line.verdict());
        let awarded = print::euro(line.awarded_cents);
        print::line(format!(
            "  line {} {}: {verdict} {awarded} {}",
            line.line_number,
            line.line_reference,
            codes.join(" ")
        ));
    }
    print::line(format!("outcome   {}", sent_word(message.outcome_sent)));
    for claim in &claims {
        let id = &claim.claim.claim_id;
        print::line(format!(
            "claim     {id} {}",
            print::euro(claim.claim.awarded_cents)
        ));
        for part in &claim.parts {
            let cents = print::euro(part.cents.get());
            print::line(format!(
                "  insurer {} sector {} {cents}",
                part.insurer, part.sector
            ));
        }
    }
    Ok(())
}

fn sent_word(sent: Option<Sent>) -> &'static str {
    match sent {
        None => "waits in the outbox",
        Some(Sent::Confirmed) => "is in the queue of its party",
        Some(Sent::Unclaimed) => "found no queue; it stays retrievable",
        Some(Sent::Parked) => "is parked",
    }
}

fn as_json(message: &StoredMessage, claims: &[AllocatedClaim]) -> serde_json::Value {
    let part = |part: &samenloop_domain::allocation::Part| {
        let insurer = part.insurer.as_str();
        serde_json::json!({"insurer": insurer, "sector": part.sector, "cents": part.cents.get()})
    };
    let claim = |it: &AllocatedClaim| {
        let parts: Vec<_> = it.parts.iter().map(part).collect();
        serde_json::json!({"claim_id": it.claim.claim_id, "awarded_cents": it.claim.awarded_cents, "parts": parts})
    };
    serde_json::json!({
        "message_id": message.message_id.to_string(),
        "party": message.party.as_str(),
        "sequence": message.sequence.0,
        "received_at": message.received_at.to_string(),
        "decided_at": message.decided_at.to_string(),
        "outcome": message.outcome,
        "outcome_sent": sent_word(message.outcome_sent),
        "claims": claims.iter().map(claim).collect::<Vec<_>>(),
    })
}
