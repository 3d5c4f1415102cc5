//! Five processes on RabbitMQ with PostgreSQL are killed at random while 2,000 declarations are in flight, three
//! rounds: one outcome each, every accepted claim settled once, and the log decides the same again.
//!
//! When a role is killed is counted in outcomes that have come, so that a seed repeats it; the seed is printed, and
//! `CRASH_SEED=n` gives it.

#![expect(clippy::print_stdout, reason = "what a run did is part of its result")]

use std::{
    env,
    time::{Duration, SystemTime},
};

use harness::{
    processes::{Processes, ROLES, Readiness},
    production::Production,
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

const ROUNDS: usize = 3;
const DECLARATIONS_PER_ROUND: usize = 2_000;
/// Of those, sent over HTTP through the gateway.
const OVER_HTTP_PER_ROUND: usize = 400;
/// Each role once, and as many again at random.
const KILLS_PER_ROUND: usize = 2 * ROLES.len();
/// Fewest and most lines of a declaration: what is tried is how many messages there are, not how large they are.
const MESSAGE_LINES: (u32, u32) = (1, 3);
/// Far longer than any outcome takes.
const PATIENCE: Duration = Duration::from_secs(120);

#[expect(
    clippy::disallowed_methods,
    reason = "a new seed for every run, printed so that it can be repeated"
)]
fn seed() -> u64 {
    let given = env::var("CRASH_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(1, |it| it.as_secs())
    })
}

/// Random numbers that a seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bound = u64::try_from(bound).expect("a usize is a u64");
        usize::try_from((self.0 >> 33) % bound).expect("it is below a usize")
    }

    /// Who is killed after how many outcomes of a round, in order: each role at least once, the last while a tenth is
    /// still to come.
    fn kills(&mut self) -> Vec<(usize, &'static str)> {
        let mut roles: Vec<&'static str> = ROLES.to_vec();
        while roles.len() < KILLS_PER_ROUND {
            roles.push(ROLES[self.below(ROLES.len())]);
        }
        let mut kills: Vec<(usize, &'static str)> = roles
            .into_iter()
            .map(|role| (self.below(DECLARATIONS_PER_ROUND * 9 / 10), role))
            .collect();
        kills.sort_unstable();
        kills
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_killed_at_random_lose_and_double_nothing() {
    let seed = seed();
    println!("CRASH_SEED={seed}");
    let mut random = Random(seed);
    let messages = u32::try_from(ROUNDS * DECLARATIONS_PER_ROUND).expect("small");
    let generator = Generator::new(messages * MESSAGE_LINES.1, 7);
    let generator = generator.with_message_lines(MESSAGE_LINES.0, MESSAGE_LINES.1);
    let set = harness::generated_world(generator);
    let production = Production::new(&set.reference).await;
    production.activate(&set.reference).await;
    let mut processes = Processes::new(&production);
    ROLES.into_iter().for_each(|role| processes.start(role));
    let gateway = RabbitBroker::new(&production.amqp(GATEWAY_USER), RabbitOptions::default());
    let mut run = Run {
        gateway: Broker::Rabbit(gateway.expect("the URL is good")),
        mailbox: Mailbox::open(&production.brokers(&set.reference)),
        tally: Tally::default(),
        processes,
    };
    let mut declarations = generator.declarations();
    for round in 1..=ROUNDS {
        let sent: Vec<Generated> = declarations.by_ref().take(DECLARATIONS_PER_ROUND).collect();
        assert_eq!(sent.len(), DECLARATIONS_PER_ROUND);
        println!("round {round}");
        run.round(&sent, random.kills()).await;
    }
    run.processes.wait_until(&ROLES, Readiness::Green).await;
    println!("{}", run.tally.check(&production).await);
    drop(run);
    production.close().await;
}

/// A product under fire, and what it has answered.
struct Run {
    gateway: Broker,
    mailbox: Mailbox,
    tally: Tally,
    processes: Processes,
}

impl Run {
    async fn round(&mut self, sent: &[Generated], kills: Vec<(usize, &'static str)>) {
        let before = self.tally.answered();
        let (over_http, over_amqp) = sent.split_at(OVER_HTTP_PER_ROUND);
        let clients = Clients::start(&self.processes.gateway, over_http);
        senders::publish(&self.gateway, over_amqp).await;
        let mut kills = kills.into_iter().peekable();
        loop {
            let answered = self.tally.answered() - before;
            while let Some((_, role)) = kills.next_if(|(after, _)| *after <= answered) {
                println!("kill -9 {role} after {answered} outcomes");
                self.processes.kill(role);
            }
            if answered == sent.len() {
                break;
            }
            let reply = tokio::time::timeout(PATIENCE, self.mailbox.next()).await;
            let Ok(reply) = reply else {
                self.processes.check_alive();
                panic!("{} outcomes are missing", sent.len() - answered);
            };
            self.tally.take(reply.expect("the mailbox is open").1);
        }
        let retries = tokio::time::timeout(PATIENCE, clients.finish()).await;
        let retries = retries.expect("every client has its outcomes");
        println!("clients of the gateway asked again {retries} times");
        for generated in sent {
            assert!(self.tally.has(&senders::id_of(generated)));
        }
    }
}
