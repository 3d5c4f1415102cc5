//! One answer in two forms: HTML for people, JSON for programs, from the same value.

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use std::convert::Infallible;

/// The form that is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Html,
    Json,
}

impl Form {
    /// JSON for a path that ends so, or for `Accept: application/json`.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let first = accept.split([',', ';']).next().unwrap_or_default().trim();
        if uri.path().ends_with(".json") || first == "application/json" {
            Self::Json
        } else {
            Self::Html
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.uri, &parts.headers))
    }
}

/// A page in the form that was asked for.
pub(crate) fn page<P: Template + Serialize>(form: Form, page: &P) -> Response {
    in_form(StatusCode::OK, form, "application/json", page)
}

fn in_form<P: Template + Serialize>(
    status: StatusCode,
    form: Form,
    json_type: &'static str,
    page: &P,
) -> Response {
    match form {
        Form::Html => match page.render() {
            Ok(text) => (status, Html(text)).into_response(),
            Err(error) => {
                tracing::error!(%error, "a page cannot be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        },
        Form::Json => {
            let body = serde_json::to_vec(page).expect("a page is JSON");
            (status, [(header::CONTENT_TYPE, json_type)], body).into_response()
        }
    }
}

/// Why there is no page; a problem document (RFC 9457) as JSON.
#[derive(Debug, Serialize, Template)]
#[template(path = "failure.html")]
pub(crate) struct Failure {
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    title: &'static str,
    detail: String,
    remedy: &'static str,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_u16(status.as_u16())
}

impl Failure {
    /// Something that we need is away.
    pub(crate) fn unavailable(what: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::warn!(%error, what, "a page cannot be shown");
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "Not available at the moment",
            detail: format!("The {what} does not answer: {error}."),
            remedy: "Load the page again in a moment. Nothing is lost: what was confirmed is stored.",
        }
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            title: "Not found",
            detail: detail.into(),
            remedy: "Check the address, or find the declaration in the list of declarations.",
        }
    }

    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            title: "Not open to you yet",
            detail: detail.to_owned(),
            remedy: "Open the link that was printed on the terminal. Start again for a new one.",
        }
    }

    pub(crate) fn forbidden(detail: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            title: "Not open from elsewhere",
            detail: detail.to_owned(),
            remedy: "Open it as http://localhost:PORT/ on the machine itself, or through a tunnel to it.",
        }
    }

    /// As an answer.
    pub(crate) fn in_form(self, form: Form) -> Response {
        in_form(self.status, form, "application/problem+json", &self)
    }
}

/// Any path that is not served.
pub(crate) async fn no_such_page(form: Form, uri: Uri) -> Response {
    Failure::not_found(format!("{} is not a page.", uri.path())).in_form(form)
}

/// The one style sheet.
pub(crate) async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=60"),
    ];
    (headers, include_str!("../assets/site.css")).into_response()
}
