//! What a contract says beside prices: who follows whom, whom it serves, bounds, budgets, dated facts, KPIs.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use samenloop_domain::{
    cents::{BasisPoints, Cents},
    identifiers::{RegionCode, Uzovi},
    reference::{
        AdzConfirmation, BoundInsurer, Budget, Catchment, Ceiling, DatedAmount, Ground, Kpi,
        KpiTarget, Measured, Stance,
    },
    tarief::Tarief,
};

use super::{
    contracts::{OneContract, WHOLE},
    known_prestatie, period,
};
use crate::reference::{
    data::{BoundInsurerEntry, BudgetEntry, DatedAmountEntry, GroundEntry, KpiEntry},
    words::{BillingWord, PurchaseModel, StanceWord},
};

/// Most shares of one bound at which it is signalled.
const SIGNALS_MAX: usize = 10;
/// Most that may be agreed of the grounds of a budget: three times, far over what any norm allows.
const AGREED_BASIS_POINTS_MAX: u32 = 30_000;
/// Most insurers that negotiate for others. Source: 001_391917b9bc3bdc5d.txt, 4.6.3 (one or two).
const NEGOTIATORS_MAX: usize = 2;

impl OneContract<'_> {
    /// The insurers with their shares; who negotiated, and who may deviate or step out, follows from the model.
    pub(super) fn insurers(&mut self) -> Vec<BoundInsurer> {
        let mut bound: Vec<BoundInsurer> = Vec::new();
        for entry in &self.value.insurers {
            let number = self.uzovi("insurers", &entry.uzovi);
            let share = self.share_of(entry.share);
            if bound.iter().any(|it| Some(it.uzovi) == number) {
                let problem = format!("insurer {} is bound twice", entry.uzovi);
                self.fault("insurers", problem, "add the two shares");
            }
            let stance = self.stance(entry);
            bound.extend(number.zip(share).map(|(uzovi, share)| BoundInsurer {
                uzovi,
                share,
                stance,
            }));
        }
        let shares = self.value.insurers.iter().map(|it| u64::from(it.share));
        let sum: u64 = shares.sum();
        if sum != u64::from(WHOLE) {
            let problem = format!("the shares of the insurers come to {sum}");
            self.fault("insurers", problem, "let them come to 10000");
        }
        bound
    }

    fn stance(&mut self, entry: &BoundInsurerEntry) -> Stance {
        let follows = self.value.purchase_model == PurchaseModel::Volgbeleid;
        if entry.stance != StanceWord::Follows && !follows {
            let problem = format!(
                "insurer {} follows nobody, so it cannot depart",
                entry.uzovi
            );
            let remedy = "let `purchase_model` be volgbeleid, or remove its `stance`";
            self.fault("insurers", problem, remedy);
        }
        let mut own = BTreeMap::new();
        for it in &entry.tarieven {
            let key = known_prestatie(self.data, self.origin, "insurers", (&it.list, &it.code));
            let agreed = self.value.prestaties.iter();
            if !agreed
                .into_iter()
                .any(|of| of.list == it.list && of.code == it.code)
            {
                let problem = format!(
                    "{} deviates in {}, which it does not cover",
                    entry.uzovi, it.code
                );
                self.fault("insurers", problem, "add it to [[prestaties]]");
            }
            let tarief = self.tarief("insurers", &it.tarief);
            own.extend(self.faults.ok(key).zip(tarief));
        }
        let deviates = entry.stance == StanceWord::Deviates;
        if deviates == own.is_empty() {
            let problem = format!(
                "insurer {} and its own tarieven contradict each other",
                entry.uzovi
            );
            let remedy = "write `tarieven` if, and only if, its `stance` is deviates";
            self.fault("insurers", problem, remedy);
        }
        if deviates && self.value.billing == BillingWord::LeadInsurer {
            let problem = format!("insurer {} deviates, and is not billed itself", entry.uzovi);
            self.fault("insurers", problem, "let `billing` be each_insurer");
        }
        match entry.stance {
            StanceWord::Follows => Stance::Follows,
            StanceWord::Deviates => Stance::Deviates(own),
            StanceWord::OptedOut => Stance::OptedOut,
        }
    }

    /// Nobody buys for others in concurrentie; one or two do in the other models.
    pub(super) fn negotiators(&mut self) -> BTreeSet<Uzovi> {
        let value = self.value;
        let mut negotiators = BTreeSet::new();
        for text in &value.negotiators {
            negotiators.extend(self.uzovi("negotiators", text));
            let stands = value.insurers.iter().find(|it| it.uzovi == *text);
            if stands.is_none_or(|it| it.stance != StanceWord::Follows) {
                let problem =
                    format!("insurer {text} negotiated it, and is not bound by it as agreed");
                self.fault(
                    "negotiators",
                    problem,
                    "name a bound insurer that departs in nothing",
                );
            }
        }
        let alone = value.purchase_model == PurchaseModel::Concurrentie;
        if alone && (!value.negotiators.is_empty() || value.insurers.len() > 1) {
            let problem = "in concurrentie every insurer buys for itself";
            self.fault(
                "purchase_model",
                problem,
                "make a contract for each insurer, or name who negotiated",
            );
        }
        if !alone && !(1..=NEGOTIATORS_MAX).contains(&value.negotiators.len()) {
            let problem = format!(
                "{} insurers negotiated it for the others",
                value.negotiators.len()
            );
            self.fault("negotiators", problem, "name the one or two that did");
        }
        negotiators
    }

    pub(super) fn catchment(&mut self) -> Option<Catchment> {
        let entry = self.value.catchment.as_ref()?;
        if entry.inhabitants == 0 || entry.regions.is_empty() {
            let remedy = "name its regions, and how many people live there";
            self.fault("catchment", "nobody lives in it", remedy);
        }
        let region = self.value.region.as_ref();
        if region.is_some_and(|it| !entry.regions.contains(it)) {
            let remedy = "add the region of the contract to it";
            self.fault(
                "catchment",
                "the region of the contract is not in it",
                remedy,
            );
        }
        Some(Catchment {
            regions: entry.regions.iter().map(RegionCode::new).collect(),
            inhabitants: entry.inhabitants,
            counted_on: entry.counted_on,
        })
    }

    pub(super) fn ceilings(&mut self) -> Vec<Ceiling> {
        let mut ceilings: Vec<Ceiling> = Vec::new();
        for entry in &self.value.ceilings {
            let span = period(self.origin, &entry.name, entry.first, entry.last);
            let span = self.faults.ok(span);
            let cents = self.amount("ceilings", &entry.name, entry.cents);
            if ceilings.iter().any(|it| *it.name == *entry.name) {
                let problem = format!("two ceilings are named {}", entry.name);
                self.fault("ceilings", problem, "rename one");
            }
            let signals = self.signals("ceilings", &entry.name, &entry.signals);
            ceilings.extend(span.zip(cents).map(|(period, cents)| Ceiling {
                name: entry.name.as_str().into(),
                period,
                cents,
                signals,
            }));
        }
        ceilings
    }

    pub(super) fn budgets(&mut self) -> Vec<Budget> {
        let value = self.value;
        let mut budgets: Vec<Budget> = Vec::new();
        for entry in &value.budgets {
            let names = value.ceilings.iter().map(|it| &it.name);
            let mut names = names.chain(value.budgets.iter().map(|it| &it.name));
            if names.by_ref().filter(|name| **name == entry.name).count() > 1 {
                let problem = format!("budget {} has the name of another bound", entry.name);
                self.fault("budgets", problem, "rename one");
            }
            if entry.first < value.first || value.last < entry.last {
                let problem = format!("budget {} is not within the contract", entry.name);
                self.fault("budgets", problem, "keep it between `first` and `last`");
            }
            budgets.extend(self.budget(entry));
        }
        budgets
    }

    fn budget(&mut self, entry: &BudgetEntry) -> Option<Budget> {
        let span = period(self.origin, &entry.name, entry.first, entry.last);
        let span = self.faults.ok(span);
        let grounds: Vec<Ground> = (entry.grounds.iter())
            .filter_map(|it| self.ground(&entry.name, it))
            .collect();
        if entry.grounds.is_empty() {
            let problem = format!("budget {} rests on nothing", entry.name);
            self.fault(
                "budgets",
                problem,
                "write its `grounds`: capacity, population or macro_share",
            );
        }
        let signals = self.signals("budgets", &entry.name, &entry.signals);
        if !(1..=AGREED_BASIS_POINTS_MAX).contains(&entry.agreed_basis_points) {
            let problem = format!(
                "{} is no share of budget {}",
                entry.agreed_basis_points, entry.name
            );
            self.fault("budgets", problem, "write 9000 for 90 %, at most 30000");
            return None;
        }
        let base = grounds
            .iter()
            .try_fold(Cents::ZERO, |sum, it| sum.checked_add(size_of(it)?));
        let agreed = base.and_then(|base| {
            let cents = i128::from(base.get()) * i128::from(entry.agreed_basis_points) / 10_000;
            Some((base, Cents::new(i64::try_from(cents).ok()?)?))
        });
        let Some((base, cents)) = agreed else {
            let problem = format!("budget {} is over 10^13 cents", entry.name);
            self.fault("budgets", problem, "look at its grounds");
            return None;
        };
        Some(Budget {
            name: entry.name.as_str().into(),
            period: span?,
            grounds,
            base,
            agreed_basis_points: entry.agreed_basis_points,
            cents,
            signals,
        })
    }

    fn ground(&mut self, name: &str, entry: &GroundEntry) -> Option<Ground> {
        match entry {
            GroundEntry::Capacity { units, rate } => Some(Ground::Capacity {
                units: *units,
                rate: self.tarief("budgets", rate)?,
            }),
            GroundEntry::Population { inhabitants, rate } => {
                let counted = self.value.catchment.as_ref().map(|it| it.inhabitants);
                if counted != Some(*inhabitants) {
                    let problem =
                        format!("budget {name} is not for the inhabitants of its catchment");
                    self.fault("budgets", problem, "write `catchment` with the same number");
                }
                Some(Ground::Population {
                    inhabitants: *inhabitants,
                    rate: self.tarief("budgets", rate)?,
                })
            }
            GroundEntry::MacroShare { cents, share } => Some(Ground::MacroShare {
                whole: self.amount("budgets", name, *cents)?,
                share: self.share_of(*share)?,
            }),
        }
    }

    fn signals(&mut self, field: &str, name: &str, shares: &[u32]) -> Vec<BasisPoints> {
        let ascending = shares.windows(2).all(|two| two[0] < two[1]);
        let fits = shares.iter().all(|share| (1..=WHOLE).contains(share));
        if !ascending || !fits || shares.len() > SIGNALS_MAX {
            let problem = format!("the signals of {name} are no ascending shares");
            self.fault(
                field,
                problem,
                "write at most ten of 1 to 10000, such as [8000, 9500]",
            );
        }
        shares
            .iter()
            .filter_map(|share| BasisPoints::new(*share))
            .collect()
    }

    fn amount(&mut self, field: &str, name: &str, cents: i64) -> Option<Cents> {
        let amount = Cents::new(cents).filter(|cents| *cents > Cents::ZERO);
        if amount.is_none() {
            let what = field.trim_end_matches('s');
            let problem = format!("{what} {name} is not an amount");
            self.fault(field, problem, "write cents, above 0 and at most 10^13");
        }
        amount
    }

    fn tarief(&mut self, field: &str, text: &str) -> Option<Tarief> {
        let tarief = Tarief::parse(text);
        if tarief.is_none() {
            let problem = format!("`{text}` is not a tarief");
            self.fault(
                field,
                problem,
                "write euro with at most four decimals, such as \"25.00\"",
            );
        }
        tarief
    }

    pub(super) fn dated_amounts(
        &mut self,
        field: &str,
        entries: &[DatedAmountEntry],
    ) -> Vec<DatedAmount> {
        let mut amounts = Vec::new();
        for entry in entries {
            if entry.of.trim().is_empty() {
                let problem = format!("the {field} of {} is of nothing", entry.on);
                self.fault(field, problem, "write `of`: whose funding is less by it");
            }
            let cents = self.amount(field, &entry.of, entry.cents);
            amounts.extend(cents.map(|cents| DatedAmount {
                on: entry.on,
                cents,
                of: entry.of.clone(),
            }));
        }
        amounts
    }

    pub(super) fn adz(&self) -> Option<AdzConfirmation> {
        self.value.adz.as_ref().map(|it| AdzConfirmation {
            direct_support_on: it.direct_support_on,
            benefits_own_insured_on: it.benefits_own_insured_on,
            quality_with_provider_on: it.quality_with_provider_on,
        })
    }

    pub(super) fn kpis(&mut self) -> Vec<Kpi> {
        let mut names = BTreeSet::new();
        let mut kpis = Vec::new();
        for entry in &self.value.kpis {
            if !names.insert(entry.name.as_str()) {
                let problem = format!("two KPIs are named {}", entry.name);
                self.fault("kpis", problem, "rename one");
            }
            if entry.consequence.trim().is_empty() {
                let problem = format!("nothing follows from KPI {}", entry.name);
                self.fault("kpis", problem, "write `consequence`");
            }
            kpis.extend(self.kpi(entry));
        }
        kpis
    }

    fn kpi(&mut self, entry: &KpiEntry) -> Option<Kpi> {
        let mut number = |text: &str| {
            let value = Decimal::from_str_exact(text).ok();
            if value.is_none() {
                let problem = format!("`{text}` of KPI {} is not a number", entry.name);
                self.fault("kpis", problem, "write digits, such as \"92.5\"");
            }
            value
        };
        let target = match (&entry.at_least, &entry.at_most) {
            (Some(text), None) => number(text).map(KpiTarget::AtLeast),
            (None, Some(text)) => number(text).map(KpiTarget::AtMost),
            _ => {
                let problem = format!("KPI {} does not have one target", entry.name);
                self.fault("kpis", problem, "write `at_least` or `at_most`");
                return None;
            }
        };
        let measured = match (&entry.measured, entry.measured_on) {
            (Some(text), Some(on)) => number(text).map(|value| Measured { value, on }),
            (None, None) => None,
            _ => {
                let problem = format!("KPI {} has a value or a day of measuring alone", entry.name);
                self.fault("kpis", problem, "write both `measured` and `measured_on`");
                None
            }
        };
        Some(Kpi {
            name: entry.name.clone(),
            target: target?,
            measured,
            consequence: entry.consequence.clone(),
        })
    }
}

/// What a ground comes to, unless it is over the bound of amounts.
fn size_of(ground: &Ground) -> Option<Cents> {
    match ground {
        Ground::Capacity { units, rate } => rate.times(*units),
        Ground::Population { inhabitants, rate } => rate.times(*inhabitants),
        Ground::MacroShare { whole, share } => Some(whole.share_rounded_down(*share)),
    }
}
