//! Reference data for the tests of the oracle, so that a test names only what matters to it.

use std::collections::{BTreeMap, BTreeSet};

use samenloop_domain::{
    cents::{BasisPoints, Cents},
    declaration::{PrestatieKey, Share},
    identifiers::{Agb, GroupId, PartyId, Uzovi},
    period::{Day, Period, Validity},
    reference::{
        Basis, Billing, BoundInsurer, CatalogueEntry, CodeList, Condition, Contract,
        ContractPrestatie, ContractState, ContractTerm, Effect, Group, Insurer, InsurerPredicate,
        LineCondition, LineRule, MatchLevel, Operand, PairRule, Party, PurchaseModel, Reference,
        RuleHead, Stance, TariefKind, Unit, When,
    },
    rejection::ReasonCode,
    tarief::Tarief,
};

/// Providers: a zorggroep, a practice, a nursing organisation, a network, and a service bureau.
pub(crate) const AGBS: [&str; 5] = ["53530001", "01056789", "91910001", "53530020", "98000123"];
/// Insurers.
pub(crate) const INSURERS: [&str; 2] = ["7095", "3311"];
/// Test codes of list 990 with their kind and unit.
pub(crate) const CODES: [(&str, &str, Unit); 6] = [
    ("BDSS1", "BDSS", Unit::Lumpsum),
    ("BDSS2", "BDSS", Unit::Insured),
    ("OENI1", "OENI", Unit::Lumpsum),
    ("ADZP1", "ADZ", Unit::Insured),
    ("ADZQ1", "ADZ", Unit::Insured),
    ("MDZD1", "MDZ", Unit::Quarter),
];
/// Patient groups with region and condition.
pub(crate) const GROUPS: [(&str, Option<&str>, Option<&str>); 4] = [
    ("G1", Some("R1"), Some("DM2")),
    ("G2", Some("R1"), Some("DM2")),
    ("G3", Some("R2"), Some("COPD")),
    ("G4", Some("R1"), None),
];
/// Activities.
pub(crate) const ACTIVITIES: [&str; 4] = ["A10", "A11", "A12", "A30"];

pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

/// `2024-07-01..2024-09-30`, both included.
pub(crate) fn period(text: &str) -> Period {
    let (first, last) = text.split_once("..").expect("two days");
    Period::new(day(first), day(last)).expect("days in order")
}

pub(crate) fn cents(cents: i64) -> Cents {
    Cents::new(cents).expect("an amount within the bound")
}

pub(crate) fn agb(text: &str) -> Agb {
    Agb::parse(text).expect("an AGB code")
}

pub(crate) fn uzovi(text: &str) -> Uzovi {
    Uzovi::parse(text).expect("a UZOVI number")
}

pub(crate) fn key(code: &str) -> PrestatieKey {
    PrestatieKey::new("990", code)
}

pub(crate) fn party(declarant: &str) -> PartyId {
    PartyId::new(format!("party-{declarant}"))
}

fn always() -> Validity {
    Validity {
        from: day("2020-01-01"),
        until: None,
    }
}

/// Registers, catalogue and groups, without contracts and rules.
pub(crate) fn registers() -> Reference {
    let list = CodeList {
        name: "local".into(),
        validity: always(),
        to_insurers: true,
    };
    let insurer = |number: &&str| {
        (
            uzovi(number),
            Insurer {
                name: (*number).into(),
                validity: always(),
            },
        )
    };
    let group = |(id, region, condition): &(&str, Option<&str>, Option<&str>)| {
        let group = Group {
            name: (*id).into(),
            region: region.map(Into::into),
            condition: condition.map(Into::into),
        };
        (GroupId::new(id), group)
    };
    let one_party = |declarant: &&str| {
        let party_of_one = Party {
            agb: Some(agb(declarant)),
            uzovi: None,
            amqp_user: None,
            certificate: None,
            gateway_credential_sha256: None,
        };
        (party(declarant), party_of_one)
    };
    Reference {
        version: "oracle".into(),
        code_lists: BTreeMap::from([("990".into(), list)]),
        catalogue: CODES
            .iter()
            .map(|(code, kind, unit)| (key(code), entry(code, kind, *unit)))
            .collect(),
        providers: AGBS
            .iter()
            .map(|code| (agb(code), vec![always()]))
            .collect(),
        insurers: INSURERS.iter().map(insurer).collect(),
        parties: AGBS.iter().map(one_party).collect(),
        mandates: Vec::new(),
        groups: GROUPS.iter().map(group).collect(),
        activities: ACTIVITIES
            .iter()
            .map(|code| ((*code).into(), (*code).into()))
            .collect(),
        contracts: BTreeMap::new(),
        pair_rules: Vec::new(),
        line_rules: Vec::new(),
        policies: Vec::new(),
    }
}

fn entry(code: &str, kind: &str, unit: Unit) -> CatalogueEntry {
    let client_bound = kind == "MDZ";
    let condition = if client_bound {
        Condition::InsuredRequired
    } else {
        Condition::PatientGroup
    };
    CatalogueEntry {
        name: code.into(),
        kind: kind.into(),
        validity: Some(always()),
        experiment: None,
        unit,
        tarief_kind: TariefKind::Vrij,
        conditions: BTreeSet::from([condition]),
        provider_kinds: BTreeSet::new(),
        condition: client_bound.then(|| "DM2".into()),
        form: code.starts_with("ADZ").then(|| code.into()),
        zorginstituut_assessed_on: None,
        nza_described_on: None,
        key_proposed_on: None,
        budget_max_basis_points: None,
        legal_basis: "test".into(),
        test_code: true,
    }
}

/// A signed contract of one insurer for group G1, with one prestatie and no bounds.
pub(crate) fn contract(
    declarant: &str,
    participants: &[&str],
    term: &str,
    (code, tarief): (&str, &str),
    activities: &[&str],
) -> Contract {
    let whole = |key: &str| {
        vec![Share {
            key: key.into(),
            basis_points: BasisPoints::WHOLE,
        }]
    };
    let agreed = ContractTerm {
        period: period(term),
        tarief: Tarief::parse(tarief).expect("a tarief"),
        domain_shares: whole("ZVW"),
        sector_shares: whole("HA"),
    };
    Contract {
        declarants: BTreeSet::from([agb(declarant)]),
        participants: participants.iter().map(|code| agb(code)).collect(),
        third_parties: Vec::new(),
        insurers: vec![bound("7095", 10_000)],
        purchase_model: PurchaseModel::Concurrentie,
        negotiators: [].into(),
        billing: Billing::EachInsurer,
        state: ContractState::Active,
        written: true,
        signed_on: Some(day("2023-12-15")),
        term: period(term),
        prestaties: BTreeMap::from([(
            key(code),
            ContractPrestatie {
                terms_max: None,
                terms: vec![agreed],
            },
        )]),
        groups: BTreeSet::from(["G1".into()]),
        overlapping_groups: BTreeSet::new(),
        region: Some("R1".into()),
        catchment: None,
        regioplan: None,
        activities: activities.iter().map(|code| (*code).into()).collect(),
        hybrid_deduction: None,
        ceilings: Vec::new(),
        budgets: Vec::new(),
        submission_months: 12,
        resubmission_months: 3,
        eigen_risico_exempt: true,
        agreed_parts: BTreeSet::new(),
        schoning: Vec::new(),
        substitution: Vec::new(),
        adz: None,
        kpis: Vec::new(),
    }
}

pub(crate) fn bound(number: &str, share: u32) -> BoundInsurer {
    let share = BasisPoints::new(share).expect("a share");
    BoundInsurer {
        uzovi: uzovi(number),
        share,
        stance: Stance::Follows,
    }
}

pub(crate) fn head(id: &str, effect: Effect, codes: &[&str]) -> RuleHead {
    RuleHead {
        id: id.into(),
        version: 1,
        effect,
        codes: codes.iter().map(|code| ReasonCode::known(code)).collect(),
        override_allowed: false,
        basis: Basis::Assumption,
        source: "test".into(),
        validity: always(),
    }
}

/// A pair rule with the insurer predicate that its level has by default.
pub(crate) fn pair_rule(
    head: RuleHead,
    (a, b): (Operand, Operand),
    level: MatchLevel,
    when: When,
) -> PairRule {
    let insurer = match level {
        MatchLevel::Candidate | MatchLevel::Full => InsurerPredicate::Shared,
        MatchLevel::SameInsured | MatchLevel::SameContract => InsurerPredicate::Any,
    };
    PairRule {
        head,
        a,
        b,
        level,
        when,
        insurer,
    }
}

pub(crate) fn kind(code: &str) -> Operand {
    Operand::Kind(code.into())
}

pub(crate) fn line_rule(head: RuleHead, of: Operand, condition: LineCondition) -> LineRule {
    LineRule {
        head,
        of,
        condition,
    }
}
