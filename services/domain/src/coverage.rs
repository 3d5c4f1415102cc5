//! Coverage: what an accepted, held or imported line occupies, and the index by which a new line
//! finds its rivals.

mod index;

use std::collections::BTreeSet;

use crate::{
    cents::BasisPoints,
    declaration::{InsuredIdentity, Line, Meeting, Participant, PrestatieKey},
    facts::LineFacts,
    identifiers::{
        ActivityCode, Agb, ConditionCode, ContractId, GroupId, KindCode, LineReference, Pseudonym,
        RegionCode, Sequence, Uzovi,
    },
    period::Period,
    reference::{Billing, Contract, Reference, Unit},
};

pub use index::CoverageIndex;

/// Facts of one line by which it meets others, resolved from line and contract when it was decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// Who declared it.
    pub declarant: Agb,
    /// Declarant, participants and on_behalf_of of the line, with the contract's declarants and
    /// participants.
    pub agbs: BTreeSet<Agb>,
    /// The insurer it was declared to.
    pub insurer: Uzovi,
    /// Who pays: the insurer, or all bound insurers of a contract billed to the lead.
    pub payers: BTreeSet<Uzovi>,
    /// The prestatie.
    pub prestatie: PrestatieKey,
    /// Its kind of funding.
    pub kind: KindCode,
    /// Its form (of an ADZ), if it has one.
    pub form: Option<Box<str>>,
    /// The contract; imported prestaties may have none.
    pub contract_id: Option<ContractId>,
    /// Whether the contract bills each insurer: lines of it to different insurers are
    /// complementary, never rivals.
    pub each_insurer: bool,
    /// When.
    pub period: Period,
    /// About whom.
    pub subject: Subject,
    /// The group, with the groups that the contract says overlap.
    pub overlapping_groups: BTreeSet<GroupId>,
    /// Region of the line, else of its group.
    pub region: Option<RegionCode>,
    /// Condition of the group, else of the catalogue entry.
    pub condition: Option<ConditionCode>,
    /// Activities of the line; of a lumpsum also those of its contract.
    pub activities: BTreeSet<ActivityCode>,
    /// Form of the meetings.
    pub meeting: Option<Meeting>,
    /// Deduction of the contract for hybrid meetings.
    pub hybrid_deduction: Option<BasisPoints>,
    /// Onderaanneming: on whose behalf.
    pub on_behalf_of: Option<Agb>,
    /// Prestaties that the contract agrees to be part of it.
    pub agreed_parts: BTreeSet<PrestatieKey>,
    /// Whether schoning was recorded by the begin of the period.
    pub schoning_recorded: bool,
    /// The sender's reference.
    pub line_reference: LineReference,
}

/// Whom a line is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// An insured person, under every active key.
    Insured(Vec<Pseudonym>),
    /// A patient group.
    Group(GroupId),
    /// Nobody in particular.
    None,
}

impl Subject {
    /// Whether both are about the same: any pseudonym in common, the same group, or both nobody.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Insured(a), Self::Insured(b)) => a.iter().any(|pseudonym| b.contains(pseudonym)),
            (Self::Group(a), Self::Group(b)) => a == b,
            (Self::None, Self::None) => true,
            _ => false,
        }
    }
}

/// Whom `line` is about: its insured person, else its patient group, else nobody in particular.
#[must_use]
pub fn subject_of(line: &Line) -> Subject {
    match (&line.insured, &line.patient_group_id) {
        (Some(insured), _) => match &insured.identity {
            InsuredIdentity::Pseudonyms(pseudonyms) => Subject::Insured(pseudonyms.clone()),
            InsuredIdentity::Malformed => Subject::None,
        },
        (None, Some(group)) => Subject::Group(group.clone()),
        (None, None) => Subject::None,
    }
}

/// What `facts.line` would occupy; `None` while declarant, insurer, prestatie or period are not
/// established.
///
/// The AGB codes are those of line and contract together, and a lumpsum has the activities of its
/// contract too: what decides a match must not depend on what the declarant cares to write, and a
/// lumpsum pays for the whole contract. Source: 002_eb0531d2b212ba40.txt, toelichting article 3
/// (the same cooperation is not paid twice).
#[must_use]
pub fn of_line(facts: &LineFacts<'_>, reference: &Reference) -> Option<Coverage> {
    let (line, entry) = (facts.line, facts.prestatie?);
    let (declarant, insurer, period) = (facts.declarant?, facts.insurer?, facts.period?);
    let contract = facts.contract.map(|(_, contract)| contract);
    let group = line.patient_group_id.as_ref();
    let known_group = group.and_then(|id| reference.groups.get(id));
    let region = line.region.clone();
    let condition = known_group.and_then(|group| group.condition.clone());
    Some(Coverage {
        declarant,
        agbs: agbs_of(declarant, line, contract),
        insurer,
        payers: payers_of(insurer, contract),
        prestatie: line.prestatie.clone(),
        kind: entry.kind.clone(),
        form: entry.form.clone(),
        contract_id: facts.contract.map(|(id, _)| id.clone()),
        each_insurer: contract.is_some_and(|it| it.billing == Billing::EachInsurer),
        period,
        subject: subject_of(line),
        overlapping_groups: (group.cloned().into_iter())
            .chain(
                contract
                    .into_iter()
                    .flat_map(|it| it.overlapping_groups.clone()),
            )
            .collect(),
        region: region.or_else(|| known_group.and_then(|group| group.region.clone())),
        condition: condition.or_else(|| entry.condition.clone()),
        activities: activities_of(line, contract, entry.unit),
        meeting: line.meeting,
        hybrid_deduction: contract.and_then(|it| it.hybrid_deduction),
        on_behalf_of: line.on_behalf_of.as_ref().and_then(|text| text.agb()),
        agreed_parts: contract.map_or_else(BTreeSet::new, |it| it.agreed_parts.clone()),
        schoning_recorded: contract
            .is_some_and(|it| it.schoning.iter().any(|part| part.on <= period.first())),
        line_reference: line.line_reference.clone(),
    })
}

fn agbs_of(declarant: Agb, line: &Line, contract: Option<&Contract>) -> BTreeSet<Agb> {
    let participants = line.participants.iter().filter_map(|it| match it {
        Participant::Provider(text) => text.agb(),
        Participant::ThirdParty { .. } => None,
    });
    let of_contract = contract
        .into_iter()
        .flat_map(|it| it.declarants.iter().chain(&it.participants).copied());
    participants
        .chain(line.on_behalf_of.iter().filter_map(|text| text.agb()))
        .chain(of_contract)
        .chain([declarant])
        .collect()
}

fn payers_of(insurer: Uzovi, contract: Option<&Contract>) -> BTreeSet<Uzovi> {
    let bound = contract
        .filter(|it| matches!(it.billing, Billing::LeadInsurer(_)))
        .into_iter()
        .flat_map(|it| it.insurers.iter().filter(|bound| bound.is_bound()))
        .map(|bound| bound.uzovi);
    bound.chain([insurer]).collect()
}

fn activities_of(line: &Line, contract: Option<&Contract>, unit: Unit) -> BTreeSet<ActivityCode> {
    let of_contract = contract
        .filter(|_| unit == Unit::Lumpsum)
        .into_iter()
        .flat_map(|it| it.activities.iter());
    line.activities.iter().chain(of_contract).cloned().collect()
}

/// Where coverage comes from. The order is the order of decision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CoverageId {
    /// Log entry: of the message, or of the imported chunk.
    pub sequence: Sequence,
    /// Line number in the message, or row number in the chunk.
    pub line: u64,
}

impl CoverageId {
    /// Before every other.
    pub const MIN: Self = Self {
        sequence: Sequence(0),
        line: 0,
    };
    /// After every other.
    pub const MAX: Self = Self {
        sequence: Sequence(u64::MAX),
        line: u64::MAX,
    };

    /// The id of a line of the message that was decided as `sequence`.
    #[must_use]
    pub fn of_line(sequence: Sequence, line_number: u32) -> Self {
        Self {
            sequence,
            line: u64::from(line_number),
        }
    }
}

/// What stands behind coverage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CoverageState {
    /// Accepted or reduced here.
    Awarded,
    /// Held for a person.
    Held,
    /// Imported: a fact, never refused.
    Imported,
}

/// One entry of the index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Covered {
    /// Where it comes from.
    pub id: CoverageId,
    /// What stands behind it.
    pub state: CoverageState,
    /// Its facts.
    pub coverage: Coverage,
}

/// A key by which coverage is found: a matching fact that is shared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CoverageKey {
    /// An AGB code of line or contract.
    Agb(Agb),
    /// A pseudonym of the insured.
    Pseudonym(Pseudonym),
    /// The contract, of what is not client-bound: two of its lines need no AGB code in common.
    Contract(ContractId),
}

impl Coverage {
    /// Every key under which this is found.
    #[must_use]
    pub fn keys(&self) -> Vec<CoverageKey> {
        let agbs = self.agbs.iter().copied().map(CoverageKey::Agb);
        let (pseudonyms, contract) = match &self.subject {
            Subject::Insured(pseudonyms) => (pseudonyms.as_slice(), None),
            Subject::Group(_) | Subject::None => (&[][..], self.contract_id.clone()),
        };
        agbs.chain(pseudonyms.iter().cloned().map(CoverageKey::Pseudonym))
            .chain(contract.map(CoverageKey::Contract))
            .collect()
    }
}
