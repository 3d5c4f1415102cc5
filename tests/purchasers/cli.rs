//! The command line, on the directory that a product left behind.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Output,
};

use samenloop_adapters::{decision_store::DecisionStore, fault_plan::FaultPlan};
use samenloop_domain::coverage::{CoverageId, CoverageIndex, CoverageState, Covered};
use serde_json::Value;
use tokio::process::Command;

use crate::{PATIENCE, decided, delivery, once_more, sample};

/// The executable beside the test: target/<profile>/samenloop.
fn binary() -> PathBuf {
    let test = env::current_exe().expect("the test has a path");
    let profile = test.parent().and_then(Path::parent).expect("a directory");
    profile.join("samenloop")
}

/// Runs a command on the directory of a product; gives its exit status and what it printed.
pub(crate) async fn samenloop(data: &Path, arguments: &[&str]) -> (i32, String, String) {
    let data = format!("data_dir={}", data.display());
    let running = Command::new(binary())
        .args(["--set", &data])
        .args(arguments)
        .env("SAMENLOOP_LOG", "error")
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(PATIENCE, running).await;
    let Output {
        status,
        stdout,
        stderr,
    } = ended.expect("it ends").expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code().expect("a status"), text(stdout), text(stderr))
}

/// As [`samenloop`], of a command that prints one JSON object.
async fn object(data: &Path, arguments: &[&str]) -> (i32, Value) {
    let (status, printed, errors) = samenloop(data, arguments).await;
    let object = serde_json::from_str(&printed);
    (
        status,
        object.unwrap_or_else(|_| panic!("{printed}{errors}")),
    )
}

fn path_of(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purchasers_ask_the_register_by_the_command_line() {
    let set = sample();
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    fs::create_dir(&data).expect("made");
    let product = decided(&data, &set).await;
    let before = product.node.decisions.head().await.expect("a head");
    product.stop().await.expect("it stops");

    declarations_are_checked(directory.path(), &data, before.sequence.0).await;
    draft_contracts_are_checked(directory.path(), &data).await;
    rules_are_tried_on_what_was_declared(directory.path(), &data).await;
    existing_prestaties_are_imported_once(directory.path(), &data).await;
    persons_decide_what_is_held(&data).await;
    double_funding_and_a_broken_log_are_found(&data).await;
}

async fn declarations_are_checked(directory: &Path, data: &Path, sequence: u64) {
    let file = directory.join("once-more.json");
    let message = once_more(delivery(&sample(), "1", None));
    fs::write(&file, message.to_string()).expect("written");
    let file = path_of(&file);
    let asked = ["check", file, "--received-on", "2024-10-15"];
    let (status, printed, errors) = samenloop(data, &asked).await;
    assert_eq!(status, 1, "{printed}{errors}");
    for expected in ["reject", "0587", "EUR 28,000.00", "nothing was written"] {
        assert!(printed.contains(expected), "{expected}: {printed}{errors}");
    }
    let (status, answer) = object(data, &[&asked[..], &["--json"]].concat()).await;
    assert_eq!(status, 1);
    assert_eq!(
        (&answer["sequence"], &answer["clear"]),
        (&sequence.into(), &false.into())
    );
    let asked = [&asked[..], &["--json", "--party", "sample-netwerk"]].concat();
    let (_, answer) = object(data, &asked).await;
    let reasons = &answer["outcomes"][0]["reasons"];
    assert_eq!(reasons[0]["code"], "8023", "{answer:#}");
    let (status, _, errors) = samenloop(data, &["check", "no-such-file.json"]).await;
    assert_eq!(status, 1);
    assert!(errors.contains("no-such-file.json"), "{errors}");
}

/// A second programme of the same cooperation meets the first, in contract and register; one of long ago meets nothing.
async fn draft_contracts_are_checked(directory: &Path, data: &Path) {
    let sample = harness::sample().join("reference/contracts/C1.toml");
    let signed = fs::read_to_string(sample).expect("the sample has it");
    // Scenario 1 plays in a world of its own: its codes have its number, and its group another name.
    let declared = once_more(delivery(&crate::sample(), "1", None));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let declarant = text(&declared["declarant_agb"]);
    let group = text(&declared["lines"][0]["patient_group_id"]);
    let draft = signed
        .replace("53530001", &declarant)
        .replace("\"G1\"", &format!("\"{group}\""))
        .replace("\"C1\"", "\"D1\"")
        .replace("\"active\"", "\"concept\"")
        .replace("signed_on = \"2024-06-15\"\n", "");
    let file = directory.join("D1.toml");
    fs::write(&file, &draft).expect("written");
    let (status, answer) = object(data, &["check", path_of(&file), "--json"]).await;
    assert_eq!(status, 1, "{answer:#}");
    assert_eq!(answer["lines"], 1);
    let conflicts = answer["conflicts"].as_array().expect("a list");
    let strictest = &conflicts[0];
    assert_eq!(strictest["effect"], "exclude", "{answer:#}");
    assert!(strictest["register_lines"].as_u64() > Some(0), "{answer:#}");
    let own = strictest["own_contracts"].as_array().expect("a list");
    assert!(!own.is_empty(), "its insurer sees which: {answer:#}");
    let (status, printed, _) = samenloop(data, &["check", path_of(&file)]).await;
    assert_eq!(status, 1);
    assert!(
        printed.contains("D1 990/BDSS1") && printed.contains("exclude"),
        "{printed}"
    );

    let long_ago = draft
        .replace("2024-07-01", "2016-07-01")
        .replace("2025-06-30", "2017-06-30");
    fs::write(&file, long_ago).expect("written");
    let (status, answer) = object(data, &["check", path_of(&file), "--json"]).await;
    assert_eq!(status, 0, "{answer:#}");
    assert_eq!(answer["conflicts"], Value::Array(Vec::new()));

    fs::write(&file, draft.replace("\"BDSS1\"", "\"NONE1\"")).expect("written");
    let (status, _, errors) = samenloop(data, &["check", path_of(&file)]).await;
    assert_eq!(status, 1);
    assert!(
        errors.contains("D1.toml:") && errors.contains("NONE1"),
        "{errors}"
    );
}

async fn existing_prestaties_are_imported_once(directory: &Path, data: &Path) {
    let header = samenloop_adapters::existing::COLUMNS.join(",");
    let row = |reference: &str, list: &str| {
        format!("{reference},{list},OENI1,01056789,7095,,2020-07-01,2020-09-30,,,,,,,,4500\n")
    };
    let mut csv = format!("{header}\n");
    for number in 1..=30 {
        csv += &row(
            &format!("R{number}"),
            if number % 10 == 0 { "123" } else { "990" },
        );
    }
    let (file, rejects) = (directory.join("old.csv"), directory.join("rejects.csv"));
    fs::write(&file, csv).expect("written");
    let (file, rejects) = (path_of(&file), path_of(&rejects));
    let import = ["existing", "import", file, "--rejects", rejects, "--json"];
    let (status, first) = object(data, &import).await;
    assert_eq!(status, 1, "some rows are bad");
    assert_eq!(
        (&first["imported"], &first["bad"]),
        (&27.into(), &3.into()),
        "{first}"
    );
    assert_eq!(first["bad_rows"][0]["row"], 10);
    let rejected = fs::read_to_string(rejects).expect("it is there");
    let rows: Vec<&str> = rejected
        .lines()
        .filter_map(|it| it.split(',').next())
        .collect();
    assert_eq!(rows, ["row", "10", "20", "30"]);
    let (_, again) = object(data, &import).await;
    assert_eq!(
        (&again["imported"], &again["known"]),
        (&0.into(), &27.into()),
        "{again}"
    );
    // One object a line, a line a chunk; scenarios imported some before.
    let (status, printed, errors) = samenloop(data, &["existing", "list", "--json"]).await;
    assert_eq!(status, 0, "{errors}");
    let chunks = printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let mut chunks = chunks.filter(|chunk: &Value| chunk["source"] == "old.csv");
    let listed = chunks.next().expect("it is listed");
    assert_eq!(chunks.next(), None, "{printed}");
    assert_eq!(
        (&listed["rows"], &listed["awarded_cents"]),
        (&27.into(), &(27 * 4_500).into())
    );
    let (_, printed, _) = samenloop(data, &["existing", "list"]).await;
    assert!(
        printed.contains("old.csv") && printed.contains("1 to 30"),
        "{printed}"
    );
    let entry = listed["sequence"].to_string();
    let withdraw = [&["existing", "withdraw", &entry][..], &PERSON].concat();
    let (status, printed, errors) = samenloop(data, &withdraw).await;
    assert_eq!(status, 0, "{printed}{errors}");
    let (status, printed, _) = samenloop(data, &withdraw).await;
    assert_eq!(status, 1, "it is withdrawn already");
    assert!(printed.contains("GDC-OPDRACHT"), "{printed}");
    let (_, printed, _) = samenloop(data, &["existing", "list"]).await;
    let mut chunks = printed.lines().filter(|line| line.contains("old.csv"));
    assert!(chunks.any(|line| line.contains("withdrawn")), "{printed}");
    let (_, again) = object(data, &import).await;
    let told = (&again["imported"], &again["known"]);
    assert_eq!(
        told,
        (&27.into(), &0.into()),
        "withdrawn rows may come again"
    );
}

/// Who decides here, and why.
const PERSON: [&str; 4] = ["--person", "A. de Vries", "--note", "nagekeken"];

/// Lists what is held, shows a line, decides one with and one against the rules, and works off what comes of it.
async fn persons_decide_what_is_held(data: &Path) {
    let (_, listed) = object(data, &["reviews", "list", "--json"]).await;
    let held = |reference: &str| {
        let mut lines = listed["held"].as_array().expect("a list").iter();
        let found = lines.find(|it| it["line_reference"] == reference);
        let line = found.unwrap_or_else(|| panic!("{reference} is held: {listed:#}"));
        line["line"].as_str().expect("a text").to_owned()
    };
    let early = held("S75-R75");
    let (_, printed, _) = samenloop(data, &["reviews", "show", &early]).await;
    for expected in ["review by", "beside S75-R6", "days in common"] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
    let accept = ["reviews", "decide", &early, "--accept"];
    let once_more = [&accept[..], &["--override", "--dry-run"], &PERSON].concat();
    let (status, printed, _) = samenloop(data, &once_more).await;
    assert!(
        status == 0 && printed.contains("1 lines, proposed"),
        "{printed}"
    );
    let overriding = [
        &accept[..],
        &["--override", "--second-person", "B. Bakker"],
        &PERSON,
    ]
    .concat();
    let (status, printed, errors) = samenloop(data, &overriding).await;
    assert_eq!(status, 0, "{printed}{errors}");
    assert!(
        printed.contains("accept EUR 9,000.00 version 2"),
        "{printed}"
    );
    let (status, _, errors) = samenloop(data, &overriding).await;
    assert_eq!(status, 1);
    assert!(errors.contains("is not held"), "{errors}");

    // The awarded line beside which it is paid is told of, until somebody has looked.
    let cases = ["reviews", "list", "--cases", "--json"];
    let (_, listed_cases) = object(data, &cases).await;
    let mut found = listed_cases["cases"].as_array().expect("a list").iter();
    let case = found
        .find(|it| it["kind"] == "superseded")
        .expect("it is listed");
    assert_eq!(
        (&case["line_reference"], &case["other"]),
        (&"S75-R6".into(), &early.into())
    );
    let number = case["case_id"].to_string();
    let dismiss = [&["reviews", "dismiss", &number][..], &PERSON].concat();
    assert_eq!(samenloop(data, &dismiss).await.0, 0);
    let (status, printed, _) = samenloop(data, &dismiss).await;
    assert!(status == 1 && printed.contains("GDC-OPDRACHT"), "{printed}");

    // What a credit freed is listed; by now it is too late to declare it again, so it stays as it is.
    let mut found = listed_cases["cases"].as_array().expect("a list").iter();
    let loser = found
        .find(|it| it["kind"] == "loser")
        .expect("it is listed");
    let line = loser["line"].as_str().expect("a text");
    let rejudge = [&["reviews", "rejudge", line][..], &PERSON].concat();
    let (status, printed, _) = samenloop(data, &rejudge).await;
    assert!(status == 1 && printed.contains("GDC-OPDRACHT"), "{printed}");

    // A review of two contracts is refused for the rest of their year, and that is ended.
    let held = held("S35-R1");
    let refuse = [
        &["reviews", "decide", &held, "--refuse", "--standing"][..],
        &PERSON,
    ]
    .concat();
    let (status, printed, errors) = samenloop(data, &refuse).await;
    assert_eq!(status, 0, "{printed}{errors}");
    assert!(
        printed.contains("reject") && printed.contains("stands for"),
        "{printed}"
    );
    let (_, standing) = object(data, &["reviews", "standing", "--json"]).await;
    let stands = &standing["standing"][0];
    assert_eq!(stands["choice"], "refuse", "{standing:#}");
    let entry = stands["entry"].to_string();
    let end = [&["reviews", "end", &entry][..], &PERSON].concat();
    assert_eq!(samenloop(data, &end).await.0, 0);
    let (_, standing) = object(data, &["reviews", "standing", "--json"]).await;
    assert_eq!(standing["standing"], Value::Array(Vec::new()));
}

/// Awarded lines, imported rows and pairs of them that share a key and can meet, found two by two.
async fn counted_naively(data: &Path) -> [u64; 3] {
    let url = format!("sqlite:{}", data.join("decisions.db").display());
    let store = DecisionStore::open(&url, FaultPlan::default()).await;
    let page = store
        .expect("it opens")
        .coverage_by_key(None, u32::MAX)
        .await;
    let page = page.expect("it is read");
    let all: BTreeMap<CoverageId, Covered> = page
        .into_iter()
        .map(|keyed| (keyed.covered.id, keyed.covered))
        .collect();
    let imported = |it: &Covered| it.state == CoverageState::Imported;
    let mut pairs = 0;
    for a in all.values() {
        let mut index = CoverageIndex::default();
        index.insert(a.clone());
        let others = all
            .values()
            .filter(|b| a.id < b.id && !(imported(a) && imported(b)));
        pairs += others
            .filter(|b| !index.meeting(&b.coverage).is_empty())
            .count() as u64;
    }
    let rows = all.values().filter(|it| imported(it)).count() as u64;
    [all.len() as u64 - rows, rows, pairs]
}

/// The same rules change nothing, whatever was credited, withdrawn or imported; milder ones do.
async fn rules_are_tried_on_what_was_declared(directory: &Path, data: &Path) {
    let reference = harness::sample().join("reference");
    let span = ["--from", "2020-01-01", "--to", "2030-12-31", "--json"];
    let same = ["what-if", "--rules", path_of(&reference)];
    let (status, found) = object(data, &[&same[..], &span].concat()).await;
    assert_eq!(status, 0);
    assert!(found["lines"].as_u64() > Some(80), "{found:#}");
    let unchanged = (&found["lines_changed"], &found["by_rule"]);
    assert_eq!(
        unchanged,
        (&0.into(), &Value::Array(Vec::new())),
        "{found:#}"
    );
    assert_eq!(found["awarded_cents"], found["would_be_awarded_cents"]);

    let milder = directory.join("rules");
    fs::create_dir(&milder).expect("made");
    for file in ["pair_rules.toml", "line_rules.toml"] {
        let text = fs::read_to_string(reference.join(file)).expect("the sample has it");
        let text = text.replace("effect = \"exclude\"", "effect = \"review\"");
        fs::write(milder.join(file), text).expect("written");
    }
    let milder = ["what-if", "--rules", path_of(&milder)];
    let (_, found) = object(data, &[&milder[..], &span].concat()).await;
    let changed = found["lines_changed"].as_u64().expect("a number");
    assert!(changed > 5, "{found:#}");
    let rules = found["by_rule"].as_array().expect("a list");
    let counted: u64 = rules.iter().filter_map(|it| it["lines"].as_u64()).sum();
    assert_eq!(counted, changed, "each line counts under one rule");
    let cents: i64 = rules.iter().filter_map(|it| it["cents"].as_i64()).sum();
    let awarded = |name: &str| found[name].as_i64().expect("cents");
    assert_eq!(
        cents,
        awarded("would_be_awarded_cents") - awarded("awarded_cents")
    );
    let first = &rules[0];
    assert!(
        first["verdicts"]["reject to review"].as_u64() > Some(0),
        "{first:#}"
    );
    assert!(
        first["examples"][0]["line_reference"].is_string(),
        "{first:#}"
    );
    let (_, printed, _) = samenloop(data, &[&milder[..], &span[..4]].concat()).await;
    assert!(printed.contains("reject to review") && printed.contains("nothing was written"));

    let before = ["--from", "2030-01-01", "--to", "2030-12-31"];
    let (status, printed, _) = samenloop(data, &[&milder[..], &before].concat()).await;
    assert_eq!(status, 0);
    assert!(printed.contains("0 of 0 lines"), "{printed}");
    let nothing = directory.join("nothing");
    let wrong = ["what-if", "--rules", path_of(&nothing)];
    let (status, _, errors) = samenloop(data, &[&wrong[..], &before].concat()).await;
    assert_eq!(status, 1);
    assert!(errors.contains("pair_rules.toml"), "{errors}");
}

/// A line that is awarded twice behind the back of the product, and an entry that is changed, are named.
async fn double_funding_and_a_broken_log_are_found(data: &Path) {
    let audit = ["audit", "double-funding", "--json"];
    let (status, clear) = object(data, &audit).await;
    assert_eq!(status, 0, "{clear:#}");
    assert_eq!(
        (&clear["broken_at"], &clear["without_override"]["count"]),
        (&Value::Null, &0.into())
    );
    assert_eq!(clear["with_override"]["count"], 1, "{clear:#}");
    let counted = ["awarded_lines", "imported_rows", "pairs"].map(|it| clear[it].as_u64());
    assert_eq!(counted, counted_naively(data).await.map(Some), "{clear:#}");

    let connection = rusqlite::Connection::open(data.join("decisions.db")).expect("it opens");
    let (sequence, line): (i64, i64) = connection
        .query_row(
            "SELECT sequence, line FROM coverage WHERE state = 'awarded' ORDER BY sequence, line LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("something is awarded");
    let twice = format!(
        "INSERT INTO decision (sequence, line_number, line_index, declarant, line_reference, insurer, direction,
             verdict, declared_cents, awarded_cents, proposed_cents, reasons, credited_by_sequence, credited_by_line,
             facts, coverage, claim)
         SELECT sequence, line_number + 100, line_index + 100, declarant, line_reference || 'x', insurer, direction,
             verdict, declared_cents, awarded_cents, proposed_cents, reasons, credited_by_sequence, credited_by_line,
             facts, coverage, claim
         FROM decision WHERE sequence = {sequence} AND line_number = {line};
         INSERT INTO coverage SELECT coverage_key, sequence, line + 100, first_day, last_day, state
         FROM coverage WHERE sequence = {sequence} AND line = {line};"
    );
    connection.execute_batch(&twice).expect("it is written");
    let (status, found) = object(data, &audit).await;
    assert_eq!(status, 1, "{found:#}");
    let pairs = &found["without_override"];
    let pair = &pairs["examples"][0];
    assert_eq!(
        pairs["count"], 1,
        "once, however many AGB codes they share: {found:#}"
    );
    assert_eq!(pair["earlier"], format!("{sequence}.{line}"));
    assert_eq!(pair["later"], format!("{sequence}.{}", line + 100));
    assert_eq!(
        (&pair["effect"], &pair["cents"]),
        (&"exclude".into(), &pairs["cents"])
    );

    let changed =
        "DROP TRIGGER log_is_never_updated; UPDATE log SET hash = zeroblob(32) WHERE sequence = 7";
    connection.execute_batch(changed).expect("it is written");
    let (status, found) = object(data, &audit).await;
    assert_eq!((status, &found["broken_at"]), (1, &7.into()));
    let (status, printed, _) = samenloop(data, &audit[..2]).await;
    assert_eq!(status, 1);
    assert!(printed.contains("broken at entry 7"), "{printed}");
}
