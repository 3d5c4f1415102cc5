//! A caller that has given a deadline is answered by then, and what the database does for it ends: shown with a lock
//! that another transaction holds.

use std::time::Duration;

use samenloop_adapters::fault_plan::FaultPlan;
use samenloop_proto::settlement::v1::{
    ListClaimsRequest, RecordAdvanceRequest, SubmitClaimsRequest,
};
use tokio::time::Instant;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::books::{Books, CONTRACTS, INSURERS, PAYEES, claim};

/// What callers give.
const GIVEN: Duration = Duration::from_millis(400);

/// Far less than any other limit: a statement of PostgreSQL may take 30 s, a lock of SQLite 5 s.
const ANSWERED_MAX: Duration = Duration::from_secs(3);

fn advance() -> RecordAdvanceRequest {
    RecordAdvanceRequest {
        insurer_uzovi: INSURERS[0].to_owned(),
        request_id: "00000000-0000-4000-8000-000000000001".to_owned(),
        payee_agb: PAYEES[0].to_owned(),
        contract_id: CONTRACTS[0].to_owned(),
        cents: 500,
        note: String::new(),
    }
}

fn within<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(GIVEN);
    request
}

/// Books an advance and submits a claim while the books are locked: both are answered in time.
async fn be_answered_in_time(books: &Books) {
    let mut api = books.api.clone();
    let began = Instant::now();
    exceeded(api.record_advance(within(advance())).await.map(drop));
    let claims = vec![claim(1, PAYEES[0], CONTRACTS[0], 1000)];
    let requests = tokio_stream::iter([SubmitClaimsRequest { claims }]);
    let submitted = async {
        let answers = api.submit_claims(within(requests)).await?;
        answers.into_inner().message().await.map(drop)
    };
    exceeded(submitted.await);
    assert!(began.elapsed() < ANSWERED_MAX, "{:?}", began.elapsed());
}

/// The client gives up by itself as well; whoever was first, the code is the same, and the service has its reason.
fn exceeded(answer: Result<(), Status>) {
    let status = answer.expect_err("it is locked");
    assert!(
        matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{status:?}"
    );
    if let Some(info) = status.get_details_error_info() {
        assert_eq!(info.reason, "DEADLINE_EXCEEDED");
        assert_eq!(status.get_error_details_vec().len(), 1);
    }
}

/// Nothing was half done: the same requests have their effect once, in the order of now.
async fn have_the_effect_once(books: &Books) {
    assert_eq!(books.store.stream_heads().await.expect("it answers"), []);
    assert_eq!(books.store.balances().await.expect("it answers"), []);
    let mut api = books.api.clone();
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let entry = api
            .record_advance(within_long(advance()))
            .await
            .expect("it is sound");
        numbers.push(entry.into_inner().number);
    }
    assert_eq!(numbers, [1, 1]);
    let listed = ListClaimsRequest {
        insurer_uzovi: INSURERS[0].to_owned(),
        ..ListClaimsRequest::default()
    };
    let listed = api
        .list_claims(within_long(listed))
        .await
        .expect("it answers");
    assert_eq!(listed.into_inner().claims, []);
    assert_eq!(books.store.differences().await.expect("it answers"), []);
}

fn within_long<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_secs(20));
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_on_postgresql_keeps_no_caller_beyond_its_deadline() {
    let books = Books::on_postgres(FaultPlan::default()).await;
    let url = books.database();
    let (mut other, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .expect("PostgreSQL answers");
    tokio::spawn(connection);
    let lock = other.transaction().await.expect("it begins");
    let sql = "LOCK TABLE settlement.stream_head IN ACCESS EXCLUSIVE MODE";
    lock.batch_execute(sql).await.expect("it is free");
    be_answered_in_time(&books).await;
    // While the lock is held nothing of those calls is left waiting for it.
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND wait_event_type = 'Lock' AND query ~ '^(INSERT|WITH|UPDATE)'";
    let began = Instant::now();
    loop {
        let row = lock.query_one(waiting, &[]).await.expect("it counts");
        if row.get::<_, i64>(0) == 0 {
            break;
        }
        assert!(began.elapsed() < ANSWERED_MAX, "a statement waits on");
    }
    lock.rollback().await.expect("it ends");
    have_the_effect_once(&books).await;
    drop(other);
    books.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_on_sqlite_keeps_no_caller_beyond_its_deadline() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("settlement.db");
    let books = Books::in_file(&path).await;
    let other = rusqlite::Connection::open(&path).expect("it opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("it is free");
    be_answered_in_time(&books).await;
    other.execute_batch("ROLLBACK").expect("it ends");
    have_the_effect_once(&books).await;
    books.stop().await;
}
