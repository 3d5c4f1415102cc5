//! Settlement, the broker and the database are away for a while, one after the other, while five processes on RabbitMQ
//! with PostgreSQL work: nothing is lost, nothing is doubled, readiness is red and then green.
//!
//! `OUTAGE_SECONDS=n` says for how long at least; the roles reach what goes away through a relay, senders reach the
//! broker directly.

#![expect(clippy::print_stdout, reason = "what a run did is part of its result")]

use std::{env, time::Duration};

use harness::{
    processes::{Places, Processes, ROLES, Readiness, free_ports},
    production::Production,
    relay::{self, Relay},
    senders::{self, Clients},
    tally::Tally,
};
use samenloop::mailbox::Mailbox;
use samenloop_adapters::{
    broker::{
        Broker,
        rabbit::{RabbitBroker, RabbitOptions},
    },
    generate::{Generated, Generator},
};
use samenloop_validation::handle::GATEWAY_USER;
use tokio::time::{Instant, sleep_until, timeout};

/// Sent while something is away; a quarter of them over HTTP through the gateway.
const DECLARATIONS_PER_OUTAGE: usize = 200;
const OVER_HTTP_PER_OUTAGE: usize = 50;
const MESSAGE_LINES: (u32, u32) = (1, 3);
/// Far longer than anything takes once all is back.
const PATIENCE: Duration = Duration::from_secs(120);

/// What goes away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Away {
    Settlement,
    Broker,
    Database,
}

impl Away {
    /// The roles that cannot work without it.
    fn red(self) -> &'static [&'static str] {
        match self {
            Self::Settlement => &["detection"],
            Self::Broker => &["validation", "detection", "gateway", "operator"],
            Self::Database => &ROLES,
        }
    }

    /// The roles that it is nothing to.
    fn green(self) -> Vec<&'static str> {
        let red = self.red();
        ROLES
            .into_iter()
            .filter(|role| !red.contains(role))
            .collect()
    }
}

/// How long each is away: a few seconds, unless more is asked for.
fn outage() -> Duration {
    let given = env::var("OUTAGE_SECONDS").ok();
    let given = given.map(|text| text.parse().expect("OUTAGE_SECONDS is a number"));
    Duration::from_secs(given.unwrap_or(5))
}

/// A product whose ways to what it needs can be cut.
struct Run {
    processes: Processes,
    settlement: Relay,
    broker: Relay,
    database: Relay,
    gateway: Broker,
    mailbox: Mailbox,
    tally: Tally,
}

impl Run {
    fn relay(&self, away: Away) -> &Relay {
        match away {
            Away::Settlement => &self.settlement,
            Away::Broker => &self.broker,
            Away::Database => &self.database,
        }
    }

    /// Takes replies until so many messages have an outcome.
    async fn answered(&mut self, due: usize) {
        while self.tally.answered() < due {
            let reply = timeout(PATIENCE, self.mailbox.next()).await;
            let Ok(reply) = reply else {
                self.processes.check_alive();
                panic!("{} outcomes are missing", due - self.tally.answered());
            };
            self.tally.take(reply.expect("the mailbox is open").1);
        }
    }

    async fn outage(&mut self, away: Away, sent: &[Generated]) {
        let due = self.tally.answered() + sent.len();
        let began = Instant::now();
        self.relay(away).go_away();
        let (over_http, over_amqp) = sent.split_at(OVER_HTTP_PER_OUTAGE);
        let clients = Clients::start(&self.processes.gateway, over_http);
        senders::publish(&self.gateway, over_amqp).await;
        self.processes.wait_until(away.red(), Readiness::Red).await;
        println!(
            "{away:?} is away; {:?} red after {:?}",
            away.red(),
            began.elapsed()
        );
        self.processes
            .wait_until(&away.green(), Readiness::Green)
            .await;
        if away == Away::Settlement {
            // Deciding needs no settlement: claims wait in the outbox.
            self.answered(due).await;
        }
        sleep_until(began + outage()).await;
        println!("{away:?} is back after {:?}", began.elapsed());
        let back = Instant::now();
        self.relay(away).open();
        self.processes.wait_until(&ROLES, Readiness::Green).await;
        println!("all green {:?} later", back.elapsed());
        self.answered(due).await;
        let asked_again = timeout(PATIENCE, clients.finish()).await;
        let asked_again = asked_again.expect("every client has its outcomes");
        println!(
            "{} outcomes {:?} later; clients of the gateway asked again {asked_again} times",
            sent.len(),
            back.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_away_for_a_while_loses_and_doubles_nothing() {
    let outages = [Away::Settlement, Away::Broker, Away::Database];
    let messages = u32::try_from(outages.len() * DECLARATIONS_PER_OUTAGE).expect("small");
    let generator = Generator::new(messages * MESSAGE_LINES.1, 11);
    let generator = generator.with_message_lines(MESSAGE_LINES.0, MESSAGE_LINES.1);
    let set = harness::generated_world(generator);
    let production = Production::new(&set.reference).await;
    production.activate(&set.reference).await;

    let [listen] = free_ports();
    let (settlement, endpoint) = relay::to(&format!("http://{listen}")).await;
    let (broker, _) = relay::to(&production.amqp_of_administrator()).await;
    let (database, database_url) = relay::to(&production.database).await;
    let places = Places {
        broker: Some(format!("127.0.0.1:{}", broker.port)),
        database: database_url,
        settlement: listen,
        settlement_endpoint: endpoint,
    };
    let mut processes = Processes::at(&production, &places);
    ROLES.into_iter().for_each(|role| processes.start(role));
    processes.wait_until(&ROLES, Readiness::Green).await;
    let gateway = RabbitBroker::new(&production.amqp(GATEWAY_USER), RabbitOptions::default());
    let mut run = Run {
        processes,
        settlement,
        broker,
        database,
        gateway: Broker::Rabbit(gateway.expect("the URL is good")),
        mailbox: Mailbox::open(&production.brokers(&set.reference)),
        tally: Tally::default(),
    };
    let mut declarations = generator.declarations();
    for away in outages {
        let sent: Vec<Generated> = declarations
            .by_ref()
            .take(DECLARATIONS_PER_OUTAGE)
            .collect();
        assert_eq!(sent.len(), DECLARATIONS_PER_OUTAGE);
        run.outage(away, &sent).await;
    }
    println!("{}", run.tally.check(&production).await);
    drop(run);
    production.close().await;
}
