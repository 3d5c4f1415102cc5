//! A world: how the names of the sample change for one scenario.

use std::collections::BTreeMap;

use ring::digest;
use samenloop_domain::identifiers::{Agb, Bsn};
use samenloop_proto::declaration::v1::{Declaration, Line};
use uuid::Uuid;

/// The names of one scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct World {
    /// 1 to 99.
    pub number: u8,
    /// Catalogue codes that are different here, by list and code.
    pub codes: BTreeMap<(String, String), String>,
}

impl World {
    /// An AGB code with the world's number on positions 3 and 4; one that is malformed stays as it
    /// is.
    #[must_use]
    pub fn agb(&self, text: &str) -> String {
        match Agb::parse(text) {
            Some(_) => format!("{}{:02}{}", &text[..2], self.number, &text[4..]),
            None => text.to_owned(),
        }
    }

    /// The id of a contract, group or region, an invoice number or a reference.
    #[must_use]
    pub fn id(&self, text: &str) -> String {
        format!("S{:02}-{text}", self.number)
    }

    /// A code of the catalogue.
    #[must_use]
    pub fn code(&self, list: &str, code: &str) -> String {
        let key = (list.to_owned(), code.to_owned());
        let changed = self.codes.get(&key).cloned();
        changed.unwrap_or_else(|| code.to_owned())
    }

    /// A valid BSN for a valid one; one that is not valid stays as it is.
    /// The first two digits are the world's number, the next six are those of the original.
    #[must_use]
    pub fn bsn(&self, text: &str) -> String {
        let Some(bsn) = Bsn::parse(text) else {
            return text.to_owned();
        };
        let middle = bsn.expose()[2..8].iter();
        let start = middle.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        // One number in eleven has no check digit; a later one then has.
        let candidates = (0..1_000_000).flat_map(|step| {
            let middle = (start + step) % 1_000_000;
            (0..10).map(move |check| format!("{:02}{middle:06}{check}", self.number))
        });
        let mut valid = candidates.filter(|text| Bsn::parse(text).is_some());
        valid.next().unwrap_or_else(|| text.to_owned())
    }

    /// A message id that belongs to this world and `name` alone.
    #[must_use]
    pub fn message_id(&self, name: &str) -> Uuid {
        let text = format!("samenloop scenario, world {}, {name}", self.number);
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_ref()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// Gives a whole declaration the names of this world.
    pub fn declaration(&self, declaration: &mut Declaration) {
        for agb in [&mut declaration.sender_agb, &mut declaration.declarant_agb] {
            change(agb, |text| self.agb(text));
        }
        change(&mut declaration.invoice_number, |text| self.id(text));
        for line in &mut declaration.lines {
            self.line(line);
        }
    }

    fn line(&self, line: &mut Line) {
        let ids = [
            &mut line.line_reference,
            &mut line.original_reference,
            &mut line.contract_id,
            &mut line.patient_group_id,
            &mut line.region,
        ];
        for id in ids {
            change(id, |text| self.id(text));
        }
        if let Some(prestatie) = &mut line.prestatie {
            let list = prestatie.list.clone().unwrap_or_default();
            change(&mut prestatie.code, |code| self.code(&list, code));
        }
        if let Some(insured) = &mut line.insured {
            change(&mut insured.bsn, |text| self.bsn(text));
        }
        for participant in &mut line.participants {
            change(&mut participant.agb, |text| self.agb(text));
        }
        change(&mut line.on_behalf_of_agb, |text| self.agb(text));
    }
}

fn change(field: &mut Option<String>, change: impl Fn(&str) -> String) {
    if let Some(text) = field {
        *text = change(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(number: u8) -> World {
        let codes = BTreeMap::new();
        World { number, codes }
    }

    #[test]
    fn agb_keeps_kind_and_last_digits_and_malformed_ones_stay() {
        for (text, changed) in [
            ("53530001", "53070001"),
            ("01056789", "01076789"),
            ("98000123", "98070123"),
            ("00123456", "00123456"),
            ("", ""),
        ] {
            assert_eq!(world(7).agb(text), changed);
        }
    }

    #[test]
    fn bsn_stays_valid_and_differs_in_every_world() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 1..=99 {
            for text in ["123456782", "249566758", "288902294"] {
                let made = world(number).bsn(text);
                assert!(Bsn::parse(&made).is_some(), "{made}");
                assert!(seen.insert(made), "{number} {text}");
            }
        }
        assert_eq!(world(7).bsn("123456789"), "123456789");
        assert_eq!(world(7).bsn("000000000"), "000000000");
    }

    #[test]
    fn message_ids_are_the_same_every_time_and_differ_by_name() {
        assert_eq!(world(7).message_id("0"), world(7).message_id("0"));
        assert_ne!(world(7).message_id("0"), world(7).message_id("1"));
        assert_ne!(world(7).message_id("0"), world(8).message_id("0"));
    }
}
