//! Checks of the tree itself: arrows between crates, seams, leftovers, goldens of due scenarios, and that the
//! documents speak of what is there.

#[path = "tidy/configuration.rs"]
mod configuration;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/funding.rs"]
mod funding;
#[path = "tidy/text.rs"]
mod text;
#[path = "tidy/tree.rs"]
mod tree;

use std::{collections::BTreeSet, path::Path, process::Command};

use tree::{File, files, read, stems};

/// Our crates, and the crates of ours that each may name under `[dependencies]`. A new arrow is a row changed here
/// and in services/ARCHITECTURE.md, with its reason in the commit.
pub(crate) const ARROWS: [(&str, &[&str]); 11] = [
    ("proto", &[]),
    ("deploy/clients/rust", &["proto"]),
    ("services/domain", &[]),
    ("services/adapters", &["proto", "client", "domain"]),
    ("services/validation", &["domain", "adapters"]),
    ("services/detection", &["proto", "domain", "adapters"]),
    ("services/settlement", &["proto", "domain", "adapters"]),
    ("services/gateway", &["proto", "domain", "adapters"]),
    ("services/operator", &["proto", "domain", "adapters"]),
    (
        "services/samenloop",
        &[
            "proto",
            "domain",
            "adapters",
            "validation",
            "detection",
            "settlement",
            "gateway",
            "operator",
        ],
    ),
    (
        "tests",
        &[
            "proto",
            "client",
            "domain",
            "adapters",
            "validation",
            "detection",
            "settlement",
            "gateway",
            "operator",
            "samenloop",
        ],
    ),
];

/// Words that only some folders may hold in code: the word, where it is looked for, and where it may stand.
const SEAMS: [(&str, &str, &[&str]); 18] = [
    // What touches the outside is in one crate.
    ("lapin", "services/", &["services/adapters/"]),
    ("tokio_postgres", "services/", &["services/adapters/"]),
    ("deadpool_postgres", "services/", &["services/adapters/"]),
    ("rusqlite", "services/", &["services/adapters/"]),
    ("refinery", "services/", &["services/adapters/"]),
    // One runtime thread must be able to run everything, and nothing is unbounded.
    ("spawn_blocking", "", &[]),
    ("block_in_place", "", &[]),
    ("unbounded_channel", "", &[]),
    // The law has no clock, no hash order and no floats; neither has money anywhere.
    ("HashMap", "services/domain/", &[]),
    ("HashSet", "services/domain/", &[]),
    ("SystemTime", "services/domain/", &[]),
    ("Instant", "services/domain/", &[]),
    ("f32", "services/domain/", &[]),
    ("f64", "services/domain/", &[]),
    ("f64", "services/settlement/", &[]),
    ("f64", "services/adapters/src/settlement_store", &[]),
    ("f64", "services/adapters/src/decision_store", &[]),
    // The oracle is a second program: it does not call what it judges.
    ("double_funding", "tests/oracle/", &[]),
];

/// Scenarios that must have a file and a golden outcome, by number; and our own, by world.
const DUE: [&str; 19] = [
    "59", "60", "61", "62", "63", "64", "65", "65b", "65c", "66", "68", "69", "72", "73", "75",
    "76", "77", "78", "79",
];
const DUE_THROUGH: u32 = 57;
/// Scenarios of money and of the report, each with the folder of its golden file.
const DUE_BESIDE: [(&str, &str); 3] = [
    ("67-nacalculatie", "tests/money/golden"),
    ("74-allocated-and-credited", "tests/money/golden"),
    ("79-reported", "tests/golden/report"),
];
const OUR_OWN: [u8; 8] = [81, 82, 83, 87, 88, 94, 96, 97];

/// Most lines of a file that people write by hand; most characters of a line of code.
const LINES_MAX: usize = 600;
const CHARACTERS_MAX: usize = 120;
const WRITTEN_BY_HAND: [&str; 7] = [".rs", ".sql", ".proto", ".md", ".py", ".sh", "tests/run"];

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// Places in `files` where `lines` finds something, as `path:line`.
fn places(files: &[File], lines: impl Fn(&str) -> Vec<usize>) -> Vec<String> {
    let of = |file: &File| {
        let numbers = lines(&file.text);
        let path = file.path.clone();
        numbers
            .into_iter()
            .map(move |line| format!("{path}:{line}"))
    };
    files.iter().flat_map(of).collect()
}

#[test]
fn crates_depend_on_each_other_as_the_table_says() {
    for (folder, allowed) in ARROWS {
        let manifest = read(&format!("{folder}/Cargo.toml"));
        let found = text::own_dependencies(&manifest);
        let allowed = allowed.iter().map(|name| match *name {
            "samenloop" => "samenloop".to_owned(),
            name => format!("samenloop-{name}"),
        });
        let allowed: BTreeSet<String> = allowed.collect();
        let wrong: Vec<String> = found.difference(&allowed).cloned().collect();
        assert_none(&format!("{folder} may not depend on"), &wrong);
    }
    let manifests = files(|path| path.ends_with("/Cargo.toml"));
    assert_eq!(manifests.len(), ARROWS.len(), "every crate is in the table");
}

#[test]
fn only_adapters_depend_on_brokers_and_databases() {
    for (folder, _) in ARROWS {
        if ["services/adapters", "tests"].contains(&folder) {
            continue;
        }
        let found = text::dependencies(&read(&format!("{folder}/Cargo.toml")));
        for name in [
            "lapin",
            "tokio-postgres",
            "deadpool-postgres",
            "rusqlite",
            "refinery",
        ] {
            assert!(!found.contains(name), "{folder} may not depend on {name}");
        }
    }
}

#[test]
fn seams_are_kept() {
    let code = files(|path| path.ends_with(".rs") && !path.starts_with("tests/tidy"));
    for (word, folder, except) in SEAMS {
        let found: Vec<String> = places(&code, |text| text::lines_of_code_with(text, word))
            .into_iter()
            .filter(|place| place.starts_with(folder))
            .filter(|place| !except.iter().any(|it| place.starts_with(it)))
            .collect();
        assert_none(&format!("`{word}` does not belong in {folder}"), &found);
    }
}

#[test]
fn every_select_is_biased() {
    let services = files(|path| path.starts_with("services/") && path.ends_with(".rs"));
    let found = places(&services, text::unbiased_selects);
    assert_none("select! without `biased;`, so that order is chance", &found);
    let all = places(&services, |text| text::lines_with(text, "select!"));
    assert!(!all.is_empty(), "the check reads the services");
}

#[test]
fn every_table_of_the_site_is_the_list_component() {
    let site = files(|path| {
        path.starts_with("services/operator/") && !path.ends_with("/templates/list.html")
    });
    let found = places(&site, |text| text::lines_with(text, "<table"));
    assert_none(
        "a table beside templates/list.html, so without its sort, filter, paging and forms",
        &found,
    );
    let list = read("services/operator/templates/list.html");
    assert!(list.contains("<table"), "the check reads the template");
}

#[test]
fn nothing_is_left_over() {
    let code = files(|path| path.ends_with(".rs") && !path.starts_with("tests/tidy"));
    for mark in ["#[ignore", "todo!", "unimplemented!", "dbg!"] {
        let found = places(&code, |text| text::lines_of_code_with(text, mark));
        assert_none(&format!("`{mark}` is left over"), &found);
    }
    let written = files(|path| {
        !path.starts_with("tests/tidy") && WRITTEN_BY_HAND.iter().any(|end| path.ends_with(end))
    });
    for mark in ["TODO", "FIXME", "XXX", "HACK"] {
        let is_word = |text: &str| {
            let lines = text.lines().enumerate();
            lines
                .filter(|(_, line)| text::has_word(line, mark))
                .map(|(index, _)| index + 1)
                .collect()
        };
        assert_none(
            &format!("`{mark}` is left over"),
            &places(&written, is_word),
        );
    }
}

#[test]
fn nothing_speaks_of_another_place() {
    let all = files(|path| !path.starts_with("tests/tidy") && path != "Cargo.lock");
    let private = [
        "/work/",
        "rulings.md",
        "design.md",
        "domain.md",
        "conventions.md",
        "limits.md",
        "peers.md",
    ];
    for word in private {
        let found = places(&all, |text| text::lines_with(text, word));
        assert_none(&format!("`{word}` is in no checkout"), &found);
    }
}

#[test]
fn files_stay_readable() {
    let written = files(|path| WRITTEN_BY_HAND.iter().any(|end| path.ends_with(end)));
    let long = |file: &&File| file.text.lines().count() > LINES_MAX;
    let long: Vec<String> = written
        .iter()
        .filter(long)
        .map(|it| it.path.clone())
        .collect();
    assert_none(&format!("over {LINES_MAX} lines, a missing name"), &long);
    let code = files(|path| path.ends_with(".rs"));
    let wide = places(&code, |text| text::lines_longer_than(text, CHARACTERS_MAX));
    assert_none(&format!("lines of over {CHARACTERS_MAX} characters"), &wide);
}

#[test]
fn every_due_scenario_has_a_file_and_a_golden_outcome() {
    let set = harness::scenarios();
    let numbers: BTreeSet<&str> = set.scenarios.iter().map(|it| it.number.as_str()).collect();
    let worlds: BTreeSet<u8> = set.scenarios.iter().map(|it| it.world).collect();
    let first = (1..=DUE_THROUGH).map(|number| number.to_string());
    for number in first.chain(DUE.map(str::to_owned)) {
        assert!(
            numbers.contains(number.as_str()),
            "scenario {number} has no file"
        );
    }
    for world in OUR_OWN {
        assert!(
            worlds.contains(&world),
            "our own scenario in world {world} has no file"
        );
    }
    for (stem, folder) in DUE_BESIDE {
        assert!(
            stems(folder, "txt").contains(stem),
            "{stem} has no golden file in {folder}"
        );
    }
    assert_eq!(
        stems("deploy/sample/scenarios", "json"),
        stems("tests/golden", "txt")
    );
}

#[test]
fn every_code_of_a_rule_is_in_the_registry_and_the_reverse() {
    let registered = text::registered_codes(&read("services/domain/src/reasons/registry.rs"));
    assert!(registered.len() > 50, "the check reads the registry");
    let rules = files(|path| {
        let is_rule = path.ends_with(".rs") || path.ends_with("_rules.toml");
        is_rule
            && (path.starts_with("services/domain/src/")
                || path.starts_with("deploy/sample/reference/"))
    });
    let given: BTreeSet<String> = rules
        .iter()
        .flat_map(|file| text::codes_of_rules(&file.text))
        .collect();
    let unknown: Vec<String> = given.difference(&registered).cloned().collect();
    assert_none("codes of rules that the registry does not have", &unknown);
    let services = files(|path| {
        path.starts_with("services/")
            && path.ends_with(".rs")
            && !path.ends_with("reasons/registry.rs")
    });
    let quoted = |code: &str| format!("\"{code}\"");
    let is_given = |code: &String| {
        given.contains(code)
            || services
                .iter()
                .any(|file| file.text.contains(&quoted(code)))
    };
    let unused: Vec<String> = registered
        .iter()
        .filter(|code| !is_given(code))
        .cloned()
        .collect();
    assert_none("codes of the registry that nothing gives", &unused);
}

#[test]
fn there_is_one_crypto_provider() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--offline",
            "--locked",
            "--prefix",
            "none",
        ])
        .args(["--edges", "normal,build,dev"])
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&tree.stderr);
    assert!(tree.status.success(), "cargo tree: {errors}");
    let found = text::packages(&String::from_utf8_lossy(&tree.stdout));
    assert!(found.contains("ring"), "the check reads the tree");
    for banned in text::banned_crates(&read("deny.toml")) {
        assert!(
            !found.contains(&banned),
            "{banned} is banned by deny.toml: {}",
            reverse(&banned)
        );
    }
}

/// Who brings a package in.
fn reverse(package: &str) -> String {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--offline",
            "--locked",
            "--invert",
            package,
        ])
        .current_dir(tree::root())
        .output();
    tree.map_or_else(
        |e| e.to_string(),
        |it| String::from_utf8_lossy(&it.stdout).into_owned(),
    )
}

#[test]
fn folders_at_the_top_are_the_agreed_ones() {
    let all = files(|_| true);
    let tops: BTreeSet<&str> = all
        .iter()
        .filter_map(|file| Path::new(&file.path).iter().next()?.to_str())
        .filter(|top| Path::new(&tree::root()).join(top).is_dir())
        .collect();
    let agreed = [
        "proto", "services", "deploy", "tests", ".ci", ".config", ".cargo",
    ];
    let odd: Vec<String> = tops
        .iter()
        .filter(|top| !agreed.contains(top))
        .map(|it| (*it).to_owned())
        .collect();
    assert_none("folders beyond the agreed layout", &odd);
}
