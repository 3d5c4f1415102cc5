//! Reads the tree.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

/// A text file of the tree.
#[derive(Debug)]
pub(crate) struct File {
    /// Below the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Files that git knows, or would take, whose path is asked for; there is always one. Files that are no text are
/// left out.
pub(crate) fn files(is_asked: impl Fn(&str) -> bool) -> Vec<File> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let names = String::from_utf8(listed.stdout).expect("names are text");
    let found: Vec<File> = names
        .lines()
        .filter(|path| is_asked(path))
        .filter_map(|path| {
            let text = fs::read_to_string(root().join(path)).ok()?;
            Some(File {
                path: path.to_owned(),
                text,
            })
        })
        .collect();
    assert!(!found.is_empty(), "the tree has such files");
    found
}

pub(crate) fn read(path: &str) -> String {
    let found = fs::read_to_string(root().join(path));
    found.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names, without ending, of the files of a folder that end so.
pub(crate) fn stems(folder: &str, ending: &str) -> BTreeSet<String> {
    let found = fs::read_dir(root().join(folder)).expect("the folder is there");
    let paths = found.map(|entry| entry.expect("a file").path());
    let named = paths.filter(|path| path.extension().is_some_and(|it| it == ending));
    let stem = |path: PathBuf| path.file_stem().map(|it| it.to_string_lossy().into_owned());
    named.filter_map(stem).collect()
}
