//! Who may look: whoever is on this machine and has opened the link with the one-time token.
//!
//! The token is used up by its first use; what lets in after that is a cookie that is never shown on a page. The name
//! in `Host` must be this machine's: otherwise a page elsewhere could point its own name here and read along.

use std::{
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use samenloop_adapters::ids::Ids;
use subtle::ConstantTimeEq as _;

use crate::{
    App,
    frame::{Frame, cookie},
    language::Say,
    respond::Failure,
    session::Session,
};

const COOKIE: &str = "samenloop_session";

/// The token, and the session that it opens.
pub(crate) struct Access {
    token: Option<String>,
    used: AtomicBool,
    session: String,
    proof: String,
}

/// The person of whom nothing is known but that the link was opened on this machine.
const PERSON: &str = "whoever has the link";

/// What a request is answered with.
#[derive(PartialEq, Eq, Debug)]
enum Admission {
    /// The page.
    Enter,
    /// The cookie, and the address without the token.
    OpenSession,
    /// An error.
    Refuse(Say),
}

impl Access {
    pub(crate) fn new(token: Option<String>, ids: &Ids) -> Self {
        let secret = || format!("{}{}", ids.next().simple(), ids.next().simple());
        Self {
            token,
            used: AtomicBool::new(false),
            session: secret(),
            proof: secret(),
        }
    }

    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Admission {
        let Some(token) = &self.token else {
            return Admission::Enter;
        };
        let has_session = cookie(headers, COOKIE).is_some_and(|value| same(value, &self.session));
        match token_of(uri) {
            Some(_) if has_session => Admission::OpenSession,
            None if has_session => Admission::Enter,
            None => Admission::Refuse(Say(
                "This page is open to whoever has the link that was printed when it was started.",
                "Deze pagina is open voor wie de link heeft die bij het starten is afgedrukt.",
            )),
            Some(given) if !same(given, token) => Admission::Refuse(Say(
                "The token in this link is not the one that was printed.",
                "Het token in deze link is niet het afgedrukte.",
            )),
            Some(_) if self.used.swap(true, Ordering::SeqCst) => Admission::Refuse(Say(
                "This link was used already; it opens one browser, once.",
                "Deze link is al gebruikt; hij opent één browser, één keer.",
            )),
            Some(_) => Admission::OpenSession,
        }
    }

    fn open_session(&self, path: &str) -> Response {
        let cookie = format!(
            "{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/",
            self.session
        );
        let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response();
        let cookie = HeaderValue::from_str(&cookie).expect("a session is hexadecimal");
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        response
    }
}

/// Lets a request through to its page, or answers it.
pub(crate) async fn guard(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let frame = Frame::of(request.uri(), request.headers());
    if !peer.ip().to_canonical().is_loopback() || !is_this_machine(request.headers()) {
        let english = "These pages are shown on this machine only.";
        let dutch = "Deze pagina's worden alleen op deze machine getoond.";
        return Failure::forbidden(&frame, english, dutch).shown(&frame);
    }
    match app.access.admit(request.uri(), request.headers()) {
        Admission::Enter => {
            request.extensions_mut().insert(Session {
                person: PERSON.to_owned(),
                proof: app.access.proof.clone(),
            });
            next.run(request).await
        }
        Admission::OpenSession => app.access.open_session(request.uri().path()),
        Admission::Refuse(Say(english, dutch)) => {
            Failure::unauthorized(&frame, english, dutch).shown(&frame)
        }
    }
}

fn is_this_machine(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let Some(authority) = host.and_then(|host| host.parse::<axum::http::uri::Authority>().ok())
    else {
        return false;
    };
    let name = authority.host().trim_matches(['[', ']']);
    name == "localhost"
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn token_of(uri: &Uri) -> Option<&str> {
    let mut fields = uri.query()?.split('&');
    fields.find_map(|field| field.strip_prefix("token="))
}

fn same(given: &str, known: &str) -> bool {
    given.as_bytes().ct_eq(known.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_cookie(session: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = format!("other=1; {COOKIE}={session}");
        headers.insert(header::COOKIE, value.parse().expect("a cookie"));
        headers
    }

    #[test]
    fn the_link_opens_one_session_and_is_then_used_up() {
        let access = Access::new(Some("secret".to_owned()), &Ids::seeded(1));
        let none = HeaderMap::new();
        let admit =
            |uri: &'static str, headers: &HeaderMap| access.admit(&Uri::from_static(uri), headers);
        assert!(matches!(admit("/", &none), Admission::Refuse(_)));
        assert!(matches!(
            admit("/?token=wrong", &none),
            Admission::Refuse(_)
        ));
        assert_eq!(admit("/?token=secret", &none), Admission::OpenSession);
        assert!(matches!(
            admit("/?token=secret", &none),
            Admission::Refuse(_)
        ));
        let session = with_cookie(&access.session);
        assert_eq!(admit("/declarations", &session), Admission::Enter);
        assert_eq!(admit("/?token=secret", &session), Admission::OpenSession);
        assert!(matches!(
            admit("/", &with_cookie("x")),
            Admission::Refuse(_)
        ));
    }

    #[test]
    fn other_names_of_this_machine_are_refused() {
        for (host, welcome) in [
            ("localhost:7440", true),
            ("127.0.0.1:7440", true),
            ("[::1]:7440", true),
            ("localhost.attacker.example", false),
            ("10.0.0.1", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().expect("a header"));
            assert_eq!(is_this_machine(&headers), welcome, "{host}");
        }
    }
}
