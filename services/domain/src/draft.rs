//! What a contract would fund: the lines that it lets be declared, as coverage, and what the rules of double funding
//! say of them beside other coverage. For a purchaser, before anything is signed.
//!
//! Nothing here judges a declaration. Whether the contract may be signed at all, and what the meetings under it will
//! be like, is not known yet: a rule about hybrid meetings speaks of lines only.

use crate::{
    cents::Cents,
    coverage::{self, Coverage, Covered, Subject},
    declaration::{Direction, Line, PrestatieKey},
    double_funding,
    facts::LineFacts,
    identifiers::{Agb, AgbText, ContractId, GroupId, Uzovi},
    period::{Period, Span},
    reference::{
        Billing, CatalogueEntry, Condition, Contract, ContractTerm, Effect, Reference, RuleHead,
    },
};

/// A line that a contract would give: one for each prestatie, term, group, declarant and insurer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DraftLine {
    /// The contract.
    pub contract_id: ContractId,
    /// What would be declared.
    pub prestatie: PrestatieKey,
    /// The span of the contract; a line of it lies within.
    pub period: Period,
    /// For whom, where the contract names groups.
    pub group: Option<GroupId>,
    /// By whom.
    pub declarant: Agb,
    /// To whom.
    pub insurer: Uzovi,
    /// What it would occupy.
    pub coverage: Coverage,
}

/// A rule that excludes a line beside other coverage, or asks a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conflict<'a> {
    /// The rule.
    pub rule: &'a RuleHead,
    /// What it says, whichever of the two comes first.
    pub effect: Effect,
    /// The other coverage.
    pub rival: &'a Covered,
    /// Days that both have.
    pub days_in_common: u32,
}

/// The lines that `contract` would give, in order of prestatie, term, group, declarant and insurer.
///
/// A client-bound prestatie is about nobody known yet: its line meets group-bound care of the same condition, and no
/// person. Example: a contract of one lumpsum with two terms, one group and one insurer gives two lines.
#[must_use]
pub fn lines_of(id: &ContractId, contract: &Contract, reference: &Reference) -> Vec<DraftLine> {
    let mut lines = Vec::new();
    for (key, agreed) in &contract.prestaties {
        let Some(entry) = reference.catalogue.get(key) else {
            continue;
        };
        for term in &agreed.terms {
            for group in groups_of(contract, entry) {
                for declarant in &contract.declarants {
                    for insurer in billed(contract) {
                        let line = line(id, key, term, group.as_ref(), *declarant);
                        let facts = LineFacts {
                            line: &line,
                            reference,
                            invoice_date: None,
                            period: Some(term.period),
                            declarant: Some(*declarant),
                            insurer: Some(insurer),
                            prestatie: Some(entry),
                            contract: Some((id, contract)),
                            contract_prestatie: Some(agreed),
                            covering_term: Some(term),
                            amounts: true,
                        };
                        let coverage = coverage::of_line(&facts, reference)
                            .expect("every fact that coverage needs is given");
                        lines.push(DraftLine {
                            contract_id: id.clone(),
                            prestatie: key.clone(),
                            period: term.period,
                            group: group.clone(),
                            declarant: *declarant,
                            insurer,
                            coverage: about(coverage, entry),
                        });
                    }
                }
            }
        }
    }
    lines
}

/// What excludes `line` beside `rivals`, or asks a person, strictest first. Lines of the same contract are passed
/// over: a contract that is changed meets what was declared under it before.
#[must_use]
pub fn conflicts<'a>(
    line: &DraftLine,
    rivals: &[&'a Covered],
    reference: &'a Reference,
) -> Vec<Conflict<'a>> {
    let others = (rivals.iter())
        .filter(|rival| rival.coverage.contract_id.as_ref() != Some(&line.contract_id));
    let mut found: Vec<Conflict<'a>> = others
        .filter_map(|rival| {
            let (rule, effect) =
                double_funding::effect_between(&line.coverage, &rival.coverage, reference)?;
            (effect >= Effect::Review).then(|| Conflict {
                rule,
                effect,
                rival,
                days_in_common: line.period.days_in_common(rival.coverage.period),
            })
        })
        .collect();
    found.sort_by(|a, b| {
        (b.effect, &a.rule.id, a.rival.id).cmp(&(a.effect, &b.rule.id, b.rival.id))
    });
    found
}

/// The groups of a contract, one at a time; none for a prestatie that is not about groups.
fn groups_of(contract: &Contract, entry: &CatalogueEntry) -> Vec<Option<GroupId>> {
    let about_groups = entry.conditions.contains(&Condition::PatientGroup)
        || !entry.conditions.contains(&Condition::InsuredRequired);
    if contract.groups.is_empty() || !about_groups {
        return vec![None];
    }
    contract.groups.iter().cloned().map(Some).collect()
}

/// Who gets lines: the lead, or every insurer that did not step out.
fn billed(contract: &Contract) -> Vec<Uzovi> {
    match contract.billing {
        Billing::LeadInsurer(lead) => vec![lead],
        Billing::EachInsurer => (contract.insurers.iter())
            .filter(|bound| bound.is_bound())
            .map(|bound| bound.uzovi)
            .collect(),
    }
}

/// Of a client-bound prestatie: about a person that nobody knows yet.
fn about(coverage: Coverage, entry: &CatalogueEntry) -> Coverage {
    if !entry.conditions.contains(&Condition::InsuredRequired) {
        return coverage;
    }
    Coverage {
        subject: Subject::Insured(Vec::new()),
        ..coverage
    }
}

fn line(
    id: &ContractId,
    key: &PrestatieKey,
    term: &ContractTerm,
    group: Option<&GroupId>,
    declarant: Agb,
) -> Line {
    let amount = Cents::ZERO;
    Line {
        line_number: 1,
        line_reference: "draft".into(),
        original_reference: None,
        direction: Direction::Debit,
        prestatie: key.clone(),
        contract_id: Some(id.clone()),
        period: Span {
            first: term.period.first(),
            last: term.period.last(),
        },
        quantity: 1,
        time_unit: String::new(),
        tarief: term.tarief,
        computed: amount,
        declared: amount,
        patient_group_id: group.cloned(),
        insured: None,
        region: None,
        participants: vec![crate::declaration::Participant::Provider(AgbText::new(
            declarant.as_str(),
        ))],
        activities: Vec::new(),
        meeting: None,
        domain_shares: term.domain_shares.clone(),
        sector_shares: term.sector_shares.clone(),
        on_behalf_of: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        coverage::CoverageState,
        fixtures::{bdss_coverage, first_line_of, reference, uzovi},
    };

    fn covered(coverage: Coverage) -> Covered {
        Covered {
            id: first_line_of(1),
            state: CoverageState::Awarded,
            coverage,
        }
    }

    #[test]
    fn contract_gives_a_line_for_each_prestatie_term_group_and_insurer() {
        let reference = reference();
        for (id, contract) in &reference.contracts {
            let lines = lines_of(id, contract, &reference);
            let terms: usize = contract.prestaties.values().map(|it| it.terms.len()).sum();
            assert!(lines.len() >= terms, "{id}: {lines:?}");
            for line in &lines {
                assert_eq!(line.coverage.contract_id.as_ref(), Some(id));
                assert_eq!(line.coverage.period, line.period);
            }
        }
        let contract = &reference.contracts[&"C1".into()];
        let lines = lines_of(&"C1".into(), contract, &reference);
        let groups: Vec<_> = lines.iter().filter_map(|line| line.group.clone()).collect();
        let agreed: Vec<_> = contract.groups.iter().cloned().collect();
        assert_eq!((groups, agreed.is_empty()), (agreed, false));
        assert!(lines.iter().all(|line| line.insurer == uzovi("7095")));
    }

    /// The rules of the fixtures exclude O&I beside BDSS of one cooperation, whichever of the two begins first.
    #[test]
    fn line_of_a_draft_is_excluded_beside_other_funding_of_the_cooperation() {
        let reference = reference();
        let mut contract = reference.contracts[&"C1".into()].clone();
        contract.activities = bdss_coverage().activities;
        let lines = lines_of(&"C1".into(), &contract, &reference);
        let oeni = Coverage {
            prestatie: PrestatieKey::new("990", "OENI1"),
            kind: "OENI".into(),
            contract_id: Some("C3".into()),
            ..bdss_coverage()
        };
        let (other, same) = (covered(oeni), covered(bdss_coverage()));
        let of_group = lines
            .iter()
            .find(|line| line.coverage.subject == bdss_coverage().subject);
        let line = of_group.expect("the contract is for the group of the cooperation");
        let found = conflicts(line, &[&other, &same], &reference);
        assert_eq!(found.len(), 1, "a contract does not meet itself: {found:?}");
        assert_eq!(found[0].effect, Effect::Exclude);
        assert!(found[0].days_in_common > 0);
    }
}
