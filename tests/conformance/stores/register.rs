//! What purchasers and the audit read: a snapshot, coverage by key, chunks of existing prestaties.

use std::collections::BTreeSet;

use samenloop_adapters::decision_store::{
    DecisionBatch, DecisionStore, ExistingChunk, ImportedRow, KeyedCoverage, LOG_PAGE_BYTES_MAX,
    NewLogEntry,
};
use samenloop_domain::{
    coverage::{CoverageId, CoverageKey, CoverageState},
    decision::Verdict,
    history::HistoryKeys,
    identifiers::Sequence,
};

use crate::database::Database;

use super::made::{
    PARTNER, about, agb, at, cents, commit, coverage, debit, decide, during, entry, line_id,
    quarter,
};

const FILE: [u8; 32] = [7; 32];

fn row(row: u64) -> ImportedRow {
    ImportedRow {
        row,
        coverage: coverage(&debit(1, "old", Verdict::Accept).line),
        awarded: cents(5_000),
    }
}

fn chunk(sequence: u64, rows: (u64, u64), count: u64) -> ExistingChunk {
    ExistingChunk {
        sequence: Sequence(sequence),
        source: "old.csv".to_owned(),
        file_digest: FILE,
        first_row: rows.0,
        last_row: rows.1,
        row_count: count,
        awarded_cents: 5_000 * i64::try_from(count).expect("a small count"),
        imported_at: at(1),
        in_force: true,
    }
}

async fn import(store: &DecisionStore, chunk: &ExistingChunk, rows: &[u64]) {
    let batch = DecisionBatch {
        log: vec![entry(chunk.sequence.0, "existing_imported")],
        imported: rows.iter().map(|it| (chunk.sequence, row(*it))).collect(),
        chunks: vec![chunk.clone()],
        ..DecisionBatch::default()
    };
    commit(store, batch).await;
}

async fn imported(store: &DecisionStore, file: [u8; 32], first: u64, last: u64) -> BTreeSet<u64> {
    let mut transaction = store.begin().await.unwrap();
    transaction.imported_rows(file, first, last).await.unwrap()
}

pub(crate) async fn rows_of_a_file_are_known_after_their_import(database: &Database) {
    let store = super::open(database).await;
    let (first, second) = (chunk(1, (1, 10), 2), chunk(2, (11, 20), 1));
    import(&store, &first, &[2, 9]).await;
    import(&store, &second, &[11]).await;
    assert_eq!(imported(&store, FILE, 1, 20).await, [2, 9, 11].into());
    assert_eq!(imported(&store, FILE, 9, 10).await, [9].into());
    assert_eq!(imported(&store, FILE, 21, 30).await, [].into());
    assert_eq!(
        imported(&store, [8; 32], 1, 20).await,
        [].into(),
        "another file"
    );
    let listed = store.existing_chunks(None, 10).await.unwrap();
    assert_eq!(listed, [second.clone(), first.clone()], "newest first");
    assert_eq!(store.existing_chunks(None, 1).await.unwrap(), [second]);
    let before = store.existing_chunks(Some(Sequence(2)), 10).await.unwrap();
    assert_eq!(before.as_slice(), std::slice::from_ref(&first));

    let withdrawal = DecisionBatch {
        log: vec![entry(3, "import_withdrawn")],
        withdrawn_imports: vec![Sequence(1)],
        ..DecisionBatch::default()
    };
    commit(&store, withdrawal).await;
    assert_eq!(
        imported(&store, FILE, 1, 20).await,
        [11].into(),
        "they may be imported again"
    );
    let listed = store.existing_chunks(Some(Sequence(2)), 10).await.unwrap();
    let withdrawn = ExistingChunk {
        in_force: false,
        ..first
    };
    assert_eq!(listed, [withdrawn]);
}

pub(crate) async fn snapshot_is_of_one_moment_and_waits_for_nobody(database: &Database) {
    let store = super::open(database).await;
    decide(&store, 1, &[debit(1, "a", Verdict::Accept)]).await;
    let keys = HistoryKeys {
        coverage: [(CoverageKey::Agb(agb(PARTNER)), quarter())].into(),
        ..HistoryKeys::default()
    };
    let transaction = store.begin().await.unwrap();
    let snapshot = store.snapshot(&keys).await.unwrap();
    assert_eq!(snapshot.head, transaction.head());
    assert_eq!(snapshot.active_version, None);
    let ids: Vec<_> = snapshot
        .history
        .coverage
        .entries()
        .map(|it| it.id)
        .collect();
    assert_eq!(ids, [line_id(1, 1)]);
}

/// Every page of the size given, one after the other.
async fn by_key(store: &DecisionStore, limit: u32) -> Vec<KeyedCoverage> {
    let mut all: Vec<KeyedCoverage> = Vec::new();
    loop {
        let after = all.last().map(KeyedCoverage::cursor);
        let page = store.coverage_by_key(after.as_ref(), limit).await.unwrap();
        assert!(page.len() <= limit as usize);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

pub(crate) async fn all_coverage_is_read_key_by_key(database: &Database) {
    let store = super::open(database).await;
    let lines = [
        during(
            debit(1, "spring", Verdict::Accept),
            "2024-04-01",
            "2024-06-30",
        ),
        during(debit(2, "day", Verdict::Reduce), "2024-07-01", "2024-07-01"),
        about(debit(3, "person", Verdict::Accept), 7),
        debit(4, "held", Verdict::Review),
        debit(5, "refused", Verdict::Reject),
    ];
    decide(&store, 1, &lines).await;
    import(&store, &chunk(2, (1, 1), 1), &[1]).await;
    let all = by_key(&store, 100).await;
    for limit in [1, 2, 3] {
        assert_eq!(by_key(&store, limit).await, all, "pages of {limit}");
    }
    let mut expected = BTreeSet::new();
    for made in &lines[..3] {
        let coverage = made.decision.coverage.as_ref().expect("in force");
        for _ in coverage.keys() {
            expected.insert((1, u64::from(made.line.line_number), coverage.keys().len()));
        }
    }
    let of_line = |line: u64| {
        let id = CoverageId {
            sequence: Sequence(1),
            line,
        };
        all.iter().filter(move |it| it.covered.id == id)
    };
    for (_, line, keys) in &expected {
        assert_eq!(of_line(*line).count(), *keys, "line {line} under each key");
    }
    assert_eq!(
        of_line(4).count() + of_line(5).count(),
        0,
        "held and refused"
    );
    for pair in all.windows(2) {
        if pair[0].key == pair[1].key {
            let last = |it: &KeyedCoverage| it.covered.coverage.period.last();
            assert!(last(&pair[0]) >= last(&pair[1]), "the last day falls");
        }
    }
    let keys: Vec<&String> = all.iter().map(|it| &it.key).collect();
    let mut together = keys.clone();
    together.dedup();
    let distinct: BTreeSet<_> = keys.iter().collect();
    assert_eq!(together.len(), distinct.len(), "the keys stand together");
    let reduced = of_line(2).next().expect("it is there");
    assert_eq!(reduced.awarded, cents(75_000));
    let existing = all
        .iter()
        .find(|it| it.covered.state == CoverageState::Imported);
    let existing = existing.expect("it is there");
    assert_eq!(existing.covered.coverage, row(1).coverage);
    assert_eq!(existing.awarded, cents(5_000));
}

pub(crate) async fn page_of_the_log_ends_where_it_is_large(database: &Database) {
    let store = super::open(database).await;
    let large = |sequence: u64| NewLogEntry {
        body: vec![1; LOG_PAGE_BYTES_MAX / 2 + 1],
        ..entry(sequence, "existing_imported")
    };
    let batch = DecisionBatch {
        log: vec![large(1), large(2), large(3), entry(4, "released")],
        ..DecisionBatch::default()
    };
    commit(&store, batch).await;
    let mut pages = Vec::new();
    let mut after = Sequence(0);
    loop {
        let page = store.log_after(after, 10).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.sequence;
        pages.push(page.len());
    }
    assert_eq!(pages, [2, 2]);
    assert_eq!(store.log_after(Sequence(0), 1).await.unwrap().len(), 1);
}

pub(crate) async fn awarded_coverage_is_read_in_pages_without_what_was_imported(
    database: &Database,
) {
    let store = super::open(database).await;
    let lines = [
        debit(1, "a", Verdict::Accept),
        debit(2, "b", Verdict::Review),
        debit(3, "c", Verdict::Accept),
    ];
    decide(&store, 1, &lines).await;
    import(&store, &chunk(2, (1, 10), 1), &[4]).await;
    let keys = [PARTNER, super::made::DECLARANT].map(|it| (CoverageKey::Agb(agb(it)), quarter()));
    let awarded = async |after: CoverageId, limit: u32| {
        let mut transaction = store.begin().await.unwrap();
        let page = transaction
            .load_awarded(&keys.clone().into(), after, limit)
            .await;
        let page = page.unwrap();
        assert!(page.iter().all(|it| it.state == CoverageState::Awarded));
        page.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(
        awarded(CoverageId::MIN, 10).await,
        [line_id(1, 1), line_id(1, 3)]
    );
    assert_eq!(awarded(CoverageId::MIN, 1).await, [line_id(1, 1)]);
    assert_eq!(awarded(line_id(1, 1), 10).await, [line_id(1, 3)]);
    assert_eq!(awarded(line_id(1, 3), 10).await, []);
}
