//! What is told of the difference between two versions.

use super::*;

#[test]
fn diff_tells_what_is_added_changed_and_removed() {
    let before = load(&sample()).unwrap();
    let dir = changed("contracts/C1.toml", "28000.00", "29000.00");
    fs::remove_file(dir.path().join("contracts/C7.toml")).unwrap();
    let c2 = fs::read_to_string(dir.path().join("contracts/C2.toml")).unwrap();
    let c8 = c2.replace("id = \"C2\"", "id = \"C8\"");
    fs::write(dir.path().join("contracts/C8.toml"), c8).unwrap();
    let insurers = fs::read_to_string(dir.path().join("insurers.toml")).unwrap();
    let insurers = insurers.replace("Verzekeraar 3311", "Verzekeraar A");
    fs::write(dir.path().join("insurers.toml"), insurers).unwrap();
    let after = load(dir.path()).unwrap();
    let changes = diff(Some(&before.canonical), &after.canonical).unwrap();
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 4, "{shown:#?}");
    let insurer = "~ insurers 3311; name: \"Verzekeraar 3311\" -> \"Verzekeraar A\"";
    assert_eq!(shown[0], insurer);
    assert!(
        shown[1].starts_with("~ contracts C1; prestaties: "),
        "{}",
        shown[1]
    );
    assert_eq!(shown[2..], ["- contracts C7", "+ contracts C8"]);
    assert_eq!(diff(Some(&after.canonical), &after.canonical).unwrap(), []);
    let first = diff(None, &after.canonical).unwrap();
    assert!(
        first
            .iter()
            .all(|change| change.difference == Difference::Added)
    );
    assert!(first.len() > 100, "{}", first.len());
}
