//! What both databases keep of a batch: keys, digests, encoded claims, and each insurer's events.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use ring::digest::{SHA256, digest};
use samenloop_domain::{cents::Cents, ledger::Posting};
use samenloop_proto::record::v1 as record;
use uuid::Uuid;

use super::*;
use crate::wire::digest::hex;

/// A message and the version of its outcome: its claims are recorded together or not at all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Unit {
    pub(super) sequence: i64,
    pub(super) version: i64,
}

/// The key of a claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ClaimKey {
    pub(super) unit: Unit,
    pub(super) line_number: i64,
}

impl ClaimKey {
    /// The key that a claim id names, if it is one.
    pub(super) fn parse(claim_id: &str) -> Option<Self> {
        let mut numbers = claim_id.split('.').map(str::parse);
        let mut next = || numbers.next()?.ok();
        let key = Self {
            unit: Unit {
                sequence: next()?,
                version: next()?,
            },
            line_number: next()?,
        };
        // One spelling each: no signs, no leading zeros, nothing behind.
        (key.claim_id() == claim_id).then_some(key)
    }

    pub(super) fn claim_id(self) -> String {
        let Unit { sequence, version } = self.unit;
        format!("{sequence}.{version}.{}", self.line_number)
    }
}

/// A row of `claim`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ClaimRow {
    pub(super) key: ClaimKey,
    pub(super) message_id: Uuid,
    pub(super) insurer: Uzovi,
    pub(super) awarded_cents: i64,
    pub(super) content_digest: [u8; 32],
    pub(super) body: Vec<u8>,
    /// The claim that it credits.
    pub(super) reverses: Option<String>,
    /// Each insurer that hears of it, with its amount.
    pub(super) shares: BTreeMap<Uzovi, i64>,
    /// Columns of its events: payee, contract, first and last day.
    pub(super) listed: [String; 4],
    /// What it was split by.
    pub(super) key_used: KeyUsed,
}

/// A row of `allocation_key`, but for the insurer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct KeyUsed {
    pub(super) contract_id: String,
    pub(super) region: String,
    pub(super) year: i64,
    pub(super) digest: String,
    pub(super) body: Vec<u8>,
}

/// A row of `event` whose position is not taken yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewEvent<'a> {
    pub(super) row: &'a ClaimRow,
    pub(super) cents: i64,
}

/// The rows of a batch, in the order of its claims.
///
/// Claims of one batch have ids of their own, and journals are those of its messages: whoever submits sees to both.
pub(super) fn claim_rows(batch: &SettlementBatch) -> Result<Vec<ClaimRow>, StoreError> {
    let rows: Vec<ClaimRow> = batch.claims.iter().map(row).collect::<Result<_, _>>()?;
    let keys: BTreeSet<_> = rows.iter().map(|row| row.key).collect();
    assert_eq!(keys.len(), rows.len(), "a claim is twice in one batch");
    let mut booked = BTreeSet::new();
    for (row, claim) in rows.iter().zip(&batch.claims) {
        booked.extend(claim.parts.iter().map(|part| (row.key.unit, part.insurer)));
    }
    let journals: BTreeSet<_> = journal_keys(batch)?.into_iter().collect();
    assert_eq!(journals, booked, "journals are not those of the claims");
    Ok(rows)
}

/// Message and insurer of each journal, in order.
pub(super) fn journal_keys(batch: &SettlementBatch) -> Result<Vec<(Unit, Uzovi)>, StoreError> {
    let key = |journal: &Journal| {
        let unit = Unit {
            sequence: signed(journal.sequence.0)?,
            version: journal.version.into(),
        };
        Ok((unit, journal.insurer))
    };
    batch.journals.iter().map(key).collect()
}

fn row(allocated: &AllocatedClaim) -> Result<ClaimRow, StoreError> {
    let claim = &allocated.claim;
    let key = ClaimKey {
        unit: Unit {
            sequence: signed(claim.sequence)?,
            version: claim.version.into(),
        },
        line_number: claim.line_number.into(),
    };
    assert_eq!(claim.claim_id, key.claim_id(), "a claim id names its line");
    let sum: Cents = allocated.parts.iter().map(|part| part.cents).sum();
    assert_eq!(
        sum.get(),
        claim.awarded_cents,
        "parts add up: {}",
        claim.claim_id
    );
    let wrong = |what: &str| StoreError::Failed(format!("claim {} has {what}", claim.claim_id));
    let insurer = Uzovi::parse(&claim.insurer_uzovi).ok_or_else(|| wrong("no insurer"))?;
    let message_id = Uuid::parse_str(&claim.message_id).map_err(|_| wrong("no message id"))?;
    let mut shares = BTreeMap::new();
    for part in &allocated.parts {
        *shares.entry(part.insurer).or_default() += part.cents.get();
    }
    if shares.is_empty() {
        // Nothing is owed; the insurer that was asked still hears of it.
        shares.insert(insurer, 0);
    }
    Ok(ClaimRow {
        key,
        message_id,
        insurer,
        awarded_cents: claim.awarded_cents,
        content_digest: content_digest(claim),
        body: encode(allocated, sum),
        reverses: Some(claim.reverses_claim_id.clone()).filter(|id| !id.is_empty()),
        shares,
        listed: [
            &claim.payee_agb,
            &claim.contract_id,
            &claim.first,
            &claim.last,
        ]
        .map(Clone::clone),
        key_used: key_used(claim),
    })
}

fn key_used(claim: &wire::Claim) -> KeyUsed {
    // Of what a claim tells of its key; who was the first to use it is no part of what it is.
    let year = claim.first.get(..4).and_then(|year| year.parse().ok());
    let mut key = wire::AllocationKey {
        contract_id: claim.contract_id.clone(),
        region: claim.region.clone(),
        year: year.unwrap_or_default(),
        insurer_shares: claim.insurer_shares.clone(),
        sector_shares: claim.sector_shares.clone(),
        first_claim_id: String::new(),
    };
    let digest = hex(ring::digest::digest(&SHA256, &key.encode_to_vec()).as_ref());
    key.first_claim_id.clone_from(&claim.claim_id);
    KeyUsed {
        body: key.encode_to_vec(),
        contract_id: key.contract_id,
        region: key.region,
        year: key.year.into(),
        digest,
    }
}

/// Rows of `allocation_key` of claims that are new, each once, in order: the first claim with a key names it.
pub(super) fn keys_used<'a>(rows: &[&'a ClaimRow]) -> BTreeMap<(Uzovi, &'a str), &'a KeyUsed> {
    let mut keys = BTreeMap::new();
    for row in rows {
        for insurer in row.shares.keys() {
            let key = &row.key_used;
            keys.entry((*insurer, &*key.digest)).or_insert(key);
        }
    }
    keys
}

/// Insurer and line of every posting of the journals that are new.
pub(super) fn lines<'a>(
    journals: impl Iterator<Item = &'a Journal>,
) -> impl Iterator<Item = (Uzovi, &'a Posting)> {
    journals.flat_map(|journal| {
        let insurer = journal.insurer;
        journal.postings.iter().map(move |line| (insurer, line))
    })
}

/// SHA-256 of a claim's content. The trace context is none of it: it says how a claim came, not what it is.
fn content_digest(claim: &wire::Claim) -> [u8; 32] {
    let content = wire::Claim {
        traceparent: String::new(),
        ..claim.clone()
    };
    let digest = digest(&SHA256, &content.encode_to_vec());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn encode(allocated: &AllocatedClaim, sum: Cents) -> Vec<u8> {
    let parts = allocated.parts.iter().map(|part| wire::Part {
        insurer_uzovi: part.insurer.as_str().to_owned(),
        sector: part.sector.as_ref().to_owned(),
        cents: part.cents.get(),
        risk_class: part.risk_class.as_ref().to_owned(),
    });
    let stored = record::AllocatedClaim {
        claim: Some(allocated.claim.clone()),
        parts: parts.collect(),
        sum_cents: sum.get(),
    };
    stored.encode_to_vec()
}

/// A claim as it was stored; its sum is checked again.
pub(super) fn decode(body: &[u8]) -> Result<AllocatedClaim, StoreError> {
    let broken = |why: &str| StoreError::Failed(format!("a stored claim cannot be read: {why}"));
    let stored = record::AllocatedClaim::decode(body).map_err(|e| broken(&e.to_string()))?;
    let claim = stored.claim.ok_or_else(|| broken("it is empty"))?;
    let mut parts = Vec::with_capacity(stored.parts.len());
    let mut sum: i64 = 0;
    for part in stored.parts {
        let cents = Cents::new(part.cents).ok_or_else(|| broken("an amount is over the bound"))?;
        sum += cents.get();
        parts.push(Part {
            insurer: Uzovi::parse(&part.insurer_uzovi).ok_or_else(|| broken("no insurer"))?,
            sector: part.sector.into(),
            cents,
            risk_class: part.risk_class.into(),
        });
    }
    if sum != stored.sum_cents || sum != claim.awarded_cents {
        return Err(broken("its parts do not add up"));
    }
    Ok(AllocatedClaim { claim, parts })
}

/// What becomes of each row, given the digests of all claims that are stored of its messages.
pub(super) fn judge(rows: &[ClaimRow], stored: &BTreeMap<ClaimKey, Vec<u8>>) -> Vec<Recorded> {
    let known: BTreeSet<Unit> = stored.keys().map(|key| key.unit).collect();
    let judge = |row: &ClaimRow| match stored.get(&row.key) {
        Some(digest) if *digest == row.content_digest => Recorded::Before,
        Some(_) => Recorded::Differs,
        None if known.contains(&row.key.unit) => Recorded::Late,
        None => Recorded::New,
    };
    rows.iter().map(judge).collect()
}

/// The messages of a batch, each once, in order.
pub(super) fn units(rows: &[ClaimRow]) -> BTreeSet<Unit> {
    rows.iter().map(|row| row.key.unit).collect()
}

/// Events of the rows that are new, per insurer in UZOVI order, each in the order of the rows.
pub(super) fn new_events<'a>(rows: &[&'a ClaimRow]) -> BTreeMap<Uzovi, Vec<NewEvent<'a>>> {
    let mut events: BTreeMap<Uzovi, Vec<NewEvent<'a>>> = BTreeMap::new();
    for row in rows {
        for (insurer, cents) in &row.shares {
            let events = events.entry(*insurer).or_default();
            events.push(NewEvent { row, cents: *cents });
        }
    }
    events
}

/// The rows that were judged new.
pub(super) fn new_rows<'a>(rows: &'a [ClaimRow], judged: &[Recorded]) -> Vec<&'a ClaimRow> {
    rows.iter()
        .zip(judged)
        .filter(|(_, judged)| **judged == Recorded::New)
        .map(|(row, _)| row)
        .collect()
}

/// Databases have no unsigned numbers.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Failed(format!("{number} is over the bound")))
}

pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Failed(format!("{number} is negative")))
}

/// How many rows of a batch.
pub(super) fn counted(count: usize) -> i64 {
    i64::try_from(count).expect("a batch fits in memory")
}

/// An insurer as it was stored.
pub(super) fn uzovi(text: &str) -> Result<Uzovi, StoreError> {
    Uzovi::parse(text).ok_or_else(|| StoreError::Failed(format!("{text:?} is no UZOVI number")))
}
