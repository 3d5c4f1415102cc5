//! Claims, entries and budgets of the ledger, insurer by insurer.

use samenloop_domain::{
    identifiers::{ContractId, Uzovi},
    period::Period,
    reference::Reference,
    report::{
        Asked, Source, agreements,
        money::{self, Charge, ChargedClaim, ChargedEntry, EntryOf, RecordedBudget},
    },
};
use samenloop_proto::settlement::v1 as wire;

use super::{Sink, emit};
use crate::{
    clock::receipt_date,
    decision_store::StoreError,
    settlement_store::{
        AllocatedClaim, Item, SettlementStore, StreamHead,
        commands::{ClaimFilter, EntryCosts},
    },
};

/// Claims, commands or budgets read at a time.
const PAGE: u32 = 500;

/// Everything of the insurers asked, up to where their streams stand now.
///
/// Without reference data nobody knows of which kind or region the contract of an entry is: then all count.
pub(super) async fn gather(
    store: &SettlementStore,
    reference: Option<&Reference>,
    asked: &Asked,
    sink: &mut Sink<'_>,
) -> Result<(), StoreError> {
    for head in store.stream_heads().await? {
        if asked.insurer.is_none_or(|it| it == head.insurer) {
            claims(store, &head, asked, sink).await?;
            let kinds = Kinds { reference, asked };
            entries(store, head.insurer, &kinds, sink).await?;
            budgets(store, head.insurer, &kinds, sink).await?;
        }
    }
    Ok(())
}

/// Which contracts are asked.
struct Kinds<'a> {
    reference: Option<&'a Reference>,
    asked: &'a Asked,
}

impl Kinds<'_> {
    fn of(&self, contract: &str) -> EntryOf {
        let is_all = self.asked.kinds.is_none() && self.asked.region.is_none();
        let Some(reference) = self.reference.filter(|_| !is_all) else {
            return EntryOf::KindsAsked;
        };
        let found = reference.contracts.get(&ContractId::new(contract));
        let of = found.map(|it| agreements::of_contract(it, reference, self.asked));
        of.unwrap_or(EntryOf::Others)
    }
}

async fn claims(
    store: &SettlementStore,
    head: &StreamHead,
    asked: &Asked,
    sink: &mut Sink<'_>,
) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let filter = ClaimFilter {
            begins: Some(asked.days),
            ..ClaimFilter::default()
        };
        let page = store.claim_page(head.insurer, filter, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.position;
        for event in page {
            if event.position > head.position {
                return Ok(());
            }
            if let Item::Claim(allocated) = &event.item {
                let id = allocated.claim.claim_id.as_str().into();
                let source = Source::Claim(head.insurer, id);
                let claim = charged(head.insurer, allocated)?;
                emit(&source, sink, |emit| money::claim(&claim, asked, emit));
            }
        }
    }
}

/// A claim as far as an insurer bears it.
///
/// # Errors
/// [`StoreError`] where it holds no day.
pub fn charged(insurer: Uzovi, allocated: &AllocatedClaim) -> Result<ChargedClaim, StoreError> {
    let claim = &allocated.claim;
    let parts = allocated.parts.iter().filter(|it| it.insurer == insurer);
    Ok(ChargedClaim {
        insurer,
        kind: claim.kind.as_str().into(),
        contract: some(&claim.contract_id),
        region: some(&claim.region),
        first_day: day(&claim.first)?,
        charges: parts
            .map(|part| Charge {
                sector: part.sector.clone(),
                cents: part.cents,
            })
            .collect(),
    })
}

async fn entries(
    store: &SettlementStore,
    insurer: Uzovi,
    kinds: &Kinds<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), StoreError> {
    let (mut after, mut last) = (0, u64::MAX);
    while after < last {
        let (newest, page) = store.entry_costs(insurer, after, PAGE).await?;
        // What is recorded meanwhile is of the next report.
        last = last.min(newest);
        for found in page.iter().filter(|it| it.entry.number <= last) {
            let source = Source::Entry(insurer, found.entry.number);
            let entry = charged_entry(insurer, found);
            let of = kinds.of(&found.entry.contract_id);
            emit(&source, sink, |emit| {
                money::entry(&entry, kinds.asked, of, emit)
            });
        }
        after += u64::from(PAGE);
    }
    Ok(())
}

fn charged_entry(insurer: Uzovi, found: &EntryCosts) -> ChargedEntry {
    let charge = |(sector, cents): &(Box<str>, _)| Charge {
        sector: sector.clone(),
        cents: *cents,
    };
    ChargedEntry {
        insurer,
        contract: some(&found.entry.contract_id),
        day: (found.budget_first).unwrap_or_else(|| receipt_date(found.recorded_at)),
        charges: found.costs.iter().map(charge).collect(),
    }
}

async fn budgets(
    store: &SettlementStore,
    insurer: Uzovi,
    kinds: &Kinds<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let page = store.budget_page(insurer, &after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after.clone_from(&last.budget_id);
        for found in &page {
            let source = Source::Budget(insurer, found.budget_id.as_str().into());
            let budget = recorded(insurer, found)?;
            let of = kinds.of(&found.contract_id);
            emit(&source, sink, |emit| {
                money::budget(&budget, kinds.asked, of, emit)
            });
        }
    }
}

fn recorded(
    insurer: Uzovi,
    found: &wire::RecordBudgetRequest,
) -> Result<RecordedBudget, StoreError> {
    let foreign = || StoreError::Failed(format!("budget {} cannot be read", found.budget_id));
    let period = Period::new(day(&found.first)?, day(&found.last)?);
    Ok(RecordedBudget {
        insurer,
        budget_id: found.budget_id.as_str().into(),
        contract: some(&found.contract_id),
        period: period.ok_or_else(foreign)?,
        agreed: samenloop_domain::cents::Cents::new(found.budget_cents).ok_or_else(foreign)?,
    })
}

fn some<T: for<'a> From<&'a str>>(text: &str) -> Option<T> {
    (!text.is_empty()).then(|| text.into())
}

fn day(text: &str) -> Result<samenloop_domain::period::Day, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Failed(format!("{text:?} is no day")))
}
