//! A small world for tests of rules: four contracts, and a declaration under one of them that
//! nothing is wrong with.

mod reference;

use uuid::Uuid;

use crate::{
    cents::Cents,
    declaration::{
        Control, Declaration, Direction, Insured, InsuredIdentity, Line, Meeting, MessageKind,
        Participant, PrestatieKey, Share,
    },
    identifiers::{Agb, PartyId, Pseudonym, Uzovi},
    period::{Day, Period, Span, Validity},
    reference::{CatalogueEntry, CodeList, Contract, ContractTerm, Reference},
    rejection,
    tarief::Tarief,
    validation::{Environment, validate_declaration},
};

pub(crate) const Z1: &str = "53530001";
pub(crate) const H1: &str = "01056789";
pub(crate) const W1: &str = "91910001";
pub(crate) const N1: &str = "53530020";
pub(crate) const B1: &str = "98000123";

/// A case: what it shows, what is changed, and the codes expected.
pub(crate) type Case = (&'static str, fn(&mut World), &'static str);

/// Changes a world of `start` for each case, and compares what validation says with the codes
/// expected: `message` and the codes that refuse it, or the codes of each line in order, with a bar
/// between lines.
pub(crate) fn check(start: fn() -> World, cases: &[Case]) {
    for (name, change, expected) in cases {
        let mut world = start();
        change(&mut world);
        assert_eq!(world.outcome(), *expected, "{name}");
    }
}

/// A declaration and all that it is judged by.
pub(crate) struct World {
    pub(crate) declaration: Declaration,
    pub(crate) party: PartyId,
    pub(crate) received_on: Day,
    pub(crate) reference: Reference,
    pub(crate) environment: Environment,
}

impl World {
    /// Group-bound coordination, a lumpsum for the third quarter of 2024 under C1.
    pub(crate) fn c1() -> Self {
        let mut world = Self::of(Z1, "z1", "7095", "C1", "BDSS1");
        let line = world.line();
        line.patient_group_id = Some("G1".into());
        line.participants = vec![
            Participant::Provider(H1.into()),
            Participant::Provider(W1.into()),
        ];
        line.activities = vec!["A12".into(), "A30".into()];
        line.meeting = Some(Meeting::Group);
        line.domain_shares = shares("ZVW 7000, JEUGDWET 2000, WMO 1000");
        line.sector_shares = shares("WV 5000, HA 5000");
        world.line_amounts("28000.00", 2_800_000, 2_800_000);
        world
    }

    /// ADZ for 400 insured persons under C4.
    pub(crate) fn c4() -> Self {
        let mut world = Self::of(N1, "n1", "3311", "C4", "ADZP1");
        let line = world.line();
        line.patient_group_id = Some("GP".into());
        line.activities = vec!["A40".into()];
        line.quantity = 400;
        world.performed("2024-01-01", "2024-09-30");
        world.line_amounts("25", 1_000_000, 1_000_000);
        world
    }

    /// Chain care of one patient in the third quarter of 2024 under C5.
    pub(crate) fn c5() -> Self {
        let mut world = Self::of(Z1, "z1", "7095", "C5", "MDZD1");
        world.line().insured = Some(insured());
        world.line_amounts("60", 6_000, 6_000);
        world
    }

    fn of(declarant: &str, party: &str, insurer: &str, contract: &str, code: &str) -> Self {
        let line = Line {
            line_number: 1,
            line_reference: "R1".into(),
            original_reference: None,
            direction: Direction::Debit,
            prestatie: key(code),
            contract_id: Some(contract.into()),
            period: span("2024-07-01", "2024-09-30"),
            quantity: 1,
            time_unit: "81".into(),
            tarief: tarief("0"),
            computed: Cents::ZERO,
            declared: Cents::ZERO,
            patient_group_id: None,
            insured: None,
            region: None,
            participants: Vec::new(),
            activities: Vec::new(),
            meeting: None,
            domain_shares: Vec::new(),
            sector_shares: Vec::new(),
            on_behalf_of: None,
        };
        let declaration = Declaration {
            message_id: Uuid::from_u128(1),
            schema_version: "1.0".into(),
            kind: MessageKind::Production,
            sender_agb: declarant.into(),
            declarant_agb: declarant.into(),
            declarant_kind: "1".into(),
            pay_to: "04".into(),
            insurer_uzovi: insurer.into(),
            invoice_number: "GDC-2024-001".into(),
            invoice_part: 1,
            invoice_parts: 1,
            invoice_date: day("2024-10-10"),
            sent_on: day("2024-10-15"),
            declaration_period: span("2024-07-01", "2024-09-30"),
            currency: "EUR".into(),
            control: Control {
                line_count: 1,
                debit: Cents::ZERO,
                credit: Cents::ZERO,
            },
            lines: vec![line],
        };
        Self {
            declaration,
            party: party.into(),
            received_on: day("2024-10-15"),
            reference: reference::reference(),
            environment: Environment::Production,
        }
    }

    /// The first line.
    pub(crate) fn line(&mut self) -> &mut Line {
        &mut self.declaration.lines[0]
    }

    /// Its insured person.
    pub(crate) fn insured(&mut self) -> &mut Insured {
        self.line().insured.as_mut().expect("the line has one")
    }

    /// Adds a copy of the first line under the next number, changed.
    pub(crate) fn add_line(&mut self, change: fn(&mut Line)) {
        let mut line = self.line().clone();
        line.line_number = 2;
        line.line_reference = "R2".into();
        change(&mut line);
        self.declaration.lines.push(line);
        self.count();
    }

    /// Makes the first line a credit.
    pub(crate) fn credit(&mut self, original: Option<&str>) {
        let line = self.line();
        line.direction = Direction::Credit;
        line.original_reference = original.map(Into::into);
        self.count();
    }

    pub(crate) fn line_amounts(&mut self, euro: &str, computed: i64, declared: i64) {
        let line = self.line();
        line.tarief = tarief(euro);
        line.computed = cents(computed);
        line.declared = cents(declared);
        self.count();
    }

    pub(crate) fn performed(&mut self, first: &str, last: &str) {
        self.line().period = span(first, last);
    }

    /// Invoices, sends and receives the message on `on`.
    pub(crate) fn receive(&mut self, on: &str) {
        self.declaration.invoice_date = day(on);
        self.declaration.sent_on = day(on);
        self.received_on = day(on);
    }

    pub(crate) fn contract(&mut self, id: &str) -> &mut Contract {
        let contract = self.reference.contracts.get_mut(&id.into());
        contract.expect("the fixture has it")
    }

    /// Spans of the contract and prestatie of the first line.
    pub(crate) fn terms(&mut self) -> &mut Vec<ContractTerm> {
        let line = self.line().clone();
        let id = line.contract_id.expect("the line names one");
        let agreed = self
            .contract(id.as_str())
            .prestaties
            .get_mut(&line.prestatie);
        &mut agreed.expect("the contract covers it").terms
    }

    /// The first span of the contract and prestatie of the first line.
    pub(crate) fn agreed(&mut self) -> &mut ContractTerm {
        &mut self.terms()[0]
    }

    pub(crate) fn entry(&mut self, code: &str) -> &mut CatalogueEntry {
        let entry = self.reference.catalogue.get_mut(&key(code));
        entry.expect("the fixture has it")
    }

    pub(crate) fn list(&mut self, list: &str) -> &mut CodeList {
        let list = self.reference.code_lists.get_mut(list);
        list.expect("the fixture has it")
    }

    fn count(&mut self) {
        let sum = |direction| {
            let lines = self.declaration.lines.iter();
            let lines = lines.filter(|line| line.direction == direction);
            lines.map(|line| line.declared).sum()
        };
        self.declaration.control = Control {
            line_count: u32::try_from(self.declaration.lines.len()).expect("a few lines"),
            debit: sum(Direction::Debit),
            credit: sum(Direction::Credit),
        };
    }

    /// What validation says, as text.
    pub(crate) fn outcome(&self) -> String {
        let findings = validate_declaration(
            &self.declaration,
            &self.party,
            self.received_on,
            &self.reference,
            self.environment,
        );
        let text = |found: &[rejection::Rejection]| {
            let codes = rejection::codes(found);
            codes
                .iter()
                .map(|code| code.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        if !findings.message.is_empty() {
            assert!(
                findings.lines.is_empty(),
                "lines of a refused message are not judged"
            );
            return format!("message {}", text(&findings.message));
        }
        let of_line = |line: &Line| {
            let found = findings.lines.get(&line.line_number);
            found.map(|found| text(found)).unwrap_or_default()
        };
        let lines: Vec<String> = self.declaration.lines.iter().map(of_line).collect();
        lines.join(" | ")
    }
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

pub(crate) fn span(first: &str, last: &str) -> Span {
    Span {
        first: day(first),
        last: day(last),
    }
}

pub(crate) fn period(first: &str, last: &str) -> Period {
    span(first, last).period().expect("in order")
}

pub(crate) fn validity(from: &str, until: Option<&str>) -> Validity {
    Validity {
        from: day(from),
        until: until.map(day),
    }
}

pub(crate) fn agb(text: &str) -> Agb {
    Agb::parse(text).expect("an AGB code")
}

pub(crate) fn uzovi(text: &str) -> Uzovi {
    Uzovi::parse(text).expect("a UZOVI number")
}

pub(crate) fn cents(cents: i64) -> Cents {
    Cents::new(cents).expect("within the bound")
}

pub(crate) fn tarief(euro: &str) -> Tarief {
    Tarief::parse(euro).expect("a tarief")
}

/// A code of list 990.
pub(crate) fn key(code: &str) -> PrestatieKey {
    PrestatieKey::new("990", code)
}

/// Shares as `KEY basis points`, with commas between.
pub(crate) fn shares(text: &str) -> Vec<Share> {
    let share = |part: &str| {
        let (key, points) = part.trim().split_once(' ').expect("a key and its points");
        let points = points.parse().expect("a number");
        Share {
            key: key.into(),
            basis_points: crate::cents::BasisPoints::new(points).expect("at most the whole"),
        }
    };
    text.split(',').map(share).collect()
}

/// A person in care since the year began.
pub(crate) fn insured() -> Insured {
    Insured {
        identity: InsuredIdentity::Pseudonyms(vec![Pseudonym {
            key_id: "k1".into(),
            value: [1; 32],
        }]),
        in_care_since: Some(day("2024-01-01")),
    }
}

/// The same with a number that is no BSN.
pub(crate) fn malformed() -> Insured {
    Insured {
        identity: InsuredIdentity::Malformed,
        ..insured()
    }
}
