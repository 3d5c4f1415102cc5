//! Who is looking, and the proof that a form came from our own page.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use subtle::ConstantTimeEq as _;

use crate::{frame::Frame, person::Person, respond::Failure};

/// Somebody who was let in; the guard puts it beside the request.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Who it is, as the log of operations names it.
    pub(crate) person: Arc<Person>,
    /// What every form of this session holds.
    pub(crate) proof: String,
}

impl Session {
    /// Refuses a form that did not come from our own page: without the proof, or sent from elsewhere.
    pub(crate) fn check(
        &self,
        headers: &HeaderMap,
        proof: &str,
        frame: &Frame,
    ) -> Result<(), Failure> {
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &header::HeaderValue| value.to_str().ok())
        };
        let host = text(header::HOST);
        let is_ours = match text(header::ORIGIN) {
            None => true,
            Some(origin) => origin.split_once("://").map(|(_, authority)| authority) == host,
        };
        let has_proof: bool = proof.as_bytes().ct_eq(self.proof.as_bytes()).into();
        if is_ours && has_proof {
            return Ok(());
        }
        Err(Failure::forged(frame))
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = axum::response::Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let frame = Frame::of(&parts.uri, &parts.headers);
        let session = parts.extensions.get::<Self>().cloned();
        session.ok_or_else(|| {
            let english = "This needs a session.";
            let dutch = "Hiervoor is een sessie nodig.";
            Failure::unauthorized(&frame, english, dutch).shown(&frame)
        })
    }
}
