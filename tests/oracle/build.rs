//! From the plan of a history to its reference data.

use samenloop_domain::{
    cents::BasisPoints,
    identifiers::ContractId,
    period::Validity,
    reference::{
        Billing, Ceiling, Contract, DatedAmount, Effect, InsurerPredicate, LineCondition,
        MatchLevel, Operand, PairRule, Policy, PurchaseModel, Reference, When,
    },
};

use crate::{
    histories::{ContractPlan, HistoryPlan, PairRulePlan},
    world::{
        ACTIVITIES, AGBS, CODES, GROUPS, INSURERS, agb, bound, cents, contract, day, head, key,
        kind, line_rule, pair_rule, period, registers, uzovi,
    },
};

const TERM: &str = "2024-01-01..2030-12-31";
/// The world of a plan.
pub(crate) fn reference(plan: &HistoryPlan) -> Reference {
    let mut reference = registers();
    for (number, plan) in plan.contracts.iter().enumerate() {
        reference
            .contracts
            .insert(contract_id(number), contract_of(plan));
    }
    if plan.repeats_are_ruled {
        reference.pair_rules.extend(rows_for_repeats());
    }
    for plan in &plan.pair_rules {
        let rule = rule_of(plan, reference.pair_rules.len());
        if !reference
            .pair_rules
            .iter()
            .any(|other| equal_in_precedence(&rule, other))
        {
            reference.pair_rules.push(rule);
        }
    }
    if let Some((insurer, number, until)) = plan.policy {
        let named = reference.pair_rules.get(usize::from(number));
        reference.policies.push(Policy {
            insurer: uzovi(INSURERS[usize::from(insurer)]),
            rules: named.map(|rule| rule.head.id.clone()).into_iter().collect(),
            source: "test".to_owned(),
            validity: Validity {
                from: day("2024-07-01"),
                until: (until == 0).then(|| day("2024-09-01")),
            },
        });
    }
    for (number, (of, condition, from)) in plan.line_rules.iter().enumerate() {
        let of = match of {
            0 => kind("BDSS"),
            1 => kind("OENI"),
            2 => kind("ADZ"),
            _ => Operand::Code(key("BDSS1")),
        };
        let (condition, effect, codes) = match condition {
            0 => (
                LineCondition::HybridWithDeduction,
                Effect::Reduce,
                &["8059", "GDC-DF-RED"][..],
            ),
            1 => (
                LineCondition::HybridWithoutDeduction,
                Effect::Review,
                &["GDC-DF-FLAG"][..],
            ),
            _ => (
                LineCondition::FewerThanTwoZorgaanbieders,
                Effect::Review,
                &["GDC-PARTIJ"][..],
            ),
        };
        let mut head = head(&format!("line-{number}"), effect, codes);
        if *from == 0 {
            head.validity.from = day("2024-08-01");
        }
        reference.line_rules.push(line_rule(head, of, condition));
    }
    reference
}

/// The same again, part of the same again, and the same by others.
fn rows_for_repeats() -> [PairRule; 3] {
    let exclude = |id, code| head(id, Effect::Exclude, &[code]);
    let same_code = || (Operand::SameCode, Operand::SameCode);
    let same_kind = (Operand::SameKind, Operand::SameKind);
    let one = MatchLevel::SameContract;
    [
        pair_rule(
            exclude("again", "0587"),
            same_code(),
            one,
            When::EqualPeriod,
        ),
        pair_rule(
            exclude("within", "8020"),
            same_code(),
            one,
            When::UnequalPeriod,
        ),
        pair_rule(
            exclude("other", "0587"),
            same_kind,
            MatchLevel::Full,
            When::Always,
        ),
    ]
}

/// Such rows are refused at import, so they do not occur here.
fn equal_in_precedence(rule: &PairRule, other: &PairRule) -> bool {
    let row = |rule: &PairRule| {
        let operands = (rule.a.clone(), rule.b.clone());
        (
            operands,
            rule.level,
            rule.when == When::Always,
            rule.head.effect,
        )
    };
    row(rule) == row(other)
}

/// The contract that was planned as this one.
pub(crate) fn contract_id(number: usize) -> ContractId {
    ContractId::new(format!("C{number}"))
}

/// Those of `from` whose bit is set.
pub(crate) fn chosen<'a>(mask: u8, from: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    from.iter()
        .enumerate()
        .filter(move |(bit, _)| mask & (1 << bit) != 0)
        .map(|(_, one)| *one)
}

fn code_of(number: u8) -> &'static str {
    CODES[usize::from(number) % CODES.len()].0
}

fn contract_of(plan: &ContractPlan) -> Contract {
    let participants: Vec<&str> = chosen(plan.participants, &AGBS).collect();
    let activities: Vec<&str> = chosen(plan.activities, &ACTIVITIES).collect();
    let declarants = chosen(plan.declarants, &AGBS[..4]);
    let groups: Vec<&str> = GROUPS.iter().map(|(id, _, _)| *id).collect();
    let first = AGBS[0];
    let agreed = (code_of(plan.codes.0), "100");
    let mut contract = contract(first, &participants, TERM, agreed, &activities);
    contract.declarants = declarants.map(agb).collect();
    contract.groups = chosen(plan.groups, &groups).map(Into::into).collect();
    contract.overlapping_groups = chosen(plan.overlapping, &groups).map(Into::into).collect();
    if let Some(second) = plan.codes.1 {
        let same = contract.prestaties[&key(agreed.0)].clone();
        contract.prestaties.insert(key(code_of(second)), same);
    }
    let lead = match plan.billing {
        0 | 1 => None,
        2 => Some((3_000, Billing::EachInsurer)),
        3 | 4 => Some((6_000, Billing::EachInsurer)),
        _ => Some((6_000, Billing::LeadInsurer(uzovi(INSURERS[0])))),
    };
    if let Some((share, billing)) = lead {
        contract.purchase_model = PurchaseModel::Representatie;
        contract.insurers = vec![
            bound(INSURERS[0], share),
            bound(INSURERS[1], 10_000 - share),
        ];
        contract.billing = billing;
    } else {
        contract.insurers = vec![bound(INSURERS[usize::from(plan.billing) % 2], 10_000)];
    }
    bounds(plan, &mut contract);
    contract
}

fn bounds(plan: &ContractPlan, contract: &mut Contract) {
    contract.hybrid_deduction = match plan.deduction {
        0 | 1 => BasisPoints::new(2_500),
        2 => BasisPoints::new(3_333),
        _ => None,
    };
    let ceiling = |name: &str, span, amount| Ceiling {
        name: name.into(),
        period: period(span),
        cents: cents(amount),
        signals: Vec::new(),
    };
    match plan.ceiling {
        0 => contract.ceilings.push(ceiling("term", TERM, 15_000)),
        1 => contract
            .ceilings
            .push(ceiling("year", "2024-07-01..2024-12-31", 9_999)),
        2 => contract.ceilings.extend([
            ceiling("term", TERM, 25_000),
            ceiling("summer", "2024-07-01..2024-08-31", 12_000),
        ]),
        _ => {}
    }
    if plan.terms_max < 3 {
        for agreed in contract.prestaties.values_mut() {
            agreed.terms_max = Some(u32::from(plan.terms_max) + 1);
        }
    }
    if plan.agreed_part < 6 {
        contract.agreed_parts = [key(code_of(plan.agreed_part))].into();
    }
    let recorded = |on| DatedAmount {
        on: day(on),
        cents: cents(1),
        of: "elsewhere".to_owned(),
    };
    contract.schoning = match plan.schoning {
        0 => vec![recorded("2024-01-01")],
        1 => vec![recorded("2024-08-01")],
        _ => Vec::new(),
    };
}

fn rule_of(plan: &PairRulePlan, number: usize) -> PairRule {
    let code = |code| Operand::Code(key(code));
    let operands = match plan.operands {
        0 => (kind("BDSS"), kind("OENI")),
        1 => (kind("ADZ"), kind("BDSS")),
        2 => (kind("BDSS"), kind("MDZ")),
        3 => (kind("OENI"), kind("ADZ")),
        4 => (kind("ADZ"), kind("ADZ")),
        5 => (kind("BDSS"), kind("BDSS")),
        6 => (code("BDSS1"), code("OENI1")),
        7 => (code("ADZP1"), code("BDSS1")),
        8 => (code("BDSS1"), kind("ADZ")),
        9 => (kind("BDSS"), code("BDSS1")),
        10 | 11 => (Operand::SameCode, Operand::SameCode),
        12 | 13 => (Operand::SameKind, Operand::SameKind),
        14 => (Operand::Any, code("BDSS1")),
        _ => (Operand::Any, Operand::Any),
    };
    let levels = [
        MatchLevel::Candidate,
        MatchLevel::Full,
        MatchLevel::SameInsured,
        MatchLevel::SameContract,
        MatchLevel::Candidate,
        MatchLevel::Full,
    ];
    let codes: &[&str] = match plan.codes {
        0 => &["0587"],
        1 => &["0634"],
        2 => &["8020"],
        _ => &["0634", "GDC-DF-EXCL"],
    };
    let when = when_of(plan.when);
    let (effect, codes) = match plan.effect {
        0 => (Effect::Allow, &[][..]),
        1 | 2 if when == When::HybridWithDeduction => (Effect::Reduce, &["8059", "GDC-DF-RED"][..]),
        2 | 3 => (Effect::Review, &["GDC-DF-FLAG"][..]),
        _ => (Effect::Exclude, codes),
    };
    let mut head = head(&format!("pair-{number}"), effect, codes);
    head.validity = match plan.validity {
        0 => Validity {
            from: day("2024-08-01"),
            until: None,
        },
        1 => Validity {
            from: day("2020-01-01"),
            until: Some(day("2024-08-01")),
        },
        _ => head.validity,
    };
    let mut rule = pair_rule(head, operands, levels[usize::from(plan.level)], when);
    if plan.shared_insurer {
        rule.insurer = InsurerPredicate::Shared;
    } else if plan.validity == 2 {
        rule.insurer = InsurerPredicate::Any;
    }
    rule
}

fn when_of(number: u8) -> When {
    match number {
        1 => When::HybridWithDeduction,
        2 => When::HybridWithoutDeduction,
        3 => When::SchoningNotRecorded,
        4 => When::AgreedAsPart,
        5 => When::SameForm,
        6 => When::OtherForm,
        7 => When::EqualPeriod,
        8 => When::UnequalPeriod,
        9 => When::Subcontracted,
        10 => When::SameCondition,
        11 => When::SameDeclarant,
        _ => When::Always,
    }
}
