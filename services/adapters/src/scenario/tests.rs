use std::{collections::BTreeSet, path::PathBuf};

use samenloop_domain::{identifiers::Agb, period::Period};

use super::*;
use crate::existing;

fn sample() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sample"))
}

fn loaded() -> ScenarioSet {
    load_all(&sample()).unwrap_or_else(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", faults.join("\n"))
    })
}

#[test]
fn every_scenario_that_is_due_loads() {
    let set = loaded();
    let numbers: BTreeSet<String> = set.scenarios.iter().map(|it| it.number.clone()).collect();
    let due = (1..=41).chain([49, 50, 78, 81, 82, 83]);
    for number in due {
        assert!(
            numbers.contains(&number.to_string()),
            "scenario {number} is missing"
        );
    }
    assert_eq!(numbers.len(), set.scenarios.len(), "a number is used twice");
}

#[test]
fn a_scenario_has_the_names_of_its_world() {
    let set = loaded();
    let scenario = set.scenarios.iter().find(|it| it.number == "26").unwrap();
    assert_eq!(scenario.steps.len(), 2);
    assert_eq!(scenario.steps[1].after, [0]);
    let Action::Declare(delivery) = &scenario.steps[1].action else {
        panic!("step 1 is a declaration");
    };
    let body: Value = serde_json::from_slice(&delivery.body).unwrap();
    assert_eq!(body["declarant_agb"], "53260001");
    assert_eq!(body["invoice_number"], "S26-GDC-2024-026");
    assert_eq!(body["message_id"], delivery.message_id.to_string());
    assert_eq!(body["sent_on"], "2024-12-05");
    assert_eq!(body["control"]["debit_cents"], 2_800_000);
    let line = &body["lines"][0];
    assert_eq!(line["contract_id"], "S26-C1");
    assert_eq!(line["participants"][0]["agb"], "01266789");
    assert_eq!(line["region"], "S26-R1");
    assert_eq!(delivery.party.as_str(), "sample-zorggroep");
    assert_eq!(delivery.expected.lines[0].line_reference, "S26-R26");
}

#[test]
fn a_catalogue_code_that_a_scenario_changes_is_its_own() {
    let set = loaded();
    let scenario = set.scenarios.iter().find(|it| it.number == "50").unwrap();
    let Action::Declare(delivery) = &scenario.steps[0].action else {
        panic!("step 0 is a declaration");
    };
    let body: Value = serde_json::from_slice(&delivery.body).unwrap();
    assert_eq!(body["lines"][0]["prestatie"]["code"], "AD50X1");
    let key = samenloop_domain::declaration::PrestatieKey::new("990", "AD50X1");
    let entry = &set.reference.reference.catalogue[&key];
    assert_eq!(entry.zorginstituut_assessed_on, None);
}

/// The AGB codes of a contract's declarants and participants.
fn agbs(contract: &samenloop_domain::reference::Contract) -> impl Iterator<Item = &Agb> {
    contract.declarants.iter().chain(&contract.participants)
}

#[test]
fn worlds_do_not_share_an_agb() {
    let set = loaded();
    let mut worlds: BTreeMap<Agb, String> = BTreeMap::new();
    for (id, contract) in &set.reference.reference.contracts {
        let world = match id.as_str().split_once('-') {
            Some((world, _)) => world.to_owned(),
            None => "sample".to_owned(),
        };
        for agb in agbs(contract) {
            let owner = worlds.entry(*agb).or_insert_with(|| world.clone());
            assert_eq!(*owner, world, "{agb} is in two worlds");
        }
    }
}

#[test]
fn parties_are_few_and_may_declare_in_every_world() {
    let set = loaded();
    let reference = &set.reference.reference;
    assert_eq!(reference.parties.len(), 6);
    for scenario in &set.scenarios {
        let agb = Agb::parse(&format!("53{:02}0001", scenario.world)).unwrap();
        assert!(
            reference
                .mandates
                .iter()
                .any(|it| it.declarant == agb && it.party.as_str() == "sample-zorggroep"),
            "nobody declares for {agb}"
        );
    }
}

#[test]
fn imported_rows_of_scenarios_and_sample_can_be_read() {
    let set = loaded();
    let reference = &set.reference.reference;
    let pseudonyms = |_: &samenloop_domain::identifiers::Bsn| Vec::new();
    let mut imports = 0;
    for step in set.scenarios.iter().flat_map(|it| &it.steps) {
        if let Action::ImportExisting(import) = &step.action {
            let rows = existing::read(import.csv.as_slice(), reference, &pseudonyms);
            let rows: Result<Vec<_>, _> = rows.collect();
            assert_eq!(rows.unwrap().len(), import.rows);
            imports += 1;
        }
    }
    assert!(imports > 0);
    let file = fs::File::open(sample().join("existing.csv")).unwrap();
    let rows: Result<Vec<_>, _> = existing::read(file, reference, &pseudonyms).collect();
    let rows = rows.unwrap();
    assert_eq!(rows.len(), 4);
    let quarter = Period::new("2024-01-01".parse().unwrap(), "2024-03-31".parse().unwrap());
    assert_eq!(Some(rows[0].coverage.period), quarter);
    assert_eq!(rows[0].awarded.get(), 450_000);
}

#[test]
fn a_wave_needs_only_the_waves_before() {
    let set = loaded();
    let waves = waves(&set.scenarios);
    let mut sent = BTreeSet::new();
    for wave in &waves {
        for (scenario, step) in wave {
            for before in &set.scenarios[*scenario].steps[*step].after {
                assert!(sent.contains(&(*scenario, *before)));
            }
        }
        sent.extend(wave.iter().copied());
    }
    let steps: usize = set.scenarios.iter().map(|it| it.steps.len()).sum();
    assert_eq!(sent.len(), steps);
    assert_eq!(waves.len(), 3);
}

#[test]
fn a_scenario_with_a_fault_names_its_file() {
    let dir = tempfile::tempdir().unwrap();
    copy(&sample(), dir.path());
    let file = dir.path().join("scenarios/01-quarter-accepted.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"c1-q3\"", "\"c0\"")).unwrap();
    let faults = load_all(dir.path()).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].file, "scenarios/01-quarter-accepted.json");
    assert!(faults[0].problem.contains("no message c0"), "{}", faults[0]);

    fs::write(&file, text.replace("\"title\"", "\"titel\"")).unwrap();
    let faults = load_all(dir.path()).unwrap_err();
    assert_eq!(faults[0].line, Some(4), "{}", faults[0]);

    fs::write(&file, text.replace("\"world\": 1", "\"world\": 2")).unwrap();
    let faults = load_all(dir.path()).unwrap_err();
    assert!(faults[0].problem.contains("world 2"), "{}", faults[0]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
