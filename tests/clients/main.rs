//! The examples of the client packages in Python and TypeScript, run as their users would: against every role on
//! RabbitMQ and PostgreSQL, with client certificates, through a connection that is cut, and killed and started again.

mod certificates;
mod examples;

use std::{fs, path::PathBuf, process::Stdio};

use examples::{Example, Kept, LANGUAGES, Language};
use harness::{accepted::accepted, production::Production, relay::Relay};
use jiff::civil::date;
use samenloop::in_process::{InProcess, wait_until_settled};
use samenloop_adapters::{clock::noon, scenario::ScenarioSet};
use samenloop_client::{ClientOptions, ClientTls, Settlements};
use samenloop_proto::settlement::v1::{
    BankAccount, ClosePeriodRequest, ListSettlementsRequest, OrderPaymentsRequest, PayeeAccount,
    PaymentState, RecordAdvanceRequest,
};
use serde_json::Value;

const INSURER: &str = "7095";
const OTHER_INSURER: &str = "3311";
const IBAN: &str = "NL91ABNA0417164300";

/// Entries that are recorded while a client follows.
const ENTRIES: u64 = 200;

/// A cut after so many events of a client, five times.
const CUT_EVERY: usize = 23;
const CUTS: usize = 5;

struct World {
    set: ScenarioSet,
    production: Production,
    product: InProcess,
    relay: Relay,
    /// The insurer's own, for what the examples do not do.
    backend: Settlements,
    directory: PathBuf,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn examples_send_follow_and_confirm_whatever_happens_to_the_connection() {
    let mut world = World::start().await;
    world.send().await;
    for language in LANGUAGES {
        world.follow(language).await;
        world.take_snapshot(language).await;
        world.confirm(language).await;
        world.be_refused(language).await;
    }
    assert_eq!(
        world
            .product
            .settlement
            .differences()
            .await
            .expect("it answers"),
        []
    );
    drop(world.backend);
    world.product.stop().await.expect("it stops");
    world.production.close().await;
}

impl World {
    async fn start() -> Self {
        let set = harness::scenarios();
        let production = Production::new(&set.reference).await;
        let directory = production.directory.path().to_owned();
        let parties = &set.reference.reference.parties;
        let named = parties.values().find(|party| {
            party
                .uzovi
                .as_ref()
                .is_some_and(|uzovi| uzovi.as_str() == INSURER)
        });
        let named = named.and_then(|party| party.certificate.clone());
        certificates::write(&directory, &named.expect("the insurer has a certificate"));
        let mut config = production.config(production.amqp_of_administrator());
        let file = |name: &str| directory.join(name).display().to_string();
        config.settlement.tls_certificate = file("service.pem");
        config.settlement.tls_key = file("service.key");
        config.settlement.tls_client_authority = file("authorities.pem");
        let brokers = production.brokers(&set.reference);
        let product = InProcess::start(config, &set.reference, Some(brokers)).await;
        let product = product.expect("it starts");
        product.node.clock.set(noon(date(2024, 10, 15)));
        let relay = Relay::start("127.0.0.1", product.address.port()).await;
        let read = |name: &str| fs::read(directory.join(name)).expect("it was written");
        let options = ClientOptions {
            tls: Some(ClientTls {
                authorities: read("authorities.pem"),
                certificate: read("insurer.pem"),
                private_key: read("insurer.key"),
                server_name: None,
            }),
            ..ClientOptions::default()
        };
        let backend = Settlements::new(&format!("https://{}", product.address), options);
        let backend = backend.expect("the certificates are good");
        Self {
            set,
            production,
            product,
            relay,
            backend,
            directory,
        }
    }

    /// Each language sends its share; the first declaration is sent by both, and gets the same answer.
    async fn send(&self) {
        let sent: Vec<_> = accepted(&self.set)
            .into_iter()
            .filter(|(_, declaration)| declaration["insurer_uzovi"] == INSURER)
            .take(6)
            .collect();
        assert!(sent.len() >= 4, "there is enough to send: {}", sent.len());
        let mut first = Vec::new();
        for (number, (party, declaration)) in sent.iter().enumerate() {
            for (share, language) in LANGUAGES.into_iter().enumerate() {
                if number > 0 && number % LANGUAGES.len() != share {
                    continue;
                }
                let outcome = self.send_one(language, party, declaration).await;
                assert_eq!(outcome["status"], "accepted", "{outcome}");
                assert_eq!(outcome["message_id"], declaration["message_id"]);
                if number == 0 {
                    first.push(outcome);
                }
            }
        }
        assert_eq!(first[0], first[1], "a repetition changes nothing");
        wait_until_settled(&self.product.node.decisions)
            .await
            .expect("every claim is settled");
    }

    async fn send_one(&self, language: Language, party: &str, declaration: &Value) -> Value {
        let user = self.set.reference.reference.parties[&party.into()]
            .amqp_user
            .clone();
        let url = self.production.amqp(&user.expect("a user"));
        fs::write(
            self.directory.join("declaration.json"),
            declaration.to_string(),
        )
        .expect("written");
        let example = Example::new(language, "send_declaration", &self.directory)
            .arguments(&["declaration.json", "outcomes.jsonl"])
            .variable("AMQP_URL", &url)
            .variable("PARTY", party);
        serde_json::from_str(&example.run().await).expect("the outcome is JSON")
    }

    fn insurer(&self, language: Language, name: &str, insurer: &str) -> Example {
        let target = format!("localhost:{}", self.relay.port);
        Example::new(language, name, &self.directory)
            .variable("SETTLEMENT", &target)
            .variable("INSURER", insurer)
            .variable("AUTHORITIES", "authorities.pem")
            .variable("CERTIFICATE", "insurer.pem")
            .variable("KEY", "insurer.key")
    }

    /// Goal: nothing is missed or repeated. Method: while entries are recorded the connection is cut again and again;
    /// then the program is killed, leaves half a line behind, and goes on.
    async fn follow(&mut self, language: Language) {
        let name = format!("events-{language:?}.jsonl");
        let file = self.directory.join(&name);
        let before = self.position().await;
        let last = before + ENTRIES;
        let writing = tokio::spawn(advances(self.backend.clone(), before));
        let mut following = self
            .insurer(language, "follow_settlements", INSURER)
            .arguments(&[&name])
            .start(Stdio::piped());
        for _ in 0..CUTS {
            following.read_lines(CUT_EVERY).await;
            self.relay.cut();
        }
        following.kill().await;
        writing.await.expect("every entry is recorded");
        let whole = fs::read(&file).expect("events are kept");
        fs::write(&file, [&whole, &b"{\"position\": "[..]].concat()).expect("written");
        let rest = self.insurer(language, "follow_settlements", INSURER);
        rest.arguments(&[&name, &last.to_string()]).run().await;

        let kept = Kept::read(&file);
        assert_eq!(
            kept.positions,
            (1..=last).collect::<Vec<_>>(),
            "{language:?}"
        );
        let heads = self
            .product
            .settlement
            .stream_heads()
            .await
            .expect("it answers");
        let head = heads.iter().find(|head| head.insurer.as_str() == INSURER);
        let head = head.map(|head| (head.position, head.cents));
        assert_eq!(head, Some((last, kept.cents)), "{language:?}");
    }

    /// The books as they are now, with the token of now.
    async fn take_snapshot(&self, language: Language) {
        let printed = self.insurer(language, "take_snapshot", INSURER).run().await;
        let taken: Value = serde_json::from_str(&printed).expect("it is JSON");
        assert_eq!(taken["position"], self.position().await, "{language:?}");
        let balances = taken["balances"].as_object().expect("by account");
        let cents = |prefix: &str| -> i64 {
            let of = balances
                .iter()
                .filter(|(account, _)| account.starts_with(prefix));
            of.filter_map(|(_, cents)| cents.as_i64()).sum()
        };
        assert_eq!(cents(""), 0, "{taken}");
        assert_eq!(
            taken["sum_cents"],
            cents(&format!("insurer:{INSURER}:cost:")),
            "{taken}"
        );
    }

    async fn position(&self) -> u64 {
        let heads = self
            .product
            .settlement
            .stream_heads()
            .await
            .expect("it answers");
        let head = heads.iter().find(|head| head.insurer.as_str() == INSURER);
        head.map_or(0, |head| head.position)
    }

    /// Closes a period and orders its payments; the example confirms them, twice, and each is paid once.
    async fn confirm(&mut self, language: Language) {
        let mut api = self.backend.api();
        let last = match language {
            Language::Python => "2024-09-30",
            Language::TypeScript => "2024-10-14",
        };
        let request_id =
            |step: u8| format!("00000000-0000-4000-8000-{step:x}{:011}", language as u8);
        let closed = api.close_period(ClosePeriodRequest {
            insurer_uzovi: INSURER.to_owned(),
            request_id: request_id(0xc),
            last: last.to_owned(),
            due_on: String::new(),
        });
        let run = closed.await.expect("the period is closed").into_inner().run;
        let account = |name: &str| {
            Some(BankAccount {
                name: name.to_owned(),
                iban: IBAN.to_owned(),
            })
        };
        let payable = self.payments(run).await;
        let creditors = payable.iter().map(|(payee, ..)| PayeeAccount {
            payee_agb: payee.clone(),
            account: account(payee),
        });
        let ordered = api.order_payments(OrderPaymentsRequest {
            insurer_uzovi: INSURER.to_owned(),
            request_id: request_id(0xd),
            run,
            debtor: account("Verzekeraar"),
            creditors: creditors.collect(),
        });
        ordered.await.expect("they are ordered");
        let run_text = run.to_string();
        let mut printed = Vec::new();
        for _ in 0..2 {
            let example = self.insurer(language, "confirm_payments", INSURER);
            printed.push(example.arguments(&[&run_text, "2024-10-15"]).run().await);
        }
        assert_eq!(printed[0], printed[1], "a repetition changes nothing");
        let payable = self.payments(run).await;
        let lines = payable.iter().filter(|(_, cents, _)| *cents > 0).count();
        assert!(
            lines > 0 && printed[0].lines().count() == lines,
            "{printed:?}"
        );
        for (payee, cents, state) in payable {
            let expected = if cents > 0 {
                PaymentState::Paid
            } else {
                PaymentState::Carried
            };
            assert_eq!(state, expected, "{payee}");
        }
    }

    async fn payments(&self, run: u64) -> Vec<(String, i64, PaymentState)> {
        let listed = ListSettlementsRequest {
            insurer_uzovi: INSURER.to_owned(),
            run,
            page_size: 1000,
            ..ListSettlementsRequest::default()
        };
        let listed = self
            .backend
            .api()
            .list_settlements(listed)
            .await
            .expect("they are listed");
        let payments = listed.into_inner().settlements.into_iter();
        payments
            .map(|it| (it.payee_agb.clone(), it.cents, it.state()))
            .collect()
    }

    /// The certificate is of one insurer: asking for another is refused with its registered reason.
    async fn be_refused(&self, language: Language) {
        let example = self.insurer(language, "confirm_payments", OTHER_INSURER);
        let errors = example.arguments(&["1", "2024-10-15"]).fail().await;
        assert!(
            errors.contains("CALLER_NOT_ALLOWED"),
            "{language:?}: {errors}"
        );
    }
}

/// One entry after the other, each an event of its own.
async fn advances(backend: Settlements, before: u64) {
    let mut api = backend.api();
    for number in 1..=ENTRIES {
        let advance = RecordAdvanceRequest {
            insurer_uzovi: INSURER.to_owned(),
            request_id: format!("00000000-0000-4000-8000-{:012}", before * 1000 + number),
            payee_agb: "53530001".to_owned(),
            contract_id: "C1".to_owned(),
            cents: 1,
            note: String::new(),
        };
        api.record_advance(advance).await.expect("it is sound");
    }
}
