//! Lines of one generated message.

use samenloop_domain::period::Period;
use samenloop_proto::declaration::v1::{
    Direction, DomainShare, Line, Meeting, Participant, Prestatie, SectorShare, Span,
};

use super::{
    cooperation::{Cooperation, Funding, GROUPS, LIST, Role, euro},
    random::SplitMix,
};

/// Of a thousand lines: how many are of each special form.
const DUPLICATES: u32 = 10;
const EXCLUDED: u32 = 10;
const HELD: u32 = 5;
const HYBRID: u32 = 10;
const WRONG: u32 = 10;

/// What a line shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Regular,
    Hybrid,
    Wrong(u32),
    /// A week that the message declared already.
    Again(Role),
}

/// Lines of a message so far.
pub(super) struct Draft<'a> {
    cooperation: &'a Cooperation,
    first_slot: u32,
    next_slot: u32,
    lines: Vec<Line>,
}

/// The lines of a message.
pub(super) struct Drafted {
    pub(super) lines: Vec<Line>,
    /// First and last day of all lines.
    pub(super) period: Period,
    /// How many slots of the cooperation are used now.
    pub(super) used: u32,
}

impl<'a> Draft<'a> {
    pub(super) fn new(cooperation: &'a Cooperation, used: u32) -> Self {
        Self {
            cooperation,
            first_slot: used,
            next_slot: used,
            lines: Vec::new(),
        }
    }

    /// Adds a line.
    pub(super) fn add(&mut self, random: &mut SplitMix, reference: String) {
        let form = draw(random);
        let quantity = random.between(1, 20);
        let back = random.next();
        let line = match form {
            Form::Again(role) => match self.earlier_slot(back) {
                Some(slot) => self.line(role, slot, quantity, reference),
                None => self.regular(quantity, reference),
            },
            Form::Hybrid if self.cooperation.funding() == Funding::Bdss => {
                let mut line = self.regular(quantity, reference);
                line.meeting = Some(Meeting::Hybrid.into());
                line
            }
            Form::Regular | Form::Hybrid => self.regular(quantity, reference),
            Form::Wrong(kind) => {
                let mut line = self.regular(quantity, reference);
                spoil(&mut line, kind);
                line
            }
        };
        self.lines.push(line);
    }

    pub(super) fn finish(self) -> Drafted {
        let first = Cooperation::week(self.first_slot / GROUPS).first();
        let last_slot = self.next_slot.saturating_sub(1).max(self.first_slot);
        let last = Cooperation::week(last_slot / GROUPS).last();
        Drafted {
            lines: self.lines,
            period: Period::new(first, last).expect("slots are used in order"),
            used: self.next_slot,
        }
    }

    fn regular(&mut self, quantity: u32, reference: String) -> Line {
        let slot = self.next_slot;
        self.next_slot += 1;
        self.line(Role::Main, slot, quantity, reference)
    }

    /// A slot of a week that lies wholly in this message and is complete.
    fn earlier_slot(&self, draw: u64) -> Option<u32> {
        let first = (self.first_slot.div_ceil(GROUPS)) * GROUPS;
        let complete = (self.next_slot / GROUPS) * GROUPS;
        let slots = complete.checked_sub(first).filter(|slots| *slots > 0)?;
        let above = u32::try_from(draw % u64::from(slots)).ok()?;
        Some(first + above)
    }

    fn line(&self, role: Role, slot: u32, quantity: u32, reference: String) -> Line {
        let funding = self.cooperation.funding_of(role);
        let quantity = match funding {
            Funding::Bdss => quantity,
            Funding::Oeni => 1,
            Funding::Adz => quantity * 20,
        };
        let tarief = self.cooperation.tarief_cents(role);
        let cents = i64::from(tarief) * i64::from(quantity);
        let group = match role {
            Role::Main | Role::Same => slot % GROUPS,
            Role::Other => GROUPS,
        };
        let period = Cooperation::week(slot / GROUPS);
        let (domains, sectors) = Cooperation::shares(funding);
        let number = u32::try_from(self.lines.len()).expect("a message has few lines") + 1;
        Line {
            line_number: Some(number),
            line_reference: Some(reference),
            original_reference: None,
            direction: Some(Direction::Debit.into()),
            prestatie: Some(Prestatie {
                list: Some(LIST.to_owned()),
                code: Some(funding.code().to_owned()),
            }),
            contract_id: Some(self.cooperation.contract(role)),
            period: Some(span(period)),
            quantity: Some(quantity),
            time_unit: Some("81".to_owned()),
            tarief: Some(euro(tarief)),
            computed_cents: Some(cents),
            declared_cents: Some(cents),
            patient_group_id: Some(self.cooperation.group(group)),
            insured: None,
            region: Some(self.cooperation.region()),
            participants: self.cooperation.participants().map(participant).to_vec(),
            activities: Cooperation::activities(role)
                .iter()
                .map(|it| (*it).to_owned())
                .collect(),
            meeting: Some(Meeting::Group.into()),
            domain_shares: domains.into_iter().map(domain_share).collect(),
            sector_shares: sectors.into_iter().map(sector_share).collect(),
            on_behalf_of_agb: None,
        }
    }
}

fn draw(random: &mut SplitMix) -> Form {
    let drawn = random.between(0, 999);
    let kind = random.between(0, 4);
    let mut until = 0;
    for (share, form) in [
        (DUPLICATES, Form::Again(Role::Main)),
        (EXCLUDED, Form::Again(Role::Same)),
        (HELD, Form::Again(Role::Other)),
        (HYBRID, Form::Hybrid),
        (WRONG, Form::Wrong(kind)),
    ] {
        until += share;
        if drawn < until {
            return form;
        }
    }
    Form::Regular
}

/// Makes a line wrong in one of five ways.
fn spoil(line: &mut Line, kind: u32) {
    match kind {
        0 => line.contract_id = Some("GEN-UNKNOWN".to_owned()),
        1 => line.patient_group_id = Some("GEN-UNKNOWN".to_owned()),
        2 => line.declared_cents = line.declared_cents.map(|cents| cents + 1),
        3 => line.meeting = Some(Meeting::Individual.into()),
        _ => {
            if let Some(prestatie) = &mut line.prestatie {
                prestatie.code = Some("GENX9".to_owned());
            }
        }
    }
}

pub(super) fn span(period: Period) -> Span {
    Span {
        first: Some(period.first().to_string()),
        last: Some(period.last().to_string()),
    }
}

fn participant(agb: String) -> Participant {
    Participant {
        agb: Some(agb),
        name: None,
        kind: None,
    }
}

fn domain_share((domain, basis_points): (&str, u32)) -> DomainShare {
    DomainShare {
        domain: Some(domain.to_owned()),
        basis_points: Some(basis_points),
    }
}

fn sector_share((sector, basis_points): (&str, u32)) -> SectorShare {
    SectorShare {
        sector: Some(sector.to_owned()),
        basis_points: Some(basis_points),
    }
}
