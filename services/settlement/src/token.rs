//! Tokens that say how far a subscriber is: opaque to it, and of no use to another insurer or environment.
//!
//! A token gives no right to anything: the caller is judged first.

use ring::hmac;
use samenloop_domain::identifiers::Uzovi;
use subtle::ConstantTimeEq as _;

/// Form of the tokens; another form gets another number.
const VERSION: u8 = 1;
const BODY_LENGTH: usize = 1 + 4 + 8;
const SEAL_LENGTH: usize = 16;

/// Makes and reads tokens under one key: every process of one environment has the same.
#[derive(Clone)]
pub struct Tokens {
    key: hmac::Key,
}

impl Tokens {
    /// Tokens under `secret`.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }

    /// The token of `position` in the stream of `insurer`.
    #[must_use]
    pub fn token(&self, insurer: Uzovi, position: u64) -> String {
        let mut bytes = Vec::with_capacity(BODY_LENGTH + SEAL_LENGTH);
        bytes.push(VERSION);
        bytes.extend_from_slice(insurer.as_str().as_bytes());
        bytes.extend_from_slice(&position.to_be_bytes());
        let seal = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(&seal.as_ref()[..SEAL_LENGTH]);
        hex(&bytes)
    }

    /// The position that `token` names, if it is one of ours for `insurer`.
    #[must_use]
    pub fn position(&self, insurer: Uzovi, token: &str) -> Option<u64> {
        let bytes = unhex(token)?;
        let (body, seal) = bytes.split_at_checked(BODY_LENGTH)?;
        let expected = hmac::sign(&self.key, body);
        let is_ours = bool::from(expected.as_ref()[..SEAL_LENGTH].ct_eq(seal));
        let (head, position) = body.split_at(1 + 4);
        (is_ours && head[0] == VERSION && &head[1..] == insurer.as_str().as_bytes())
            .then(|| u64::from_be_bytes(position.try_into().expect("eight bytes are left")))
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 2 * (BODY_LENGTH + SEAL_LENGTH) || !text.is_ascii() {
        return None;
    }
    let byte = |place| u8::from_str_radix(text.get(place..place + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_by_its_own_insurer_and_environment_only() {
        let (ours, other) = (Tokens::new(b"ours"), Tokens::new(b"other"));
        let [a, b] = ["3311", "7095"].map(|text| Uzovi::parse(text).unwrap());
        for position in [0, 1, 255, u64::MAX] {
            let token = ours.token(a, position);
            assert_eq!(ours.position(a, &token), Some(position));
            assert_eq!(ours.position(b, &token), None);
            assert_eq!(other.position(a, &token), None);
            for place in 0..token.len() {
                let mut changed = token.clone().into_bytes();
                changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(ours.position(a, &changed), None, "place {place}");
            }
        }
        for text in ["", "00", "x", &"é".repeat(29), &"+1".repeat(29)] {
            assert_eq!(ours.position(a, text), None, "{text}");
        }
    }
}
