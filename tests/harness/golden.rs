//! Golden files: one per scenario file, under the same name.

use std::{fs, path::PathBuf};

use samenloop_adapters::scenario::{Scenario, ScenarioSet};

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/golden"))
}

/// Names of the golden files: those of the scenario files, in the order of the set.
fn stems() -> Vec<String> {
    let scenarios = crate::sample().join("scenarios");
    let entries = fs::read_dir(scenarios).expect("the sample has scenarios");
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    names.sort();
    let stem = |path: &PathBuf| {
        path.file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned()
    };
    names.iter().map(stem).collect()
}

fn headed(scenario: &Scenario, text: &str) -> String {
    format!("scenario {}: {}\n\n{text}", scenario.number, scenario.title)
}

/// Compares the texts of all scenarios with their golden files, or writes these with `UPDATE_GOLDEN=1`.
///
/// # Panics
/// Where any differs; it prints both.
pub fn compare(set: &ScenarioSet, texts: &[String]) {
    let stems = stems();
    assert_eq!(stems.len(), texts.len(), "there is one scenario per file");
    let mut different = Vec::new();
    for ((scenario, text), stem) in set.scenarios.iter().zip(texts).zip(&stems) {
        let path = directory().join(format!("{stem}.txt"));
        let text = headed(scenario, text);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &text).expect("the golden file is written");
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        if golden != text {
            different.push(format!("{stem}\n--- golden\n{golden}\n--- now\n{text}"));
        }
    }
    let count = different.len();
    assert!(
        different.is_empty(),
        "{count} scenarios differ:\n{}",
        different.join("\n")
    );
}
