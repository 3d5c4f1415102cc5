//! What the tests share: the sample in its worlds, and outcomes as text that a policy expert can read.

pub mod accepted;
pub mod domain_path;
pub mod golden;
pub mod processes;
pub mod product_path;
pub mod production;
pub mod relay;
pub mod reports;
pub mod senders;
pub mod tally;
pub mod text;

use std::path::PathBuf;

use samenloop_adapters::{
    generate::Generator,
    scenario::{self, ScenarioSet},
    wire::digest,
};

/// The directory of the sample.
#[must_use]
pub fn sample() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/sample"))
}

/// The party that the generator sends for.
pub const PARTY: &str = "sample-zorggroep";

/// What that party shows the gateway.
pub const TOKEN: &str = "the token of the zorggroep";

/// The sample with the world of a generator, whose party may use the gateway.
///
/// # Panics
/// Where the sample has faults; it prints them.
#[must_use]
pub fn generated_world(generator: Generator) -> ScenarioSet {
    let set = scenario::load_with(&sample(), |data| {
        generator.reference_extension(data);
        let party = data.parties.iter_mut().find(|it| it.value.id == PARTY);
        let party = party.expect("the sample has it");
        party.value.gateway_credential_sha256 =
            Some(digest::hex(&digest::fingerprint(TOKEN.as_bytes())));
    });
    set.unwrap_or_else(|faults| panic!("the sample has faults: {faults:#?}"))
}

/// Every scenario of the sample, each in its world.
///
/// # Panics
/// Where the sample has faults; it prints them.
#[must_use]
pub fn scenarios() -> ScenarioSet {
    scenario::load_all(&sample())
        .unwrap_or_else(|faults| panic!("the sample has faults: {faults:#?}"))
}
