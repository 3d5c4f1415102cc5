//! The two languages of the pages. Every text stands in the code as a pair, so that none can be missing in one.

use axum::{
    extract::Query,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::{
    frame::{self, Frame},
    respond::Failure,
};

/// Keeps the choice of a browser.
const COOKIE: &str = "samenloop_language";

/// A year, in seconds.
const COOKIE_AGE: u32 = 31_536_000;

/// A language of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Language {
    #[default]
    English,
    Dutch,
}

/// A text in English and in Dutch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Say(pub(crate) &'static str, pub(crate) &'static str);

impl Say {
    pub(crate) fn in_language(self, language: Language) -> &'static str {
        language.say(self.0, self.1)
    }
}

impl Language {
    /// What the browser chose before, else the first of its languages that we have.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let chosen = frame::cookie(headers, COOKIE).and_then(Self::of_tag);
        chosen.unwrap_or_else(|| {
            let accepted = headers.get(header::ACCEPT_LANGUAGE);
            let accepted = accepted.and_then(|value| value.to_str().ok());
            Self::preferred(accepted.unwrap_or_default())
        })
    }

    /// `nl-NL,nl;q=0.9,en;q=0.8`: the one with the highest weight, the first of equals (RFC 9110, 12.5.4).
    fn preferred(accepted: &str) -> Self {
        let mut best: Option<(u32, Self)> = None;
        for range in accepted.split(',').take(20) {
            let mut fields = range.split(';');
            let tag = fields.next().unwrap_or_default().trim();
            let weight = fields.find_map(|field| field.trim().strip_prefix("q="));
            let weight = weight.map_or(1_000, thousandths);
            if let Some(language) = Self::of_tag(tag)
                && weight > best.map_or(0, |(weight, _)| weight)
            {
                best = Some((weight, language));
            }
        }
        best.map_or_else(Self::default, |(_, language)| language)
    }

    fn of_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next()?.to_ascii_lowercase().as_str() {
            "nl" => Some(Self::Dutch),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    pub(crate) fn tag(self) -> &'static str {
        self.say("en", "nl")
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::English => Self::Dutch,
            Self::Dutch => Self::English,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.say("English", "Nederlands")
    }

    /// The text of a pair.
    pub(crate) fn say<'a>(self, english: &'a str, dutch: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Dutch => dutch,
        }
    }
}

/// `0.85` as 850; what is no weight counts as none.
fn thousandths(weight: &str) -> u32 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let part = format!("{part:0<3}");
    let part = part.get(..3).and_then(|it| it.parse().ok()).unwrap_or(0);
    whole.parse::<u32>().unwrap_or(0).min(1) * 1_000 + part
}

/// What the switch asks for.
#[derive(Deserialize)]
pub(crate) struct Choice {
    to: String,
    #[serde(default)]
    back: String,
}

/// `/language`: keeps the choice in the browser and goes back to the page it was made on.
pub(crate) async fn choose(
    frame: Frame,
    choice: Result<Query<Choice>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let chosen = choice
        .ok()
        .and_then(|Query(choice)| Some((Language::of_tag(&choice.to)?, choice.back)));
    let Some((language, back)) = chosen else {
        let (english, dutch) = ("The language is one of en and nl.", "De taal is en of nl.");
        return Failure::bad_request(&frame, english, dutch).shown(&frame);
    };
    let cookie = format!(
        "{COOKIE}={}; HttpOnly; SameSite=Lax; Path=/; Max-Age={COOKIE_AGE}",
        language.tag()
    );
    let back = if is_own_path(&back) { &back } else { "/" };
    let location = HeaderValue::from_str(back).unwrap_or(HeaderValue::from_static("/"));
    let cookie = HeaderValue::from_str(&cookie).expect("a tag is ASCII");
    let headers = [(header::LOCATION, location), (header::SET_COOKIE, cookie)];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Whether an address stays on these pages: two slashes or a backslash would lead elsewhere.
pub(crate) fn is_own_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_is_the_one_that_the_browser_prefers() {
        for (accepted, wanted) in [
            ("nl-NL,nl;q=0.9,en;q=0.8", Language::Dutch),
            ("en-GB,en;q=0.9,nl;q=0.8", Language::English),
            ("de,nl;q=0.5,en;q=0.4", Language::Dutch),
            ("nl;q=0,en;q=0.1", Language::English),
            ("fr", Language::English),
            ("", Language::English),
            ("nl;q=x", Language::English),
        ] {
            assert_eq!(Language::preferred(accepted), wanted, "{accepted}");
        }
    }

    #[test]
    fn the_way_back_stays_on_these_pages() {
        for (path, own) in [
            ("/declarations?status=rejected", true),
            ("//attacker.example", false),
            ("/\\attacker.example", false),
            ("https://attacker.example", false),
            ("", false),
        ] {
            assert_eq!(is_own_path(path), own, "{path}");
        }
    }
}
