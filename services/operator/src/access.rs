//! Who may look: how somebody signs in, and what every request is asked before its page is.
//!
//! With links, whoever is on this machine and opens one is the person of that link. A link is used up by its first
//! use; what lets in after that is a cookie that is never shown on a page. The name in `Host` must be this machine's
//! then: otherwise a page elsewhere could point its own name here and read along.

mod sessions;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
pub use sessions::Ends;
use sessions::Sessions;
use subtle::ConstantTimeEq as _;

use crate::{
    App,
    frame::{Frame, cookie},
    language::Say,
    person::Person,
    respond::Failure,
    session::Session,
};

const COOKIE: &str = "samenloop_session";

/// How somebody becomes a person of the site.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// Whoever is on this machine is this person.
    Anybody(Person),
    /// Whoever is on this machine and opens `/?token=...` first is the person of that token.
    Links(Vec<Link>),
}

/// A link that opens the site once.
#[derive(Clone)]
pub struct Link {
    /// What its address holds.
    pub token: String,
    /// Who opens it.
    pub person: Person,
}

/// Without the token.
impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("person", &self.person)
            .finish_non_exhaustive()
    }
}

/// How somebody signs in, and who has.
pub(crate) struct Access {
    /// Whoever comes, where nobody needs to sign in.
    anybody: Option<Session>,
    links: Vec<OneTime>,
    sessions: Sessions,
}

struct OneTime {
    token: String,
    person: Arc<Person>,
    used: AtomicBool,
}

/// What a request is answered with.
enum Admission {
    /// The page.
    Enter(Session),
    /// A cookie, if the browser has none yet, and the address without the token.
    Forward(Option<String>),
    /// An error.
    Refuse(Say),
}

impl Access {
    pub(crate) fn new(sign_in: SignIn) -> Self {
        let (anybody, links) = match sign_in {
            SignIn::Anybody(person) => (Some(person), Vec::new()),
            SignIn::Links(links) => (None, links),
        };
        let anybody = anybody.map(|person| Session {
            person: Arc::new(person),
            proof: sessions::secret(),
        });
        let links = links.into_iter().map(|link| OneTime {
            token: link.token,
            person: Arc::new(link.person),
            used: AtomicBool::new(false),
        });
        Self {
            anybody,
            links: links.collect(),
            sessions: Sessions::new(None),
        }
    }

    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Admission {
        if let Some(session) = &self.anybody {
            return Admission::Enter(session.clone());
        }
        let cookie = cookie(headers, COOKIE);
        let session = cookie.and_then(|cookie| self.sessions.find(cookie));
        let Some(given) = token_of(uri) else {
            return session.map_or(Admission::Refuse(NO_LINK), Admission::Enter);
        };
        let link = self.links.iter().find(|link| same(given, &link.token));
        match link {
            Some(link) if !link.used.swap(true, Ordering::SeqCst) => {
                if let Some(cookie) = cookie {
                    self.sessions.close(cookie);
                }
                Admission::Forward(Some(self.sessions.open(Arc::clone(&link.person))))
            }
            _ if session.is_some() => Admission::Forward(None),
            Some(_) => Admission::Refuse(USED_LINK),
            None => Admission::Refuse(WRONG_LINK),
        }
    }
}

const NO_LINK: Say = Say(
    "This page is open to whoever has a link that was printed when it was started.",
    "Deze pagina is open voor wie een link heeft die bij het starten is afgedrukt.",
);
const WRONG_LINK: Say = Say(
    "The token in this link is not one that was printed.",
    "Het token in deze link is geen afgedrukt token.",
);
const USED_LINK: Say = Say(
    "This link was used already; it opens one browser, once.",
    "Deze link is al gebruikt; hij opent één browser, één keer.",
);

/// Sends a browser on, with the cookie of its session where it is new.
fn forward(path: &str, session: Option<String>) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response();
    if let Some(session) = session {
        let cookie = format!("{COOKIE}={session}; HttpOnly; SameSite=Strict; Path=/");
        let cookie = HeaderValue::from_str(&cookie).expect("a session is hexadecimal");
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
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
        Admission::Enter(session) => {
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Admission::Forward(session) => forward(request.uri().path(), session),
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

    fn access(persons: &str) -> Access {
        let persons = Person::parse_all(persons).expect("it is good");
        let links = persons.into_iter().enumerate().map(|(at, person)| Link {
            token: format!("secret{at}"),
            person,
        });
        Access::new(SignIn::Links(links.collect()))
    }

    fn with_cookie(session: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = format!("other=1; {COOKIE}={session}");
        headers.insert(header::COOKIE, value.parse().expect("a cookie"));
        headers
    }

    /// What is answered, in a word, and the cookie that is set.
    fn admit(access: &Access, uri: &'static str, headers: &HeaderMap) -> (String, Option<String>) {
        match access.admit(&Uri::from_static(uri), headers) {
            Admission::Enter(session) => (session.person.to_string(), None),
            Admission::Forward(cookie) => ("forward".to_owned(), cookie),
            Admission::Refuse(_) => ("refuse".to_owned(), None),
        }
    }

    #[tokio::test]
    async fn a_link_opens_one_session_of_its_person_and_is_then_used_up() {
        let access = access("A = operator; B = viewer");
        let none = HeaderMap::new();
        let refused = ("refuse".to_owned(), None);
        assert_eq!(admit(&access, "/", &none), refused);
        assert_eq!(admit(&access, "/?token=wrong", &none), refused);
        let (word, first) = admit(&access, "/?token=secret0", &none);
        let first = with_cookie(&first.expect("a new session"));
        assert_eq!(word, "forward");
        assert_eq!(admit(&access, "/?token=secret0", &none), refused);
        assert_eq!(admit(&access, "/", &first).0, "A");
        assert_eq!(
            admit(&access, "/?token=secret0", &first),
            ("forward".to_owned(), None)
        );
        assert_eq!(admit(&access, "/", &with_cookie("x")), refused);

        let (_, second) = admit(&access, "/?token=secret1", &first);
        let second = with_cookie(&second.expect("a new session"));
        assert_eq!(admit(&access, "/", &second).0, "B");
        assert_eq!(admit(&access, "/", &first), refused, "signing in ends it");
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
