//! Pairs of lines by hand: how they meet, which rule speaks, and what it comes to.

mod rules;

use crate::{
    cents::BasisPoints,
    coverage::{Coverage, CoverageIndex, CoverageState, Covered, Subject},
    declaration::{Meeting, PrestatieKey},
    double_funding::{Meets, decide_against, decide_line},
    fixtures::{
        W1, Z1, agb, bdss_coverage as bdss, first_line_of, period, person, reference, uzovi,
    },
    period::Validity,
    reference::{
        Effect,
        MatchLevel::{self, Candidate, Full, SameContract, SameInsured},
        Policy,
    },
    rejection,
};

/// O&I of the same cooperation, under contract C3.
fn oeni() -> Coverage {
    Coverage {
        prestatie: PrestatieKey::new("990", "OENI1"),
        kind: "OENI".into(),
        contract_id: Some("C3".into()),
        ..bdss()
    }
}

fn covered(sequence: u64, state: CoverageState, coverage: Coverage) -> Covered {
    Covered {
        id: first_line_of(sequence),
        state,
        coverage,
    }
}

/// O&I after `change`.
fn changed(change: fn(&mut Coverage)) -> Coverage {
    let mut other = oeni();
    change(&mut other);
    other
}

/// What is decided of BDSS beside `other`, where the insurer of BDSS has `policy`.
fn under(policy: Policy, other: &Coverage) -> (Effect, Option<String>) {
    let mut reference = reference();
    reference.policies = vec![policy];
    let rival = covered(1, CoverageState::Awarded, other.clone());
    let judged = decide_against(&bdss(), &[&rival], &reference);
    let first = judged.evidence.into_iter().next();
    (judged.effect, first.and_then(|it| it.policy))
}

#[test]
fn policy_of_the_insurer_turns_an_exclusion_into_a_review() {
    let policy = |insurer: &str, rules: &[&str]| Policy {
        insurer: uzovi(insurer),
        rules: rules.iter().map(|id| (*id).into()).collect(),
        source: "policy".to_owned(),
        validity: Validity {
            from: period("2024-01-01", "2024-01-01").first(),
            until: Some(period("2024-10-01", "2024-10-01").first()),
        },
    };
    let rule = decide_against(
        &bdss(),
        &[&covered(1, CoverageState::Awarded, oeni())],
        &reference(),
    );
    let rule = rule.evidence[0].rule.clone();
    let softened = (Effect::Review, Some("policy".to_owned()));
    let refused = (Effect::Exclude, None);
    assert_eq!(under(policy("7095", &[]), &oeni()), softened);
    assert_eq!(under(policy("7095", &[&rule]), &oeni()), softened);
    assert_eq!(under(policy("7095", &["another"]), &oeni()), refused);
    assert_eq!(under(policy("3311", &[]), &oeni()), refused);
    let mut ended = policy("7095", &[]);
    ended.validity.until = Some(period("2024-07-01", "2024-07-01").first());
    assert_eq!(under(ended, &oeni()), refused);
    // A line declared twice under one contract is no matter of policy.
    assert_eq!(under(policy("7095", &[]), &bdss()), refused);
}

fn check_levels(table: &[(&str, Coverage, &[MatchLevel])]) {
    for (what, other, levels) in table {
        for meets in [Meets::of(&bdss(), other), Meets::of(other, &bdss())] {
            for level in [Candidate, Full, SameInsured, SameContract] {
                assert_eq!(
                    meets.at(level),
                    levels.contains(&level),
                    "{what}: {level:?}"
                );
            }
        }
    }
}

#[test]
fn match_needs_a_day_and_an_agb_and_a_full_one_an_activity() {
    let later = period("2024-10-01", "2024-12-31");
    let in_october = Coverage {
        period: later,
        ..oeni()
    };
    let contract = |id: Option<&str>| Coverage {
        contract_id: id.map(Into::into),
        ..oeni()
    };
    check_levels(&[
        ("all in common", oeni(), &[Candidate, Full]),
        ("no day", in_october, &[]),
        ("no AGB", changed(|it| it.agbs = [agb(W1)].into()), &[]),
        (
            "no activity",
            changed(|it| it.activities = ["A11".into()].into()),
            &[Candidate],
        ),
        (
            "none at all",
            changed(|it| it.activities.clear()),
            &[Candidate],
        ),
        (
            "the same contract",
            contract(Some("C1")),
            &[Candidate, Full, SameContract],
        ),
        ("no contract known", contract(None), &[Candidate, Full]),
    ]);
}

#[test]
fn full_match_is_about_the_same_patients() {
    let group = |id: &str, overlapping: &[&str]| Coverage {
        subject: Subject::Group(id.into()),
        overlapping_groups: overlapping.iter().map(|id| (*id).into()).collect(),
        condition: None,
        ..oeni()
    };
    let of_condition = |subject, condition: Option<&str>| Coverage {
        subject,
        overlapping_groups: [].into(),
        condition: condition.map(Into::into),
        ..oeni()
    };
    let g7 = Subject::Group("G7".into());
    let same_contract = Coverage {
        contract_id: Some("C1".into()),
        ..group("G2", &["G2"])
    };
    check_levels(&[
        ("another group", group("G2", &["G2"]), &[Candidate]),
        (
            "one that overlaps by contract",
            group("G2", &["G2", "G1"]),
            &[Candidate, Full],
        ),
        (
            "both overlap a third",
            group("G2", &["G2", "G3"]),
            &[Candidate],
        ),
        (
            "of one region and condition",
            of_condition(g7.clone(), Some("GEZIN")),
            &[Candidate, Full],
        ),
        (
            "of another condition",
            of_condition(g7, Some("OUDEREN")),
            &[Candidate],
        ),
        (
            "a person of the condition",
            of_condition(person(1), Some("GEZIN")),
            &[Candidate, Full],
        ),
        (
            "a person of another",
            of_condition(person(1), Some("OUDEREN")),
            &[],
        ),
        ("a person of none known", of_condition(person(1), None), &[]),
        (
            "the same contract, another group",
            same_contract,
            &[Candidate],
        ),
    ]);
}

#[test]
fn insured_persons_meet_themselves_only() {
    let of = |number| Coverage {
        subject: person(number),
        agbs: [agb(Z1)].into(),
        ..bdss()
    };
    let elsewhere = Coverage {
        agbs: [agb(W1)].into(),
        contract_id: Some("C9".into()),
        ..of(1)
    };
    assert_eq!(Meets::of(&of(1), &of(2)), Meets::default());
    assert!(Meets::of(&of(1), &of(1)).full);
    let meets = Meets::of(&of(1), &elsewhere);
    assert!(meets.same_insured && !meets.candidate && !meets.same_contract);
}

#[test]
fn lines_of_one_contract_to_each_insurer_are_no_rivals() {
    let share = |insurer| Coverage {
        each_insurer: true,
        insurer: uzovi(insurer),
        payers: [uzovi(insurer)].into(),
        ..bdss()
    };
    assert_eq!(Meets::of(&share("7095"), &share("3311")), Meets::default());
    assert!(Meets::of(&share("7095"), &share("7095")).same_contract);
}

#[test]
fn reasons_of_several_rivals_are_told_once_in_order_of_report() {
    let other_contract = Coverage {
        contract_id: Some("C6".into()),
        ..bdss()
    };
    let overlapping = Coverage {
        period: period("2024-06-01", "2024-08-31"),
        ..bdss()
    };
    let without_activity = Coverage {
        activities: [].into(),
        ..oeni()
    };
    let awarded = |sequence, coverage| covered(sequence, CoverageState::Awarded, coverage);
    let rivals = [
        awarded(1, without_activity),
        awarded(2, overlapping),
        awarded(3, oeni()),
        awarded(4, oeni()),
        awarded(5, other_contract),
        covered(6, CoverageState::Imported, oeni()),
    ];
    let rivals: Vec<&Covered> = rivals.iter().collect();
    let judged = decide_against(&bdss(), &rivals, &reference());
    let codes: Vec<&str> = (rejection::codes(&judged.rejections).into_iter())
        .map(crate::rejection::ReasonCode::as_str)
        .collect();
    assert_eq!(judged.effect, Effect::Exclude);
    assert_eq!(codes, ["0587", "0634", "8020", "GDC-DF-EXCL"]);
    assert_eq!(judged.rivals, 6);
    let told: Vec<(u64, Effect)> = (judged.evidence.iter())
        .filter_map(|it| Some((it.rival.as_ref()?.id.sequence.0, it.effect)))
        .collect();
    let excluded = [5, 3, 4, 6, 2].map(|sequence| (sequence, Effect::Exclude));
    assert_eq!(told, excluded);
}

#[test]
fn state_and_begin_of_the_rival_soften_an_exclusion() {
    let begins = |first, coverage: Coverage| Coverage {
        period: period(first, "2024-09-30"),
        ..coverage
    };
    let mut same_contract = bdss();
    same_contract.line_reference = "R2".into();
    use CoverageState::{Awarded, Held, Imported};
    for (what, state, rival, effect) in [
        ("awarded", Awarded, oeni(), Effect::Exclude),
        ("imported", Imported, oeni(), Effect::Exclude),
        ("held", Held, oeni(), Effect::Review),
        (
            "begins later",
            Awarded,
            begins("2024-07-02", oeni()),
            Effect::Review,
        ),
        (
            "begins earlier",
            Awarded,
            begins("2024-06-30", oeni()),
            Effect::Exclude,
        ),
        (
            "later, same contract",
            Awarded,
            begins("2024-07-02", same_contract.clone()),
            Effect::Exclude,
        ),
        ("held, same contract", Held, same_contract, Effect::Review),
    ] {
        let rival = covered(1, state, rival);
        let judged = decide_against(&bdss(), &[&rival], &reference());
        assert_eq!(judged.effect, effect, "{what}");
        assert_eq!((judged.rivals, judged.deduction), (1, None));
    }
}

#[test]
fn fewer_than_two_zorgaanbieders_are_looked_at_by_a_person() {
    let alone = Coverage {
        // A service bureau is no zorgaanbieder.
        agbs: [agb(Z1), agb("98000123")].into(),
        ..bdss()
    };
    let judged = decide_line(&alone, &CoverageIndex::default(), &reference());
    assert_eq!(judged.effect, Effect::Review);
    assert_eq!(judged.rejections[0].codes[0].as_str(), "GDC-PARTIJ");
    assert_eq!(judged.rivals, 0);
    let two = decide_line(&bdss(), &CoverageIndex::default(), &reference());
    assert_eq!((two.effect, two.evidence.len()), (Effect::Allow, 0));
}

#[test]
fn review_holds_the_line_and_the_reduction_is_proposed() {
    let hybrid = Coverage {
        meeting: Some(Meeting::Hybrid),
        hybrid_deduction: BasisPoints::new(2_500),
        ..bdss()
    };
    let rival = Coverage {
        activities: [].into(),
        ..oeni()
    };
    let rival = covered(1, CoverageState::Awarded, rival);
    let judged = decide_against(&hybrid, &[&rival], &reference());
    assert_eq!(judged.effect, Effect::Review);
    assert_eq!(judged.deduction, BasisPoints::new(2_500));
    assert_eq!(judged.evidence.len(), 2);
}
