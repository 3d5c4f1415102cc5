//! Who asks: the party whose credential the request carries.

use axum::http::{HeaderMap, header};
use samenloop_adapters::wire::digest;
use samenloop_domain::{identifiers::PartyId, reference::Reference};
use subtle::{Choice, ConstantTimeEq as _};

use crate::{App, problem::Problem};

/// The party of the request's `Authorization: Bearer` token.
pub(crate) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<PartyId, Problem> {
    let token = bearer(headers).ok_or_else(Problem::unauthorized)?;
    let reference = app.gateway.reference.current().await;
    let reference = reference
        .map_err(|error| Problem::unavailable("the store of decisions", &error))?
        .ok_or_else(Problem::no_reference)?;
    party_of(&reference, token).ok_or_else(Problem::unauthorized)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Compares with every party, so that the time taken says nothing about who exists.
fn party_of(reference: &Reference, token: &str) -> Option<PartyId> {
    let given = digest::hex(&digest::fingerprint(token.as_bytes()));
    let mut found = None;
    for (id, party) in &reference.parties {
        let known = party.gateway_credential_sha256.as_deref();
        let same = known.map_or(Choice::from(0), |known| {
            known.as_bytes().ct_eq(given.as_bytes())
        });
        if bool::from(same) {
            found = Some(id.clone());
        }
    }
    found
}
