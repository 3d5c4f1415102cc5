//! What the checks look for, as functions over text, each shown to find what it is for.

use std::collections::BTreeSet;

/// Crates of ours under `[dependencies]` of a manifest.
pub(crate) fn own_dependencies(manifest: &str) -> BTreeSet<String> {
    dependencies(manifest)
        .into_iter()
        .filter(|name| name.starts_with("samenloop"))
        .collect()
}

/// All crates under `[dependencies]` of a manifest.
pub(crate) fn dependencies(manifest: &str) -> BTreeSet<String> {
    let table: toml::Table = manifest.parse().expect("a manifest is TOML");
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
    let names = dependencies.into_iter().flat_map(toml::Table::keys);
    names.cloned().collect()
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether `text` holds `word` with no letter, digit or underscore of the same word around it.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let is_whole = |first: Option<char>, edge: Option<char>| {
            !(first.is_some_and(is_of_a_word) && edge.is_some_and(is_of_a_word))
        };
        is_whole(word.chars().next(), before) && is_whole(word.chars().next_back(), after)
    })
}

/// Numbers of the lines of code that hold `word`; comments do not count.
pub(crate) fn lines_of_code_with(text: &str, word: &str) -> Vec<usize> {
    lines_where(text, |line| {
        let code = line.split("//").next().unwrap_or_default();
        has_word(code, word)
    })
}

/// Numbers of the lines that hold `word`, in comments too.
pub(crate) fn lines_with(text: &str, word: &str) -> Vec<usize> {
    lines_where(text, |line| line.contains(word))
}

/// Numbers of the lines of more than `most` characters.
pub(crate) fn lines_longer_than(text: &str, most: usize) -> Vec<usize> {
    lines_where(text, |line| line.chars().count() > most)
}

fn lines_where(text: &str, is_found: impl Fn(&str) -> bool) -> Vec<usize> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| is_found(line))
        .map(|(index, _)| index + 1)
        .collect()
}

/// Numbers of the lines on which a `select!` begins that does not say `biased;` first.
pub(crate) fn unbiased_selects(text: &str) -> Vec<usize> {
    let opening = |at: usize| &text[at + "select!".len()..];
    let is_biased = |rest: &str| {
        let body = rest.trim_start().trim_start_matches(['{', '(']);
        body.trim_start().starts_with("biased;")
    };
    text.match_indices("select!")
        .filter(|(at, _)| !is_biased(opening(*at)))
        .map(|(at, _)| text[..at].matches('\n').count() + 1)
        .collect()
}

/// Codes of the reason registry as its source lists them.
pub(crate) fn registered_codes(registry: &str) -> BTreeSet<String> {
    let (_, table) = registry
        .split_once("= reasons! {")
        .expect("the registry has its table");
    let codes = table
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('"'));
    let codes = codes.filter_map(|line| line.split_once('"'));
    codes
        .filter(|(_, rest)| {
            let levels = [" Delivery ", " Message ", " Line ", " Command "];
            levels.iter().any(|level| rest.starts_with(level))
        })
        .map(|(code, _)| code.to_owned())
        .collect()
}

/// Codes that rules give: in `Rejection::new(rule, &[...])` and in `codes = [...]` of reference data.
pub(crate) fn codes_of_rules(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (begin, open) in [("Rejection::new(", "&["), ("\ncodes = ", "[")] {
        for after in text.split(begin).skip(1) {
            let Some((before, list)) = after.split_once(open) else {
                continue;
            };
            let list = list.split(']').next().unwrap_or_default();
            if before.contains(';') {
                continue;
            }
            let strings = list.split('"').skip(1).step_by(2);
            found.extend(strings.map(ToOwned::to_owned));
        }
    }
    found
}

/// Crates that `deny.toml` bans.
pub(crate) fn banned_crates(deny: &str) -> Vec<String> {
    let table: toml::Table = deny.parse().expect("deny.toml is TOML");
    let list = table["bans"]["deny"].as_array().expect("a list of bans");
    let names = list
        .iter()
        .map(|ban| ban["crate"].as_str().expect("a name"));
    names.map(ToOwned::to_owned).collect()
}

/// Names of packages in what `cargo tree --prefix none` prints.
pub(crate) fn packages(tree: &str) -> BTreeSet<String> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names
        .filter(|name| !name.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// Fenced blocks of a Markdown text: language and content, in order.
///
/// # Panics
/// Where a fence is not closed.
pub(crate) fn fenced_blocks(markdown: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(language), None) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, content))) => *content = format!("{content}{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed: {open:?}");
    blocks
}

/// What stands between backticks outside fenced blocks.
pub(crate) fn quoted(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_block = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            found.extend(line.split('`').skip(1).step_by(2).map(ToOwned::to_owned));
        }
    }
    found
}

/// Rows of the first Markdown table below `heading`, without its head; cells are trimmed.
pub(crate) fn table_below(markdown: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, below) = markdown
        .split_once(heading)
        .unwrap_or_else(|| panic!("there is no `{heading}`"));
    let rows = below.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let cells = |row: &str| -> Vec<String> {
        let inner = row.trim().trim_matches('|');
        inner.split('|').map(|it| it.trim().to_owned()).collect()
    };
    rows.map(cells).collect()
}

mod tests {
    use super::*;

    #[test]
    fn an_arrow_that_is_added_is_seen() {
        let manifest = "[dependencies]\nsamenloop-detection.workspace = true\nserde = \"1\"\n\
                        [dev-dependencies]\nsamenloop-domain = \"1\"\n";
        assert_eq!(
            own_dependencies(manifest),
            ["samenloop-detection".to_owned()].into()
        );
        assert!(dependencies(manifest).contains("serde"));
    }

    #[test]
    fn words_are_found_whole_and_in_code_only() {
        assert!(has_word("use rusqlite::Row;", "rusqlite"));
        assert!(!has_word("my_rusqlite", "rusqlite"));
        assert!(has_word("todo!()", "todo!"));
        assert!(!has_word("let f640 = 1;", "f64"));
        assert_eq!(
            lines_of_code_with("let a: f64;\n// f64\nb(); // f64\n", "f64"),
            [1]
        );
        assert_eq!(lines_with("one\n// two three\n", "two"), [2]);
        assert_eq!(lines_longer_than("four\nthree\n", 4), [2]);
    }

    #[test]
    fn a_select_without_an_order_is_seen() {
        let text =
            "select! {\n    biased;\n}\nx();\ntokio::select! {\n    a = b => {}\n}\nselect!(a)";
        assert_eq!(unbiased_selects(text), [5, 8]);
    }

    #[test]
    fn codes_are_read_from_registry_rules_and_reference_data() {
        let registry = "macro {}\n= reasons! {\n    // x\n    \"0001\" Delivery Law []\n        \"Tekst.\"\n\
                        \"GDC-A\" Line Draft [History]\n";
        assert_eq!(
            registered_codes(registry),
            ["0001".to_owned(), "GDC-A".to_owned()].into()
        );
        let rules = "Rejection::new(\"a\", &[\"0001\", \"GDC-B\"])\nRejection::new(rule, codes); f(&[\"x\"])\n\
                     codes = [\"0587\"]\n";
        let expected = ["0001", "0587", "GDC-B"].map(ToOwned::to_owned);
        assert_eq!(codes_of_rules(rules), expected.into());
    }

    #[test]
    fn a_banned_crate_is_seen() {
        let deny = "[bans]\ndeny = [{ crate = \"openssl\", reason = \"one\" }]\n";
        let tree = "samenloop v0.1.0 (/x)\nopenssl v0.10.0\nring v0.17.0 (*)\n";
        let found = packages(tree);
        assert!(banned_crates(deny).iter().all(|it| found.contains(it)));
    }

    #[test]
    fn blocks_quotes_and_tables_are_read() {
        let text = "# A\nsay `this` and `that`\n```sh\nrun `x`\n```\n\n| a | b |\n| - | - |\n| 1 | `2` |\n\n| no |\n";
        assert_eq!(
            fenced_blocks(text),
            [("sh".to_owned(), "run `x`\n".to_owned())]
        );
        assert_eq!(quoted(text), ["this", "that", "2"]);
        assert_eq!(table_below(text, "# A"), [["1", "`2`"]]);
    }
}
