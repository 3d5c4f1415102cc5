//! Programs in Python, taken from the README as they stand: one sends and gets its outcome, one subscribes, is cut
//! and resumes, one asks beforehand. And files of ours, judged by a validator that is not.

mod pain001;

use std::{fs, path::Path, process::Output};

use harness::{
    accepted::accepted,
    production::{Production, variable},
};
use samenloop::{commands::role::start_funding, in_process::InProcess};
use samenloop_adapters::scenario::ScenarioSet;
use serde_json::Value;
use tokio::process::Command;

/// The fenced block of the README that begins with `# file: <name>`.
fn block(name: &str) -> String {
    let readme =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("a README");
    let begin = format!("```python\n# file: {name}\n");
    let (_, rest) = readme
        .split_once(&begin)
        .expect("the README has the program");
    rest.split_once("```").expect("the block ends").0.to_owned()
}

/// Runs Python, however it ends.
async fn python_at(directory: &Path, arguments: &[&str]) -> Output {
    run(directory, arguments, &[]).await
}

async fn run(directory: &Path, arguments: &[&str], environment: &[(&str, String)]) -> Output {
    let mut command = Command::new(variable("TEST_PYTHON"));
    command
        .current_dir(directory)
        .args(arguments)
        .envs(environment.iter().cloned());
    command.output().await.expect("Python runs")
}

async fn python(directory: &Path, arguments: &[&str], environment: &[(&str, String)]) -> Output {
    let output = run(directory, arguments, environment).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    output
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_of_the_readme_send_and_subscribe() {
    let set = harness::scenarios();
    let production = Production::new(&set.reference).await;
    let config = production.config(production.amqp_of_administrator());
    let brokers = production.brokers(&set.reference);
    let mut product = InProcess::start(config, &set.reference, Some(brokers))
        .await
        .expect("it starts");
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("send.py"), block("send.py")).expect("written");
    fs::write(directory.path().join("subscribe.py"), block("subscribe.py")).expect("written");
    let sent = accepted(&set);
    assert!(sent.len() >= 5, "there is enough to send: {}", sent.len());
    product
        .node
        .clock
        .set(samenloop_adapters::clock::noon(jiff::civil::date(
            2024, 10, 15,
        )));
    for (party, declaration) in &sent {
        send(&production, &set, directory.path(), party, declaration).await;
    }
    subscribe(&product, directory.path()).await;
    let (party, declaration) = &sent[0];
    ask(&mut product, directory.path(), party, declaration).await;
    product.stop().await.expect("it stops");
    production.close().await;
}

async fn send(
    production: &Production,
    set: &ScenarioSet,
    directory: &Path,
    party: &str,
    declaration: &Value,
) {
    let user = set.reference.reference.parties[&party.into()]
        .amqp_user
        .clone()
        .expect("a user");
    fs::write(directory.join("declaration.json"), declaration.to_string()).expect("written");
    let environment = [
        ("AMQP_URL", production.amqp(&user)),
        ("PARTY", party.to_owned()),
    ];
    let output = python(directory, &["send.py", "declaration.json"], &environment).await;
    let outcome: Value = serde_json::from_slice(&output.stdout).expect("the outcome is JSON");
    // The program gives the declaration an id and an invoice number of its own.
    assert_eq!(
        outcome["declarant_agb"], declaration["declarant_agb"],
        "{outcome}"
    );
    assert_eq!(outcome["status"], "accepted", "{outcome}");
    let invoice = outcome["invoice_number"].as_str().expect("a number");
    assert!(invoice.starts_with("PY-"), "{outcome}");
    assert_ne!(outcome["message_id"], declaration["message_id"]);
}

/// Asks about a declaration that was decided under another id: it would be a duplicate now.
async fn ask(product: &mut InProcess, directory: &Path, party: &str, declaration: &Value) {
    let (node, roles) = (&product.node, &mut product.roles);
    let funding = start_funding(node, roles).await.expect("it starts");
    let address = funding.trim_start_matches("http://").to_owned();
    fs::write(directory.join("check.py"), block("check.py")).expect("written");
    fs::write(directory.join("declaration.json"), declaration.to_string()).expect("written");
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto");
    let include = format!("-I{proto}");
    let files =
        ["funding", "declaration"].map(|name| format!("{proto}/samenloop/{name}/v1/{name}.proto"));
    let arguments = [
        "-m",
        "grpc_tools.protoc",
        &include,
        "--python_out=stubs",
        "--grpc_python_out=stubs",
        &files[0],
        &files[1],
    ];
    python(directory, &arguments, &[]).await;
    let environment = [
        ("FUNDING", address),
        ("PARTY", party.to_owned()),
        ("PYTHONPATH", directory.join("stubs").display().to_string()),
    ];
    let answer = python(directory, &["check.py", "declaration.json"], &environment).await;
    let answer = String::from_utf8(answer.stdout).expect("text");
    let first = answer.lines().next().expect("a line");
    assert!(first.contains("0587"), "{answer}");
}

/// Takes two events, is cut, resumes with the token, and must see every position once and in order.
async fn subscribe(product: &InProcess, directory: &Path) {
    let received = product.receive_all().await.expect("every claim is settled");
    let insurer = received
        .iter()
        .max_by_key(|it| it.events)
        .expect("an insurer");
    assert!(
        insurer.events >= 4,
        "there is enough to resume: {received:?}"
    );
    let stubs = directory.join("stubs");
    fs::create_dir(&stubs).expect("made");
    let proto = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto");
    let files = fs::read_dir(format!("{proto}/samenloop/settlement/v1")).expect("it is there");
    let files: Vec<String> = files
        .map(|file| file.expect("it is read").path().display().to_string())
        .collect();
    let include = format!("-I{proto}");
    let mut arguments = vec![
        "-m",
        "grpc_tools.protoc",
        &include,
        "--python_out=stubs",
        "--grpc_python_out=stubs",
    ];
    arguments.extend(files.iter().map(String::as_str));
    python(directory, &arguments, &[]).await;
    let address = product.address.to_string();
    let environment = [
        ("SETTLEMENT", address),
        ("PYTHONPATH", stubs.display().to_string()),
    ];
    let rest = (insurer.events - 2).to_string();
    let first = python(
        directory,
        &["subscribe.py", &insurer.insurer, "2"],
        &environment,
    )
    .await;
    let first = String::from_utf8(first.stdout).expect("text");
    let token = first
        .lines()
        .last()
        .and_then(|line| line.split(' ').nth(3))
        .expect("a token")
        .to_owned();
    let second = python(
        directory,
        &["subscribe.py", &insurer.insurer, &rest, &token],
        &environment,
    )
    .await;
    let second = String::from_utf8(second.stdout).expect("text");
    let columns =
        |line: &str, place: usize| line.split(' ').nth(place).expect("a column").to_owned();
    let lines: Vec<&str> = first.lines().chain(second.lines()).collect();
    let positions: Vec<String> = lines.iter().map(|line| columns(line, 0)).collect();
    let expected: Vec<String> = (1..=insurer.events)
        .map(|position| position.to_string())
        .collect();
    assert_eq!(positions, expected, "nothing is missed or repeated");
    let cents = lines
        .iter()
        .map(|line| columns(line, 1).parse::<i64>().expect("cents"));
    assert_eq!(cents.sum::<i64>(), insurer.cents);
}
