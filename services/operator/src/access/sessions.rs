//! Sessions of browsers: what lets in after signing in. They are kept in memory, by the fingerprint of their cookie.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use samenloop_adapters::{ids::secret_bytes, wire::digest};
use tokio::time::Instant;

use crate::{person::Person, session::Session};

/// Most sessions at once; one more ends the one that was idle longest.
const SESSIONS_MAX: usize = 1_000;

/// When sessions end by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    /// After so long without a request.
    pub idle: Duration,
    /// So long after signing in, whatever was done meanwhile.
    pub whole: Duration,
}

/// Every session.
pub(super) struct Sessions {
    ends: Option<Ends>,
    kept: Mutex<BTreeMap<[u8; 32], Kept>>,
}

struct Kept {
    session: Session,
    opened: Instant,
    seen: Instant,
}

impl Sessions {
    /// No session yet; without `ends` they last as long as the process.
    pub(super) fn new(ends: Option<Ends>) -> Self {
        Self {
            ends,
            kept: Mutex::default(),
        }
    }

    /// Opens a session and gives the value of its cookie, which is nowhere else.
    pub(super) fn open(&self, person: Arc<Person>) -> String {
        let cookie = secret();
        let now = Instant::now();
        let mut kept = self.kept.lock().expect("no holder panics");
        kept.retain(|_, kept| self.is_open(kept, now));
        if kept.len() >= SESSIONS_MAX {
            let idlest = kept.iter().min_by_key(|(_, kept)| kept.seen);
            let idlest = idlest.map(|(key, _)| *key);
            idlest.and_then(|key| kept.remove(&key));
        }
        let session = Session {
            person,
            proof: secret(),
        };
        let (opened, seen) = (now, now);
        let entry = Kept {
            session,
            opened,
            seen,
        };
        kept.insert(digest::fingerprint(cookie.as_bytes()), entry);
        cookie
    }

    /// The session of a cookie, if it has not ended; it is not idle then.
    pub(super) fn find(&self, cookie: &str) -> Option<Session> {
        let key = digest::fingerprint(cookie.as_bytes());
        let now = Instant::now();
        let mut kept = self.kept.lock().expect("no holder panics");
        let found = kept.get_mut(&key)?;
        if self.is_open(found, now) {
            found.seen = now;
            return Some(found.session.clone());
        }
        kept.remove(&key);
        None
    }

    /// Ends the session of a cookie.
    pub(super) fn close(&self, cookie: &str) {
        let key = digest::fingerprint(cookie.as_bytes());
        self.kept.lock().expect("no holder panics").remove(&key);
    }

    fn is_open(&self, kept: &Kept, now: Instant) -> bool {
        self.ends.is_none_or(|ends| {
            now.duration_since(kept.seen) < ends.idle
                && now.duration_since(kept.opened) < ends.whole
        })
    }
}

/// 256 bits that nobody can guess, in hexadecimal.
pub(super) fn secret() -> String {
    digest::hex(&secret_bytes::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Arc<Person> {
        Arc::new(
            Person::parse_all("A = viewer")
                .expect("it is good")
                .remove(0),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_when_it_is_idle_and_in_any_case_after_its_whole_time() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let sessions = Sessions::new(Some(Ends {
            idle: minutes(30),
            whole: minutes(60),
        }));
        let (idle, busy) = (sessions.open(person()), sessions.open(person()));
        for _ in 0..2 {
            tokio::time::advance(minutes(29)).await;
            assert!(sessions.find(&busy).is_some());
        }
        assert!(
            sessions.find(&idle).is_none(),
            "58 minutes without a request"
        );
        tokio::time::advance(minutes(2)).await;
        assert!(
            sessions.find(&busy).is_none(),
            "60 minutes after signing in"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_are_bounded_and_can_be_closed() {
        let sessions = Sessions::new(None);
        let first = sessions.open(person());
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = sessions.open(person());
        for _ in 1..SESSIONS_MAX {
            sessions.open(person());
        }
        assert!(sessions.find(&first).is_none(), "the idlest made room");
        assert!(sessions.find(&second).is_some());
        sessions.close(&second);
        assert!(sessions.find(&second).is_none());
        assert!(sessions.find("").is_none());
    }
}
