//! Claims become journals and events: checked, split, booked, recorded; one receipt each.
//!
//! The claims of one version of a message are recorded together or not at all.

mod credits;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use prost::Message as _;
use samenloop_adapters::settlement_store::{
    AllocatedClaim, Recorded, SettlementBatch, SettlementStore, StoreError,
};
use samenloop_domain::{
    allocation::{InsuredMonths, Part, allocate, attribute},
    cents::{BasisPoints, Cents},
    declaration::Share,
    identifiers::{Agb, Sequence, Uzovi},
    ledger::{ClaimParts, post},
};
use samenloop_proto::settlement::v1::{self as wire, ClaimReceipt, ClaimState};

use crate::{commands::check::key, reason::Reason};

/// Claims in one request.
pub const CLAIMS_MAX: usize = 4096;

/// Bytes of one claim.
pub const CLAIM_BYTES_MAX: usize = 16 * 1024;

/// Parts of one key.
pub const SHARES_MAX: usize = 64;

/// A version of a message.
type Unit = (u64, u32);

/// What is known of a claim of a request.
enum Judged {
    /// Who is paid, and by whom.
    Allocated(Agb, Vec<Part>),
    /// As the claim at this place of the same request.
    Repeated(usize),
    /// It can never be recorded as it is.
    Refused(Reason),
}

/// Records what is new of `claims`; receipts in their order.
///
/// # Errors
/// [`StoreError`] where the database fails; nothing was recorded.
pub async fn handle_claims(
    store: &SettlementStore,
    claims: Vec<wire::Claim>,
    now: Timestamp,
) -> Result<Vec<ClaimReceipt>, StoreError> {
    let mut judged = judge(&claims);
    credits::check(store, &claims, &mut judged).await?;
    bound_messages(&claims, &mut judged);
    let (batch, places) = batch(&claims, &judged);
    let recorded = if batch.claims.is_empty() {
        Vec::new()
    } else {
        store.record(batch, now).await?
    };
    let recorded: BTreeMap<usize, Recorded> = places.into_iter().zip(recorded).collect();
    let answers: Vec<_> = (0..claims.len())
        .map(|place| answer(place, &judged, &recorded))
        .collect();
    let receipts = claims.into_iter().zip(answers);
    let receipts = receipts.map(|(claim, (state, reason))| ClaimReceipt {
        claim_id: claim.claim_id,
        state: state.into(),
        reason: reason.map_or_else(String::new, |reason| reason.name().to_owned()),
    });
    Ok(receipts.collect())
}

/// Refuses claims of a message whose amounts together are over the bound, so that its journals cannot be.
fn bound_messages(claims: &[wire::Claim], judged: &mut [Judged]) {
    let mut sums: BTreeMap<Unit, u64> = BTreeMap::new();
    for (claim, judged) in claims.iter().zip(judged) {
        if matches!(judged, Judged::Allocated(..)) {
            let sum = sums.entry(unit(claim)).or_default();
            *sum += claim.awarded_cents.unsigned_abs();
            if *sum > Cents::MAX.get().unsigned_abs() {
                *judged = Judged::Refused(Reason::AmountOutOfBounds);
            }
        }
    }
}

fn judge(claims: &[wire::Claim]) -> Vec<Judged> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut judged = Vec::with_capacity(claims.len());
    for (place, claim) in claims.iter().enumerate() {
        let first = *places.entry(&claim.claim_id).or_insert(place);
        judged.push(if first == place {
            match allocated(claim) {
                Ok((payee, parts)) => Judged::Allocated(payee, parts),
                Err(reason) => Judged::Refused(reason),
            }
        } else if claims[first] == *claim {
            Judged::Repeated(first)
        } else {
            Judged::Refused(Reason::ClaimDiffers)
        });
    }
    judged
}

/// The payee of a claim and its parts.
fn allocated(claim: &wire::Claim) -> Result<(Agb, Vec<Part>), Reason> {
    let wire::Claim {
        sequence,
        version,
        line_number,
        ..
    } = claim;
    if *sequence == 0 || claim.claim_id != format!("{sequence}.{version}.{line_number}") {
        return Err(Reason::ClaimIdInvalid);
    }
    if claim.encoded_len() > CLAIM_BYTES_MAX {
        return Err(Reason::ClaimTooLarge);
    }
    uuid::Uuid::parse_str(&claim.message_id).map_err(|_| Reason::MessageIdInvalid)?;
    let insurer = Uzovi::parse(&claim.insurer_uzovi).ok_or(Reason::InsurerInvalid)?;
    let payee = Agb::parse(&claim.payee_agb).ok_or(Reason::PayeeInvalid)?;
    let awarded = Cents::new(claim.awarded_cents).ok_or(Reason::AmountOutOfBounds)?;
    if (awarded < Cents::ZERO) == claim.reverses_claim_id.is_empty() {
        return Err(Reason::SignInvalid);
    }
    let mut insurer_shares = key(&claim.insurer_shares)?;
    if insurer_shares.is_empty() {
        insurer_shares.push(Share {
            key: insurer.as_str().into(),
            basis_points: BasisPoints::WHOLE,
        });
    }
    let sector_shares = key(&claim.sector_shares)?;
    check_domains(&claim.domain_shares)?;
    let parts = allocate(awarded, &insurer_shares, &sector_shares);
    let parts = parts.map_err(|_| Reason::KeyInvalid)?;
    Ok((payee, attributed(claim, parts)?))
}

/// The declared amount is the part of the Zvw already, so a programme without one has nothing to be settled.
fn check_domains(domains: &[wire::Share]) -> Result<(), Reason> {
    let zvw = domains.iter().find(|share| share.key == "ZVW");
    let is_zvw = domains.is_empty() || zvw.is_some_and(|share| share.basis_points > 0);
    let fits = domains.len() <= SHARES_MAX;
    (is_zvw && fits).then_some(()).ok_or(Reason::DomainInvalid)
}

/// The parts by class of insured, where the claim says by which months; as they are where it does not.
fn attributed(claim: &wire::Claim, parts: Vec<Part>) -> Result<Vec<Part>, Reason> {
    if claim.insured_months.is_empty() {
        return Ok(parts);
    }
    let months = claim.insured_months.iter().map(|it| InsuredMonths {
        risk_class: it.risk_class.as_str().into(),
        months: it.months,
    });
    let months: Vec<InsuredMonths> = months.collect();
    let classes: BTreeSet<&str> = months.iter().map(|it| &*it.risk_class).collect();
    let is_exempt = claim.attribution_exception() != wire::AttributionException::Unspecified;
    let is_sound = classes.len() == months.len() && !classes.contains("");
    if is_exempt || !is_sound || months.len() > SHARES_MAX {
        return Err(Reason::AttributionInvalid);
    }
    attribute(&parts, &months).map_err(|_| Reason::AttributionInvalid)
}

/// What is to be recorded, and the place of each of its claims in the request.
fn batch(claims: &[wire::Claim], judged: &[Judged]) -> (SettlementBatch, Vec<usize>) {
    let refused = refused_units(claims, judged);
    let mut batch = SettlementBatch::default();
    let mut places = Vec::new();
    let mut units: BTreeMap<Unit, Vec<ClaimParts<'_>>> = BTreeMap::new();
    for (place, (claim, judged)) in claims.iter().zip(judged).enumerate() {
        let Judged::Allocated(payee, parts) = judged else {
            continue;
        };
        if refused.contains(&unit(claim)) {
            continue;
        }
        let payee = *payee;
        let booked = units.entry(unit(claim)).or_default();
        booked.push(ClaimParts { payee, parts });
        batch.claims.push(AllocatedClaim {
            claim: claim.clone(),
            parts: parts.clone(),
        });
        places.push(place);
    }
    for ((sequence, version), claims) in units {
        let journals = post(Sequence(sequence), version, &claims);
        batch.journals.extend(journals);
    }
    (batch, places)
}

/// Versions of messages of which a claim is refused.
fn refused_units(claims: &[wire::Claim], judged: &[Judged]) -> BTreeSet<Unit> {
    claims
        .iter()
        .zip(judged)
        .filter(|(_, judged)| matches!(judged, Judged::Refused(_)))
        .map(|(claim, _)| unit(claim))
        .collect()
}

fn unit(claim: &wire::Claim) -> Unit {
    (claim.sequence, claim.version)
}

fn answer(
    place: usize,
    judged: &[Judged],
    recorded: &BTreeMap<usize, Recorded>,
) -> (ClaimState, Option<Reason>) {
    let refused = |reason| (ClaimState::Refused, Some(reason));
    match &judged[place] {
        Judged::Refused(reason) => refused(*reason),
        Judged::Repeated(first) => match answer(*first, judged, recorded) {
            (ClaimState::Recorded, _) => (ClaimState::AlreadyRecorded, None),
            other => other,
        },
        Judged::Allocated(..) => match recorded.get(&place) {
            Some(Recorded::New) => (ClaimState::Recorded, None),
            Some(Recorded::Before) => (ClaimState::AlreadyRecorded, None),
            Some(Recorded::Differs) => refused(Reason::ClaimDiffers),
            Some(Recorded::Late) => refused(Reason::MessageRecorded),
            None => refused(Reason::MessageRefused),
        },
    }
}
