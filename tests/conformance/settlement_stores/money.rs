//! Commands of insurers: once each, whole, in order; and what the database refuses of what they leave.

use jiff::civil::date;
use samenloop_adapters::{
    fault_plan::{Fault, FaultPlan, FaultPoint},
    settlement_store::{
        SettlementStore, StoreError,
        commands::{Asked, Effect, Executed, Facts, NewCommand, NewJournal, NewPayment},
    },
};
use samenloop_domain::{
    budget::{Parties, advance},
    cents::Cents,
    identifiers::Agb,
    ledger::reversed,
    payment::order,
};
use samenloop_proto::settlement::v1 as wire;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::made::{SCHEMA, at, batch, claim, message, open, open_with, record, uzovi};
use crate::database::{Database, Kind};

fn parties() -> Parties {
    Parties {
        insurer: uzovi("3311"),
        payee: Agb::parse("53530001").unwrap(),
    }
}

fn command(request: u128, content: u8) -> NewCommand {
    NewCommand {
        insurer: uzovi("3311"),
        request_id: Uuid::from_u128(request),
        kind: "RecordAdvance",
        content_digest: [content; 32],
        asks: Asked::Nothing,
    }
}

fn cents(cents: i64) -> Cents {
    Cents::new(cents).unwrap()
}

/// An advance of `amount` cents.
fn effect(amount: i64) -> Effect {
    Effect {
        entry: wire::Entry {
            cents: amount,
            payee_agb: "53530001".to_owned(),
            ..wire::Entry::default()
        },
        journals: vec![NewJournal {
            postings: advance(parties(), "C1", cents(amount)),
            reverses: None,
        }],
        ..Effect::default()
    }
}

async fn execute(
    store: &SettlementStore,
    command: NewCommand,
    effect: Effect,
) -> Result<Executed<()>, StoreError> {
    store
        .execute(command, at(5), move |_: &Facts| Ok(effect))
        .await
}

async fn done(store: &SettlementStore, command: NewCommand, effect: Effect) -> wire::Entry {
    match execute(store, command, effect).await {
        Ok(Executed::Done(answer)) => answer.entry,
        other => panic!("it is not done: {other:?}"),
    }
}

pub(super) async fn balances_are_the_sums_of_their_postings_and_can_be_rebuilt(
    database: &Database,
) {
    let store = open(database).await;
    record(&store, message(1)).await;
    record(&store, batch(vec![claim(2, 1, -1001)])).await;
    done(&store, command(1, 1), effect(500)).await;
    assert_eq!(store.differences().await.unwrap(), []);
    let own = store
        .balance_page(uzovi("3311"), "", "", 100)
        .await
        .unwrap();
    let names: Vec<_> = own.iter().map(|(balance, _)| &*balance.account).collect();
    assert_eq!(
        names,
        [
            "insurer:3311:cost:HA",
            "insurer:3311:cost:WV",
            "provider:53530001:advance:3311:C1",
            "provider:53530001:payable:3311",
        ]
    );
    let next = store
        .balance_page(uzovi("3311"), "provider:", names[2], 100)
        .await;
    let next = next.unwrap();
    assert_eq!(
        (next.len(), next[0].1),
        (1, 3),
        "two messages and an advance"
    );
    store.rebuild_balances().await.unwrap();
    let rebuilt = store
        .balance_page(uzovi("3311"), "", "", 100)
        .await
        .unwrap();
    assert_eq!(rebuilt, own);
    if !database.is_lasting() {
        return;
    }
    for (sql, kept, posted) in [
        (
            "UPDATE balance SET cents = cents + 1 WHERE account = 'provider:53530001:payable:7095'",
            true,
            true,
        ),
        (
            "DELETE FROM balance WHERE account = 'provider:53530001:payable:7095'",
            false,
            true,
        ),
        (
            "INSERT INTO balance VALUES ('3311', 'insurer:3311:paid', 5, 1)",
            true,
            false,
        ),
    ] {
        database.execute(SCHEMA, sql).await.unwrap();
        let found = store.differences().await.unwrap();
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
        let sides = (
            found[0].kept_cents.is_some(),
            found[0].posted_cents.is_some(),
        );
        assert_eq!(sides, (kept, posted), "{sql}");
        store.rebuild_balances().await.unwrap();
        assert_eq!(store.differences().await.unwrap(), [], "{sql}");
    }
}

pub(super) async fn a_command_has_its_effect_once(database: &Database) {
    let store = open(database).await;
    let first = done(&store, command(1, 1), effect(500)).await;
    assert_eq!(
        (first.number, &*first.recorded_at),
        (1, &*at(5).to_string())
    );
    match execute(&store, command(1, 1), effect(700)).await.unwrap() {
        Executed::Before(answer) => assert_eq!(answer.entry, first),
        other => panic!("it was recorded before: {other:?}"),
    }
    let differs = execute(&store, command(1, 2), effect(500)).await.unwrap();
    assert_eq!(differs, Executed::Differs);
    // The request id belongs to the insurer; another one may have the same.
    let other = NewCommand {
        insurer: uzovi("7095"),
        ..command(1, 3)
    };
    let nothing = done(&store, other, Effect::default()).await;
    assert_eq!(nothing.number, 1);
    let events = store.events(uzovi("3311"), 0, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(store.differences().await.unwrap(), []);
}

pub(super) async fn a_command_that_is_refused_or_fails_leaves_nothing(database: &Database) {
    let faults = FaultPlan::default().with(FaultPoint::BeforeCommit, 1, Fault::Error);
    let store = open_with(database, faults).await;
    execute(&store, command(1, 1), effect(500))
        .await
        .unwrap_err();
    let refused = store.execute(command(2, 1), at(5), |_: &Facts| Err::<Effect, _>("no"));
    assert_eq!(refused.await.unwrap(), Executed::Refused("no"));
    // What the database refuses: here a term that is none, so that half of it was written before.
    let mut wrong = effect(500);
    wrong.journals[0].postings[0].cents = cents(501);
    execute(&store, command(3, 1), wrong).await.unwrap_err();
    assert_eq!(store.events(uzovi("3311"), 0, 10).await.unwrap(), []);
    assert_eq!(store.balances().await.unwrap(), []);
    assert_eq!(done(&store, command(1, 1), effect(500)).await.number, 1);
    let positions = store.events(uzovi("3311"), 0, 10).await.unwrap();
    assert_eq!(positions[0].position, 1, "no position was lost");
}

pub(super) async fn a_reversal_undoes_its_journal_once(database: &Database) {
    let store = open(database).await;
    done(&store, command(1, 1), effect(500)).await;
    let undo = |amount: i64| Effect {
        journals: vec![NewJournal {
            postings: reversed(&advance(parties(), "C1", cents(amount))),
            reverses: Some((1, 0)),
        }],
        ..Effect::default()
    };
    for (request, wrong) in [
        (2, undo(499)),
        (
            3,
            Effect {
                journals: vec![NewJournal {
                    reverses: Some((1, 1)),
                    ..undo(500).journals.remove(0)
                }],
                ..Effect::default()
            },
        ),
    ] {
        execute(&store, command(request, 1), wrong)
            .await
            .unwrap_err();
    }
    done(&store, command(4, 1), undo(500)).await;
    execute(&store, command(5, 1), undo(500)).await.unwrap_err();
    let balances = store.balances().await.unwrap();
    assert!(
        balances.iter().all(|balance| balance.cents == 0),
        "{balances:?}"
    );
}

/// Goal: whatever runs beside it or fails, numbers and positions of an insurer have no gap. Method: claims and commands
/// of one insurer at once; every fourth commit fails and is tried again.
pub(super) async fn commands_of_one_insurer_are_numbered_without_a_gap(database: &Database) {
    let faults = (1..12).fold(FaultPlan::default(), |plan, number| {
        plan.with(FaultPoint::BeforeCommit, 4 * number, Fault::Error)
    });
    let store = open_with(database, faults).await;
    let mut writers = JoinSet::new();
    for writer in 0..4_u64 {
        let store = store.clone();
        writers.spawn(async move {
            for round in 0..6 {
                let number = 1 + 4 * round + writer;
                while store.record(message(number), at(0)).await.is_err() {}
                let request = command(number.into(), 1);
                loop {
                    match execute(&store, request.clone(), effect(7)).await {
                        Ok(executed) => break assert!(matches!(executed, Executed::Done(_))),
                        Err(e) => assert!(e.is_transient(), "{e}"),
                    }
                }
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    let events = store.events(uzovi("3311"), 0, 1000).await.unwrap();
    let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=24 * 4).collect::<Vec<_>>());
    let last = done(&store, command(999, 1), effect(1)).await;
    assert_eq!(last.number, 25);
    assert_eq!(store.differences().await.unwrap(), []);
}

pub(super) async fn a_payment_and_a_term_go_forward_only(database: &Database) {
    if !database.is_lasting() {
        return;
    }
    let store = open(database).await;
    let budget = wire::RecordBudgetRequest {
        budget_id: "B1".to_owned(),
        payee_agb: "53530001".to_owned(),
        contract_id: "C1".to_owned(),
        first: "2024-01-01".to_owned(),
        last: "2024-12-31".to_owned(),
        budget_cents: 100,
        terms: vec![wire::Term {
            due_on: "2024-03-01".to_owned(),
            cents: 100,
        }],
        ..wire::RecordBudgetRequest::default()
    };
    let close = Effect {
        budget: Some(budget),
        run: Some((date(2024, 3, 31), date(2024, 4, 30))),
        payments: vec![NewPayment {
            payee: parties().payee,
            reference: "3311-1-53530001".to_owned(),
            cents: cents(5),
            advanced: Cents::ZERO,
            set_off: Cents::ZERO,
            carried: Cents::ZERO,
            payable_version: 0,
        }],
        advanced: vec![("B1".to_owned(), 1)],
        journals: vec![NewJournal {
            postings: order(parties(), cents(5)),
            reverses: None,
        }],
        ..Effect::default()
    };
    done(&store, command(1, 1), close).await;
    let refused = [
        "UPDATE payment SET cents = 6",
        "UPDATE payment SET payee = '01056789'",
        "DELETE FROM payment",
        "UPDATE budget_term SET advanced_by = NULL",
        "UPDATE budget_term SET cents = 5",
        "DELETE FROM budget_term",
        "UPDATE budget SET cents = 5",
        "UPDATE payment_run SET due_on = '2025-01-01'",
        "UPDATE command SET kind = 'other'",
        "DELETE FROM command",
        "INSERT INTO payment_run (insurer, number, last_day, due_on, position)
         VALUES ('3311', 1, '2024-03-31', '2024-04-30', 1)",
    ];
    for sql in refused {
        let refusal = database.execute(SCHEMA, sql).await.expect_err(sql);
        for mistake in ["syntax", "no such", "does not exist"] {
            assert!(!refusal.contains(mistake), "{refusal}: {sql}");
        }
    }
    let steps = [
        "UPDATE payment SET ordered_by = 1, ordered_version = 0",
        "UPDATE payment SET paid_by = 1, paid_version = 0",
        "UPDATE payment SET reversed_by = 1",
    ];
    for (step, sql) in steps.iter().enumerate() {
        database.execute(SCHEMA, sql).await.unwrap();
        for before in &steps[..=step] {
            let again = before.replace("= 1", "= NULL");
            database.execute(SCHEMA, &again).await.expect_err(&again);
        }
    }
}

/// Goal: with every trigger switched off, the role under which the service runs may still not change the books.
pub(super) async fn the_role_of_the_service_may_not_change_the_books(database: &Database) {
    if database.kind() != Kind::Postgres {
        return;
    }
    let role = database.owned_by_a_role().await;
    let store = SettlementStore::open(&role.url, FaultPlan::default())
        .await
        .unwrap();
    record(&store, message(1)).await;
    done(&store, command(1, 1), effect(500)).await;
    for table in [
        "claim",
        "journal",
        "posting",
        "event",
        "command",
        "budget",
        "payment_run",
    ] {
        role.execute(SCHEMA, &format!("ALTER TABLE {table} DISABLE TRIGGER USER"))
            .await
            .unwrap();
        for sql in [
            format!("DELETE FROM {table}"),
            format!("UPDATE {table} SET insurer = '9999'"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            let refusal = role.execute(SCHEMA, &sql).await.expect_err(&sql);
            assert!(refusal.contains("permission denied"), "{sql}: {refusal}");
        }
    }
    drop(store);
    database.drop_role(role).await;
}
