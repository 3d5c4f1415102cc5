//! Contracts: what they name must exist, and what is shared must be shared whole.

use std::collections::{BTreeMap, BTreeSet};

use samenloop_domain::{
    cents::BasisPoints,
    declaration::{PrestatieKey, Share},
    identifiers::{ActivityCode, Agb, ContractId, GroupId, RegionCode, Uzovi},
    reference::{Billing, Contract, ContractPrestatie, ContractTerm},
    tarief::Tarief,
};

use super::{Faults, agb, known_prestatie, period, unique, uzovi};
use crate::reference::{
    data::{ContractEntry, ContractPrestatieEntry, ReferenceData, ShareEntry, TermEntry},
    fault::{Entry, Origin},
    words::{self, BillingWord},
};

/// The whole that shares must come to.
pub(super) const WHOLE: u32 = 10_000;

pub(super) fn contracts(
    data: &ReferenceData,
    faults: &mut Faults,
) -> BTreeMap<ContractId, Contract> {
    unique(&data.contracts, faults, |it| {
        (&it.id, format!("contract {}", it.id))
    });
    let known = Known::of(data);
    let mut contracts = BTreeMap::new();
    for Entry { value, origin } in &data.contracts {
        let mut one = OneContract {
            data,
            known: &known,
            value,
            origin,
            faults,
        };
        if let Some(contract) = one.build() {
            contracts.insert(ContractId::new(&value.id), contract);
        }
    }
    contracts
}

/// Codes that a contract may name.
struct Known<'a> {
    providers: BTreeSet<&'a str>,
    insurers: BTreeSet<&'a str>,
    groups: BTreeSet<&'a str>,
    activities: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(data: &'a ReferenceData) -> Self {
        Self {
            providers: data
                .providers
                .iter()
                .map(|it| it.value.agb.as_str())
                .collect(),
            insurers: data
                .insurers
                .iter()
                .map(|it| it.value.uzovi.as_str())
                .collect(),
            groups: data.groups.iter().map(|it| it.value.id.as_str()).collect(),
            activities: data
                .activities
                .iter()
                .map(|it| it.value.code.as_str())
                .collect(),
        }
    }
}

pub(super) struct OneContract<'a> {
    pub(super) data: &'a ReferenceData,
    known: &'a Known<'a>,
    pub(super) value: &'a ContractEntry,
    pub(super) origin: &'a Origin,
    pub(super) faults: &'a mut Faults,
}

impl OneContract<'_> {
    fn build(&mut self) -> Option<Contract> {
        let value = self.value;
        let term = period(self.origin, "the term", value.first, value.last);
        let term = self.faults.ok(term);
        let declarants = self.agbs("declarants", &value.declarants);
        if value.declarants.is_empty() {
            self.fault(
                "declarants",
                "nobody may declare under it",
                "name an AGB code",
            );
        }
        let insurers = self.insurers();
        let billing = self.billing();
        let hybrid_deduction = value.hybrid_deduction.and_then(|it| self.share_of(it));
        let prestaties = self.prestaties();
        if prestaties.is_empty() {
            self.fault("prestaties", "it covers no prestatie", "add [[prestaties]]");
        }
        let ceilings = self.ceilings();
        let budgets = self.budgets();
        self.check_months();
        self.check_state();
        Some(Contract {
            declarants,
            participants: self.agbs("participants", &value.participants),
            third_parties: value.third_parties.clone(),
            insurers,
            purchase_model: value.purchase_model.into(),
            negotiators: self.negotiators(),
            billing: billing?,
            state: value.state.into(),
            written: value.written,
            signed_on: value.signed_on,
            term: term?,
            prestaties,
            groups: self.groups("groups", &value.groups),
            overlapping_groups: self.groups("overlapping_groups", &value.overlapping_groups),
            region: value.region.as_deref().map(RegionCode::new),
            catchment: self.catchment(),
            regioplan: value.regioplan.clone(),
            activities: self.activities(),
            hybrid_deduction,
            ceilings,
            budgets,
            submission_months: value.submission_months,
            resubmission_months: value.resubmission_months,
            eigen_risico_exempt: value.eigen_risico_exempt,
            agreed_parts: self.agreed_parts(),
            schoning: self.dated_amounts("schoning", &value.schoning),
            substitution: self.dated_amounts("substitution", &value.substitution),
            adz: self.adz(),
            kpis: self.kpis(),
        })
    }

    pub(super) fn fault(&mut self, field: &str, problem: impl Into<String>, remedy: &str) {
        let problem = format!("contract {}: {}", self.value.id, problem.into());
        self.faults
            .add(self.origin.field_fault(field, problem, remedy));
    }

    pub(super) fn share_of(&mut self, basis_points: u32) -> Option<BasisPoints> {
        let share = BasisPoints::new(basis_points);
        if share.is_none() {
            let problem = format!("{basis_points} basis points is over the whole");
            self.fault("", problem, "write at most 10000");
        }
        share
    }

    fn agbs(&mut self, field: &str, texts: &[String]) -> BTreeSet<Agb> {
        let mut codes = BTreeSet::new();
        for text in texts {
            if !self.known.providers.contains(text.as_str()) {
                let problem = format!("provider {text} is unknown");
                self.fault(
                    field,
                    problem,
                    "add it to providers.toml, or correct the code",
                );
            }
            codes.extend(self.faults.ok(agb(self.origin, field, text)));
        }
        codes
    }

    pub(super) fn uzovi(&mut self, field: &str, text: &str) -> Option<Uzovi> {
        if !self.known.insurers.contains(text) {
            let problem = format!("insurer {text} is unknown");
            self.fault(
                field,
                problem,
                "add it to insurers.toml, or correct the number",
            );
        }
        self.faults.ok(uzovi(self.origin, field, text))
    }

    fn billing(&mut self) -> Option<Billing> {
        match (self.value.billing, &self.value.lead_insurer) {
            (BillingWord::EachInsurer, None) => Some(Billing::EachInsurer),
            (BillingWord::EachInsurer, Some(_)) => {
                let problem = "each insurer is billed, so there is no lead";
                self.fault("lead_insurer", problem, "remove `lead_insurer`");
                None
            }
            (BillingWord::LeadInsurer, Some(lead)) => {
                if !self.value.insurers.iter().any(|it| it.uzovi == *lead) {
                    let problem = format!("lead insurer {lead} is not one of its insurers");
                    self.fault("lead_insurer", problem, "name a bound insurer");
                }
                self.uzovi("lead_insurer", lead).map(Billing::LeadInsurer)
            }
            (BillingWord::LeadInsurer, None) => {
                let problem = "the lead insurer is billed but not named";
                self.fault("billing", problem, "write `lead_insurer`");
                None
            }
        }
    }

    fn groups(&mut self, field: &str, ids: &[String]) -> BTreeSet<GroupId> {
        for id in ids {
            if !self.known.groups.contains(id.as_str()) {
                let problem = format!("group {id} is unknown");
                self.fault(field, problem, "add it to groups.toml, or correct the id");
            }
        }
        ids.iter().map(GroupId::new).collect()
    }

    fn activities(&mut self) -> BTreeSet<ActivityCode> {
        for code in &self.value.activities {
            if !self.known.activities.contains(code.as_str()) {
                let problem = format!("activity {code} is unknown");
                let remedy = "add it to activities.toml, or correct the code";
                self.fault("activities", problem, remedy);
            }
        }
        self.value
            .activities
            .iter()
            .map(ActivityCode::new)
            .collect()
    }

    fn agreed_parts(&mut self) -> BTreeSet<PrestatieKey> {
        let mut parts = BTreeSet::new();
        for key in &self.value.agreed_parts {
            let key = (key.list.as_str(), key.code.as_str());
            let part = known_prestatie(self.data, self.origin, "agreed_parts", key);
            parts.extend(self.faults.ok(part));
        }
        parts
    }

    /// Where a contract stands and what was signed do not contradict each other.
    fn check_state(&mut self) {
        let value = self.value;
        let is_draft = matches!(
            value.state,
            words::ContractState::Concept | words::ContractState::InNegotiation
        );
        match value.signed_on {
            Some(_) if is_draft => {
                let remedy = "remove `signed_on`, or let `state` be signed";
                self.fault("signed_on", "a draft is signed", remedy);
            }
            None if !is_draft && value.written => {
                let remedy = "write the day on which both sides had signed";
                self.fault(
                    "state",
                    "it is in force in writing, and nobody signed",
                    remedy,
                );
            }
            _ => {}
        }
    }

    fn check_months(&mut self) {
        if self.value.submission_months < 1 || self.value.resubmission_months < 0 {
            let problem = "the terms of submission are not months";
            self.fault(
                "submission_months",
                problem,
                "write 12 and 3, or what was agreed",
            );
        }
    }

    fn prestaties(&mut self) -> BTreeMap<PrestatieKey, ContractPrestatie> {
        let mut prestaties = BTreeMap::new();
        for entry in &self.value.prestaties {
            let key = (entry.list.as_str(), entry.code.as_str());
            let key = known_prestatie(self.data, self.origin, "prestaties", key);
            let terms = self.terms(entry);
            let Some(key) = self.faults.ok(key) else {
                continue;
            };
            let terms_max = entry.terms_max;
            let agreed = ContractPrestatie { terms_max, terms };
            if prestaties.insert(key, agreed).is_some() {
                let problem = format!("prestatie {} is there twice", entry.code);
                self.fault("prestaties", problem, "put its terms under one");
            }
        }
        prestaties
    }

    fn terms(&mut self, prestatie: &ContractPrestatieEntry) -> Vec<ContractTerm> {
        let mut terms: Vec<ContractTerm> = Vec::new();
        for entry in &prestatie.terms {
            let Some(term) = self.term(&prestatie.code, entry) else {
                continue;
            };
            if terms
                .iter()
                .any(|it| it.period.days_in_common(term.period) > 0)
            {
                let problem = format!("two terms of {} overlap", prestatie.code);
                self.fault("prestaties", problem, "let one end before the next begins");
            }
            terms.push(term);
        }
        if prestatie.terms.is_empty() {
            let problem = format!("{} has no term", prestatie.code);
            self.fault("prestaties", problem, "add [[prestaties.terms]]");
        }
        terms
    }

    fn term(&mut self, code: &str, entry: &TermEntry) -> Option<ContractTerm> {
        let span = period(
            self.origin,
            &format!("a term of {code}"),
            entry.first,
            entry.last,
        );
        let span = self.faults.ok(span);
        if entry.first < self.value.first || self.value.last < entry.last {
            let problem = format!("a term of {code} is not within the contract");
            self.fault("prestaties", problem, "keep it between `first` and `last`");
        }
        let tarief = Tarief::parse(&entry.tarief);
        if tarief.is_none() {
            let problem = format!("`{}` is not a tarief", entry.tarief);
            let remedy = "write euro with at most four decimals, such as \"28000.00\"";
            self.fault("prestaties", problem, remedy);
        }
        let domain_shares = self.shares("domain_shares", code, &entry.domain_shares);
        let sector_shares = self.shares("sector_shares", code, &entry.sector_shares);
        Some(ContractTerm {
            period: span?,
            tarief: tarief?,
            domain_shares,
            sector_shares,
        })
    }

    /// Shares of a whole, in their order; an empty key is one that was not agreed.
    fn shares(&mut self, field: &str, code: &str, entries: &[ShareEntry]) -> Vec<Share> {
        let sum: u64 = entries.iter().map(|it| u64::from(it.share)).sum();
        if !entries.is_empty() && sum != u64::from(WHOLE) {
            let problem = format!("{field} of {code} come to {sum}");
            self.fault("prestaties", problem, "let them come to 10000");
        }
        let mut keys = BTreeSet::new();
        if !entries.iter().all(|it| keys.insert(it.key.as_str())) {
            let problem = format!("{field} of {code} name a key twice");
            self.fault("prestaties", problem, "add the two shares");
        }
        let mut shares = Vec::new();
        for entry in entries {
            let basis_points = self.share_of(entry.share);
            let key = entry.key.as_str();
            shares.extend(basis_points.map(|basis_points| Share {
                key: key.into(),
                basis_points,
            }));
        }
        shares
    }
}
