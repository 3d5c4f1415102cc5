//! What every page is given beside its own: the language, the form, and the address that it was asked by.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Uri, header, request::Parts},
};

use crate::{
    language::{Language, Say},
    navigation,
    person::{Person, PersonRole, Right},
    respond::Form,
    session::Session,
    shown::{Shown, State},
};

/// Most fields of an address that are read; the rest is left out.
const FIELDS_MAX: usize = 64;

/// The field of an address by which a page is followed live.
const LIVE: &str = "live";

/// What a page is shown in.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) language: Language,
    pub(crate) form: Form,
    path: String,
    fields: Vec<(String, String)>,
    /// Who is looking; absent where nobody was let in.
    session: Option<Session>,
}

impl Frame {
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let (form, path) = Form::of(uri, headers);
        let query = uri.query().unwrap_or_default().as_bytes();
        let fields = form_urlencoded::parse(query).into_owned();
        let fields = fields.filter(|(name, _)| name != "token");
        Self {
            language: Language::of(headers),
            form,
            path,
            fields: fields.take(FIELDS_MAX).collect(),
            session: None,
        }
    }

    /// The same for whoever was let in.
    pub(crate) fn seen_by(self, session: Option<Session>) -> Self {
        Self { session, ..self }
    }

    /// Whether whoever is looking has a right. What it has not is not offered.
    pub(crate) fn may(&self, right: Right) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| session.person.may(right))
    }

    /// Who is looking.
    pub(crate) fn person(&self) -> Option<&Person> {
        self.session.as_ref().map(|session| &*session.person)
    }

    /// A role as people say it.
    pub(crate) fn role(&self, role: &PersonRole) -> &'static str {
        match role {
            PersonRole::Viewer => self.say("viewer", "kijker"),
            PersonRole::Operator => self.say("operator", "beheerder"),
            PersonRole::SecondPerson => self.say("second person", "tweede persoon"),
            PersonRole::Purchaser => self.say("purchaser of insurer", "inkoper van verzekeraar"),
            PersonRole::Auditor => self.say("auditor", "controleur"),
        }
    }

    /// The parts of the site that are open to whoever is looking.
    pub(crate) fn parts(&self) -> Vec<navigation::Link> {
        navigation::links(self)
    }

    /// The same for another page, with nothing of the address.
    pub(crate) fn at(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            fields: Vec::new(),
            ..self.clone()
        }
    }

    /// The text of a pair.
    pub(crate) fn say<'a>(&self, english: &'a str, dutch: &'a str) -> &'a str {
        self.language.say(english, dutch)
    }

    /// A text in the language of the page.
    pub(crate) fn text(&self, say: &Say) -> &'static str {
        say.in_language(self.language)
    }

    /// A word of the wire as people say it.
    pub(crate) fn word(&self, word: &str) -> String {
        self.show(&State::of_wire(word))
    }

    /// A value as it is written in the language of the page.
    pub(crate) fn show<T: Shown>(&self, value: &T) -> String {
        value.shown(self.language)
    }

    /// The same of a value that may be absent, which is a dash.
    pub(crate) fn show_or_dash<T: Shown>(&self, value: &Option<T>) -> String {
        value
            .as_ref()
            .map_or_else(|| "–".to_owned(), |value| self.show(value))
    }

    /// A field of the address, if it is there and not empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(given, _)| given == name);
        found
            .map(|(_, value)| value.as_str().trim())
            .filter(|value| !value.is_empty())
    }

    /// Every field of the address.
    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// The path, without the ending that asks for a form.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The address of this page.
    pub(crate) fn here(&self) -> String {
        self.link("", &[])
    }

    /// The address of this page in another form, with some fields of it changed or left out.
    pub(crate) fn link(&self, ending: &str, changes: &[(&str, Option<&str>)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.fields {
            if !value.is_empty() && !changes.iter().any(|(changed, _)| changed == name) {
                query.append_pair(name, value);
            }
        }
        for (name, value) in changes {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let path = match (self.path.as_str(), ending) {
            ("/", "") => "/".to_owned(),
            ("/", ending) => format!("/overview{ending}"),
            (path, ending) => format!("{path}{ending}"),
        };
        match query.finish() {
            query if query.is_empty() => path,
            query => format!("{path}?{query}"),
        }
    }

    /// Whether the page is loaded again by itself, as its address asks.
    pub(crate) fn is_live(&self) -> bool {
        self.field(LIVE) == Some("on")
    }

    /// The link that follows the page live, or pauses that.
    pub(crate) fn live_link(&self) -> String {
        self.link("", &[(LIVE, (!self.is_live()).then_some("on"))])
    }

    /// Where the switch of the language leads.
    pub(crate) fn language_link(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("to", self.language.other().tag());
        query.append_pair("back", &self.here());
        format!("/language?{}", query.finish())
    }

    /// ` aria-current="page"` is wanted on the link to this part of the site.
    pub(crate) fn is_at(&self, part: &str) -> bool {
        let rest = self.path.strip_prefix(part);
        match part {
            "/" => self.path == "/",
            _ => rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let session = parts.extensions.get::<Session>().cloned();
        Ok(Self::of(&parts.uri, &parts.headers).seen_by(session))
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_what_they_do_not_change() {
        let uri = "/declarations.json?status=in%20review&cursor=7&empty=".parse();
        let frame = Frame::of(&uri.expect("an address"), &HeaderMap::new());
        assert_eq!((frame.path(), frame.form), ("/declarations", Form::Json));
        assert_eq!(frame.field("status"), Some("in review"));
        assert_eq!(frame.field("empty"), None);
        let next = frame.link(".csv", &[("cursor", Some("8&9"))]);
        assert_eq!(next, "/declarations.csv?status=in+review&cursor=8%269");
        let first = frame.link("", &[("cursor", None)]);
        assert_eq!(first, "/declarations?status=in+review");
        assert!(frame.is_at("/declarations") && !frame.is_at("/") && !frame.is_at("/decl"));
    }
}
