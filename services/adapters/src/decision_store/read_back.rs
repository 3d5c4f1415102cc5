//! From columns, as both databases give them, back to what they were written from.

use std::collections::BTreeSet;

use prost::Message as _;
use samenloop_domain::{
    cents::Cents,
    coverage::{CoverageId, CoverageState, Covered},
    decision::Verdict,
    declaration::Direction,
    history::{PastLine, ReferenceKey, RegisteredMessage},
    identifiers::{Agb, LineReference, Sequence, Uzovi},
};
use samenloop_proto::record::v1 as record;

use super::{
    rows::{TALLY_MESSAGES, TALLY_REASON, TALLY_VERDICT},
    words::{Word, digest, instant, small, unexpected, unsigned},
    *,
};
use crate::wire::{
    record::{decode, read_claim_facts, read_coverage, read_past_facts},
    review::read_hits,
};

/// A line of the past, with the message that it came in.
pub(super) struct LineColumns {
    pub(super) sequence: i64,
    pub(super) line_number: i64,
    pub(super) message_id: Uuid,
    pub(super) party: String,
    pub(super) received_on: Day,
    pub(super) declarant: String,
    pub(super) line_reference: String,
    pub(super) insurer: String,
    pub(super) direction: String,
    pub(super) verdict: String,
    pub(super) awarded: i64,
    pub(super) proposed: i64,
    pub(super) credited_by: Option<(i64, i64)>,
    pub(super) facts: Option<Vec<u8>>,
    pub(super) coverage: Option<Vec<u8>>,
    pub(super) claim: Option<Vec<u8>>,
    pub(super) version: i64,
    pub(super) seen: Option<Vec<u8>>,
}

impl LineColumns {
    /// Adds the line to a history, with its coverage while that is in force.
    pub(super) fn add_to(self, history: &mut History) -> Result<(), StoreError> {
        let id = line_id(self.sequence, self.line_number)?;
        let verdict = Verdict::read(&self.verdict)?;
        let in_force = self.credited_by.is_none();
        if let Some(bytes) = self.coverage.filter(|_| in_force) {
            let state = match verdict {
                Verdict::Review => CoverageState::Held,
                _ => CoverageState::Awarded,
            };
            history.coverage.insert(covered(id, state, &bytes)?);
        }
        let read_facts = |bytes: Vec<u8>| decode(&bytes, read_past_facts);
        let read_claim = |bytes: Vec<u8>| decode(&bytes, read_claim_facts);
        let key = ReferenceKey {
            declarant: Agb::parse(&self.declarant)
                .ok_or_else(|| unexpected("AGB code", &self.declarant))?,
            reference: LineReference::new(&self.line_reference),
        };
        history.lines.entry(key).or_default().push(PastLine {
            id,
            message_id: self.message_id,
            party: PartyId::new(&self.party),
            direction: Direction::read(&self.direction)?,
            insurer: Uzovi::parse(&self.insurer)
                .ok_or_else(|| unexpected("UZOVI number", &self.insurer))?,
            facts: self.facts.map(read_facts).transpose()?,
            verdict,
            awarded: cents(self.awarded)?,
            proposed: cents(self.proposed)?,
            received_on: self.received_on,
            credited_by: (self.credited_by)
                .map(|(sequence, line)| line_id(sequence, line))
                .transpose()?,
            claim: self.claim.map(read_claim).transpose()?,
            version: small(self.version)?,
            seen: match self.seen {
                Some(bytes) => read_hits(&record::Hits::decode(bytes.as_slice())?.hits),
                None => BTreeSet::new(),
            },
        });
        Ok(())
    }
}

/// Coverage under its id.
pub(super) fn covered(
    id: CoverageId,
    state: CoverageState,
    bytes: &[u8],
) -> Result<Covered, StoreError> {
    let coverage = decode(bytes, read_coverage)?;
    Ok(Covered {
        id,
        state,
        coverage,
    })
}

/// A registered message as the history has it.
pub(super) fn registered(
    party: &str,
    content_digest: &[u8],
    sequence: i64,
    version: i64,
) -> Result<RegisteredMessage, StoreError> {
    Ok(RegisteredMessage {
        party: PartyId::new(party),
        content_digest: digest(content_digest)?,
        sequence: Sequence(unsigned(sequence)?),
        version: small(version)?,
    })
}

/// A registered message with its outcome.
pub(super) struct MessageColumns {
    pub(super) message_id: Uuid,
    pub(super) party: String,
    pub(super) content_digest: Vec<u8>,
    pub(super) sequence: i64,
    pub(super) received_at: Timestamp,
    pub(super) received_on: Day,
    pub(super) decided_at: Timestamp,
    pub(super) outcome: Vec<u8>,
    pub(super) outcome_sent: Option<String>,
    pub(super) claims_sent: Option<String>,
}

impl MessageColumns {
    pub(super) fn read(self) -> Result<StoredMessage, StoreError> {
        let sent = |word: Option<String>| word.map(|word| Sent::read(&word)).transpose();
        Ok(StoredMessage {
            party: PartyId::new(&self.party),
            message_id: self.message_id,
            sequence: Sequence(unsigned(self.sequence)?),
            received_at: self.received_at,
            received_on: self.received_on,
            decided_at: self.decided_at,
            content_digest: digest(&self.content_digest)?,
            outcome: wire::Outcome::decode(self.outcome.as_slice())?,
            outcome_sent: sent(self.outcome_sent)?,
            claims_sent: sent(self.claims_sent)?,
        })
    }
}

/// A row of the outbox.
pub(super) fn outbox_row(
    id: i64,
    party: Option<&str>,
    traceparent: String,
    kind: &str,
    body: &[u8],
) -> Result<OutboxRow, StoreError> {
    Ok(OutboxRow {
        id,
        party: party.map(PartyId::new),
        traceparent,
        body: OutboxBody::decode(kind, body)?,
    })
}

/// Adds counts by kind and key to the figures; counts of nothing are left out.
pub(super) fn add_tally(
    figures: &mut DecisionFigures,
    kind: &str,
    key: String,
    count: i64,
) -> Result<(), StoreError> {
    let count = unsigned(count)?;
    match kind {
        TALLY_MESSAGES => figures.messages = count,
        TALLY_VERDICT if count > 0 => figures.lines.push((key, count)),
        TALLY_REASON if count > 0 => figures.reasons.push((key, count)),
        _ => {}
    }
    Ok(())
}

/// The head of the log.
pub(super) fn head(sequence: i64, hash: &[u8]) -> Result<Head, StoreError> {
    Ok(Head {
        sequence: Sequence(unsigned(sequence)?),
        hash: digest(hash)?,
    })
}

/// An id of coverage.
pub(super) fn line_id(sequence: i64, line: i64) -> Result<CoverageId, StoreError> {
    Ok(CoverageId {
        sequence: Sequence(unsigned(sequence)?),
        line: unsigned(line)?,
    })
}

/// An amount.
pub(super) fn cents(cents: i64) -> Result<Cents, StoreError> {
    Cents::new(cents).ok_or_else(|| unexpected("amount", cents))
}

/// Ids of rules from their text.
fn rules_of(text: &str) -> Vec<String> {
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

/// A held line as a list gives it.
pub(super) struct HeldColumns {
    pub(super) line: (i64, i64),
    pub(super) message_id: Uuid,
    pub(super) line_reference: String,
    pub(super) declarant: String,
    pub(super) insurer: String,
    pub(super) contract_id: String,
    pub(super) rules: String,
    pub(super) version: i64,
    pub(super) proposed: i64,
    pub(super) held_since: i64,
}

impl HeldColumns {
    pub(super) fn read(self) -> Result<HeldLine, StoreError> {
        Ok(HeldLine {
            line: line_id(self.line.0, self.line.1)?,
            message_id: self.message_id,
            line_reference: self.line_reference,
            declarant: self.declarant,
            insurer: self.insurer,
            contract_id: self.contract_id,
            rules: rules_of(&self.rules),
            version: small(self.version)?,
            proposed: cents(self.proposed)?,
            held_since: instant(self.held_since)?,
        })
    }
}

/// A case as a list gives it.
pub(super) struct CaseColumns {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) line: (i64, i64),
    pub(super) other: (i64, i64),
    pub(super) cause: i64,
    pub(super) line_reference: String,
    pub(super) declarant: String,
    pub(super) insurer: String,
    pub(super) contract_id: String,
    pub(super) rules: String,
    pub(super) opened_at: i64,
}

impl CaseColumns {
    pub(super) fn read(self) -> Result<ReviewCase, StoreError> {
        let declarant = Agb::parse(&self.declarant);
        Ok(ReviewCase {
            id: unsigned(self.id)?,
            case: NewCase {
                kind: CaseKind::read(&self.kind)?,
                line: line_id(self.line.0, self.line.1)?,
                other: line_id(self.other.0, self.other.1)?,
                cause: Sequence(unsigned(self.cause)?),
                line_reference: self.line_reference,
                declarant: declarant.ok_or_else(|| unexpected("AGB code", &self.declarant))?,
                insurer: self.insurer,
                contract_id: self.contract_id,
                rules: rules_of(&self.rules),
            },
            opened_at: instant(self.opened_at)?,
        })
    }
}

/// A command with its result.
pub(super) fn decided_command(
    id: Uuid,
    content_digest: &[u8],
    person: String,
    sequence: Option<i64>,
    result: &[u8],
    decided_at: i64,
) -> Result<DecidedCommand, StoreError> {
    Ok(DecidedCommand {
        id,
        content_digest: digest(content_digest)?,
        person,
        sequence: sequence.map(unsigned).transpose()?.map(Sequence),
        result: record::CommandResult::decode(result)?,
        decided_at: instant(decided_at)?,
    })
}

/// A decision that waits for a second person.
pub(super) struct ProposalColumns {
    pub(super) id: Uuid,
    pub(super) line: (i64, i64),
    pub(super) line_reference: String,
    pub(super) insurer: String,
    pub(super) person: String,
    pub(super) command: Vec<u8>,
    pub(super) cents: i64,
    pub(super) proposed_at: i64,
}

impl ProposalColumns {
    pub(super) fn read(self) -> Result<search::Proposal, StoreError> {
        Ok(search::Proposal {
            id: self.id,
            line: line_id(self.line.0, self.line.1)?,
            line_reference: self.line_reference,
            insurer: self.insurer,
            person: self.person,
            command: record::Command::decode(self.command.as_slice())?,
            cents: cents(self.cents)?,
            proposed_at: instant(self.proposed_at)?,
        })
    }
}
