//! Which rule speaks for a pair.

use crate::{
    cents::BasisPoints,
    coverage::Coverage,
    declaration::{Meeting, PrestatieKey},
    double_funding::{rule_between, tests::oeni},
    fixtures::{H1, W1, agb, bdss_coverage as bdss, head, kind, pair, period, uzovi},
    period::Validity,
    reference::MatchLevel::{self, Candidate, Full, SameContract},
    reference::{Effect, InsurerPredicate, Operand, PairRule, When},
};

/// The id of the rule that speaks for BDSS beside `other`.
fn speaks(rules: &[PairRule], other: &Coverage) -> Option<String> {
    let rule = rule_between(&bdss(), other, rules);
    assert_eq!(
        rule,
        rule_between(other, &bdss(), rules),
        "rules are symmetric"
    );
    rule.map(|rule| rule.head.id.to_string())
}

fn rule(id: &str, effect: Effect, sides: [Operand; 2], level: MatchLevel, when: When) -> PairRule {
    let [a, b] = sides;
    pair(head(id, effect, &[]), a, b, level, when)
}

#[test]
fn more_specific_rule_speaks() {
    use Effect::{Allow, Exclude, Review};
    let code = |code: &str| Operand::Code(PrestatieKey::new("990", code));
    let any = || [Operand::Any, Operand::Any];
    let kinds = || [kind("BDSS"), kind("OENI")];
    let codes = || [code("BDSS1"), code("OENI1")];
    let one_code = [code("BDSS1"), Operand::Any];
    let swapped = [kind("OENI"), kind("BDSS")];
    // Each beats all before it, the first does not apply.
    let rising = [
        rule("any", Exclude, any(), Full, When::UnequalPeriod),
        rule("candidate", Exclude, kinds(), Candidate, When::EqualPeriod),
        rule("full", Allow, swapped, Full, When::Always),
        rule("conditional", Allow, kinds(), Full, When::EqualPeriod),
        rule("stricter", Review, kinds(), Full, When::SameDeclarant),
        rule("code", Allow, one_code, Candidate, When::Always),
        rule("codes", Allow, codes(), Candidate, When::Always),
        rule("contract", Allow, any(), SameContract, When::Always),
    ];
    let same_contract = Coverage {
        contract_id: Some("C1".into()),
        ..oeni()
    };
    for until in 2..rising.len() {
        let found = speaks(&rising[..until], &oeni()).expect("one applies");
        assert_eq!(found, &*rising[until - 1].head.id);
    }
    assert_eq!(speaks(&rising, &oeni()).as_deref(), Some("codes"));
    assert_eq!(speaks(&rising, &same_contract).as_deref(), Some("contract"));
    assert_eq!(speaks(&rising[..1], &oeni()), None);
}

#[test]
fn same_code_and_same_kind_rank_below_kind() {
    let other = Coverage {
        contract_id: Some("C6".into()),
        ..bdss()
    };
    let rule = |id: &str, operand: Operand| {
        pair(
            head(id, Effect::Allow, &[]),
            operand.clone(),
            operand,
            Full,
            When::Always,
        )
    };
    let rising = [
        rule("any", Operand::Any),
        rule("same kind", Operand::SameKind),
        rule("same code", Operand::SameCode),
        rule("kind", kind("BDSS")),
    ];
    for until in 1..=rising.len() {
        let found = speaks(&rising[..until], &other).expect("one applies");
        assert_eq!(found, &*rising[until - 1].head.id);
    }
    assert_eq!(speaks(&rising[1..], &oeni()), None);
}

#[test]
fn rule_must_be_in_force_on_the_later_begin_date() {
    let mut rule = pair(
        head("dated", Effect::Allow, &[]),
        kind("BDSS"),
        kind("OENI"),
        Full,
        When::Always,
    );
    rule.head.validity = Validity {
        from: period("2024-07-01", "2024-07-01").first(),
        until: Some(period("2024-07-02", "2024-07-02").first()),
    };
    let rules = [rule];
    let begins = |first| Coverage {
        period: period(first, "2024-09-30"),
        ..oeni()
    };
    assert!(speaks(&rules, &begins("2024-06-01")).is_some());
    assert!(speaks(&rules, &begins("2024-07-01")).is_some());
    assert_eq!(speaks(&rules, &begins("2024-07-02")), None);
}

#[test]
fn payers_must_be_shared_where_the_rule_says_so() {
    let elsewhere = Coverage {
        insurer: uzovi("3311"),
        payers: [uzovi("3311")].into(),
        ..oeni()
    };
    let led = Coverage {
        payers: [uzovi("3311"), uzovi("7095")].into(),
        ..elsewhere.clone()
    };
    let mut rules = vec![pair(
        head("shared", Effect::Allow, &[]),
        kind("BDSS"),
        kind("OENI"),
        Candidate,
        When::Always,
    )];
    assert_eq!(speaks(&rules, &elsewhere), None);
    assert!(speaks(&rules, &led).is_some());
    rules[0].insurer = InsurerPredicate::Any;
    assert!(speaks(&rules, &elsewhere).is_some());
}

/// Whether a rule with this condition speaks for BDSS beside O&I, both after `change`.
fn holds(when: When, change: fn(&mut Coverage, &mut Coverage)) -> bool {
    let (mut a, mut b) = (bdss(), oeni());
    change(&mut a, &mut b);
    let head = head("conditional", Effect::Allow, &[]);
    let rules = [pair(head, kind("BDSS"), kind("OENI"), Candidate, when)];
    let rule = rule_between(&a, &b, &rules);
    assert_eq!(rule, rule_between(&b, &a, &rules));
    rule.is_some()
}

type Change = fn(&mut Coverage, &mut Coverage);

fn check_conditions(table: &[(When, Change, bool)]) {
    for (place, (when, change, expected)) in table.iter().enumerate() {
        assert_eq!(holds(*when, *change), *expected, "row {place}: {when:?}");
    }
}

#[test]
fn conditions_of_what_the_lines_are_hold_when_they_say() {
    check_conditions(&[
        (When::Always, |_, _| {}, true),
        (When::EqualPeriod, |_, _| {}, true),
        (When::UnequalPeriod, |_, _| {}, false),
        (When::SameDeclarant, |_, _| {}, true),
        (When::SameDeclarant, |_, b| b.declarant = agb(H1), false),
        (When::SameCondition, |_, _| {}, true),
        (
            When::SameCondition,
            |a, b| (a.condition, b.condition) = (None, None),
            false,
        ),
        (When::SameForm, |_, _| {}, false),
        (
            When::SameForm,
            |a, b| (a.form, b.form) = (Some("P".into()), Some("P".into())),
            true,
        ),
        (
            When::OtherForm,
            |a, b| (a.form, b.form) = (Some("P".into()), Some("Q".into())),
            true,
        ),
        (When::OtherForm, |a, _| a.form = Some("P".into()), false),
    ]);
}

#[test]
fn conditions_of_how_the_lines_are_funded_hold_when_they_say() {
    let subcontracted: Change = |a, b| {
        b.declarant = agb(H1);
        a.on_behalf_of = Some(agb(H1));
    };
    let agreed: Change = |a, b| {
        a.agreed_parts.insert(b.prestatie.clone());
    };
    let chain: Change = |a, b| {
        for it in [a, b] {
            it.activities.insert("KETENCOORD".into());
        }
    };
    // The deduction of the other line's contract is no concern of the hybrid line.
    let deduction_of_the_other: Change = |a, b| {
        a.hybrid_deduction = BasisPoints::new(1);
        b.meeting = Some(Meeting::Hybrid);
    };
    check_conditions(&[
        (When::Subcontracted, subcontracted, true),
        (
            When::Subcontracted,
            |_, b| b.on_behalf_of = Some(agb(W1)),
            false,
        ),
        (When::AgreedAsPart, agreed, true),
        (When::AgreedAsPart, |_, _| {}, false),
        (When::SchoningNotRecorded, |_, _| {}, true),
        (
            When::SchoningNotRecorded,
            |_, b| b.schoning_recorded = true,
            false,
        ),
        (When::ChainCoordinationInBoth, chain, true),
        (
            When::HybridWithoutDeduction,
            |_, b| b.meeting = Some(Meeting::Hybrid),
            true,
        ),
        (When::HybridWithDeduction, deduction_of_the_other, false),
    ]);
}
