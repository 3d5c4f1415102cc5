//! The contracts and rules of the worked scenarios, as far as pairs look at them.

use samenloop_domain::{
    cents::BasisPoints,
    reference::{
        Billing, Ceiling, Effect, LineCondition, MatchLevel, Operand, PurchaseModel, Reference,
        When,
    },
};

use crate::world::{bound, cents, contract, head, kind, line_rule, pair_rule, period, registers};

const YEAR: &str = "2024-01-01..2024-12-31";
const PROGRAMME: &str = "2024-07-01..2025-06-30";

/// The contracts C1 to C6 of the worked scenarios, as far as pairs look at them.
pub(crate) fn fixtures() -> Reference {
    let mut reference = registers();
    let (z1, h1, w1, n1) = ("53530001", "01056789", "91910001", "53530020");
    let bdss = |group: &str, tarief, partners: &[&str], activities: &[&str]| {
        let mut contract = contract(z1, partners, PROGRAMME, ("BDSS1", tarief), activities);
        contract.groups = [group.into()].into();
        contract
    };
    let mut c2 = bdss("G3", "10000", &[h1, w1], &["A12", "A30"]);
    c2.hybrid_deduction = BasisPoints::new(2_500);
    let mut c4 = contract(n1, &[], YEAR, ("ADZP1", "25"), &["A11"]);
    c4.insurers = vec![bound("3311", 10_000)];
    let mut c4h = contract(h1, &[], YEAR, ("ADZP1", "25"), &["A11"]);
    c4h.insurers = vec![bound("3311", 10_000)];
    let mut ceiling = bdss("G1", "28000", &[h1, w1], &["A12", "A30"]);
    ceiling.ceilings = vec![Ceiling {
        name: "term".into(),
        period: period(PROGRAMME),
        cents: cents(5_000_000),
        signals: Vec::new(),
    }];
    let mut shared = bdss("G1", "28000", &[h1, w1], &["A12", "A30"]);
    shared.purchase_model = PurchaseModel::Representatie;
    shared.insurers = vec![bound("7095", 6_000), bound("3311", 4_000)];
    shared.billing = Billing::EachInsurer;
    reference.contracts.extend([
        ("C1".into(), bdss("G1", "28000", &[h1, w1], &["A12", "A30"])),
        ("C2".into(), c2),
        (
            "C3".into(),
            contract(z1, &[], YEAR, ("OENI1", "9000"), &["A10", "A11"]),
        ),
        ("C4".into(), c4),
        ("C4H".into(), c4h),
        ("C6".into(), bdss("G1", "12000", &[h1], &["A10"])),
        ("C64".into(), ceiling),
        ("C65b".into(), shared),
    ]);
    rules(&mut reference);
    reference
}

fn rules(reference: &mut Reference) {
    use Effect::{Allow, Exclude, Reduce, Review};
    let code = || (Operand::SameCode, Operand::SameCode);
    let same = || (Operand::SameKind, Operand::SameKind);
    let kinds = |a, b| (kind(a), kind(b));
    let one = MatchLevel::SameContract;
    let (full, candidate) = (MatchLevel::Full, MatchLevel::Candidate);
    let flag = ["GDC-DF-FLAG"];
    let matrix = ["0634", "GDC-DF-EXCL"];
    reference.pair_rules = vec![
        pair_rule(
            head("again", Exclude, &["0587"]),
            code(),
            one,
            When::EqualPeriod,
        ),
        pair_rule(
            head("within", Exclude, &["8020"]),
            code(),
            one,
            When::UnequalPeriod,
        ),
        pair_rule(
            head("other", Exclude, &["0587"]),
            same(),
            full,
            When::Always,
        ),
        pair_rule(
            head("own", Allow, &[]),
            same(),
            candidate,
            When::SameDeclarant,
        ),
        pair_rule(head("near", Review, &flag), same(), candidate, When::Always),
        pair_rule(
            head("oeni", Exclude, &matrix),
            kinds("BDSS", "OENI"),
            full,
            When::Always,
        ),
        pair_rule(
            head("oeni?", Review, &flag),
            kinds("BDSS", "OENI"),
            candidate,
            When::Always,
        ),
        pair_rule(
            head("sub", Exclude, &["0634"]),
            kinds("ADZ", "ADZ"),
            candidate,
            When::Subcontracted,
        ),
    ];
    reference.line_rules = vec![
        line_rule(
            head("hybrid", Reduce, &["8059", "GDC-DF-RED"]),
            kind("BDSS"),
            LineCondition::HybridWithDeduction,
        ),
        line_rule(
            head("hybrid?", Review, &flag),
            kind("BDSS"),
            LineCondition::HybridWithoutDeduction,
        ),
    ];
}
