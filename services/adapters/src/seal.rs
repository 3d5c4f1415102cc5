//! Sealing of quarantined bodies: they may hold a BSN, so they are kept under AEAD with a key from a file.

use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::pseudonym::KeyError;

/// The key under which bodies are sealed.
#[derive(Clone)]
pub struct SealingKey {
    key: std::sync::Arc<LessSafeKey>,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(hidden)")
    }
}

impl SealingKey {
    /// The key in a file of 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let error = |problem: String| KeyError {
            path: path.display().to_string(),
            problem,
        };
        let text = std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
        let secret = crate::pseudonym::decode_hex(text.trim());
        let secret = secret.ok_or_else(|| error("write 64 hexadecimal digits".to_owned()))?;
        Ok(Self::new(&secret))
    }

    /// A key of these bytes.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, secret).expect("AES-256 takes 32 bytes");
        Self {
            key: std::sync::Arc::new(LessSafeKey::new(key)),
        }
    }

    /// A key that is gone with the process.
    #[must_use]
    pub fn random() -> Self {
        Self::new(&crate::ids::secret_bytes())
    }

    /// Seals `body`: a fresh nonce, the ciphertext, the tag.
    #[must_use]
    pub fn seal(&self, body: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = crate::ids::secret_bytes();
        let mut sealed = body.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut sealed,
            )
            .expect("a body of at most 1 MiB can be sealed");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what was sealed under this key; none where it was not.
    #[must_use]
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let opened = self
            .key
            .open_in_place(nonce, Aad::empty(), &mut body)
            .ok()?;
        Some(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_under_its_key_only() {
        let key = SealingKey::random();
        let sealed = key.seal(b"body");
        assert_eq!(key.open(&sealed).as_deref(), Some(b"body".as_slice()));
        assert_eq!(SealingKey::random().open(&sealed), None);
        assert_eq!(key.open(&sealed[..5]), None);
    }
}
