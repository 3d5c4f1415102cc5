//! What a line says of itself, from the line, its contract and the catalogue.

use samenloop_domain::{
    cents::{BasisPoints, Cents},
    declaration::{Declaration, InsuredIdentity, Line, Meeting, Participant, PrestatieKey},
    identifiers::{
        ActivityCode, Agb, ConditionCode, ContractId, GroupId, KindCode, LineReference, Pseudonym,
        RegionCode, Uzovi,
    },
    period::Period,
    reference::{Billing, Contract, ContractState, Reference, Stance, Unit},
};

/// The facts of a line by which it meets others, as plain lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Facts {
    /// Who declared it.
    pub(crate) declarant: Agb,
    /// Everyone whom line and contract name.
    pub(crate) agbs: Vec<Agb>,
    /// To whom.
    pub(crate) insurer: Uzovi,
    /// Who pays in the end.
    pub(crate) payers: Vec<Uzovi>,
    /// What.
    pub(crate) prestatie: PrestatieKey,
    /// Its kind of funding.
    pub(crate) kind: KindCode,
    /// Its form, of an ADZ.
    pub(crate) form: Option<Box<str>>,
    /// Under which contract.
    pub(crate) contract: Option<ContractId>,
    /// Whether each insurer gets its own line of that contract.
    pub(crate) each_insurer: bool,
    /// When.
    pub(crate) period: Period,
    /// About whom.
    pub(crate) subject: About,
    /// Groups that overlap with its group according to its contract.
    pub(crate) overlapping: Vec<GroupId>,
    /// Where.
    pub(crate) region: Option<RegionCode>,
    /// About which condition.
    pub(crate) condition: Option<ConditionCode>,
    /// What was done or is paid for.
    pub(crate) activities: Vec<ActivityCode>,
    /// Form of the meetings.
    pub(crate) meeting: Option<Meeting>,
    /// What the contract deducts of hybrid meetings.
    pub(crate) deduction: Option<BasisPoints>,
    /// Onderaanneming: for whom.
    pub(crate) on_behalf_of: Option<Agb>,
    /// Prestaties that are agreed part of its contract.
    pub(crate) agreed_parts: Vec<PrestatieKey>,
    /// Whether schoning was recorded when it began.
    pub(crate) schoning_recorded: bool,
    /// Its reference.
    pub(crate) reference: LineReference,
}

/// Insured person, else patient group, else nobody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum About {
    /// One person, under several keys.
    Person(Vec<Pseudonym>),
    /// A group.
    Group(GroupId),
    /// Nobody in particular.
    Nobody,
}

impl About {
    /// Whether both are about the same.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Person(a), Self::Person(b)) => a.iter().any(|one| b.contains(one)),
            (Self::Group(a), Self::Group(b)) => a == b,
            (Self::Nobody, Self::Nobody) => true,
            _ => false,
        }
    }

    /// Whether it is about one person.
    pub(crate) fn is_person(&self) -> bool {
        matches!(self, Self::Person(_))
    }
}

impl Facts {
    /// `amount` without the part of hybrid meetings that is about individual patients.
    pub(crate) fn less_deduction(&self, amount: Cents) -> Cents {
        let part = self.deduction.map_or(0, BasisPoints::get);
        let off = i128::from(amount.get()) * i128::from(part) / 10_000;
        let rest = i128::from(amount.get()) - off;
        let rest = i64::try_from(rest).expect("a deduction is at most the whole");
        Cents::new(rest).expect("a part of an amount is an amount")
    }

    /// A hybrid meeting of which something is deducted.
    pub(crate) fn is_hybrid_with_deduction(&self) -> bool {
        self.meeting == Some(Meeting::Hybrid) && self.deduction.is_some()
    }

    /// A hybrid meeting of which nothing is deducted.
    pub(crate) fn is_hybrid_without_deduction(&self) -> bool {
        self.meeting == Some(Meeting::Hybrid) && self.deduction.is_none()
    }
}

/// The contract of a line: the one it names, else the only one of declarant and insurer in its period.
pub(crate) fn agreement<'a>(
    declaration: &Declaration,
    line: &Line,
    reference: &'a Reference,
) -> Option<(&'a ContractId, &'a Contract)> {
    let declarant = declaration.declarant_agb.agb()?;
    let insurer = declaration.insurer_uzovi.uzovi()?;
    let period = line.period.period()?;
    let fits = |contract: &Contract| {
        let bound = contract
            .insurers
            .iter()
            .any(|bound| bound.uzovi == insurer && bound.stance != Stance::OptedOut);
        let billed = match contract.billing {
            Billing::EachInsurer => true,
            Billing::LeadInsurer(lead) => lead == insurer,
        };
        let running = matches!(
            contract.state,
            ContractState::Signed | ContractState::Active
        );
        let theirs = contract.declarants.contains(&declarant);
        theirs && bound && billed && running && contract.term.covers(period)
    };
    let mut fitting = reference
        .contracts
        .iter()
        .filter(|(_, contract)| fits(contract));
    match &line.contract_id {
        Some(id) => fitting.find(|(other, _)| *other == id),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

/// The facts of a line; none if its period, declarant, insurer or prestatie cannot be read.
pub(crate) fn of_line(
    declaration: &Declaration,
    line: &Line,
    reference: &Reference,
) -> Option<Facts> {
    let declarant = declaration.declarant_agb.agb()?;
    let insurer = declaration.insurer_uzovi.uzovi()?;
    let period = line.period.period()?;
    let entry = reference.catalogue.get(&line.prestatie)?;
    let agreed = agreement(declaration, line, reference);
    let contract = agreed.map(|(_, contract)| contract);
    let on_behalf_of = line.on_behalf_of.as_ref().and_then(|text| text.agb());
    let group = line.patient_group_id.as_ref();
    let known_group = group.and_then(|id| reference.groups.get(id));
    let mut activities = line.activities.clone();
    if entry.unit == Unit::Lumpsum {
        activities.extend(
            contract
                .iter()
                .flat_map(|contract| contract.activities.clone()),
        );
    }
    let region = line.region.clone().or_else(|| known_group?.region.clone());
    let condition = known_group.and_then(|group| group.condition.clone());
    let recorded = contract.iter().flat_map(|contract| &contract.schoning);
    let recorded = recorded.map(|part| part.on).min();
    Some(Facts {
        declarant,
        agbs: everyone(declarant, line, on_behalf_of, contract),
        insurer,
        payers: payers(insurer, contract),
        prestatie: line.prestatie.clone(),
        kind: entry.kind.clone(),
        form: entry.form.clone(),
        contract: agreed.map(|(id, _)| id.clone()),
        each_insurer: contract.is_some_and(|contract| contract.billing == Billing::EachInsurer),
        period,
        subject: subject(line),
        overlapping: contract
            .map(|contract| contract.overlapping_groups.iter().cloned().collect())
            .unwrap_or_default(),
        region,
        condition: condition.or_else(|| entry.condition.clone()),
        activities,
        meeting: line.meeting,
        deduction: contract.and_then(|contract| contract.hybrid_deduction),
        on_behalf_of,
        agreed_parts: contract
            .map(|contract| contract.agreed_parts.iter().cloned().collect())
            .unwrap_or_default(),
        schoning_recorded: recorded.is_some_and(|day| day <= period.first()),
        reference: line.line_reference.clone(),
    })
}

fn everyone(
    declarant: Agb,
    line: &Line,
    on_behalf_of: Option<Agb>,
    contract: Option<&Contract>,
) -> Vec<Agb> {
    let mut agbs = vec![declarant];
    agbs.extend(on_behalf_of);
    for participant in &line.participants {
        if let Participant::Provider(text) = participant {
            agbs.extend(text.agb());
        }
    }
    if let Some(contract) = contract {
        agbs.extend(&contract.declarants);
        agbs.extend(&contract.participants);
    }
    agbs
}

fn payers(insurer: Uzovi, contract: Option<&Contract>) -> Vec<Uzovi> {
    match contract {
        Some(contract) if contract.billing != Billing::EachInsurer => {
            let bound = contract.insurers.iter();
            let bound = bound.filter(|bound| bound.stance != Stance::OptedOut);
            bound.map(|bound| bound.uzovi).collect()
        }
        _ => vec![insurer],
    }
}

fn subject(line: &Line) -> About {
    match (&line.insured, &line.patient_group_id) {
        (Some(insured), _) => match &insured.identity {
            InsuredIdentity::Pseudonyms(pseudonyms) => About::Person(pseudonyms.clone()),
            InsuredIdentity::Malformed => About::Person(Vec::new()),
        },
        (None, Some(group)) => About::Group(group.clone()),
        (None, None) => About::Nobody,
    }
}
