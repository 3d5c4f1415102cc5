//! Who calls, and what they may ask for: an insurer its own stream and claims, detection everything.

use std::collections::BTreeMap;

use samenloop_adapters::server_tls::caller_names;
use samenloop_domain::identifiers::Uzovi;
use subtle::ConstantTimeEq as _;
use tonic::{Request, Status};

use crate::reason::Reason;

pub use samenloop_adapters::server_tls::ServerTls;

/// How callers are told apart.
#[derive(Clone)]
pub enum Callers {
    /// The embedded default, served on loopback only: the insurer that a request names is believed.
    Loopback {
        /// What the header `authorization` must hold after `Bearer `; absent: nothing.
        bearer: Option<String>,
    },
    /// Mutual TLS: the common name or a DNS name of the client's certificate says who calls.
    Certificates {
        /// Ours.
        tls: ServerTls,
        /// Who each name is, from the table of parties.
        names: BTreeMap<String, Caller>,
    },
}

/// A caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// An insurer: it reads and acknowledges what is its own.
    Insurer(Uzovi),
    /// Our detection: it submits claims and may read every claim.
    Detection,
    /// A program on the same machine, which may do both.
    Local,
}

impl Callers {
    /// Who sent `request`.
    ///
    /// # Errors
    /// [`Reason::CallerUnknown`].
    pub(crate) fn identify<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        match self {
            Self::Loopback { bearer: None } => Ok(Caller::Local),
            Self::Loopback {
                bearer: Some(expected),
            } => {
                let header = request.metadata().get("authorization");
                let given = header.and_then(|h| h.as_bytes().strip_prefix(b"Bearer "));
                let is_expected =
                    given.is_some_and(|given| given.ct_eq(expected.as_bytes()).into());
                is_expected
                    .then_some(Caller::Local)
                    .ok_or_else(|| unknown("the bearer token is missing or wrong"))
            }
            Self::Certificates { names, .. } => {
                let shown = caller_names(request);
                let shown = shown.ok_or_else(|| unknown("there is no client certificate"))?;
                shown
                    .iter()
                    .find_map(|name| names.get(name))
                    .copied()
                    .ok_or_else(|| unknown("the client certificate is of no known party"))
            }
        }
    }
}

impl Caller {
    /// Whether it may submit claims.
    ///
    /// # Errors
    /// [`Reason::CallerNotAllowed`].
    pub(crate) fn may_submit(self) -> Result<(), Status> {
        match self {
            Self::Detection | Self::Local => Ok(()),
            Self::Insurer(_) => Err(not_allowed("an insurer submits no claims")),
        }
    }

    /// The insurer that it acts as, given the one that its request names.
    ///
    /// # Errors
    /// [`Reason::CallerNotAllowed`] where that is another; [`Reason::InsurerInvalid`] where it is none.
    pub(crate) fn acts_as(self, named: &str) -> Result<Uzovi, Status> {
        let insurer = Uzovi::parse(named);
        match self {
            Self::Insurer(own) if insurer == Some(own) => Ok(own),
            Self::Insurer(_) => Err(not_allowed("a stream belongs to another insurer")),
            Self::Detection => Err(not_allowed("detection has no stream")),
            Self::Local => insurer.ok_or_else(|| {
                Reason::InsurerInvalid.status("the insurer is no UZOVI number", &[])
            }),
        }
    }
}

fn unknown(message: &str) -> Status {
    Reason::CallerUnknown.status(message, &[])
}

pub(crate) fn not_allowed(message: &str) -> Status {
    Reason::CallerNotAllowed.status(message, &[])
}
