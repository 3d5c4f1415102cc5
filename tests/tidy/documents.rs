//! The documents speak of what is there: arrows, files, functions, words, configuration keys.

use std::fs;

use crate::{ARROWS, assert_none, configuration, text, tree};

const ARCHITECTURE: &str = "services/ARCHITECTURE.md";
const GLOSSARY: &str = "services/GLOSSARY.md";

/// Most lines of the map, so that it is read whole.
const ARCHITECTURE_LINES_MAX: usize = 300;

/// Where the README's table of configuration keys begins and ends.
const TABLE: [&str; 2] = [
    "<!-- configuration: begin -->\n",
    "<!-- configuration: end -->\n",
];

#[test]
fn the_map_has_the_arrows_of_the_code() {
    let map = tree::read(ARCHITECTURE);
    assert!(
        map.lines().count() < ARCHITECTURE_LINES_MAX,
        "{ARCHITECTURE} is too long to read whole"
    );
    let written: Vec<(String, Vec<String>)> = text::table_below(&map, "## Allowed arrows")
        .into_iter()
        .map(|row| (text::quoted(&row[0]).concat(), text::quoted(&row[1])))
        .collect();
    let allowed = ARROWS.map(|(folder, names)| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        (folder.to_owned(), names)
    });
    assert_eq!(
        written, allowed,
        "{ARCHITECTURE} and tests/tidy.rs have one table"
    );
}

/// What a document names in backticks as a path exists; what it names as an item of code, a test, a column, a key or
/// a code occurs somewhere.
#[test]
fn documents_name_what_exists() {
    let all = tree::files(|path| !path.ends_with(".md") && !path.starts_with("tests/tidy"));
    let all: String = all.into_iter().map(|file| file.text).collect();
    for document in [ARCHITECTURE, GLOSSARY, "README.md"] {
        let missing: Vec<String> = text::quoted(&tree::read(document))
            .into_iter()
            .filter(|name| !exists(name, &all))
            .collect();
        assert_none(&format!("{document} speaks of what is not there"), &missing);
    }
}

/// Whether a name in backticks is there; what is neither path nor name passes.
fn exists(name: &str, all: &str) -> bool {
    let is_plain = |it: char| it.is_alphanumeric() || "_-./:()".contains(it);
    if !name.chars().all(is_plain) || name.contains("://") {
        return true;
    }
    let top = name.split('/').next().unwrap_or_default();
    if name.contains('/') {
        let is_ours = ["proto", "services", "deploy", "tests", ".ci"].contains(&top);
        return !is_ours || tree::root().join(name).exists();
    }
    let item = name
        .trim_end_matches("()")
        .rsplit("::")
        .next()
        .unwrap_or_default();
    let is_word = item.chars().all(|it| it.is_alphanumeric() || it == '_');
    !is_word || text::has_word(all, item)
}

#[test]
fn the_glossary_spells_as_the_code_does() {
    let all = |endings: &[&str]| -> String {
        let files = tree::files(|path| {
            !path.starts_with("tests/") && endings.iter().any(|ending| path.ends_with(ending))
        });
        files.into_iter().map(|file| file.text).collect()
    };
    let places = [
        ("Rust", all(&[".rs"])),
        ("SQL", all(&[".sql"])),
        ("JSON", all(&[".proto", "declaration.v1.json"])),
        ("metrics", all(&[".rs"])),
    ];
    let mut missing = Vec::new();
    let rows = text::table_below(&tree::read(GLOSSARY), "# Glossary");
    for row in &rows {
        let [term, _, source, spellings @ ..] = row.as_slice() else {
            panic!("a row has a term, its meaning, its source and four spellings: {row:?}");
        };
        assert_eq!(spellings.len(), places.len(), "the row of {term}");
        assert!(!source.is_empty(), "{term} has no source");
        for ((place, text), cell) in places.iter().zip(spellings) {
            let words = text::quoted(cell);
            let is_missing = |word: &&String| !text::has_word(text, word.trim_matches('*'));
            let found = words.iter().filter(is_missing);
            missing.extend(found.map(|word| format!("{term}: {word} is not in {place}")));
        }
    }
    assert_none("spellings of the glossary that do not occur", &missing);
    let mut terms: Vec<String> = rows.iter().map(|row| row[0].to_lowercase()).collect();
    let written = terms.clone();
    terms.sort();
    assert_eq!(written, terms, "terms are in order of the alphabet");
}

#[test]
fn the_readme_begins_with_the_demo_and_then_the_tests() {
    let blocks = text::fenced_blocks(&tree::read("README.md"));
    let shell: Vec<&str> = (blocks.iter())
        .filter(|(language, _)| language == "sh")
        .map(|(_, text)| text.trim())
        .collect();
    assert_eq!(shell[..2], ["cargo run --release -- demo", "tests/run"]);
    let python: Vec<&str> = (blocks.iter())
        .filter(|(language, _)| language == "python")
        .filter_map(|(_, text)| text.lines().next())
        .collect();
    assert_eq!(
        python,
        [
            "# file: send.py",
            "# file: subscribe.py",
            "# file: check.py"
        ]
    );
}

/// Compares the README's table of configuration keys with the code, or writes it with `UPDATE_README=1`.
#[test]
fn the_readme_has_every_configuration_key() {
    let readme = tree::read("README.md");
    let [begin, end] = TABLE;
    let (before, rest) = readme.split_once(begin).expect("the table begins");
    let (_, after) = rest.split_once(end).expect("the table ends");
    let table = configuration::table(&tree::read("services/adapters/src/config.rs"));
    let now = format!("{before}{begin}\n{table}\n{end}{after}");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(tree::root().join("README.md"), &now).expect("the README is written");
    }
    let same = readme == now || std::env::var_os("UPDATE_README").is_some();
    assert!(
        same,
        "the README's configuration is not the code's; UPDATE_README=1 writes it"
    );
}

mod tests {
    use super::exists;

    #[test]
    fn names_that_are_not_there_are_found() {
        let code = "pub fn decide_message() {}";
        for (name, is_there) in [
            ("tests/run", true),
            ("services/nothing.rs", false),
            ("decision::decide_message", true),
            ("decision::decide", false),
            ("decide_all", false),
            ("cargo run", true),
            ("amqp://x/y", true),
        ] {
            assert_eq!(exists(name, code), is_there, "{name}");
        }
    }
}
