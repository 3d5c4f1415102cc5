//! Checks of the tree itself: arrows between crates, seams, leftovers, and a golden file per due scenario.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Our crates, and the crates of ours that each may name under `[dependencies]`.
const ARROWS: [(&str, &[&str]); 9] = [
    ("proto", &[]),
    ("services/domain", &[]),
    (
        "services/adapters",
        &["samenloop-proto", "samenloop-domain"],
    ),
    (
        "services/validation",
        &["samenloop-domain", "samenloop-adapters"],
    ),
    (
        "services/detection",
        &["samenloop-proto", "samenloop-domain", "samenloop-adapters"],
    ),
    (
        "services/settlement",
        &["samenloop-proto", "samenloop-domain", "samenloop-adapters"],
    ),
    (
        "services/gateway",
        &["samenloop-proto", "samenloop-domain", "samenloop-adapters"],
    ),
    (
        "services/operator",
        &["samenloop-proto", "samenloop-domain", "samenloop-adapters"],
    ),
    (
        "services/samenloop",
        &[
            "samenloop-proto",
            "samenloop-domain",
            "samenloop-adapters",
            "samenloop-validation",
            "samenloop-detection",
            "samenloop-settlement",
            "samenloop-gateway",
            "samenloop-operator",
        ],
    ),
];

/// Scenarios that must have a file and a golden outcome, by their number.
const DUE: [u32; 2] = [49, 50];
const DUE_THROUGH: u32 = 41;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Files that git knows, or would take, below the root.
fn files(ending: &str) -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let text = String::from_utf8(listed.stdout).expect("names are text");
    let found: Vec<PathBuf> = text
        .lines()
        .filter(|name| name.ends_with(ending))
        .map(PathBuf::from)
        .collect();
    assert!(!found.is_empty(), "the tree has files that end in {ending}");
    found
        .into_iter()
        .filter(|name| root().join(name).exists())
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).expect("a listed file is there")
}

/// Crates of ours under `[dependencies]` of a manifest.
fn own_dependencies(manifest: &str) -> BTreeSet<String> {
    let table: toml::Table = manifest.parse().expect("a manifest is TOML");
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
    let names = dependencies.into_iter().flat_map(toml::Table::keys);
    names
        .filter(|name| name.starts_with("samenloop"))
        .cloned()
        .collect()
}

fn beyond(allowed: &[&str], found: &BTreeSet<String>) -> Vec<String> {
    found
        .iter()
        .filter(|name| !allowed.contains(&name.as_str()))
        .cloned()
        .collect()
}

#[test]
fn crates_depend_on_each_other_as_the_table_says() {
    for (folder, allowed) in ARROWS {
        let manifest = read(&Path::new(folder).join("Cargo.toml"));
        let wrong = beyond(allowed, &own_dependencies(&manifest));
        assert!(wrong.is_empty(), "{folder} may not depend on {wrong:?}");
    }
    let bad = own_dependencies("[dependencies]\nsamenloop-detection = \"1\"\n");
    assert_eq!(
        beyond(&[], &bad),
        ["samenloop-detection"],
        "the check can fail"
    );
}

/// Lines of code that hold `word`, with their files; comments do not count.
fn lines_with(word: &str, folder: &str, except: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(".rs") {
        let name = path.display().to_string();
        if !name.starts_with(folder) || except.iter().any(|it| name.starts_with(it)) {
            continue;
        }
        for (index, line) in read(&path).lines().enumerate() {
            if line.contains(word) && !line.trim_start().starts_with("//") {
                found.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn seams_are_kept() {
    let seams: [(&str, &str, &[&str]); 9] = [
        ("lapin::", "services/", &["services/adapters/"]),
        ("tokio_postgres", "services/", &["services/adapters/"]),
        ("rusqlite", "services/", &["services/adapters/"]),
        ("spawn_blocking(", "services/", &[]),
        ("unbounded_channel", "services/", &[]),
        ("HashMap", "services/domain/", &[]),
        ("f64", "services/domain/", &[]),
        ("f64", "services/settlement/", &[]),
        ("double_funding", "tests/oracle/", &[]),
    ];
    for (word, folder, except) in seams {
        let found = lines_with(word, folder, except);
        assert!(
            found.is_empty(),
            "`{word}` does not belong in {folder}: {found:#?}"
        );
    }
    assert!(
        !lines_with("rusqlite", "services/", &[]).is_empty(),
        "the check can fail"
    );
}

#[test]
fn every_select_is_biased() {
    let mut unordered = Vec::new();
    for path in files(".rs") {
        let text = read(&path);
        for part in text.split("select! {").skip(1) {
            if path.starts_with("services") && !part.trim_start().starts_with("biased;") {
                unordered.push(path.display().to_string());
            }
        }
    }
    assert!(
        unordered.is_empty(),
        "select! without biased: {unordered:?}"
    );
}

#[test]
fn nothing_is_left_over() {
    let marks = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["todo", "!("],
        ["unimplemented", "!("],
        ["#[ig", "nore"],
    ];
    for mark in marks.map(|parts| parts.concat()) {
        let found = lines_with(&mark, "", &[]);
        assert!(found.is_empty(), "`{mark}` is left over: {found:#?}");
    }
    let folder = ["/wo", "rk/"].concat();
    for ending in [".rs", ".md", ".toml", ".json", ".sql", ".proto"] {
        for path in files(ending) {
            assert!(
                !read(&path).contains(&folder),
                "{} names a path of a machine",
                path.display()
            );
        }
    }
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = files(".rs")
        .iter()
        .filter(|path| read(path).lines().count() > 600)
        .map(|path| path.display().to_string())
        .collect();
    assert!(long.is_empty(), "over 600 lines, a missing name: {long:?}");
}

#[test]
fn every_due_scenario_has_a_file_and_a_golden_outcome() {
    let set = harness::scenarios();
    let numbers: BTreeSet<&str> = set
        .scenarios
        .iter()
        .map(|scenario| scenario.number.as_str())
        .collect();
    let worlds: BTreeSet<u8> = set
        .scenarios
        .iter()
        .map(|scenario| scenario.world)
        .collect();
    for number in (1..=DUE_THROUGH).chain(DUE).chain([78]) {
        assert!(
            numbers.contains(number.to_string().as_str()),
            "scenario {number} has no file"
        );
    }
    for world in [81, 82, 83] {
        assert!(
            worlds.contains(&world),
            "our own scenario in world {world} has no file"
        );
    }
    let stems = |folder: &str, ending: &str| -> BTreeSet<String> {
        let found = fs::read_dir(root().join(folder)).expect("the folder is there");
        let paths = found.map(|entry| entry.expect("a file").path());
        let named = paths.filter(|path| path.extension().is_some_and(|it| it == ending));
        named
            .map(|path| {
                path.file_stem()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    };
    assert_eq!(
        stems("deploy/sample/scenarios", "json"),
        stems("tests/golden", "txt")
    );
}

#[test]
fn there_is_one_crypto_provider() {
    let lock = read(Path::new("Cargo.lock"));
    for banned in ["aws-lc-rs", "aws-lc-sys", "openssl-sys", "native-tls"] {
        assert!(
            !lock.contains(&format!("name = \"{banned}\"")),
            "{banned} is in the lock file"
        );
    }
    assert!(
        lock.contains("name = \"ring\""),
        "the check reads the lock file"
    );
}
