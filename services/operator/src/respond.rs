//! One answer in three forms, from the same value: HTML for people, JSON for programs, and each list of it as CSV.

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    frame::Frame,
    list::List,
    person::{Person, PersonRole, Right},
};

/// Seconds after which a browser loads a page again that is followed live. It needs no script for it.
const REFRESH: &str = "5";

/// The form that is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Html,
    Json,
    Csv,
}

impl Form {
    /// JSON for a path that ends so, or for `Accept: application/json`; CSV likewise. Also gives the path without its
    /// ending; the first page is `/overview` in other forms.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> (Self, String) {
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let first = accept.split([',', ';']).next().unwrap_or_default().trim();
        let path = uri.path();
        let (form, path) = match (path.strip_suffix(".json"), path.strip_suffix(".csv")) {
            (Some(path), _) => (Self::Json, path),
            (_, Some(path)) => (Self::Csv, path),
            _ if first == "application/json" => (Self::Json, path),
            _ if first == "text/csv" => (Self::Csv, path),
            _ => (Self::Html, path),
        };
        let path = if path == "/overview" { "/" } else { path };
        (form, path.to_owned())
    }

    /// What a path ends in that asks for it.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Html => "",
            Self::Json => ".json",
            Self::Csv => ".csv",
        }
    }
}

/// A page of the site.
pub(crate) trait Page: Template + Serialize {
    /// What it is shown in.
    fn frame(&self) -> &Frame;

    /// Its lists, the main one first.
    fn lists(&self) -> Vec<&List>;
}

/// A page in the form that was asked for.
pub(crate) fn page<P: Page>(page: &P) -> Response {
    let (frame, lists) = (page.frame(), page.lists());
    if let Some((english, dutch)) = lists.iter().find_map(|list| list.problem()) {
        return Failure::bad_request(frame, english, dutch).shown(frame);
    }
    match frame.form {
        Form::Csv => {
            let wanted = frame.field("list");
            let mut lists = lists.into_iter();
            match lists.find(|list| wanted.is_none_or(|name| name == list.name())) {
                Some(list) => csv(list),
                None => Failure::not_found(
                    frame,
                    "This page has no such list.",
                    "Deze pagina heeft die lijst niet.",
                )
                .shown(frame),
            }
        }
        form => {
            let mut response = in_form(StatusCode::OK, form, "application/json", page);
            if form == Form::Html && frame.is_live() {
                let again = HeaderValue::from_static(REFRESH);
                response.headers_mut().insert(header::REFRESH, again);
            }
            response
        }
    }
}

fn csv(list: &List) -> Response {
    let name = format!("attachment; filename=\"{}.csv\"", list.name());
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/csv; charset=utf-8; header=present".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, name),
    ];
    let mut response = (headers, list.csv()).into_response();
    let next = list
        .next_link()
        .map(|link| format!("<{link}>; rel=\"next\""));
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(header::LINK, next);
    }
    response
}

fn in_form<P: Template + Serialize>(
    status: StatusCode,
    form: Form,
    json_type: &'static str,
    page: &P,
) -> Response {
    if form == Form::Html {
        return match page.render() {
            Ok(text) => (status, Html(text)).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page cannot be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        };
    }
    let body = serde_json::to_vec(page).expect("a page is JSON");
    (status, [(header::CONTENT_TYPE, json_type)], body).into_response()
}

/// Why there is no page; a problem document (RFC 9457) as JSON.
#[derive(Debug, Serialize, Template)]
#[template(path = "failure.html")]
pub(crate) struct Failure {
    /// Boxed, for a failure is the rare half of what handlers give.
    #[serde(skip)]
    frame: Box<Frame>,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    title: String,
    detail: String,
    remedy: String,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_u16(status.as_u16())
}

impl Failure {
    fn new(
        frame: &Frame,
        status: StatusCode,
        title: (&str, &str),
        detail: (&str, &str),
        remedy: (&str, &str),
    ) -> Self {
        let say = |(english, dutch)| frame.say(english, dutch).to_owned();
        Self {
            status,
            title: say(title),
            detail: say(detail),
            remedy: say(remedy),
            frame: Box::new(frame.clone()),
        }
    }

    /// Something that we need is away.
    pub(crate) fn unavailable(
        frame: &Frame,
        what: (&str, &str),
        error: &dyn std::fmt::Display,
    ) -> Self {
        tracing::warn!(%error, what = what.0, "a page cannot be shown");
        let english = format!("The {} does not answer: {error}.", what.0);
        let dutch = format!("De {} antwoordt niet: {error}.", what.1);
        Self::new(
            frame,
            StatusCode::SERVICE_UNAVAILABLE,
            ("Not available at the moment", "Nu niet beschikbaar"),
            (&english, &dutch),
            (
                "Load the page again in a moment. Nothing is lost: what was confirmed is stored.",
                "Laad de pagina zo nog eens. Er is niets verloren: wat bevestigd is, is opgeslagen.",
            ),
        )
    }

    /// The store of decisions is away.
    pub(crate) fn no_store(frame: &Frame, error: &dyn std::fmt::Display) -> Self {
        Self::unavailable(
            frame,
            ("store of decisions", "opslag van beslissingen"),
            error,
        )
    }

    pub(crate) fn not_found(frame: &Frame, english: &str, dutch: &str) -> Self {
        Self::new(
            frame,
            StatusCode::NOT_FOUND,
            ("Not found", "Niet gevonden"),
            (english, dutch),
            (
                "Check the address, or find the declaration in the list of declarations.",
                "Controleer het adres, of zoek de declaratie in de lijst van declaraties.",
            ),
        )
    }

    pub(crate) fn bad_request(frame: &Frame, english: &str, dutch: &str) -> Self {
        Self::new(
            frame,
            StatusCode::BAD_REQUEST,
            ("Not understood", "Niet begrepen"),
            (english, dutch),
            (
                "Follow a link of the page, or correct the address.",
                "Volg een link van de pagina, of verbeter het adres.",
            ),
        )
    }

    pub(crate) fn unauthorized(frame: &Frame, english: &str, dutch: &str) -> Self {
        Self::new(
            frame,
            StatusCode::UNAUTHORIZED,
            ("Not open to you yet", "Nog niet open voor u"),
            (english, dutch),
            (
                "Open the link that was printed on the terminal. Start again for a new one.",
                "Open de link die op de terminal staat. Start opnieuw voor een nieuwe.",
            ),
        )
    }

    pub(crate) fn forbidden(frame: &Frame, english: &str, dutch: &str) -> Self {
        Self::new(
            frame,
            StatusCode::FORBIDDEN,
            ("Not open from elsewhere", "Niet open van elders"),
            (english, dutch),
            (
                "Open it as http://localhost:PORT/ on the machine itself, or through a tunnel to it.",
                "Open hem als http://localhost:POORT/ op de machine zelf, of door een tunnel daarheen.",
            ),
        )
    }

    /// Something that other roles may do.
    pub(crate) fn not_allowed(frame: &Frame, person: &Person, right: Right) -> Self {
        let needed = right
            .roles()
            .iter()
            .map(|role| role.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let held: Vec<&str> = person.roles().map(PersonRole::as_str).collect();
        let (name, held) = (person.name(), held.join(", "));
        Self::new(
            frame,
            StatusCode::FORBIDDEN,
            ("Not for your role", "Niet voor uw rol"),
            (
                &format!("This is for {needed}; {name} is {held}."),
                &format!("Dit is voor {needed}; {name} is {held}."),
            ),
            (
                "Ask whoever gives out roles, or follow a link that is offered to you.",
                "Vraag wie rollen uitdeelt, of volg een link die u wordt aangeboden.",
            ),
        )
    }

    /// A form that did not come from our own page.
    pub(crate) fn forged(frame: &Frame) -> Self {
        Self::new(
            frame,
            StatusCode::FORBIDDEN,
            ("Not accepted", "Niet aangenomen"),
            (
                "This form did not come from a page of this session.",
                "Dit formulier kwam niet van een pagina van deze sessie.",
            ),
            (
                "Load the page again, and send its form.",
                "Laad de pagina opnieuw, en verstuur haar formulier.",
            ),
        )
    }

    /// Something that cannot be done now, or not with this.
    pub(crate) fn conflict(frame: &Frame, english: &str, dutch: &str) -> Self {
        Self::new(
            frame,
            StatusCode::CONFLICT,
            ("Not possible now", "Nu niet mogelijk"),
            (english, dutch),
            (
                "Look at the list again: nothing was changed.",
                "Bekijk de lijst opnieuw: er is niets veranderd.",
            ),
        )
    }

    /// As an answer. A failure is no list, so whoever wants CSV gets the problem as JSON.
    pub(crate) fn shown(self, frame: &Frame) -> Response {
        in_form(self.status, frame.form, "application/problem+json", &self)
    }
}

/// Any path that is not served.
pub(crate) async fn no_such_page(frame: Frame, uri: Uri) -> Response {
    let english = format!("{} is not a page.", uri.path());
    let dutch = format!("{} is geen pagina.", uri.path());
    Failure::not_found(&frame, &english, &dutch).shown(&frame)
}

/// The one style sheet.
pub(crate) async fn style() -> Response {
    asset(
        "text/css; charset=utf-8",
        include_str!("../assets/site.css"),
    )
}

/// The mark of a browser tab: two circles that coincide.
pub(crate) async fn icon() -> Response {
    asset("image/svg+xml", include_str!("../assets/icon.svg"))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "max-age=60"),
    ];
    (headers, text).into_response()
}
