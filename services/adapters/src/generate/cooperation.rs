//! Cooperations of the generated world, and their reference data.

use samenloop_domain::period::{Day, Period};

use crate::reference::{
    Entry, Origin, ReferenceData,
    data::{
        AdzEntry, BoundInsurerEntry, ContractEntry, ContractPrestatieEntry, GroupEntry,
        MandateEntry, ProviderEntry, ShareEntry, TermEntry,
    },
    words::{BillingWord, ContractState, PurchaseModel, StanceWord},
};

/// Most cooperations: their number is four digits of their AGB codes.
pub(super) const COOPERATIONS_MAX: u32 = 9_999;

/// The party of the sample that sends for all of them.
pub(super) const PARTY: &str = "sample-zorggroep";

/// The list of all their prestaties: test codes, not NZa codes.
pub(super) const LIST: &str = "990";

/// Weeks in which they declare.
const WEEKS: u32 = 104;

/// Groups of a cooperation: one line a week for each.
pub(super) const GROUPS: u32 = 4;

/// Regions of all cooperations together: those of one region share no provider, so their lines never meet.
const REGIONS: u32 = 12;

/// First day of the first week: a Monday.
const FIRST: Day = jiff::civil::date(2024, 7, 1);
/// When all contracts were signed.
const SIGNED: Day = jiff::civil::date(2024, 6, 1);

/// Keys and their basis points, in the order of the contract.
type Shares = Vec<(&'static str, u32)>;

/// What a cooperation is funded by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Funding {
    Bdss,
    Oeni,
    Adz,
}

impl Funding {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Bdss => "BDSS2",
            Self::Oeni => "OENI1",
            Self::Adz => "ADZP1",
        }
    }

    /// Another funding, beside which it is not paid.
    pub(super) fn rival(self) -> Self {
        match self {
            Self::Bdss | Self::Adz => Self::Oeni,
            Self::Oeni => Self::Adz,
        }
    }
}

/// A contract of a cooperation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// What it is funded by.
    Main,
    /// A rival for the same groups and activities: excluded.
    Same,
    /// A rival for another group and other activities: held.
    Other,
}

/// Providers that work together under contracts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cooperation {
    number: u32,
}

impl Cooperation {
    pub(super) fn new(number: u32) -> Self {
        Self { number }
    }

    /// AGB code of the declarant.
    pub(super) fn declarant(&self) -> String {
        format!("5390{:04}", self.number)
    }

    /// AGB codes of its partners.
    pub(super) fn participants(&self) -> [String; 2] {
        [
            format!("0190{:04}", self.number),
            format!("9190{:04}", self.number),
        ]
    }

    pub(super) fn insurer(&self) -> &'static str {
        if self.number.is_multiple_of(2) {
            "3311"
        } else {
            "7095"
        }
    }

    pub(super) fn funding(&self) -> Funding {
        match self.number % 5 {
            0 => Funding::Adz,
            1 => Funding::Oeni,
            _ => Funding::Bdss,
        }
    }

    pub(super) fn funding_of(&self, role: Role) -> Funding {
        match role {
            Role::Main => self.funding(),
            Role::Same | Role::Other => self.funding().rival(),
        }
    }

    pub(super) fn contract(&self, role: Role) -> String {
        let suffix = match role {
            Role::Main => "M",
            Role::Same => "S",
            Role::Other => "O",
        };
        format!("GEN-{}-{suffix}", self.number)
    }

    /// A group: 0 to [`GROUPS`] - 1 of its main contract, [`GROUPS`] of the other.
    pub(super) fn group(&self, group: u32) -> String {
        format!("GEN-{}-G{group}", self.number)
    }

    pub(super) fn region(&self) -> String {
        format!("GEN-R{:02}", 1 + self.number % REGIONS)
    }

    pub(super) fn activities(role: Role) -> &'static [&'static str] {
        match role {
            Role::Main | Role::Same => &["A12", "A30"],
            Role::Other => &["A11"],
        }
    }

    /// Euro cents per unit.
    pub(super) fn tarief_cents(&self, role: Role) -> u32 {
        match self.funding_of(role) {
            Funding::Bdss => 10_000 + 125 * (self.number % 40),
            Funding::Oeni => 60_000 + 1_000 * (self.number % 40),
            Funding::Adz => 2_500,
        }
    }

    /// Weeks of all groups that are still to be declared.
    pub(super) fn slots_left(&self, used: u32) -> u32 {
        (WEEKS * GROUPS).saturating_sub(used)
    }

    /// The days of a week.
    pub(super) fn week(week: u32) -> Period {
        let first = FIRST.saturating_add(jiff::Span::new().weeks(i64::from(week)));
        let last = first.saturating_add(jiff::Span::new().days(6));
        Period::new(first, last).expect("a week ends after it begins")
    }

    /// Shares of domains and sectors, in the order of the contract.
    pub(super) fn shares(funding: Funding) -> (Shares, Shares) {
        match funding {
            Funding::Bdss => (vec![("ZVW", 10_000)], vec![("WV", 5_000), ("HA", 5_000)]),
            Funding::Oeni => (Vec::new(), vec![("HA", 10_000)]),
            Funding::Adz => (Vec::new(), vec![("PARA", 10_000)]),
        }
    }

    /// Adds what declarations of this cooperation are judged by.
    pub(super) fn add_to(&self, data: &mut ReferenceData) {
        let since = jiff::civil::date(2020, 1, 1);
        let participants = self.participants();
        for agb in participants.into_iter().chain([self.declarant()]) {
            data.providers.push(entry(ProviderEntry {
                agb,
                name: None,
                from: since,
                until: None,
            }));
        }
        data.mandates.push(entry(MandateEntry {
            party: PARTY.to_owned(),
            declarant: self.declarant(),
            from: since,
            until: None,
        }));
        for group in 0..=GROUPS {
            data.groups.push(entry(GroupEntry {
                id: self.group(group),
                name: format!("Groep {group} van samenwerking {}", self.number),
                region: Some(self.region()),
                condition: Some(format!("GEN-{group}")),
            }));
        }
        for role in [Role::Main, Role::Same, Role::Other] {
            data.contracts.push(entry(self.contract_entry(role)));
        }
    }

    fn contract_entry(&self, role: Role) -> ContractEntry {
        let (first, last) = (FIRST, Self::week(WEEKS - 1).last());
        let groups = match role {
            Role::Main | Role::Same => 0..GROUPS,
            Role::Other => GROUPS..GROUPS + 1,
        };
        ContractEntry {
            id: self.contract(role),
            title: None,
            declarants: vec![self.declarant()],
            participants: self.participants().to_vec(),
            third_parties: Vec::new(),
            insurers: vec![BoundInsurerEntry {
                uzovi: self.insurer().to_owned(),
                share: 10_000,
                stance: StanceWord::Follows,
                tarieven: Vec::new(),
            }],
            purchase_model: PurchaseModel::Concurrentie,
            billing: BillingWord::EachInsurer,
            negotiators: Vec::new(),
            lead_insurer: None,
            state: ContractState::Active,
            written: true,
            signed_on: Some(SIGNED),
            first,
            last,
            groups: groups.map(|group| self.group(group)).collect(),
            overlapping_groups: Vec::new(),
            region: Some(self.region()),
            catchment: None,
            regioplan: None,
            activities: Self::activities(role)
                .iter()
                .map(|it| (*it).to_owned())
                .collect(),
            hybrid_deduction: Some(2_500),
            ceilings: Vec::new(),
            budgets: Vec::new(),
            // The world is the same whenever it is run, so nothing of it is ever late.
            submission_months: 1_200,
            resubmission_months: 3,
            eigen_risico_exempt: true,
            agreed_parts: Vec::new(),
            schoning: Vec::new(),
            substitution: Vec::new(),
            adz: Some(AdzEntry {
                direct_support_on: SIGNED,
                benefits_own_insured_on: SIGNED,
                quality_with_provider_on: SIGNED,
            }),
            kpis: Vec::new(),
            prestaties: vec![self.prestatie(role, first, last)],
        }
    }

    fn prestatie(&self, role: Role, first: Day, last: Day) -> ContractPrestatieEntry {
        let funding = self.funding_of(role);
        let (domains, sectors) = Self::shares(funding);
        let shares = |shares: Shares| {
            let entries = shares.into_iter().map(|(key, share)| ShareEntry {
                key: key.to_owned(),
                share,
            });
            entries.collect()
        };
        ContractPrestatieEntry {
            list: LIST.to_owned(),
            code: funding.code().to_owned(),
            terms_max: None,
            terms: vec![TermEntry {
                first,
                last,
                tarief: euro(self.tarief_cents(role)),
                domain_shares: shares(domains),
                sector_shares: shares(sectors),
            }],
        }
    }
}

/// Euro with two decimals.
pub(super) fn euro(cents: u32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn entry<T>(value: T) -> Entry<T> {
    let origin = Origin {
        file: "generated".to_owned(),
        ..Origin::default()
    };
    Entry { value, origin }
}
