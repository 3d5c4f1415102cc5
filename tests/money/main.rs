//! The money over random histories, with crashes, on both databases; a subscriber that is cut again and again; and
//! the scenarios of money as text.
//!
//! A failure prints its seed; `MONEY_SEED=n` plays that one alone.

mod books;
mod deadlines;
mod history;
mod ledger_text;
#[path = "../simulation/random.rs"]
mod random;
mod remittance;
mod snapshot;
mod stream;

use books::Books;

/// Seeds on SQLite in memory, and on PostgreSQL.
const SEEDS: u64 = 40;
const SEEDS_ON_POSTGRES: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_keep_every_invariant_on_sqlite() {
    for seed in seeds(SEEDS) {
        let books = Books::in_memory(history::faults(seed)).await;
        history::play(&books, seed).await;
        books.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_keep_every_invariant_on_postgres() {
    for seed in seeds(SEEDS_ON_POSTGRES) {
        let books = Books::on_postgres(history::faults(seed)).await;
        history::play(&books, seed).await;
        books.stop().await;
    }
}

fn seeds(count: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("MONEY_SEED").ok();
    match asked.and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    }
}
