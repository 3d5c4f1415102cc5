//! Lines a second through the whole product, and rows written for a line: embedded, and on RabbitMQ with PostgreSQL
//! where `tests/run` has started them. Both run the same generated lines in one run, so their ratio can be compared.

use harness::production::Production;
use samenloop::{
    in_process::{self, InProcess},
    load::{self, LoadResult},
    mailbox::Mailbox,
    print,
};
use samenloop_adapters::{
    config::Config,
    generate::Generator,
    scenario::{self, ScenarioSet},
};

const LINES: u32 = 20_000;

fn main() {
    // `cargo test --benches` asks for a quick look, not for a measurement.
    let lines = if std::env::args().any(|it| it == "--bench") {
        LINES
    } else {
        500
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(compare(lines));
}

async fn compare(lines: u32) {
    let generator = Generator::new(lines, 1);
    let set = scenario::load_with(&harness::sample(), |data| {
        generator.reference_extension(data)
    });
    let set = set.unwrap_or_else(|faults| panic!("{faults:?}"));
    let directory = tempfile::tempdir().expect("a directory");
    let config = in_process::embedded_in(directory.path());
    let (embedded, product) = measure(config, &set, generator, None).await;
    product.stop().await.expect("it stops");
    let rows =
        ["decisions.db", "settlement.db"].map(|name| sqlite_rows(&directory.path().join(name)));
    show("embedded", &embedded, rows.iter().sum());
    if std::env::var_os("TEST_POSTGRES_URL").is_none() {
        print::line("RabbitMQ with PostgreSQL: not started; eval \"$(tests/nodes/up)\"");
        return;
    }
    let production = Production::new(&set.reference).await;
    let config = production.config(production.amqp_of_administrator());
    let brokers = production.brokers(&set.reference);
    let (served, product) = measure(config, &set, generator, Some(brokers)).await;
    product.stop().await.expect("it stops");
    show("RabbitMQ with PostgreSQL", &served, production.rows().await);
    let percent = rate(&served) * 100 / rate(&embedded).max(1);
    print::line(format!(
        "RabbitMQ with PostgreSQL to embedded: {percent} percent"
    ));
    production.close().await;
}

async fn measure(
    config: Config,
    set: &ScenarioSet,
    generator: Generator,
    brokers: Option<
        std::collections::BTreeMap<
            samenloop_domain::identifiers::PartyId,
            samenloop_adapters::broker::Broker,
        >,
    >,
) -> (LoadResult, InProcess) {
    let product = InProcess::start(config, &set.reference, brokers)
        .await
        .expect("it starts");
    let mut mailbox = Mailbox::open(&product.brokers);
    let target = load::Target {
        brokers: &product.brokers,
        users: &product.users,
    };
    let loaded = load::run(&target, generator, &mut mailbox, |_| {})
        .await
        .expect("it runs");
    assert_eq!(
        (loaded.missing, loaded.duplicated),
        (0, 0),
        "each has one outcome"
    );
    product.receive_all().await.expect("every claim is settled");
    (loaded, product)
}

fn rate(loaded: &LoadResult) -> u128 {
    u128::from(loaded.lines) * 1_000 / loaded.elapsed.as_millis().max(1)
}

fn show(name: &str, loaded: &LoadResult, rows: u64) {
    let hundredths = rows * 100 / loaded.lines.max(1);
    let (whole, part) = (hundredths / 100, hundredths % 100);
    let (lines, rate) = (loaded.lines, rate(loaded));
    print::line(format!(
        "{name}: {lines} lines, {rate} lines a second, {whole}.{part:02} rows a line"
    ));
}

/// Rows of all tables of a database.
fn sqlite_rows(path: &std::path::Path) -> u64 {
    let connection = rusqlite::Connection::open(path).expect("the file opens");
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut names = connection.prepare(sql).expect("the statement is good");
    let names = names
        .query_map([], |row| row.get::<_, String>(0))
        .expect("it has tables");
    let count = |name: String| {
        let sql = format!("SELECT count(*) FROM {name}");
        connection
            .query_row(&sql, [], |row| row.get::<_, i64>(0))
            .expect("it counts")
    };
    let rows: i64 = names.map(|name| count(name.expect("a name"))).sum();
    u64::try_from(rows).expect("a count is not negative")
}
