//! A browser without a screen: follows the one-time link, keeps the session, and follows every link of every page.

use std::collections::{BTreeSet, VecDeque};

use reqwest::{Client, StatusCode, header, redirect::Policy};
use serde_json::Value;

/// Pages that are looked at when every link is followed.
const PAGES_MAX: usize = 400;

/// A session on the operator page.
pub(crate) struct Browser {
    client: Client,
    base: String,
    session: String,
}

impl Browser {
    /// Opens the link, which works once.
    pub(crate) async fn open(link: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build();
        let client = client.expect("a client");
        let get = || client.get(link).send();
        let opened = get().await.expect("the page answers");
        assert_eq!(opened.status(), StatusCode::SEE_OTHER);
        let cookie = opened.headers()[header::SET_COOKIE].to_str().expect("text");
        let session = cookie.split(';').next().expect("a cookie").to_owned();
        let second = get().await.expect("the page answers");
        assert_eq!(
            second.status(),
            StatusCode::UNAUTHORIZED,
            "the link is used up"
        );
        let base = link.split("/?").next().expect("a link").to_owned();
        Self {
            client,
            base,
            session,
        }
    }

    /// What a page is answered with.
    pub(crate) async fn status(&self, path: &str) -> StatusCode {
        self.ask(path).await.status()
    }

    async fn ask(&self, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.base);
        let request = self.client.get(url).header(header::COOKIE, &self.session);
        request.send().await.expect("the page answers")
    }

    /// The text of a page.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.ask(path).await;
        let status = answer.status();
        let text = answer.text().await.expect("the page is text");
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    /// The twin of a page.
    pub(crate) async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).await).expect("a twin is JSON")
    }

    /// Follows links from the first page on; none may fail, and no page may have one of `banned`.
    pub(crate) async fn every_link_leads_somewhere(&self, banned: &[String]) {
        let mut known = BTreeSet::from(["/".to_owned()]);
        let mut next = VecDeque::from(["/".to_owned()]);
        let mut seen = 0;
        while let Some(path) = next.pop_front() {
            let page = self.page(&path).await;
            for text in banned {
                assert!(!page.contains(text.as_str()), "{path} shows a BSN");
            }
            seen += 1;
            if seen >= PAGES_MAX {
                break;
            }
            for link in links(&page) {
                if known.insert(link.clone()) {
                    next.push_back(link);
                }
            }
        }
        assert!(seen > 100, "only {seen} pages were found");
    }
}

fn links(page: &str) -> Vec<String> {
    let targets = page.split(r#"href=""#).skip(1);
    targets
        .filter_map(|rest| rest.split('"').next())
        .map(|link| link.replace("&#38;", "&"))
        // The switch of the language is no page: it keeps the choice and leads back.
        .filter(|link| link.starts_with('/') && !link.starts_with("/language?"))
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .collect()
}
