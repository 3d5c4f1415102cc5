//! What persons decide: held lines, lines decided again, commands, cases.

use std::collections::BTreeSet;

use samenloop_adapters::decision_store::{
    CaseKind, DecidedCommand, DecisionBatch, DecisionStore, Freed, ListFilter, NewCase, RevisedLine,
};
use samenloop_domain::{
    coverage::{CoverageId, CoverageKey, CoverageState},
    decision::{Before, Evidence, LineDecision, PartUse, Revision, RivalFacts, Status, Verdict},
    double_funding::HitKey,
    history::{History, HistoryKeys, ReferenceKey},
    identifiers::{ContractId, Sequence},
    reference::{Basis, Effect},
    standing::{ContractPair, StandingChoice, StandingReview, StandingReviews},
};
use samenloop_proto::record::v1 as record;

use crate::database::Database;

use super::{
    history::load,
    made::{
        DECLARANT, INSURER, Made, PARTNER, agb, at, ceiling, commit, debit, decide, entry, id,
        line_id, outcome, party, quarter, term, uzovi,
    },
};

fn keys() -> HistoryKeys {
    let reference = |text: &str| ReferenceKey {
        declarant: agb(DECLARANT),
        reference: text.into(),
    };
    HistoryKeys {
        references: ["a", "b"].map(reference).into(),
        messages: [id(1)].into(),
        terms: [term()].into(),
        ceilings: [ceiling()].into(),
        coverage: [(CoverageKey::Agb(agb(PARTNER)), quarter())].into(),
        ..HistoryKeys::default()
    }
}

/// The first line of a message, which was `before`, decided again.
fn revision(sequence: u64, before: &Made, decision: LineDecision) -> Revision {
    Revision {
        line: line_id(sequence, 1),
        message_id: id(sequence),
        version: 2,
        before: Before {
            verdict: before.decision.verdict,
            facts: before.decision.facts.clone(),
        },
        seen: BTreeSet::new(),
        overridden: Vec::new(),
        invoice_part: PartUse::Unchanged,
        standing: Vec::new(),
        decision,
    }
}

fn revising(revision: Revision, status: Status, sequence: u64) -> DecisionBatch {
    DecisionBatch {
        log: vec![entry(sequence, "review_decided")],
        revised: vec![(party(), outcome(revision.line.sequence.0, 2, status))],
        revisions: vec![RevisedLine {
            revision,
            declarant: agb(DECLARANT),
            insurer: INSURER.to_owned(),
            reasons_before: "0587 0634 GDC-DF-EXCL".to_owned(),
        }],
        written_at: Some(at(100)),
        ..DecisionBatch::default()
    }
}

async fn held(store: &DecisionStore, filter: &ListFilter) -> Vec<CoverageId> {
    let lines = store.held_lines(filter, CoverageId::MIN, 10).await.unwrap();
    lines.into_iter().map(|it| it.line).collect()
}

pub(crate) async fn held_lines_are_listed_until_they_leave(database: &Database) {
    let store = super::open(database).await;
    let lines = [1, 2, 3].map(|line| debit(line, &format!("{line}"), Verdict::Review));
    decide(&store, 1, &lines).await;
    let all = store
        .held_lines(&ListFilter::default(), line_id(1, 1), 1)
        .await
        .unwrap();
    assert_eq!(all.len(), 1);
    let line = &all[0];
    assert_eq!((line.line, line.message_id), (line_id(1, 2), id(1)));
    assert_eq!(
        (line.declarant.as_str(), line.insurer.as_str()),
        (DECLARANT, INSURER)
    );
    assert_eq!((line.contract_id.as_str(), line.version), ("C1", 1));
    assert_eq!(line.proposed, lines[1].decision.proposed);
    let only = |change: fn(&mut ListFilter)| {
        let mut filter = ListFilter::default();
        change(&mut filter);
        filter
    };
    let some = only(|it| it.insurer = Some(INSURER.to_owned()));
    assert_eq!(held(&store, &some).await.len(), 3);
    for none in [
        only(|it| it.insurer = Some("3311".to_owned())),
        only(|it| it.declarant = Some(PARTNER.to_owned())),
        only(|it| it.contract_id = Some("C2".to_owned())),
        only(|it| it.rule = Some("pair".to_owned())),
        only(|it| it.since_before = Some(at(-1_000_000))),
    ] {
        assert_eq!(held(&store, &none).await, Vec::new(), "{none:?}");
    }
    let accepted = debit(1, "1", Verdict::Accept);
    let revision = revision(1, &lines[0], accepted.decision);
    commit(&store, revising(revision, Status::InReview, 2)).await;
    let left = held(&store, &ListFilter::default()).await;
    assert_eq!(left, [line_id(1, 2), line_id(1, 3)]);
}

pub(crate) async fn a_line_that_is_decided_again_is_what_was_applied(database: &Database) {
    use Verdict::{Accept, Reject, Review};
    let store = super::open(database).await;
    let mut applied = History::default();
    let mut all = keys();
    for (before, after, status, sequence) in [
        (Review, Accept, Status::Accepted, 1),
        (Review, Reject, Status::Rejected, 3),
        (Reject, Accept, Status::Accepted, 5),
        (Review, Review, Status::InReview, 7),
    ] {
        let reference = format!("a{sequence}");
        let before = debit(1, &reference, before);
        let first = decide(&store, sequence, std::slice::from_ref(&before)).await;
        let mut revision = revision(sequence, &before, debit(1, &reference, after).decision);
        if after == Review {
            revision.seen.insert(HitKey {
                rule: "pair-1".into(),
                rule_version: 1,
                rival: Some(line_id(7, 1)),
            });
        }
        applied.apply(&first.input, &first.decision);
        applied.revise(agb(DECLARANT), &revision);
        commit(&store, revising(revision, status, sequence + 1)).await;
        all.messages.insert(id(sequence));
        all.references.insert(ReferenceKey {
            declarant: agb(DECLARANT),
            reference: reference.as_str().into(),
        });
    }
    let loaded = load(&store, &all).await;
    assert_eq!(loaded.lines, applied.lines);
    assert_eq!(loaded.messages, applied.messages);
    assert_eq!(loaded.terms, applied.terms);
    assert_eq!(loaded.ceilings, applied.ceilings);
    let covered = |history: &History| {
        let entries = history.coverage.entries();
        entries.map(|it| (it.id, it.state)).collect::<Vec<_>>()
    };
    assert_eq!(covered(&loaded), covered(&applied));
}

/// A refused line that `rival` excludes.
fn excluded_by(line: u32, reference: &str, rival: CoverageId) -> Made {
    let mut made = debit(line, reference, Verdict::Reject);
    made.decision.evidence = vec![Evidence {
        rule: "pair-2".into(),
        rule_version: 1,
        effect: Effect::Exclude,
        codes: Vec::new(),
        basis: Basis::Regulation,
        source: "source".to_owned(),
        policy: None,
        standing: None,
        rival: Some(RivalFacts {
            id: rival,
            imported: false,
            held: false,
            declarant: agb(PARTNER),
            insurer: uzovi(INSURER),
            line_reference: "r".into(),
            contract_id: None,
            prestatie: made.line.prestatie.clone(),
            period: quarter(),
            days_in_common: 1,
            shared_agbs: Vec::new(),
            shared_activities: Vec::new(),
        }),
    }];
    made
}

pub(crate) async fn refused_lines_are_found_by_what_excludes_them(database: &Database) {
    let store = super::open(database).await;
    let rival = line_id(9, 1);
    let lines = [
        excluded_by(1, "a", rival),
        excluded_by(2, "b", line_id(9, 2)),
    ];
    decide(&store, 1, &lines).await;
    let found = async |freed: Freed, after: CoverageId| {
        let mut transaction = store.begin().await.unwrap();
        transaction
            .load_excluded_by(freed, after, 10)
            .await
            .unwrap()
    };
    assert_eq!(
        found(Freed::Line(rival), CoverageId::MIN).await,
        [line_id(1, 1)]
    );
    let chunk = Freed::Import(Sequence(9));
    assert_eq!(
        found(chunk, CoverageId::MIN).await,
        [line_id(1, 1), line_id(1, 2)]
    );
    assert_eq!(found(chunk, line_id(1, 1)).await, [line_id(1, 2)]);
    let moved = DecisionBatch {
        log: vec![entry(2, "set_aside")],
        excluded_by: [(line_id(1, 1), Some(line_id(8, 3))), (line_id(1, 2), None)].into(),
        ..DecisionBatch::default()
    };
    commit(&store, moved).await;
    assert_eq!(found(chunk, CoverageId::MIN).await, []);
    assert_eq!(
        found(Freed::Line(line_id(8, 3)), CoverageId::MIN).await,
        [line_id(1, 1)]
    );
}

pub(crate) async fn a_command_is_kept_with_its_result(database: &Database) {
    let store = super::open(database).await;
    assert_eq!(store.command(id(50)).await.unwrap(), None);
    let command = DecidedCommand {
        id: id(50),
        content_digest: [5; 32],
        person: "A. de Vries".to_owned(),
        sequence: None,
        result: record::CommandResult {
            version: 3,
            ..record::CommandResult::default()
        },
        decided_at: at(5),
    };
    let kept = DecisionBatch {
        commands: vec![command.clone()],
        ..DecisionBatch::default()
    };
    commit(&store, kept).await;
    assert_eq!(store.command(id(50)).await.unwrap(), Some(command.clone()));
    let mut transaction = store.begin().await.unwrap();
    assert_eq!(
        transaction.load_command(id(50)).await.unwrap(),
        Some(command)
    );
}

pub(crate) async fn a_case_is_listed_once_until_it_is_closed(database: &Database) {
    let store = super::open(database).await;
    decide(&store, 1, &[debit(1, "a", Verdict::Review)]).await;
    let case = |kind, other| NewCase {
        kind,
        line: line_id(1, 1),
        other,
        cause: Sequence(1),
        line_reference: "a".to_owned(),
        declarant: agb(DECLARANT),
        insurer: INSURER.to_owned(),
        contract_id: "C1".to_owned(),
        rules: vec!["pair-1".to_owned(), "pair-2".to_owned()],
    };
    let loser = case(CaseKind::Loser, line_id(9, 1));
    let pair = case(CaseKind::ImportPair, line_id(9, 2));
    let cases = vec![loser.clone(), loser.clone(), pair.clone()];
    let listed = DecisionBatch {
        cases,
        written_at: Some(at(7)),
        ..DecisionBatch::default()
    };
    commit(&store, listed.clone()).await;
    commit(&store, listed).await;
    let rule = ListFilter {
        rule: Some("pair-2".to_owned()),
        ..ListFilter::default()
    };
    let open = store.cases(&rule, 0, 10).await.unwrap();
    let kinds: Vec<&NewCase> = open.iter().map(|it| &it.case).collect();
    assert_eq!(kinds, [&loser, &pair]);
    assert_eq!(open[0].opened_at, at(7));
    let next = store.cases(&rule, open[0].id, 10).await.unwrap();
    assert_eq!(next, open[1..]);
    let command = DecidedCommand {
        id: id(51),
        content_digest: [5; 32],
        person: "A. de Vries".to_owned(),
        sequence: None,
        result: record::CommandResult::default(),
        decided_at: at(8),
    };
    let dismissed = DecisionBatch {
        commands: vec![command],
        dismissed: vec![(open[0].id, id(51))],
        written_at: Some(at(8)),
        ..DecisionBatch::default()
    };
    commit(&store, dismissed).await;
    assert_eq!(store.cases(&rule, 0, 10).await.unwrap(), open[1..]);
    let mut transaction = store.begin().await.unwrap();
    let closed = transaction.load_open_case(open[0].id).await.unwrap();
    assert_eq!(closed, None);
    let still_open = transaction.load_open_case(open[1].id).await.unwrap();
    assert_eq!(still_open.as_ref(), Some(&open[1]));
    drop(transaction);
    let before = debit(1, "a", Verdict::Review);
    let refused = revision(1, &before, debit(1, "a", Verdict::Reject).decision);
    commit(&store, revising(refused, Status::Rejected, 2)).await;
    assert_eq!(
        store.cases(&rule, 0, 10).await.unwrap(),
        [],
        "its line is decided again"
    );
}

pub(crate) async fn a_withdrawn_import_occupies_nothing(database: &Database) {
    let store = super::open(database).await;
    let made = debit(1, "a", Verdict::Accept);
    let row = samenloop_adapters::decision_store::ImportedRow {
        row: 4,
        coverage: made.decision.coverage.clone().expect("awarded"),
        awarded: made.decision.awarded,
    };
    let imported = DecisionBatch {
        log: vec![entry(1, "existing_imported")],
        imported: vec![(Sequence(1), row)],
        ..DecisionBatch::default()
    };
    commit(&store, imported).await;
    let states = async || {
        let history = load(&store, &keys()).await;
        history
            .coverage
            .entries()
            .map(|it| it.state)
            .collect::<Vec<_>>()
    };
    assert_eq!(states().await, [CoverageState::Imported]);
    let in_force = async || {
        let mut transaction = store.begin().await.unwrap();
        transaction.is_import_in_force(Sequence(1)).await.unwrap()
    };
    assert!(in_force().await);
    let withdrawn = DecisionBatch {
        log: vec![entry(2, "import_withdrawn")],
        withdrawn_imports: vec![Sequence(1)],
        ..DecisionBatch::default()
    };
    commit(&store, withdrawn).await;
    assert_eq!(states().await, []);
    assert!(!in_force().await);
}

pub(crate) async fn what_stands_between_contracts_is_loaded_until_it_is_ended(database: &Database) {
    let store = super::open(database).await;
    let before = debit(1, "a", Verdict::Review);
    decide(&store, 1, std::slice::from_ref(&before)).await;
    let standing = |a: &str, b: &str, choice| StandingReview {
        decided: Sequence(2),
        pair: ContractPair::new(a.into(), b.into()),
        rule: "pair-1".into(),
        rule_version: 3,
        choice,
        period: quarter(),
    };
    let first = standing("C2", "C1", StandingChoice::Accept);
    let second = standing("C1", "a1", StandingChoice::Refuse);
    let mut revision = revision(1, &before, debit(1, "a", Verdict::Accept).decision);
    revision.standing = vec![first.clone(), second.clone()];
    commit(&store, revising(revision, Status::Accepted, 2)).await;

    let loaded = async |contracts: &[&str]| {
        let keys = HistoryKeys {
            contracts: contracts.iter().map(|id| ContractId::new(*id)).collect(),
            ..HistoryKeys::default()
        };
        load(&store, &keys).await.standing
    };
    let of = |standing: &[&StandingReview]| {
        let mut all = StandingReviews::default();
        standing.iter().for_each(|it| all.add((*it).clone()));
        all
    };
    assert_eq!(loaded(&["C2"]).await, of(&[&first]));
    assert_eq!(loaded(&["C1", "a1"]).await, of(&[&first, &second]));
    assert_eq!(loaded(&["C9"]).await, of(&[]));
    assert_eq!(loaded(&[]).await, of(&[]));
    let listed = store.standing_reviews(Sequence(1), 10).await.unwrap();
    assert_eq!(listed, [first, second]);
    assert_eq!(store.standing_reviews(Sequence(2), 10).await.unwrap(), []);

    let stands = async || {
        let mut transaction = store.begin().await.unwrap();
        transaction.is_standing(Sequence(2)).await.unwrap()
    };
    assert!(stands().await);
    let ended = DecisionBatch {
        log: vec![entry(3, "standing_ended")],
        ended_standing: vec![Sequence(2)],
        ..DecisionBatch::default()
    };
    commit(&store, ended).await;
    assert_eq!(loaded(&["C1"]).await, of(&[]));
    assert!(!stands().await);
}
