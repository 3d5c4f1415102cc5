//! What a message can be found by, as rows, and which entry decided a line of it anew.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use samenloop_domain::identifiers::{Agb, Sequence};
use samenloop_proto::record::v1::{self as record, log_entry::Entry};
use uuid::Uuid;

use super::{BatchRows, outbox::read_id};
use crate::decision_store::{
    DecidedMessage, NewOutboxRow, OutboxBody, StoreError, search::MessageKey, words::storable,
};

/// Longest value that a message is found by, in characters; longer ones are no names that anybody looks up.
const VALUE_LENGTH_MAX: usize = 100;

/// Kinds of entries that decide a line anew.
const REVISING: [&str; 2] = ["review_decided", "line_rejudged"];

/// What messages of a batch can be found by.
#[derive(Default)]
pub(in crate::decision_store) struct KeyRows {
    /// Value, kind and message, each once.
    pub(in crate::decision_store) keys: BTreeSet<(String, &'static str, Sequence)>,
    pub(in crate::decision_store) declarants: BTreeSet<Agb>,
    /// The entry by message and version.
    pub(in crate::decision_store) revisions: BTreeMap<(Uuid, u32), Sequence>,
}

impl KeyRows {
    fn add(&mut self, key: MessageKey, value: &str, sequence: Sequence) {
        if !value.is_empty() && value.chars().count() <= VALUE_LENGTH_MAX {
            self.keys.insert((storable(value), key.as_str(), sequence));
        }
    }
}

impl BatchRows {
    /// What a decided message can be found by; `traces` are by message.
    pub(super) fn add_keys(&mut self, decided: &DecidedMessage, traces: &BTreeMap<String, String>) {
        let declaration = &decided.input.declaration;
        let (sequence, found) = (decided.decision.sequence, &mut self.found_by);
        found.add(MessageKey::Party, decided.input.party.as_str(), sequence);
        if let Some(agb) = declaration.declarant_agb.agb() {
            found.add(MessageKey::Declarant, agb.as_str(), sequence);
            found.declarants.insert(agb);
        }
        if let Some(insurer) = declaration.insurer_uzovi.uzovi() {
            found.add(MessageKey::Insurer, insurer.as_str(), sequence);
        }
        let invoice = declaration.invoice_number.to_string();
        found.add(MessageKey::Invoice, &invoice, sequence);
        let contracts = declaration
            .lines
            .iter()
            .filter_map(|line| line.contract_id.as_ref());
        for contract in contracts {
            found.add(MessageKey::Contract, &contract.to_string(), sequence);
        }
        if let Some(trace) = traces.get(&declaration.message_id.to_string()) {
            found.add(MessageKey::Trace, trace, sequence);
        }
    }

    /// Which entries decide lines anew, and of which messages.
    pub(super) fn add_revisions(&mut self) -> Result<(), StoreError> {
        let entries = self.log.iter();
        for entry in entries.filter(|entry| REVISING.contains(&entry.kind.as_str())) {
            // What this program cannot read it did not write, and whoever reads the log says so.
            let read = record::LogEntry::decode(entry.body.as_slice());
            let revised = match read.ok().and_then(|read| read.entry) {
                Some(Entry::ReviewDecided(decided)) => decided.revised,
                Some(Entry::LineRejudged(rejudged)) => rejudged.revised,
                _ => None,
            };
            if let Some(revised) = revised {
                let key = (read_id(&revised.message_id)?, revised.version);
                self.found_by.revisions.insert(key, entry.sequence);
            }
        }
        Ok(())
    }
}

/// The ids of the traces (W3C trace context) in which outcomes of new messages are sent, by message.
pub(super) fn traces_of(outbox: &[NewOutboxRow]) -> BTreeMap<String, String> {
    let traces = outbox.iter().filter_map(|row| match &row.body {
        OutboxBody::Outcome(outcome) => {
            let trace = row.traceparent.split('-').nth(1)?;
            Some((outcome.message_id.clone(), trace.to_owned()))
        }
        OutboxBody::Refusal(_) | OutboxBody::Claims(_) => None,
    });
    traces.collect()
}
