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

/// Characters of a token; more is none of ours.
const TEXT_LENGTH_MAX: usize = 1024;

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

    /// Page tokens of `insurer` for the list that `of` tells apart from every other.
    #[must_use]
    pub(crate) fn page_of(&self, insurer: Uzovi, of: &str) -> PageOf<'_> {
        PageOf {
            key: &self.key,
            of: format!("page {insurer} {of}\n"),
        }
    }

    /// The position that `token` names, if it is one of ours for `insurer`.
    #[must_use]
    pub fn position(&self, insurer: Uzovi, token: &str) -> Option<u64> {
        let bytes = unhex(token).filter(|bytes| bytes.len() == BODY_LENGTH + SEAL_LENGTH)?;
        let (body, seal) = bytes.split_at_checked(BODY_LENGTH)?;
        let expected = hmac::sign(&self.key, body);
        let is_ours = bool::from(expected.as_ref()[..SEAL_LENGTH].ct_eq(seal));
        let (head, position) = body.split_at(1 + 4);
        (is_ours && head[0] == VERSION && &head[1..] == insurer.as_str().as_bytes())
            .then(|| u64::from_be_bytes(position.try_into().expect("eight bytes are left")))
    }
}

/// Page tokens of one list: the place of the last row, sealed with what the list is of.
pub(crate) struct PageOf<'a> {
    key: &'a hmac::Key,
    of: String,
}

impl PageOf<'_> {
    /// The token of the page after the row at `place`.
    pub(crate) fn token(&self, place: &str) -> String {
        let mut bytes = place.as_bytes().to_vec();
        bytes.extend_from_slice(&self.seal(place.as_bytes()));
        hex(&bytes)
    }

    /// The place that `token` names, if it is one of ours for this list.
    pub(crate) fn place(&self, token: &str) -> Option<String> {
        let bytes = unhex(token)?;
        let length = bytes.len().checked_sub(SEAL_LENGTH)?;
        let (place, seal) = bytes.split_at(length);
        let is_ours = bool::from(self.seal(place).ct_eq(seal));
        let place = String::from_utf8(place.to_vec()).ok()?;
        is_ours.then_some(place)
    }

    fn seal(&self, place: &[u8]) -> [u8; SEAL_LENGTH] {
        let sealed = hmac::sign(self.key, &[self.of.as_bytes(), place].concat());
        let seal = &sealed.as_ref()[..SEAL_LENGTH];
        seal.try_into().expect("the seal is cut to its length")
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
    if text.len() > TEXT_LENGTH_MAX || !text.len().is_multiple_of(2) || !text.is_ascii() {
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

    #[test]
    fn a_page_token_is_read_back_for_its_own_list_only() {
        let ours = Tokens::new(b"ours");
        let [a, b] = ["3311", "7095"].map(|text| Uzovi::parse(text).unwrap());
        for place in [
            "",
            "17",
            "3 53530001",
            "provider:53530001:advance:3311:C\u{e9}",
        ] {
            let token = ours.page_of(a, "claims").token(place);
            assert_eq!(
                ours.page_of(a, "claims").place(&token).as_deref(),
                Some(place)
            );
            for other in [
                ours.page_of(b, "claims"),
                ours.page_of(a, "claims 53530001"),
            ] {
                assert_eq!(other.place(&token), None, "{place}");
            }
        }
        for text in ["", "0", "00", "x", &"00".repeat(2000)] {
            assert_eq!(ours.page_of(a, "claims").place(text), None);
        }
    }
}
