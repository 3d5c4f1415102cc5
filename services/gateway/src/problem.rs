//! Every error as a problem document (RFC 9457). It names the place and the remedy, and repeats nothing of a body.

use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A problem document; boxed, because most answers are none.
#[derive(Debug)]
pub(crate) struct Problem(Box<Document>);

#[derive(Debug, Serialize)]
struct Document {
    /// A URN that stays the same for the same kind of problem.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: String,
    remedy: String,
    /// JSON pointers into the body, where it is the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Fault {
    path: String,
    problem: String,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_u16(status.as_u16())
}

impl Problem {
    fn new(
        kind: &str,
        status: StatusCode,
        title: &'static str,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self(Box::new(Document {
            kind: format!("urn:samenloop:problem:{kind}"),
            title,
            status,
            detail: detail.into(),
            remedy: remedy.into(),
            faults: Vec::new(),
            retry_after_seconds: None,
        }))
    }

    fn again_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            "unauthorized",
            StatusCode::UNAUTHORIZED,
            "The credential is missing or unknown",
            "The header `Authorization: Bearer <token>` names no party of the reference data in force.",
            "Send the token that was agreed with the operator; a new one is registered by its SHA-256 \
             under the party's `gateway_credential_sha256`.",
        )
    }

    pub(crate) fn no_reference() -> Self {
        Self::new(
            "no-reference-data",
            StatusCode::SERVICE_UNAVAILABLE,
            "No reference data is in force",
            "Parties are not known yet, so nobody can be let in.",
            "The operator runs `samenloop reference import DIR`; send the declaration again after that.",
        )
        .again_after(30)
    }

    /// Something that we need is away. The reason is logged and not told: it may name our machines.
    pub(crate) fn unavailable(what: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::warn!(%error, what, "a request cannot be answered");
        Self::new(
            "unavailable",
            StatusCode::SERVICE_UNAVAILABLE,
            "A service that is needed does not answer",
            format!("{what} does not answer."),
            "Send the same request again: the same message id with the same content has no second effect.",
        )
        .again_after(5)
    }

    pub(crate) fn busy(detail: impl Into<String>) -> Self {
        Self::new(
            "busy",
            StatusCode::SERVICE_UNAVAILABLE,
            "No room at the moment",
            detail,
            "Send the same request again later: the same message id with the same content has no second effect.",
        )
        .again_after(10)
    }

    pub(crate) fn content_type(given: &str) -> Self {
        Self::new(
            "content-type",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The content type is not known",
            format!("The header `Content-Type` is `{given}`."),
            "Send application/json or application/x-protobuf.",
        )
    }

    pub(crate) fn too_large(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(
            "too-large",
            StatusCode::PAYLOAD_TOO_LARGE,
            "The declaration is too large",
            detail,
            remedy,
        )
    }

    pub(crate) fn unreadable_body() -> Self {
        Self::new(
            "unreadable-body",
            StatusCode::BAD_REQUEST,
            "The body did not arrive whole",
            "The connection ended before the length that `Content-Length` announced.",
            "Send it again.",
        )
    }

    /// A body that cannot be a declaration: reason 0001.
    pub(crate) fn malformed(path: &str, problem: impl Into<String>) -> Self {
        let mut document = Self::new(
            "malformed",
            StatusCode::BAD_REQUEST,
            "The body is no declaration",
            "It is refused with reason 0001 and was not put on the queue; see `faults`.",
            "Correct the fields at these paths and send it again; the JSON Schema declaration.v1.json describes them.",
        );
        document.0.faults.push(Fault {
            path: path.to_owned(),
            problem: problem.into(),
        });
        document
    }

    /// A body of a question that is no declaration: every fault.
    pub(crate) fn malformed_in(faults: Vec<(String, String)>) -> Self {
        let mut document = Self::new(
            "malformed",
            StatusCode::BAD_REQUEST,
            "The body is no declaration",
            "It would be refused with reason 0001; see `faults`.",
            "Correct the fields at these paths; the JSON Schema declaration.v1.json describes them.",
        );
        let faults = faults.into_iter();
        document.0.faults = faults
            .map(|(path, problem)| Fault { path, problem })
            .collect();
        document
    }

    pub(crate) fn no_outcome(detail: impl Into<String>) -> Self {
        Self::new(
            "no-outcome",
            StatusCode::NOT_FOUND,
            "No declaration with this message id is known for this party",
            detail,
            "It may still be on its way if it was sent over AMQP, or before the gateway started: ask again in a few \
             seconds. Otherwise check the message id, and send the declaration again.",
        )
    }
}

/// What is served.
const SERVED: &str =
    "POST to /v1/declarations or /v1/checks, or GET /v1/declarations/{message_id}.";

/// A path that is not served.
pub(crate) async fn no_such_page(uri: Uri) -> Problem {
    Problem::new(
        "no-such-page",
        StatusCode::NOT_FOUND,
        "Nothing is served here",
        format!("`{}` is not served.", uri.path()),
        SERVED,
    )
}

/// A method that is not served.
pub(crate) async fn no_such_method(uri: Uri) -> Problem {
    Problem::new(
        "no-such-method",
        StatusCode::METHOD_NOT_ALLOWED,
        "This method is not served here",
        format!("`{}` does not take this method.", uri.path()),
        SERVED,
    )
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).expect("a problem document is JSON");
        let mut response = (self.0.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
