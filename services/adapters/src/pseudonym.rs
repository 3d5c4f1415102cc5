//! Pseudonyms of citizen numbers: HMAC-SHA-256 under every active key. Keys come from files, never from a database.

use std::path::Path;

use ring::hmac;
use samenloop_domain::{
    declaration::InsuredIdentity,
    identifiers::{Bsn, Pseudonym},
};

/// The active keys, in order of key id.
#[derive(Clone)]
pub struct PseudonymKeys {
    keys: Vec<(Box<str>, hmac::Key)>,
}

impl std::fmt::Debug for PseudonymKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|(id, _)| id))
            .finish()
    }
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("key file {path}: {problem}")]
pub struct KeyError {
    /// Which file.
    pub path: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl PseudonymKeys {
    /// Keys from a file: a line per key, `<key id> <64 hexadecimal digits>`; `#` begins a comment.
    ///
    /// # Errors
    /// [`KeyError`] names the line.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let error = |problem: String| KeyError {
            path: path.display().to_string(),
            problem,
        };
        let text = std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
        let mut keys = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let key = line
                .split_once(' ')
                .and_then(|(id, hex)| Some((id, decode_hex(hex.trim())?)));
            let Some((id, secret)) = key else {
                let place = index + 1;
                return Err(error(format!(
                    "line {place}: write `<key id> <64 hexadecimal digits>`"
                )));
            };
            keys.push((Box::from(id), hmac::Key::new(hmac::HMAC_SHA256, &secret)));
        }
        if keys.is_empty() {
            return Err(error(
                "holds no key; `samenloop keys new` makes one".to_owned(),
            ));
        }
        keys.sort_by(|(a, _): &(Box<str>, _), (b, _)| a.cmp(b));
        Ok(Self { keys })
    }

    /// One fixed key, for tests and the demo: its pseudonyms protect nothing.
    #[must_use]
    pub fn fixed_for_demo() -> Self {
        Self {
            keys: vec![("demo".into(), hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))],
        }
    }

    /// What becomes of the number a sender gave.
    #[must_use]
    pub fn identity(&self, bsn: &str) -> InsuredIdentity {
        let Some(bsn) = Bsn::parse(bsn) else {
            return InsuredIdentity::Malformed;
        };
        InsuredIdentity::Pseudonyms(self.pseudonyms(&bsn))
    }

    /// The pseudonyms of a BSN, in order of key id.
    #[must_use]
    pub fn pseudonyms(&self, bsn: &Bsn) -> Vec<Pseudonym> {
        let pseudonym = |(id, key): &(Box<str>, hmac::Key)| {
            let tag = hmac::sign(key, bsn.expose());
            let value = tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes");
            Pseudonym {
                key_id: id.clone(),
                value,
            }
        };
        self.keys.iter().map(pseudonym).collect()
    }
}

/// A line for a key file, with a new random key.
///
/// # Panics
/// Where the system gives no randomness.
#[must_use]
pub fn new_key_line(key_id: &str) -> String {
    let secret: [u8; 32] = crate::ids::secret_bytes();
    format!("{key_id} {}", crate::wire::digest::hex(&secret))
}

pub(crate) fn decode_hex(text: &str) -> Option<[u8; 32]> {
    let mut secret = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in secret.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(secret)
}
