//! Whose things somebody sees: a purchaser those of its own insurer, whatever address it asks for.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::Value;

use crate::browser::Browser;

/// Message ids of every declaration that a person is shown, by insurer.
async fn declared(browser: &Browser) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut next = Some("/declarations.json?limit=100".to_owned());
    while let Some(path) = next {
        let page = browser.json(&path).await;
        for row in page["declarations"]["rows"].as_array().expect("rows") {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            found
                .entry(text("insurer_uzovi"))
                .or_default()
                .insert(text("message_id"));
        }
        next = page["declarations"]["next"].as_str().map(ToOwned::to_owned);
    }
    found
}

/// What the purchaser of an insurer sees is exactly what the operator sees of that insurer.
pub(crate) async fn a_purchaser_sees_its_own_insurer_only(
    operator: &Browser,
    purchaser: &Browser,
    insurer: &str,
) {
    let all = declared(operator).await;
    let own = declared(purchaser).await;
    assert!(all.len() > 2, "declarations go to several insurers");
    assert_eq!(own.keys().collect::<Vec<_>>(), [insurer]);
    assert_eq!(own.get(insurer), all.get(insurer));
    for (of, ids) in &all {
        for id in ids {
            let path = format!("/declarations/{id}");
            let open = of == insurer;
            for path in [path.clone(), format!("{path}.json")] {
                let status = purchaser.status(&path).await;
                let wanted = if open {
                    StatusCode::OK
                } else {
                    StatusCode::NOT_FOUND
                };
                assert_eq!(
                    status, wanted,
                    "{path} of {of} for a purchaser of {insurer}"
                );
            }
        }
    }
    let id = own[insurer].first().expect("it has declarations");
    let page = purchaser.json(&format!("/declarations/{id}.json")).await;
    let claims = page["claims"]["rows"].as_array().expect("claims");
    for part in claims.iter().flat_map(insurers_of) {
        assert_eq!(part, insurer, "parts of others are left out");
    }
}

/// Held lines of a purchaser are those of its insurer; the page of another's is as if it were not there.
pub(crate) async fn a_purchaser_reviews_its_own_insurer_only(
    operator: &Browser,
    purchaser: &Browser,
    insurer: &str,
) {
    let all = operator.json("/reviews.json").await;
    let own = purchaser.json("/reviews.json").await;
    let rows = |page: &Value| page["held"]["rows"].as_array().cloned().expect("rows");
    let (all, own) = (rows(&all), rows(&own));
    assert!(all.len() > own.len(), "some are held for another insurer");
    for line in all {
        let id = line["line"].as_str().expect("a line");
        let status = purchaser.status(&format!("/reviews/{id}")).await;
        let is_own = line["insurer"] == insurer;
        let wanted = if is_own {
            StatusCode::OK
        } else {
            StatusCode::NOT_FOUND
        };
        assert_eq!(status, wanted, "{line}");
        assert_eq!(own.contains(&line), is_own, "{line}");
    }
}

fn insurers_of(claim: &Value) -> Vec<&str> {
    let insurers = claim["insurers"].as_array();
    let insurers = insurers.into_iter().flatten();
    insurers.filter_map(Value::as_str).collect()
}
