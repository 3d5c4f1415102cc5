//! Claims and batches as the service makes them.

use jiff::Timestamp;
use samenloop_adapters::{
    fault_plan::FaultPlan,
    settlement_store::{
        AllocatedClaim, Item, Recorded, SettlementBatch, SettlementStore, StoredEvent,
    },
};
use samenloop_domain::{
    allocation::allocate,
    cents::{BasisPoints, Cents},
    declaration::Share,
    identifiers::{Agb, Sequence, Uzovi},
    ledger::{ClaimParts, post},
};
use samenloop_proto::settlement::v1::Claim;
use uuid::Uuid;

use crate::database::Database;

/// Name of the store's schema on PostgreSQL.
pub(super) const SCHEMA: &str = "settlement";

/// The insurers of every key here.
pub(super) const INSURERS: [&str; 3] = ["3311", "7095", "7119"];

pub(super) async fn open(database: &Database) -> SettlementStore {
    open_with(database, FaultPlan::default()).await
}

pub(super) async fn open_with(database: &Database, faults: FaultPlan) -> SettlementStore {
    SettlementStore::open(&database.url, faults).await.unwrap()
}

pub(super) fn uzovi(text: &str) -> Uzovi {
    Uzovi::parse(text).unwrap()
}

pub(super) fn message_id(sequence: u64) -> Uuid {
    Uuid::from_u128(u128::from(sequence))
}

/// Whole microseconds, as databases keep.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::new(1_764_000_000 + second, 123_456_000).unwrap()
}

fn share(key: &str, basis_points: u32) -> Share {
    Share {
        key: key.into(),
        basis_points: BasisPoints::new(basis_points).unwrap(),
    }
}

/// A claim of `awarded` cents: 50, 30 and 20 % to the three insurers, half to each of two sectors.
pub(super) fn claim(sequence: u64, line_number: u32, awarded: i64) -> AllocatedClaim {
    claim_of(sequence, 1, line_number, awarded)
}

pub(super) fn claim_of(
    sequence: u64,
    version: u32,
    line_number: u32,
    awarded: i64,
) -> AllocatedClaim {
    let insurers = [
        share("3311", 5000),
        share("7095", 3000),
        share("7119", 2000),
    ];
    let sectors = [share("WV", 5000), share("HA", 5000)];
    AllocatedClaim {
        claim: Claim {
            claim_id: format!("{sequence}.{version}.{line_number}"),
            sequence,
            version,
            line_number,
            message_id: message_id(sequence).to_string(),
            line_reference: format!("R{line_number}"),
            payee_agb: "53530001".to_owned(),
            insurer_uzovi: "3311".to_owned(),
            awarded_cents: awarded,
            ..Claim::default()
        },
        parts: allocate(Cents::new(awarded).unwrap(), &insurers, &sectors).unwrap(),
    }
}

/// The claims with their journals, one set for each version of a message.
pub(super) fn batch(claims: Vec<AllocatedClaim>) -> SettlementBatch {
    let payee = Agb::parse("53530001").unwrap();
    let unit = |claim: &AllocatedClaim| (claim.claim.sequence, claim.claim.version);
    let mut journals = Vec::new();
    for claims in claims.chunk_by(|a, b| unit(a) == unit(b)) {
        let parts: Vec<_> = claims
            .iter()
            .map(|claim| ClaimParts {
                payee,
                parts: &claim.parts,
            })
            .collect();
        let (sequence, version) = unit(&claims[0]);
        journals.extend(post(Sequence(sequence), version, &parts));
    }
    SettlementBatch { claims, journals }
}

/// A message of three lines.
pub(super) fn message(sequence: u64) -> SettlementBatch {
    let lines = (1..=3).map(|line| claim(sequence, line, 1000 * i64::from(line) + 1));
    batch(lines.collect())
}

pub(super) async fn record(store: &SettlementStore, batch: SettlementBatch) -> Vec<Recorded> {
    store.record(batch, at(0)).await.unwrap()
}

/// The claim of an event, with the parts of its insurer.
pub(super) fn claim_in(event: &StoredEvent) -> &AllocatedClaim {
    match &event.item {
        Item::Claim(claim) => claim,
        Item::Entry(entry) => panic!("it is of an entry: {entry:?}"),
    }
}

/// All events of an insurer, read in pages of seven.
pub(super) async fn events(store: &SettlementStore, insurer: &str) -> Vec<StoredEvent> {
    let mut events = Vec::new();
    loop {
        let after = u64::try_from(events.len()).unwrap();
        let page = store.events(uzovi(insurer), after, 7).await.unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}
