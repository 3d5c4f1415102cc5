//! Seconds and peak memory of what purchasers ask of a register of a million lines: a check, what-if over a year, and
//! the audit. The register is filled by the engine, without a queue, on SQLite.
//!
//! Each question is asked by a process of its own, so that its peak memory is its own. `REGISTER_LINES` sets another
//! number of lines.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::{env, fs, path::Path, process::Command, time::Duration};

use samenloop::{funding_audit, in_process, node::Node, print, roles, what_if};
use samenloop_adapters::{
    clock::{Clock, noon},
    generate::{Generated, Generator},
    reference::{self, Variant},
    wire::{
        declaration,
        validated::{Intake, content_digest},
    },
};
use samenloop_detection::{check::Asked, handle::Source};
use samenloop_domain::{
    decision::Validated,
    period::Period,
    validation::{Environment, validate_declaration},
};
use tokio::time::Instant;

const LINES: u32 = 1_000_000;

/// Messages of a batch, as detection takes them.
const BATCH: usize = 64;

/// Checks of which the median is told.
const CHECKS: usize = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if let Ok(question) = env::var("REGISTER_QUESTION") {
        let directory = env::var("REGISTER_DIRECTORY").unwrap();
        runtime.block_on(ask(&question, Path::new(&directory)));
        return;
    }
    let lines = match env::var("REGISTER_LINES") {
        Ok(lines) => lines.parse().expect("REGISTER_LINES is a number"),
        // `cargo test --benches` asks for a quick look, not for a measurement.
        Err(_) if !env::args().any(|it| it == "--bench") => 500,
        Err(_) => LINES,
    };
    let directory = tempfile::tempdir().unwrap();
    let took = runtime.block_on(fill(directory.path(), lines));
    print::line(format!("filled with {lines} lines in {} s", took.as_secs()));
    for question in ["check", "draft", "what-if", "audit"] {
        let asked = Command::new(env::current_exe().unwrap())
            .env("REGISTER_QUESTION", question)
            .env("REGISTER_DIRECTORY", directory.path())
            .env("REGISTER_LINES", lines.to_string())
            .status();
        assert!(asked.unwrap().success(), "{question}");
    }
}

fn generator(seed: u64) -> Generator {
    let lines = env::var("REGISTER_LINES")
        .ok()
        .and_then(|it| it.parse().ok());
    Generator::new(lines.unwrap_or(500), seed)
}

async fn open(directory: &Path) -> Node {
    let clock = Clock::scenario(noon(jiff::civil::date(2026, 9, 1)));
    Node::open(in_process::embedded_in(directory), clock)
        .await
        .unwrap()
}

async fn fill(directory: &Path, lines: u32) -> Duration {
    let generator = Generator::new(lines, 1);
    let mut data = reference::read(&harness::sample().join("reference")).unwrap();
    generator.reference_extension(&mut data);
    let loaded = reference::finish(data).unwrap();
    let node = open(directory).await;
    let now = node.clock.now();
    samenloop_detection::change::activate_reference(&node.decisions, &loaded, now)
        .await
        .unwrap();
    let handler = roles::detection_handler(&node);
    let began = Instant::now();
    let mut generated = generator.declarations().peekable();
    while generated.peek().is_some() {
        let batch = generated.by_ref().take(BATCH);
        let intakes = batch
            .map(|it| intake(&it, &node, &loaded.reference))
            .collect();
        handler.decide(intakes, Source::Queue).await.unwrap();
    }
    began.elapsed()
}

fn intake(
    generated: &Generated,
    node: &Node,
    reference: &samenloop_domain::reference::Reference,
) -> Intake {
    let declaration = declaration::read(&generated.declaration, &node.keys).unwrap();
    let (party, received_on) = (generated.party.clone(), generated.received_on);
    let environment = Environment::Production;
    let findings = validate_declaration(&declaration, &party, received_on, reference, environment);
    Intake {
        validated: Validated {
            party,
            received_on,
            content_digest: content_digest(&declaration),
            declaration,
            findings,
            judged_with: reference.version.clone(),
        },
        received_at: noon(received_on),
        traceparent: String::new(),
        faults: Vec::new(),
        fault_count: 0,
    }
}

async fn ask(question: &str, directory: &Path) {
    let node = open(directory).await;
    // Reference data are read once by a process that answers many questions.
    node.reference.current().await.unwrap();
    let began = Instant::now();
    let told = match question {
        "check" => check(&node).await,
        "draft" => draft(&node, directory).await,
        "what-if" => what_if(&node, directory).await,
        _ => audit(&node).await,
    };
    let millis = began.elapsed().as_millis();
    print::line(format!(
        "{question}: {}.{:03} s, {} MiB at most; {told}",
        millis / 1_000,
        millis % 1_000,
        peak_mib()
    ));
}

/// Declarations of another seed: about a hundred lines each, all of them in conflict with what was decided.
async fn check(node: &Node) -> String {
    let check = roles::funding_check(node);
    let mut took = Vec::with_capacity(CHECKS);
    let (mut lines, mut clear) = (0, 0);
    for generated in generator(2).declarations().take(CHECKS) {
        let asked = Asked {
            party: generated.party.clone(),
            declaration: declaration::read(&generated.declaration, &node.keys).unwrap(),
        };
        let began = Instant::now();
        let answered = check
            .declarations(&[asked], noon(generated.received_on))
            .await
            .unwrap();
        took.push(began.elapsed());
        lines += answered.outcomes[0].lines.len();
        clear += answered.outcomes[0]
            .lines
            .iter()
            .filter(|it| it.evidence.is_empty())
            .count();
    }
    took.sort();
    let median = took[took.len() / 2].as_micros();
    format!(
        "{} declarations of {lines} lines, {clear} clear, median {median} us",
        took.len()
    )
}

/// A contract of the register once more under another name.
async fn draft(node: &Node, _: &Path) -> String {
    use samenloop_domain::draft::{conflicts, lines_of};
    let reference = node.reference.current().await.unwrap().unwrap();
    let (_, contract) = reference
        .contracts
        .iter()
        .nth(reference.contracts.len() / 2)
        .unwrap();
    let began = Instant::now();
    let lines = lines_of(&"DRAFT".into(), contract, &reference);
    let snapshot = roles::funding_check(node)
        .coverage_of(&lines)
        .await
        .unwrap();
    let found = lines.iter().map(|line| {
        let rivals = snapshot.history.coverage.meeting(&line.coverage);
        conflicts(line, &rivals, &reference).len()
    });
    let found: usize = found.sum();
    let took = began.elapsed().as_micros();
    format!("{} lines, {found} conflicts, {took} us", lines.len())
}

/// Rules that ask a person where those in force exclude, tried on everything.
async fn what_if(node: &Node, directory: &Path) -> String {
    let rules = directory.join("rules");
    fs::create_dir_all(&rules).unwrap();
    let sample = harness::sample().join("reference");
    for file in ["pair_rules.toml", "line_rules.toml"] {
        let text = fs::read_to_string(sample.join(file)).unwrap();
        let milder = text.replace("effect = \"exclude\"", "effect = \"review\"");
        fs::write(rules.join(file), milder).unwrap();
    }
    let mut variant = Variant::default();
    variant.set_rules(&rules).unwrap();
    let span = Period::new(
        jiff::civil::date(2025, 1, 1),
        jiff::civil::date(2025, 12, 31),
    );
    let question = what_if::Question {
        variant,
        span: span.unwrap(),
        environment: Environment::Production,
    };
    let found = what_if::answer(&node.decisions, question, || ())
        .await
        .unwrap();
    format!(
        "{} lines of 2025 decided again, {} changed under {} rules",
        found.lines,
        found.lines_changed,
        found.by_rule.len()
    )
}

async fn audit(node: &Node) -> String {
    let audit = funding_audit::audit(&node.decisions, |_| ()).await.unwrap();
    assert!(audit.is_clear(), "{audit:?}");
    format!(
        "{} lines awarded, {} pairs judged, {} funded twice",
        audit.awarded_lines, audit.pairs, audit.without_override.count
    )
}

/// The most memory that this process ever held.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024
}
