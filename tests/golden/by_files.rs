//! What needs files only: a kind of funding that nobody foresaw, and a prestatie that comes into force while
//! services run.

use std::{fs, path::Path};

use samenloop::{
    in_process::{self, InProcess},
    mailbox::Mailbox,
    scenarios,
};
use samenloop_adapters::{
    clock::noon,
    scenario::{self, ScenarioSet},
};
use samenloop_detection::change;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A kind of funding that is in no document, with a condition, a rule of each effect, a contract and a scenario.
const PRESTATIE: &str = r#"
[[prestatie]]
list = "990"
code = "REGK1"
name = "Regiekamer"
kind = "REGIE"
from = "2024-01-01"
unit = "lumpsum"
tarief_kind = "maximum"
tarief = "6000.00"
conditions = ["written_agreement", "patient_group", "no_insured"]
legal_basis = "verzonnen"
test_code = true
"#;

const RULES: &str = r#"
[[pair_rule]]
id = "regie-bdss-full"
version = 1
a = "kind:REGIE"
b = "kind:BDSS"
match = "full"
effect = "exclude"
codes = ["0634", "GDC-DF-EXCL"]
override_allowed = false
basis = "model"
source = "verzonnen"
from = "2024-01-01"

[[pair_rule]]
id = "regie-oeni"
version = 1
a = "kind:REGIE"
b = "kind:OENI"
match = "candidate"
effect = "review"
codes = ["GDC-DF-FLAG"]
override_allowed = true
basis = "model"
source = "verzonnen"
from = "2024-01-01"
"#;

/// The contract of the sample for O&I, for another prestatie.
fn contract(id: &str, code: &str, tarief: &str) -> String {
    let c3 = fs::read_to_string(harness::sample().join("reference/contracts/C3.toml"));
    let c3 = c3.expect("the sample has contract C3");
    let c3 = c3.replace("id = \"C3\"", &format!("id = \"{id}\""));
    let c3 = c3.replace("code = \"OENI1\"", &format!("code = \"{code}\""));
    c3.replace("tarief = \"9000.00\"", &format!("tarief = \"{tarief}\""))
}

/// A step by `like` with one changed line, and its outcome.
fn step(like: &str, line: &Value, status: &str, expected: &Value) -> Value {
    json!({
        "received_on": "2024-10-15",
        "like": like,
        "with": {"invoice_number": expected["line_reference"]},
        "lines": [line],
        "expect": {"status": status, "lines": [expected]},
    })
}

fn rejected(reference: &str, reasons: &[&str]) -> Value {
    json!({"line_reference": reference, "verdict": "reject", "reasons": reasons})
}

fn accepted(reference: &str, cents: u32) -> Value {
    json!({"line_reference": reference, "verdict": "accept", "awarded_cents": cents})
}

/// A sample of files, to be changed, with one scenario in world 89.
struct Files(TempDir);

impl Files {
    fn new(version: &str, steps: &[Value]) -> Self {
        let dir = tempfile::tempdir().expect("a directory is made");
        for folder in ["reference", "reference/contracts", "messages"] {
            copy(&harness::sample().join(folder), &dir.path().join(folder));
        }
        let files = Self(dir);
        fs::create_dir(files.path("scenarios")).expect("it is made");
        let scenario = json!({
            "scenario": "89",
            "world": 89,
            "title": "by files",
            "source": "by files",
            "steps": steps,
        });
        files.write("scenarios/89.json", &scenario.to_string());
        let named = format!("version = \"{version}\"\n");
        files.write("reference/version.toml", &named);
        files
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).expect("the file is written");
    }

    fn change(&self, file: &str, change: impl Fn(String) -> String) {
        let text = fs::read_to_string(self.path(file)).expect("the file is there");
        self.write(file, &change(text));
    }

    fn load(&self) -> ScenarioSet {
        scenario::load_all(self.0.path()).unwrap_or_else(|faults| panic!("{faults:#?}"))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the directory is made");
    for entry in fs::read_dir(from).expect("the sample is there") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let name = path.file_name().expect("a file has a name");
            fs::copy(&path, to.join(name)).expect("it is copied");
        }
    }
}

/// A product that runs with the sample, and then with what `set` puts in force.
async fn put_in_force_while_it_runs(set: &ScenarioSet) {
    let directory = tempfile::tempdir().expect("a directory is made");
    let sample = harness::scenarios();
    let config = in_process::embedded_in(directory.path());
    let product = InProcess::start(config, &sample.reference, None)
        .await
        .expect("it starts");
    let mut mailbox = Mailbox::open(&product.brokers);
    let now = noon(jiff::civil::date(2024, 10, 1));
    change::activate_reference(&product.node.decisions, &set.reference, now)
        .await
        .expect("it is put in force");
    let stage = product.stage(&set.reference);
    let results = scenarios::run(&stage, set, &mut mailbox, |_| {})
        .await
        .expect("it runs");
    let version = set.reference.reference.version.to_string();
    for result in &results {
        assert!(result.passed(), "{result:#?}");
        // The very first message after activation is judged with what is in force.
        let outcomes = result.outcomes.iter().flatten();
        for outcome in outcomes {
            assert_eq!(outcome.reference_version, version);
        }
    }
    product.stop().await.expect("it stops");
}

/// A line of the invented kind.
fn regie(reference: &str, tarief: &str, cents: u32) -> Value {
    json!({
        "line_reference": reference,
        "prestatie": {"code": "REGK1"},
        "contract_id": "CR",
        "tarief": tarief,
        "computed_cents": cents,
        "declared_cents": cents,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invented_kind_of_funding_needs_files_only() {
    let over = regie("RR1", "6000.01", 600_001);
    let within = regie("RR2", "6000.00", 600_000);
    let excluded = rejected("R6", &["0634", "GDC-DF-EXCL"]);
    let files = Files::new(
        "with-regie",
        &[
            step("c3-q3", &over, "rejected", &rejected("RR1", &["0611"])),
            step("c3-q3", &within, "accepted", &accepted("RR2", 600_000)),
            step("c6-q3", &json!({}), "rejected", &excluded),
        ],
    );
    files.change("reference/catalogue.toml", |text| text + PRESTATIE);
    files.change("reference/pair_rules.toml", |text| text + RULES);
    files.write(
        "reference/contracts/CR.toml",
        &contract("CR", "REGK1", "7000.00"),
    );
    let set = files.load();
    let texts = harness::domain_path::run(&set);
    let [text] = texts.as_slice() else {
        panic!("there is one scenario");
    };
    assert!(
        text.contains("exclude by regie-bdss-full version 1 (model)"),
        "{text}"
    );
    put_in_force_while_it_runs(&set).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zorgcoordinatie_is_switched_on_by_files_alone() {
    let line = json!({
        "line_reference": "RZ",
        "prestatie": {"code": "ZCCB1"},
        "contract_id": "CZ",
        "patient_group_id": null,
    });
    let step = step("c3-q3", &line, "accepted", &accepted("RZ", 900_000));
    let files = Files::new("with-zcc", &[step]);
    files.change("reference/catalogue.toml", |text| {
        let off = "kind = \"ZCC\"\nunit";
        assert!(text.contains(off), "no prestatie is in force in the sample");
        text.replace(off, "kind = \"ZCC\"\nfrom = \"2024-01-01\"\nunit")
    });
    files.write(
        "reference/contracts/CZ.toml",
        &contract("CZ", "ZCCB1", "9000.00"),
    );
    put_in_force_while_it_runs(&files.load()).await;
}
