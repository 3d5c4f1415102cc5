//! A credit reverses one claim that is recorded, whole, once.

use std::collections::BTreeMap;

use samenloop_adapters::settlement_store::{SettlementStore, StoreError};
use samenloop_domain::allocation::Part;
use samenloop_proto::settlement::v1 as wire;

use super::Judged;
use crate::reason::Reason;

/// Refuses the credits of a request whose original is not recorded before or with them, or that do not mirror it.
///
/// # Errors
/// [`StoreError`] where the database fails.
pub(super) async fn check(
    store: &SettlementStore,
    claims: &[wire::Claim],
    judged: &mut [Judged],
) -> Result<(), StoreError> {
    let credits: Vec<usize> = (0..claims.len())
        .filter(|place| is_credit(&claims[*place], &judged[*place]))
        .collect();
    if credits.is_empty() {
        return Ok(());
    }
    let ids = credits
        .iter()
        .map(|place| claims[*place].reverses_claim_id.clone());
    let recorded = store.originals(ids.collect()).await?;
    let ids = claims.iter().map(|claim| &*claim.claim_id);
    let places: BTreeMap<&str, usize> = ids.zip(0..).collect();
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for place in credits {
        let credit = &claims[place];
        let Judged::Allocated(_, parts) = &judged[place] else {
            continue;
        };
        let original = &*credit.reverses_claim_id;
        let own = &*credit.claim_id;
        let with_it = places
            .get(original)
            .and_then(|place| match &judged[*place] {
                Judged::Allocated(_, parts) => Some((&claims[*place], parts)),
                _ => None,
            });
        let found = recorded.get(original);
        let credited_by = found.and_then(|it| it.credited_by.as_deref());
        let credited_by = credited_by.or_else(|| taken.get(original).copied());
        let found = found
            .map(|it| (&it.claim.claim, &it.claim.parts))
            .or(with_it);
        let refusal = match found {
            None => Some(Reason::OriginalUnknown),
            Some(_) if credited_by.is_some_and(|by| by != own) => Some(Reason::OriginalCredited),
            Some((claim, _)) if claim.payee_agb != credit.payee_agb => Some(Reason::CreditDiffers),
            Some((_, of_original)) if !mirrors(parts, of_original) => Some(Reason::CreditDiffers),
            Some(_) => None,
        };
        match refusal {
            None => drop(taken.insert(original, own)),
            Some(reason) => judged[place] = Judged::Refused(reason),
        }
    }
    Ok(())
}

fn is_credit(claim: &wire::Claim, judged: &Judged) -> bool {
    !claim.reverses_claim_id.is_empty() && matches!(judged, Judged::Allocated(..))
}

fn mirrors(credit: &[Part], original: &[Part]) -> bool {
    let negated = |part: &Part| Part {
        cents: -part.cents,
        ..part.clone()
    };
    original.iter().map(negated).eq(credit.iter().cloned())
}
