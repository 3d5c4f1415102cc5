mod changes;
mod matrix;

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::*;

fn sample() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/sample/reference"
    ))
}

/// A copy of the sample in which `file` has `new` instead of `old`.
fn changed(file: &str, old: &str, new: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&sample(), dir.path());
    let path = dir.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{file} has no {old}");
    fs::write(path, text.replacen(old, new, 1)).unwrap();
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("contracts")).unwrap();
    for name in ["", "contracts"] {
        for entry in fs::read_dir(from.join(name)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(name).join(entry.file_name())).unwrap();
            }
        }
    }
}

#[test]
fn the_sample_has_no_faults_and_keeps_its_digest() {
    let loaded = load(&sample()).unwrap();
    let again = load(&sample()).unwrap();
    assert_eq!(loaded.digest, again.digest);
    assert_eq!(loaded.canonical, again.canonical);
    assert_eq!(from_canonical(&loaded.canonical).unwrap(), loaded.reference);
    assert!(loaded.reference.pair_rules.len() > 30);
}

#[test]
fn the_order_of_entries_in_a_file_does_not_change_the_digest() {
    let dir = tempfile::tempdir().unwrap();
    copy(&sample(), dir.path());
    let path = dir.path().join("insurers.toml");
    let text = fs::read_to_string(&path).unwrap();
    let mut entries: Vec<&str> = text.split("[[insurer]]").collect();
    entries[1..].reverse();
    fs::write(path, entries.join("\n[[insurer]]")).unwrap();
    let (loaded, shuffled) = (load(&sample()).unwrap(), load(dir.path()).unwrap());
    assert_eq!(loaded.digest, shuffled.digest);
}

const C1: &str = "contracts/C1.toml";

/// File, text, its replacement, the line that the fault names (0: any), what it says.
const FAULTS: &[(&str, &str, &str, usize, &str)] = &[
    (
        C1,
        "\"01056789\", ",
        "\"01999999\", ",
        5,
        "provider 01999999 is unknown",
    ),
    (
        C1,
        "uzovi = \"7095\"",
        "uzovi = \"1234\"",
        6,
        "insurer 1234 is unknown",
    ),
    (
        C1,
        "share = 10000",
        "share = 9999",
        6,
        "insurers come to 9999",
    ),
    (C1, "[\"G1\"]", "[\"G7\"]", 14, "group G7 is unknown"),
    (C1, "\"A12\"", "\"A99\"", 16, "activity A99 is unknown"),
    (
        C1,
        "\"BDSS1\"",
        "\"BDSS9\"",
        21,
        "prestatie BDSS9 of list 990 is unknown",
    ),
    (
        C1,
        "share = 7000",
        "share = 6999",
        21,
        "domain_shares of BDSS1 come to 9999",
    ),
    (
        C1,
        "\"WV\", share = 5000",
        "\"WV\", share = 5001",
        21,
        "come to 10001",
    ),
    (
        C1,
        "last = \"2025-06-30\"",
        "last = \"2024-06-30\"",
        12,
        "is after the last day",
    ),
    (
        C1,
        "28000.00",
        "28.000,00",
        21,
        "`28.000,00` is not a tarief",
    ),
    (
        C1,
        "each_insurer",
        "lead_insurer",
        8,
        "the lead insurer is billed but not named",
    ),
    (
        C1,
        "state = \"active\"",
        "state = \"busy\"",
        9,
        "unknown variant `busy`",
    ),
    (
        C1,
        "written = true",
        "writen = true",
        10,
        "unknown field `writen`",
    ),
    (
        "contracts/C2.toml",
        "id = \"C2\"",
        "id = \"C1\"",
        2,
        "contract C1 is there already",
    ),
    (
        "providers.toml",
        "01056789",
        "0105678",
        9,
        "`0105678` is not an AGB code",
    ),
    (
        "providers.toml",
        "01056789",
        "53530001",
        8,
        "registrations of 53530001 overlap",
    ),
    (
        "insurers.toml",
        "\"3311\"",
        "\"7095\"",
        8,
        "insurer 7095 is there already",
    ),
    (
        "parties.toml",
        "amqp_user = \"sample-netwerk\"",
        "amqp_user = \"sample-zorggroep\"",
        3,
        "AMQP user `sample-zorggroep` is that of party sample-netwerk too",
    ),
    (
        "mandates.toml",
        "\"sample-servicebureau\"",
        "\"nobody\"",
        4,
        "party `nobody` is unknown",
    ),
    (
        "catalogue.toml",
        "until = \"2029-05-01\"",
        "until = \"2024-05-01\"",
        3,
        "not after `from`",
    ),
    (
        "catalogue.toml",
        "\"BDSS2\"",
        "\"BDSS1\"",
        24,
        "prestatie BDSS1 of list 990 is there",
    ),
    (
        "catalogue.toml",
        "kind = \"BDSS\"\nfrom",
        "kind = \"BDSS\"\nfron",
        0,
        "",
    ),
    (
        "pair_rules.toml",
        "kind:OENI",
        "kind:OENJ",
        0,
        "no prestatie is of kind OENJ",
    ),
    (
        "pair_rules.toml",
        "\"0587\"",
        "\"0588\"",
        0,
        "reason code 0588 is unknown",
    ),
    (
        "pair_rules.toml",
        "accepted_on = \"2023-12-01\"\n",
        "",
        0,
        "no date of agreement",
    ),
    (
        C1,
        "share = 10000 }",
        "share = 10000, stance = \"opted_out\" }",
        6,
        "insurer 7095 follows nobody",
    ),
    (
        C1,
        "[{ uzovi = \"7095\", share = 10000 }]",
        "[{ uzovi = \"7095\", share = 5000 }, { uzovi = \"3311\", share = 5000 }]",
        7,
        "in concurrentie every insurer buys for itself",
    ),
    (
        C1,
        "\"concurrentie\"",
        "\"representatie\"",
        0,
        "0 insurers negotiated it for the others",
    ),
    (
        C1,
        "purchase_model = \"concurrentie\"",
        "purchase_model = \"volgbeleid\"\nnegotiators = [\"3311\"]",
        8,
        "insurer 3311 negotiated it, and is not bound",
    ),
    (
        C1,
        "share = 10000 }]\npurchase_model = \"concurrentie\"",
        "share = 10000, stance = \"deviates\" }]\npurchase_model = \"volgbeleid\"\nnegotiators = [\"7095\"]",
        6,
        "contradict each other",
    ),
    (C1, "signed_on = \"2024-06-15\"\n", "", 9, "nobody signed"),
    (
        C1,
        "state = \"active\"",
        "state = \"concept\"",
        11,
        "a draft is signed",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\ncatchment = { regions = [\"R2\"], inhabitants = 10, counted_on = \"2024-01-01\" }",
        16,
        "the region of the contract is not in it",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nceilings = [{ name = \"x\", first = \"2024-07-01\", last = \"2024-12-31\", cents = 0 }]",
        16,
        "ceiling x is not an amount",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nceilings = [{ name = \"x\", first = \"2024-07-01\", last = \"2024-12-31\", \
         cents = 1, signals = [9000, 8000] }]",
        16,
        "the signals of x are no ascending shares",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nbudgets = [{ name = \"x\", first = \"2024-07-01\", last = \"2024-12-31\", \
         grounds = [], agreed_basis_points = 9000 }]",
        16,
        "budget x rests on nothing",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nbudgets = [{ name = \"x\", first = \"2023-07-01\", last = \"2024-12-31\", \
         grounds = [{ ground = \"capacity\", units = 2, rate = \"1.00\" }], agreed_basis_points = 9000 }]",
        16,
        "budget x is not within the contract",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nbudgets = [{ name = \"x\", first = \"2024-07-01\", last = \"2024-12-31\", \
         grounds = [{ ground = \"population\", inhabitants = 2, rate = \"1.00\" }], \
         agreed_basis_points = 9000 }]",
        16,
        "not for the inhabitants of its catchment",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nbudgets = [{ name = \"x\", first = \"2024-07-01\", last = \"2024-12-31\", \
         grounds = [{ ground = \"macro_share\", cents = 10000000000000, share = 10000 }], \
         agreed_basis_points = 10001 }]",
        16,
        "budget x is over 10^13 cents",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nschoning = [{ on = \"2024-01-01\", cents = 5, of = \"\" }]",
        16,
        "the schoning of 2024-01-01 is of nothing",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nkpis = [{ name = \"x\", at_least = \"1\", at_most = \"2\", consequence = \"y\" }]",
        16,
        "KPI x does not have one target",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nkpis = [{ name = \"x\", at_least = \"1\", measured = \"2\", consequence = \"y\" }]",
        16,
        "KPI x has a value or a day of measuring alone",
    ),
    (
        C1,
        "region = \"R1\"",
        "region = \"R1\"\nkpis = [{ name = \"x\", at_least = \"veel\", consequence = \"y\" }]",
        16,
        "`veel` of KPI x is not a number",
    ),
    (
        "policies.toml",
        "# What an insurer",
        "[[policy]]\ninsurer = \"1234\"\nsource = \"x\"\nfrom = \"2024-01-01\"\n# What an insurer",
        0,
        "insurer 1234 is unknown",
    ),
    (
        "policies.toml",
        "# What an insurer",
        "[[policy]]\ninsurer = \"3311\"\nrules = [\"none\"]\nsource = \"x\"\nfrom = \"2024-01-01\"\n# What an insurer",
        0,
        "pair rule none is unknown",
    ),
    (
        "policies.toml",
        "# What an insurer",
        "[[policy]]\ninsurer = \"3311\"\nrules = [\"same-contract-equal-period\"]\n\
         source = \"x\"\nfrom = \"2024-01-01\"\n# What an insurer",
        0,
        "is over one contract and subject",
    ),
    (
        "policies.toml",
        "# What an insurer",
        "[[policy]]\ninsurer = \"3311\"\nrules = [\"bdss-oeni-full\"]\nsource = \"x\"\n\
         from = \"2024-01-01\"\n\n[[policy]]\ninsurer = \"3311\"\nsource = \"x\"\n\
         from = \"2024-06-01\"\n# What an insurer",
        0,
        "two policies of insurer 3311 are about one rule at once",
    ),
    (
        "policies.toml",
        "# What an insurer",
        "[[policy]]\ninsurer = \"3311\"\nsource = \"\"\nfrom = \"2024-01-01\"\n# What an insurer",
        0,
        "the policy names no source",
    ),
    (
        "code_lists.toml",
        "to_insurers = true",
        "to_insurers = yes",
        0,
        "",
    ),
];

#[test]
fn a_fault_names_its_file_its_line_and_what_to_do() {
    for (file, old, new, line, problem) in FAULTS {
        let dir = changed(file, old, new);
        let faults = load(dir.path()).unwrap_err();
        let found = faults
            .iter()
            .find(|it| it.problem.contains(problem))
            .unwrap_or_else(|| panic!("{file}, {new}: {faults:#?}"));
        assert!(!found.remedy.is_empty(), "{found}");
        if *line == 0 {
            assert!(found.line.is_some(), "{found}");
        } else {
            let other = format!("{found} should name {file}:{line}");
            assert_eq!(
                (found.file.as_str(), found.line),
                (*file, Some(*line)),
                "{other}"
            );
        }
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let dir = changed("contracts/C1.toml", "[\"G1\"]", "[\"G7\"]");
    let c2 = dir.path().join("contracts/C2.toml");
    let text = fs::read_to_string(&c2).unwrap();
    fs::write(c2, text.replace("[\"G2\"]", "[\"G8\"]")).unwrap();
    let faults = load(dir.path()).unwrap_err();
    let files: Vec<&str> = faults.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["contracts/C1.toml", "contracts/C2.toml"]);
}

#[test]
fn pair_rules_left_equal_are_refused() {
    let row = |id: &str, a: &str, b: &str, when: &str, effect: &str| {
        format!(
            "[[pair_rule]]\nid = \"{id}\"\nversion = 1\na = \"{a}\"\nb = \"{b}\"\n\
             match = \"full\"\nwhen = \"{when}\"\neffect = \"{effect}\"\n\
             codes = [\"0634\"]\noverride_allowed = false\n\
             basis = \"draft\"\nsource = \"x\"\nfrom = \"2024-01-01\"\n\n"
        )
    };
    for (a, b, equal) in [
        (
            row("x", "kind:BDSS", "kind:OENI", "always", "exclude"),
            row("y", "kind:OENI", "kind:BDSS", "always", "exclude"),
            true,
        ),
        (
            row("x", "kind:BDSS", "kind:OENI", "always", "exclude"),
            row("y", "kind:OENI", "kind:BDSS", "always", "review"),
            false,
        ),
        (
            row("x", "kind:BDSS", "kind:OENI", "same_condition", "exclude"),
            row("y", "kind:OENI", "kind:BDSS", "always", "exclude"),
            false,
        ),
        (
            row("x", "kind:BDSS", "any", "same_form", "review"),
            row("y", "kind:OENI", "any", "same_condition", "review"),
            true,
        ),
        (
            row("x", "kind:BDSS", "any", "same_form", "review"),
            row("y", "kind:OENI", "any", "other_form", "review"),
            false,
        ),
        (
            row("x", "code:990/BDSS1", "kind:OENI", "always", "review"),
            row("y", "kind:BDSS", "code:990/OENI1", "always", "review"),
            true,
        ),
        (
            row("x", "code:990/BDSS1", "kind:OENI", "always", "review"),
            row("y", "code:990/BDSS2", "kind:OENI", "always", "review"),
            false,
        ),
        (
            row("x", "same_kind", "kind:BDSS", "always", "review"),
            row("y", "same_kind", "kind:OENI", "always", "review"),
            false,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        copy(&sample(), dir.path());
        fs::write(dir.path().join("pair_rules.toml"), format!("{a}{b}")).unwrap();
        // Those of the sample name rules of the sample.
        fs::write(dir.path().join("policies.toml"), "").unwrap();
        let loaded = load(dir.path());
        match (equal, loaded) {
            (false, Ok(_)) => {}
            (true, Err(faults)) => {
                assert_eq!(faults.len(), 1, "{faults:?}");
                assert!(faults[0].problem.contains("left equal"), "{}", faults[0]);
                assert!(faults[0].line.is_some());
            }
            (_, loaded) => panic!("{a}{b}{:?}", loaded.map(|_| ())),
        }
    }
}

#[test]
fn a_missing_file_is_a_fault() {
    let dir = changed("groups.toml", "G1", "G1");
    fs::remove_file(dir.path().join("groups.toml")).unwrap();
    let faults = load(dir.path()).unwrap_err();
    assert!(
        faults.iter().any(|it| it.file == "groups.toml"),
        "{faults:?}"
    );
}

/// Goal: a variant has the contract and the rules that it was given, and all else as it was.
#[test]
fn a_variant_differs_in_what_it_was_given() {
    let loaded = load(&sample()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("draft.toml");
    let signed = fs::read_to_string(sample().join("contracts/C1.toml")).unwrap();
    fs::write(
        &file,
        signed.replace("resubmission_months = 3", "resubmission_months = 5"),
    )
    .unwrap();
    let mut variant = Variant::default();
    assert!(!variant.has_contracts());
    assert_eq!(variant.add_contract(&file).unwrap(), "C1");
    let other = variant.of(&loaded.canonical).unwrap();
    let months = |reference: &Reference| reference.contracts[&"C1".into()].resubmission_months;
    assert_eq!((months(&loaded.reference), months(&other)), (3, 5));
    assert_eq!(other.contracts.len(), loaded.reference.contracts.len());
    assert_eq!(other.pair_rules, loaded.reference.pair_rules);

    let mut variant = Variant::default();
    variant.set_rules(&sample()).unwrap();
    let all = loaded.reference.pair_rules.len();
    variant.rules_as_on("2024-07-01".parse().unwrap());
    let other = variant.of(&loaded.canonical).unwrap();
    assert!(!other.pair_rules.is_empty() && other.pair_rules.len() <= all);
    let day = "1990-01-01".parse().unwrap();
    assert!(
        other
            .pair_rules
            .iter()
            .all(|rule| rule.head.validity.contains(day))
    );
    variant.rules_as_on("1800-01-01".parse().unwrap());
    assert!(variant.of(&loaded.canonical).unwrap().pair_rules.is_empty());

    let missing = Variant::default().add_contract(&directory.path().join("none.toml"));
    assert!(missing.unwrap_err()[0].to_string().contains("none.toml"));
}
