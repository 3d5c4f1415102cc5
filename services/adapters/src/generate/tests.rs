use std::{collections::BTreeSet, path::Path};

use super::*;
use crate::scenario;

fn sample() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sample")
}

fn bytes(generator: Generator) -> Vec<u8> {
    let declarations = generator.declarations();
    let texts = declarations.map(|it| serde_json::to_vec(&it.declaration).unwrap());
    texts.flatten().collect()
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_gives_others() {
    let generator = Generator::new(5_000, 7);
    assert_eq!(bytes(generator), bytes(generator));
    assert_ne!(bytes(generator), bytes(Generator::new(5_000, 8)));
}

#[test]
fn a_run_has_the_lines_asked_for_in_messages_of_a_normal_size() {
    for lines in [1, 49, 250, 20_000] {
        let messages: Vec<_> = Generator::new(lines, 1).declarations().collect();
        let counts = messages.iter().map(|it| it.declaration.lines.len());
        assert_eq!(
            counts.clone().sum::<usize>(),
            usize::try_from(lines).unwrap()
        );
        assert!(counts.max() <= Some(200));
    }
    assert_eq!(Generator::new(u32::MAX, 1).lines(), LINES_MAX);
    let small = Generator::new(1_000, 1).with_message_lines(1, 3);
    let counts = small.declarations().map(|it| it.declaration.lines.len());
    assert_eq!(counts.max(), Some(3));
}

#[test]
fn references_invoices_and_message_ids_are_used_once() {
    let mut seen = BTreeSet::new();
    for Generated { declaration, .. } in Generator::new(20_000, 3).declarations() {
        assert!(seen.insert(("message", declaration.message_id.clone().unwrap())));
        assert!(seen.insert(("invoice", declaration.invoice_number.clone().unwrap())));
        for line in &declaration.lines {
            assert!(seen.insert(("line", line.line_reference.clone().unwrap())));
        }
    }
}

#[test]
fn its_reference_data_stands_beside_the_sample_without_faults() {
    let generator = Generator::new(20_000, 1);
    let extend = |data: &mut ReferenceData| generator.reference_extension(data);
    let set = scenario::load_with(&sample(), extend).unwrap();
    let reference = &set.reference.reference;
    for Generated { declaration, .. } in generator.declarations() {
        let agb = declaration.declarant_agb.as_deref().unwrap();
        let agb = samenloop_domain::identifiers::Agb::parse(agb).unwrap();
        assert!(reference.mandates.iter().any(|it| it.declarant == agb));
    }
}

#[test]
fn a_twentieth_of_the_lines_is_special() {
    let (mut hybrid, mut again, mut lines) = (0, 0, 0);
    for Generated { declaration, .. } in Generator::new(20_000, 1).declarations() {
        let mut slots = BTreeSet::new();
        for line in &declaration.lines {
            lines += 1;
            hybrid +=
                u32::from(line.meeting() == samenloop_proto::declaration::v1::Meeting::Hybrid);
            let period = line.period.as_ref().unwrap().first.clone();
            let slot = (
                period,
                line.patient_group_id.clone(),
                line.contract_id.clone(),
            );
            again += u32::from(!slots.insert(slot));
        }
    }
    assert_eq!(lines, 20_000);
    assert!((60..260).contains(&hybrid), "{hybrid}");
    assert!((120..280).contains(&again), "{again}");
}
