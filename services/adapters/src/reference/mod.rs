//! Reference data from a directory that a purchaser can read and edit.
//!
//! [`load`] reads TOML files, checks them against each other and reports every fault with its file
//! and line. The canonical form is what a store keeps: the same entries always give the same bytes
//! and the same digest. Nothing of a declaration is judged here.
//!
//! Layout: [`data`] is what stands in files, [`words`] their vocabularies, [`fault`] what can be
//! said of them, [`diff`] what differs between two versions. A [`Variant`] is for questions.

use std::{fmt, path::Path};

use ring::digest;
use samenloop_domain::reference::Reference;

pub use self::{
    data::ReferenceData,
    diff::{Change, Difference, diff},
    fault::{Entry, Fault, Origin},
    variant::Variant,
};

mod build;
pub mod data;
mod diff;
pub mod fault;
mod read;
mod variant;
pub mod words;

/// Reference data, checked, with the form in which it is stored.
#[derive(Clone)]
pub struct Loaded {
    /// What decisions use.
    pub reference: Reference,
    /// The stored form, from which [`from_canonical`] makes the same reference data.
    pub canonical: Vec<u8>,
    /// SHA-256 of the stored form.
    pub digest: [u8; 32],
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loaded({})", self.reference.version)
    }
}

/// Loads a directory, or says everything that is wrong with it.
pub fn load(dir: &Path) -> Result<Loaded, Vec<Fault>> {
    finish(read(dir)?)
}

/// Reads a directory without checking entries against each other, so that more can be merged in.
pub fn read(dir: &Path) -> Result<ReferenceData, Vec<Fault>> {
    read::read(dir)
}

/// Checks entries against each other and gives them their stored form.
pub fn finish(mut data: ReferenceData) -> Result<Loaded, Vec<Fault>> {
    sort(&mut data);
    let reference = build::build(&data)?;
    let canonical = serde_json::to_vec(&data).expect("entries are texts, numbers and lists");
    let digest = digest::digest(&digest::SHA256, &canonical);
    let digest = digest.as_ref().try_into().expect("SHA-256 has 32 bytes");
    Ok(Loaded {
        reference,
        canonical,
        digest,
    })
}

/// Makes the reference data again from its stored form.
pub fn from_canonical(bytes: &[u8]) -> Result<Reference, Vec<Fault>> {
    build::build(&from_bytes(bytes)?)
}

fn from_bytes(bytes: &[u8]) -> Result<ReferenceData, Vec<Fault>> {
    serde_json::from_slice(bytes).map_err(|error| {
        vec![Fault {
            file: "canonical form".to_owned(),
            line: None,
            problem: error.to_string(),
            remedy: "import the directory again".to_owned(),
        }]
    })
}

/// The order of entries in files says nothing; that of shares and insurers within a contract does.
fn sort(data: &mut ReferenceData) {
    data.code_lists
        .sort_by(|a, b| a.value.list.cmp(&b.value.list));
    data.catalogue.sort_by(|a, b| {
        let key = |it: &data::PrestatieEntry| (it.list.clone(), it.code.clone());
        key(&a.value).cmp(&key(&b.value))
    });
    data.providers
        .sort_by(|a, b| (&a.value.agb, a.value.from).cmp(&(&b.value.agb, b.value.from)));
    data.insurers
        .sort_by(|a, b| a.value.uzovi.cmp(&b.value.uzovi));
    data.parties.sort_by(|a, b| a.value.id.cmp(&b.value.id));
    data.mandates.sort_by(|a, b| {
        let key = |it: &data::MandateEntry| (it.party.clone(), it.declarant.clone(), it.from);
        key(&a.value).cmp(&key(&b.value))
    });
    data.groups.sort_by(|a, b| a.value.id.cmp(&b.value.id));
    data.activities
        .sort_by(|a, b| a.value.code.cmp(&b.value.code));
    data.contracts.sort_by(|a, b| a.value.id.cmp(&b.value.id));
    data.pair_rules
        .sort_by(|a, b| (&a.value.id, a.value.version).cmp(&(&b.value.id, b.value.version)));
    data.line_rules
        .sort_by(|a, b| (&a.value.id, a.value.version).cmp(&(&b.value.id, b.value.version)));
    data.policies.sort_by(|a, b| {
        let key = |it: &data::PolicyEntry| (it.insurer.clone(), it.from, it.rules.clone());
        key(&a.value).cmp(&key(&b.value))
    });
}

#[cfg(test)]
mod tests;
