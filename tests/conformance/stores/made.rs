//! Messages, decisions and batches, made by hand: a store does not ask whether they are right.

use std::collections::BTreeSet;

use jiff::Timestamp;
use samenloop_adapters::decision_store::{
    DecidedMessage, DecisionBatch, DecisionStore, Head, NewLogEntry,
};
use samenloop_domain::{
    cents::{BasisPoints, Cents},
    coverage::{Coverage, CoverageId, Subject},
    decision::{
        ClaimFacts, LineDecision, MessageDecision, ReversedClaim, Status, Validated, Verdict,
    },
    declaration::{
        Control, Declaration, Direction, Insured, InsuredIdentity, Line, Meeting, MessageKind,
        PrestatieKey, Share,
    },
    history::{CeilingKey, InvoicePart, PastFacts, TermKey},
    identifiers::{Agb, PartyId, Pseudonym, Sequence, Uzovi},
    period::{Day, Period, Span},
    rejection::Rejection,
    tarief::Tarief,
};
use samenloop_proto::declaration::v1 as wire;
use uuid::Uuid;

pub(crate) const DECLARANT: &str = "53530001";
pub(crate) const PARTNER: &str = "01056789";
pub(crate) const INSURER: &str = "7095";

/// A line of a declaration and what is decided of it.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) line: Line,
    pub(crate) decision: LineDecision,
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_720_000_000 + seconds).expect("an instant")
}

pub(crate) fn agb(text: &str) -> Agb {
    Agb::parse(text).expect("an AGB code")
}

pub(crate) fn uzovi(text: &str) -> Uzovi {
    Uzovi::parse(text).expect("a UZOVI number")
}

pub(crate) fn cents(cents: i64) -> Cents {
    Cents::new(cents).expect("an amount within the bound")
}

pub(crate) fn party() -> PartyId {
    PartyId::new("zorggroep-een")
}

pub(crate) fn id(number: u64) -> Uuid {
    Uuid::from_u128(0x1000 + u128::from(number))
}

pub(crate) fn line_id(sequence: u64, line: u32) -> CoverageId {
    CoverageId::of_line(Sequence(sequence), line)
}

pub(crate) fn quarter() -> Period {
    Period::new(day("2024-07-01"), day("2024-09-30")).expect("days in order")
}

pub(crate) fn pseudonym(number: u8) -> Pseudonym {
    Pseudonym {
        key_id: "k1".into(),
        value: [number; 32],
    }
}

/// A debit of `verdict` under `reference`, with everything that a line can have.
pub(crate) fn debit(line_number: u32, reference: &str, verdict: Verdict) -> Made {
    let line = line(line_number, reference);
    let (awarded, proposed) = match verdict {
        Verdict::Accept => (line.declared, Cents::ZERO),
        Verdict::Reduce => (cents(75_000), Cents::ZERO),
        Verdict::Review => (Cents::ZERO, cents(80_000)),
        Verdict::Reject | Verdict::Withdrawn => (Cents::ZERO, Cents::ZERO),
    };
    let taken = awarded + proposed;
    let in_force = verdict != Verdict::Reject;
    let rejections = match verdict {
        Verdict::Accept | Verdict::Withdrawn => Vec::new(),
        Verdict::Reduce => vec![Rejection::new("pair-3", &["8020"])],
        Verdict::Review | Verdict::Reject => vec![
            Rejection::new("pair-1", &["0587"]),
            Rejection::new("pair-2", &["0634", "GDC-DF-EXCL"]),
        ],
    };
    let decision = LineDecision {
        line_number,
        line_reference: line.line_reference.clone(),
        direction: Direction::Debit,
        verdict,
        declared: line.declared,
        awarded,
        proposed,
        rejections,
        evidence: Vec::new(),
        rivals: 0,
        facts: Some(facts(&line, taken)),
        coverage: in_force.then(|| coverage(&line)),
        reverses: None,
        claim: verdict.awards().then(|| claim(&line)),
    };
    Made { line, decision }
}

/// The credit of `original`, which stands at `reverses`.
pub(crate) fn credit(line_number: u32, original: &Made, reverses: CoverageId) -> Made {
    let mut line = original.line.clone();
    line.line_number = line_number;
    line.direction = Direction::Credit;
    line.original_reference = Some(line.line_reference.clone());
    line.line_reference = format!("{}-credit", line.line_reference).as_str().into();
    let decision = LineDecision {
        line_number,
        line_reference: line.line_reference.clone(),
        direction: Direction::Credit,
        verdict: Verdict::Accept,
        awarded: -original.decision.awarded,
        proposed: Cents::ZERO,
        rejections: Vec::new(),
        coverage: None,
        reverses: Some(reverses),
        claim: original.decision.claim.clone().map(|claim| ClaimFacts {
            reverses: Some(ReversedClaim {
                line: reverses,
                version: 1,
            }),
            ..claim
        }),
        ..original.decision.clone()
    };
    Made { line, decision }
}

fn line(line_number: u32, reference: &str) -> Line {
    Line {
        line_number,
        line_reference: reference.into(),
        original_reference: None,
        direction: Direction::Debit,
        prestatie: PrestatieKey::new("990", "BD01"),
        contract_id: Some("C1".into()),
        period: Span {
            first: quarter().first(),
            last: quarter().last(),
        },
        quantity: 1,
        time_unit: "81".to_owned(),
        tarief: Tarief::parse("1000.0000").expect("a tarief"),
        computed: cents(100_000),
        declared: cents(100_000),
        patient_group_id: Some("GP".into()),
        insured: None,
        region: Some("R1".into()),
        participants: Vec::new(),
        activities: vec!["A10".into()],
        meeting: None,
        domain_shares: Vec::new(),
        sector_shares: Vec::new(),
        on_behalf_of: None,
    }
}

/// Makes a line about an insured person, known under two keys.
pub(crate) fn about(mut made: Made, person: u8) -> Made {
    let pseudonyms = vec![pseudonym(person), pseudonym(person + 100)];
    made.line.patient_group_id = None;
    made.line.insured = Some(Insured {
        identity: InsuredIdentity::Pseudonyms(pseudonyms.clone()),
        in_care_since: Some(day("2024-01-01")),
    });
    let subject = Subject::Insured(pseudonyms);
    if let Some(facts) = &mut made.decision.facts {
        facts.subject = subject.clone();
    }
    if let Some(coverage) = &mut made.decision.coverage {
        coverage.subject = subject;
    }
    made
}

/// Moves a line to another period.
pub(crate) fn during(mut made: Made, first: &str, last: &str) -> Made {
    let period = Period::new(day(first), day(last)).expect("days in order");
    made.line.period = Span {
        first: period.first(),
        last: period.last(),
    };
    if let Some(facts) = &mut made.decision.facts {
        facts.period = period;
    }
    if let Some(coverage) = &mut made.decision.coverage {
        coverage.period = period;
    }
    made
}

pub(crate) fn term() -> TermKey {
    TermKey {
        contract_id: "C1".into(),
        prestatie: PrestatieKey::new("990", "BD01"),
        subject: "group:GP".into(),
        insurer: uzovi(INSURER),
    }
}

pub(crate) fn ceiling() -> CeilingKey {
    CeilingKey {
        contract_id: "C1".into(),
        name: "2024".into(),
    }
}

fn facts(line: &Line, taken: Cents) -> PastFacts {
    PastFacts {
        prestatie: line.prestatie.clone(),
        contract_id: line.contract_id.clone(),
        period: quarter(),
        subject: Subject::Group("GP".into()),
        quantity: line.quantity,
        computed: line.computed,
        declared: line.declared,
        terms: vec![term()],
        ceilings: vec![(ceiling(), taken)],
    }
}

pub(crate) fn coverage(line: &Line) -> Coverage {
    Coverage {
        declarant: agb(DECLARANT),
        agbs: BTreeSet::from([agb(DECLARANT), agb(PARTNER)]),
        insurer: uzovi(INSURER),
        payers: BTreeSet::from([uzovi(INSURER), uzovi("3311")]),
        prestatie: line.prestatie.clone(),
        kind: "BDSS".into(),
        form: Some("A".into()),
        contract_id: line.contract_id.clone(),
        each_insurer: true,
        period: quarter(),
        subject: Subject::Group("GP".into()),
        overlapping_groups: BTreeSet::from(["GP".into(), "GQ".into()]),
        region: line.region.clone(),
        condition: Some("DM2".into()),
        activities: line.activities.iter().cloned().collect(),
        meeting: Some(Meeting::Hybrid),
        hybrid_deduction: BasisPoints::new(2_500),
        on_behalf_of: Some(agb(PARTNER)),
        agreed_parts: BTreeSet::from([PrestatieKey::new("990", "AD01")]),
        schoning_recorded: true,
        line_reference: line.line_reference.clone(),
    }
}

fn claim(line: &Line) -> ClaimFacts {
    let share = |key: &str, points| Share {
        key: key.into(),
        basis_points: BasisPoints::new(points).expect("a share"),
    };
    ClaimFacts {
        contract_id: line.contract_id.clone(),
        prestatie: line.prestatie.clone(),
        kind: "BDSS".into(),
        period: quarter(),
        group: line.patient_group_id.clone(),
        region: line.region.clone(),
        payee: agb(DECLARANT),
        invoice_number: "F-1".into(),
        insurer: uzovi(INSURER),
        insurer_shares: vec![share("7095", 6_000), share("3311", 4_000)],
        sector_shares: vec![share("HA", 10_000)],
        legal_basis: "art. 14 Zvw".to_owned(),
        reverses: None,
    }
}

/// The message that is decided as `sequence`, with these lines.
pub(crate) fn message(sequence: u64, lines: &[Made]) -> DecidedMessage {
    let status = samenloop_domain::decision::status_of(lines.iter().map(|it| it.decision.verdict));
    let part = InvoicePart {
        payee: agb(DECLARANT),
        invoice_number: format!("F-{sequence}").as_str().into(),
        part: 1,
    };
    let uses = lines.iter().any(|it| it.decision.verdict.uses_reference());
    let decision = MessageDecision {
        sequence: Sequence(sequence),
        status,
        rejections: Vec::new(),
        lines: lines.iter().map(|it| it.decision.clone()).collect(),
        invoice_part: uses.then_some(part),
        withdrawn: Vec::new(),
        signals: Vec::new(),
    };
    let input = Validated {
        party: party(),
        received_on: day("2024-10-15"),
        content_digest: [u8::try_from(sequence % 251).expect("below 251"); 32],
        declaration: declaration(sequence, lines),
        findings: Default::default(),
        judged_with: "v1".into(),
    };
    DecidedMessage {
        input,
        received_at: at(i64::try_from(sequence).expect("small")),
        decision,
        outcome: outcome(sequence, 1, status),
    }
}

pub(crate) fn outcome(sequence: u64, version: u32, status: Status) -> wire::Outcome {
    let status = match status {
        Status::Accepted => wire::Status::Accepted,
        Status::Partly => wire::Status::Partly,
        Status::Rejected => wire::Status::Rejected,
        Status::InReview => wire::Status::InReview,
    };
    wire::Outcome {
        message_id: id(sequence).to_string(),
        version,
        status: status as i32,
        sequence,
        declarant_agb: DECLARANT.to_owned(),
        ..wire::Outcome::default()
    }
}

fn declaration(sequence: u64, lines: &[Made]) -> Declaration {
    Declaration {
        message_id: id(sequence),
        schema_version: "1.0".to_owned(),
        kind: MessageKind::Production,
        sender_agb: DECLARANT.into(),
        declarant_agb: DECLARANT.into(),
        declarant_kind: "1".to_owned(),
        pay_to: "04".to_owned(),
        insurer_uzovi: INSURER.into(),
        invoice_number: format!("F-{sequence}").as_str().into(),
        invoice_part: 1,
        invoice_parts: 1,
        invoice_date: day("2024-10-10"),
        sent_on: day("2024-10-14"),
        declaration_period: Span {
            first: quarter().first(),
            last: quarter().last(),
        },
        currency: "EUR".to_owned(),
        control: Control {
            line_count: 1,
            debit: Cents::ZERO,
            credit: Cents::ZERO,
        },
        lines: lines.iter().map(|it| it.line.clone()).collect(),
    }
}

pub(crate) fn entry(sequence: u64, kind: &'static str) -> NewLogEntry {
    NewLogEntry {
        sequence: Sequence(sequence),
        kind,
        recorded_at: at(100 + i64::try_from(sequence).expect("small")),
        body: format!("entry {sequence}").into_bytes(),
    }
}

/// A batch that decides these messages.
pub(crate) fn batch(messages: Vec<DecidedMessage>) -> DecisionBatch {
    let log = messages
        .iter()
        .map(|it| entry(it.decision.sequence.0, "message_decided"));
    DecisionBatch {
        log: log.collect(),
        decided: messages,
        ..DecisionBatch::default()
    }
}

/// Commits a batch on a transaction of its own.
pub(crate) async fn commit(store: &DecisionStore, batch: DecisionBatch) -> Head {
    let transaction = store.begin().await.unwrap();
    transaction.commit(batch).await.unwrap()
}

/// Decides one message with these lines as `sequence`, and gives it.
pub(crate) async fn decide(store: &DecisionStore, sequence: u64, lines: &[Made]) -> DecidedMessage {
    let decided = message(sequence, lines);
    commit(store, batch(vec![decided.clone()])).await;
    decided
}
