//! The whole matrix of double funding over the files of the sample: which row speaks for which pair, and what it says.
//!
//! Every row of `pair_rules.toml` is in the table, and every pair that the sources name.

use std::collections::BTreeSet;

use samenloop_domain::{
    cents::BasisPoints,
    coverage::{Coverage, Subject},
    declaration::{Meeting, PrestatieKey},
    double_funding::rule_between,
    identifiers::{Agb, Pseudonym, Uzovi},
    period::Period,
    reference::Reference,
};

use super::*;

/// How two lines meet, and what else is so of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// A provider in common, and other activities.
    Candidate,
    /// Also group or condition, and an activity.
    Full,
    /// Full, with chain coordination in both.
    Chain,
    /// A candidate whose first line is a hybrid meeting with a deduction.
    HybridDeducted,
    /// A candidate whose first line is a hybrid meeting without one.
    Hybrid,
    /// One insured person, and other providers.
    Insured,
    /// One insured person, and the second prestatie is agreed part of the first.
    Part,
    /// One insured person, for whom the second bills on behalf of the first.
    PersonFor,
    /// A candidate in which the second bills on behalf of the first.
    For,
    /// Full, in which the second bills on behalf of the first.
    FullFor,
    /// A candidate by one declarant.
    OneDeclarant,
    /// A candidate with schoning recorded.
    Schooned,
    /// One contract, subject and period.
    Contract,
    /// One contract and subject, over another period.
    ContractPart,
}

use How::*;

/// First prestatie, second prestatie, how they meet, and the row that speaks with its effect; none is allowed.
const CELLS: &[(&str, &str, How, &str)] = &[
    // The same thing twice.
    (
        "BDSS1",
        "BDSS1",
        Contract,
        "same-contract-equal-period exclude",
    ),
    (
        "BDSS1",
        "BDSS1",
        ContractPart,
        "same-contract-unequal-period exclude",
    ),
    ("WVRG1", "WVRG1", Insured, "same-insured-same-code exclude"),
    ("BDSS1", "BDSS1", Full, "same-kind-full exclude"),
    ("BDSS1", "BDSS2", Full, "same-kind-full exclude"),
    (
        "BDSS1",
        "BDSS1",
        OneDeclarant,
        "same-kind-same-declarant allow",
    ),
    ("BDSS1", "BDSS1", Candidate, "same-kind-candidate review"),
    // BDSS.
    ("BDSS1", "OENI1", Full, "bdss-oeni-full exclude"),
    ("BDSS1", "OENI1", Candidate, "bdss-oeni-candidate review"),
    ("BDSS1", "ADZP1", Full, "bdss-adz-full exclude"),
    ("BDSS1", "ADZP1", Candidate, "bdss-adz-candidate review"),
    ("BDSS1", "ROSL1", Full, "bdss-ros-full exclude"),
    ("BDSS1", "ROSL1", Candidate, "bdss-ros-candidate review"),
    (
        "BDSS1",
        "SECT1",
        HybridDeducted,
        "bdss-sector-hybrid reduce",
    ),
    ("BDSS1", "SECT1", Candidate, "bdss-sector-candidate review"),
    ("BDSS1", "ZCCB1", Full, "bdss-zcc-full exclude"),
    ("BDSS1", "ZCCB1", Candidate, "bdss-zcc-candidate review"),
    ("BDSS1", "ELVC1", Full, "bdss-elvc-full exclude"),
    ("BDSS1", "ELVC1", Candidate, "bdss-elvc-candidate review"),
    ("BDSS1", "MDZD1", Chain, "bdss-mdz-chain exclude"),
    ("BDSS1", "MDZD1", Full, "bdss-mdz-candidate review"),
    ("BDSS1", "MDZD1", Candidate, "bdss-mdz-candidate review"),
    ("BDSS1", "GEZM1", Full, "bdss-gez-full exclude"),
    ("BDSS1", "GEZM1", Candidate, "bdss-gez-candidate review"),
    ("BDSS1", "SGDR1", Full, "bdss-segment3-full exclude"),
    (
        "BDSS1",
        "SGDR1",
        Candidate,
        "bdss-segment3-candidate review",
    ),
    ("BDSS1", "MENI1", Full, "bdss-meni-full exclude"),
    ("BDSS1", "MENI1", Candidate, "bdss-meni-candidate review"),
    ("BDSS1", "WVRG1", HybridDeducted, "bdss-wv-hybrid reduce"),
    ("BDSS1", "WVRG1", Candidate, "bdss-wv-candidate review"),
    ("BDSS1", "WVEX1", HybridDeducted, "bdss-wvex-hybrid reduce"),
    ("BDSS1", "WVEH1", HybridDeducted, "bdss-wvex-hybrid reduce"),
    ("BDSS1", "WVEW1", Candidate, "bdss-wvex-candidate review"),
    ("BDSS1", "FACP1", Full, "bdss-facp-full exclude"),
    ("BDSS1", "FACP1", Candidate, "bdss-facp-candidate review"),
    ("BDSS1", "CONS1", Hybrid, "bdss-regulier-hybrid review"),
    ("BDSS1", "CONS1", Candidate, "bdss-regulier allow"),
    ("BDSS1", "BESC1", Full, "bdss-beschik-full exclude"),
    ("BDSS1", "LPZC1", Full, "bdss-beschik-full exclude"),
    ("BDSS1", "BESC1", Candidate, ""),
    ("BDSS1", "HDSB1", Full, "bdss-hds-full exclude"),
    ("BDSS1", "HDSB1", Candidate, "bdss-hds-candidate review"),
    ("BDSS1", "RAVB1", Full, "bdss-rav-full exclude"),
    ("BDSS1", "RAVB1", Candidate, "bdss-rav-candidate review"),
    ("BDSS1", "AGGB1", Full, "bdss-aggz-full exclude"),
    ("BDSS1", "AGGB1", Candidate, "bdss-aggz-candidate review"),
    ("BDSS1", "AANS1", Full, "bdss-aanneem-full exclude"),
    ("BDSS1", "AANS1", Candidate, "bdss-aanneem-candidate review"),
    // ADZ.
    ("ADZP1", "ADZP1", For, "adz-subcontracted exclude"),
    ("ADZP1", "ADZO1", Full, "adz-other-form allow"),
    ("ADZP1", "OENI1", Full, "adz-oeni-full exclude"),
    ("ADZP1", "OENI1", Candidate, "adz-oeni-candidate review"),
    ("ADZP1", "ELVC1", Full, "adz-elvc-full exclude"),
    ("ADZP1", "ELVC1", Candidate, "adz-elvc-candidate review"),
    ("ADZP1", "MDZD1", Full, "adz-mdz-full exclude"),
    ("ADZP1", "MDZD1", Candidate, "adz-mdz-candidate review"),
    ("ADZP1", "ZCCB1", Full, "adz-zcc-candidate review"),
    ("ADZP1", "ZCCB1", Candidate, "adz-zcc-candidate review"),
    // O&I.
    ("OENI1", "GEZM1", Full, "oeni-gez exclude"),
    ("OENI1", "GEZM1", Candidate, "oeni-gez-candidate review"),
    ("OENI1", "ROSL1", Candidate, "oeni-ros-candidate review"),
    ("OENI1", "ROSL1", Full, "oeni-ros-candidate review"),
    ("OENI1", "MDZD1", Chain, "oeni-mdz-chain review"),
    ("OENI1", "MDZD1", Full, "oeni-mdz allow"),
    ("OENI1", "MDZD1", Candidate, "oeni-mdz allow"),
    // Chain care of one patient.
    ("MDZD1", "MDZV1", Insured, "mdz-dm2-vrm exclude"),
    ("MDZD1", "MDZC1", Insured, "mdz-dm2-copd allow"),
    ("MDZC1", "MDZV1", Insured, "mdz-copd-vrm allow"),
    ("MDZD1", "WVRG1", Part, "mdz-agreed-part exclude"),
    ("MDZD1", "WVRG1", Insured, ""),
    ("MDZD1", "GEZD1", Insured, "mdz-gez-insured exclude"),
    ("MDZC1", "GEZD1", Insured, ""),
    ("MDZD1", "MEND1", Insured, "mdz-meni-insured exclude"),
    ("MDZD1", "INNO1", Insured, "mdz-innov-insured exclude"),
    ("MDZD1", "MSZC1", Part, "mdz-msz-agreed exclude"),
    ("MDZD1", "MSZC1", Insured, "mdz-msz allow"),
    ("MDZD1", "SMRK1", Part, "mdz-roken-agreed exclude"),
    ("MDZD1", "SMRK1", Insured, "mdz-roken review"),
    // Zorgcoordinatie.
    ("ZCCB1", "HDSB1", Candidate, "zcc-hds-schoning review"),
    ("ZCCB1", "HDSB1", Schooned, "zcc-hds allow"),
    ("ZCCB1", "RAVB1", Candidate, "zcc-rav-schoning review"),
    ("ZCCB1", "RAVB1", Schooned, "zcc-rav allow"),
    ("ZCCB1", "AGGB1", Candidate, "zcc-aggz-schoning review"),
    ("ZCCB1", "AGGB1", Schooned, "zcc-aggz allow"),
    // A function that nobody had, and the care that follows.
    ("ZCCB1", "ROSL1", Full, ""),
    ("ZCCB1", "WVRG1", Full, ""),
    // Trajectories, bundles, geboortezorg.
    ("DBCA1", "DBCA2", Insured, "dbc-one-at-a-time exclude"),
    ("DBCA1", "MSZC1", Insured, ""),
    ("BUND1", "DBCA1", Insured, "bundel-dbc exclude"),
    ("BUND1", "MSZC1", Part, "bundel-msz-agreed exclude"),
    ("BUND1", "MSZC1", Insured, ""),
    ("GEBI1", "VERL1", Insured, "geboorte-verlos exclude"),
    ("GEBI1", "KRAA1", Insured, "geboorte-kraam exclude"),
    ("VERL1", "KRAA1", Insured, ""),
    // Onderaanneming and onderlinge dienstverlening of any kind.
    ("MSZC1", "CONS1", PersonFor, "subcontracted-insured exclude"),
    ("OENI1", "ELVC1", FullFor, "subcontracted-full exclude"),
];

fn agb(text: &str) -> Agb {
    Agb::parse(text).unwrap()
}

fn uzovi() -> Uzovi {
    Uzovi::parse("7095").unwrap()
}

fn period(first: &str, last: &str) -> Period {
    Period::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
}

/// A line of `code` by `declarant`, with a partner that both lines have.
fn line(reference: &Reference, code: &str, declarant: &str, contract: &str) -> Coverage {
    let key = PrestatieKey::new("990", code);
    let entry = reference
        .catalogue
        .get(&key)
        .unwrap_or_else(|| panic!("no {code}"));
    Coverage {
        declarant: agb(declarant),
        agbs: [agb(declarant), agb("91910001")].into(),
        insurer: uzovi(),
        payers: [uzovi()].into(),
        prestatie: key,
        kind: entry.kind.clone(),
        form: entry.form.clone(),
        contract_id: Some(contract.into()),
        each_insurer: true,
        period: period("2024-07-01", "2024-09-30"),
        subject: Subject::Group("G1".into()),
        overlapping_groups: ["G1".into()].into(),
        region: Some("R1".into()),
        condition: entry.condition.clone(),
        activities: [contract.into()].into(),
        meeting: None,
        hybrid_deduction: None,
        on_behalf_of: None,
        agreed_parts: [].into(),
        schoning_recorded: false,
        line_reference: contract.into(),
    }
}

fn person(one: &mut Coverage) {
    one.subject = Subject::Insured(vec![Pseudonym {
        key_id: "k".into(),
        value: [7; 32],
    }]);
}

fn meet(reference: &Reference, a: &str, b: &str, how: How) -> [Coverage; 2] {
    let mut a = line(reference, a, "53530001", "CA");
    let mut b = line(reference, b, "01056789", "CB");
    if matches!(how, Full | Chain | FullFor) {
        a.activities.insert("A10".into());
        b.activities.insert("A10".into());
    }
    if matches!(how, Insured | Part | PersonFor) {
        person(&mut a);
        person(&mut b);
        b.agbs = [b.declarant].into();
    }
    match how {
        Candidate | Full | Insured => {}
        Chain => {
            for it in [&mut a, &mut b] {
                it.activities.insert("KETENCOORD".into());
            }
        }
        HybridDeducted => {
            a.meeting = Some(Meeting::Hybrid);
            a.hybrid_deduction = BasisPoints::new(2_500);
        }
        Hybrid => a.meeting = Some(Meeting::Hybrid),
        Part => a.agreed_parts = [b.prestatie.clone()].into(),
        PersonFor | For | FullFor => b.on_behalf_of = Some(a.declarant),
        OneDeclarant => b.declarant = a.declarant,
        Schooned => b.schoning_recorded = true,
        Contract | ContractPart => b.contract_id = a.contract_id.clone(),
    }
    if how == ContractPart {
        b.period = period("2024-09-01", "2024-11-30");
    }
    [a, b]
}

#[test]
fn every_pair_that_the_sources_name_has_its_row() {
    let reference = load(&sample()).unwrap().reference;
    let mut spoken = BTreeSet::new();
    for (first, second, how, expected) in CELLS {
        let [a, b] = meet(&reference, first, second, *how);
        let found = rule_between(&a, &b, &reference.pair_rules);
        assert_eq!(
            found,
            rule_between(&b, &a, &reference.pair_rules),
            "rows are symmetric"
        );
        let text =
            found.map(|rule| format!("{} {:?}", rule.head.id, rule.head.effect).to_lowercase());
        assert_eq!(
            text.unwrap_or_default(),
            *expected,
            "{first} beside {second}"
        );
        spoken.extend(found.map(|rule| rule.head.id.clone()));
    }
    let silent = reference
        .pair_rules
        .iter()
        .filter(|rule| !spoken.contains(&rule.head.id));
    let silent: Vec<&str> = silent.map(|rule| &*rule.head.id).collect();
    assert!(
        silent.is_empty(),
        "rows that no cell of the table shows: {silent:?}"
    );
}
