//! How enums are written in the JSON form: as lower-case words, never as numbers.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::declaration::v1::{Direction, Kind, Meeting, Status, Verdict};

/// The words of one enum, in the order in which an error lists them.
trait Words: Copy + PartialEq + Into<i32> + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

macro_rules! words {
    ($enum:ident: $($word:literal => $variant:ident),+ $(,)?) => {
        impl Words for $enum {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $enum::$variant)),+];
        }
    };
}

words!(Kind: "production" => Production, "test" => Test);
words!(Direction: "debit" => Debit, "credit" => Credit);
words!(Meeting: "group" => Group, "individual" => Individual, "hybrid" => Hybrid);
words!(Status: "accepted" => Accepted, "partly" => Partly, "rejected" => Rejected, "in_review" => InReview);
words!(Verdict:
    "accept" => Accept, "reduce" => Reduce, "review" => Review, "reject" => Reject, "withdrawn" => Withdrawn);

fn word<E: Words>(value: i32) -> Option<&'static str> {
    E::WORDS
        .iter()
        .find(|(_, variant)| (*variant).into() == value)
        .map(|(word, _)| *word)
}

fn value<E: Words, R: de::Error>(text: &str) -> Result<i32, R> {
    let known = E::WORDS.iter().find(|(word, _)| *word == text);
    known.map(|(_, variant)| (*variant).into()).ok_or_else(|| {
        let words: Vec<_> = E::WORDS.iter().map(|(word, _)| *word).collect();
        R::custom(format!(
            "unknown word `{text}`, expected one of {}",
            words.join(", ")
        ))
    })
}

macro_rules! optional_word {
    ($module:ident, $enum:ident) => {
        pub(crate) mod $module {
            use super::*;

            pub(crate) fn serialize<S: Serializer>(
                v: &Option<i32>,
                s: S,
            ) -> Result<S::Ok, S::Error> {
                v.and_then(word::<$enum>).serialize(s)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                d: D,
            ) -> Result<Option<i32>, D::Error> {
                let text = String::deserialize(d)?;
                value::<$enum, D::Error>(&text).map(Some)
            }
        }
    };
}

macro_rules! mandatory_word {
    ($module:ident, $enum:ident) => {
        pub(crate) mod $module {
            use super::*;

            pub(crate) fn serialize<S: Serializer>(v: &i32, s: S) -> Result<S::Ok, S::Error> {
                word::<$enum>(*v).unwrap_or("unspecified").serialize(s)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<i32, D::Error> {
                let text = String::deserialize(d)?;
                value::<$enum, D::Error>(&text)
            }
        }
    };
}

optional_word!(optional_kind, Kind);
optional_word!(optional_direction, Direction);
optional_word!(optional_meeting, Meeting);
mandatory_word!(status, Status);
mandatory_word!(verdict, Verdict);
