//! Every route with every role: whoever lacks the right is refused before anything else is looked at, and whoever
//! has it is not.

use axum::http::Method;

use super::*;
use crate::{person::PersonRole, stated_routes};

/// What stands in a path for an id; nothing has it.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

async fn status_of(router: &Router, method: &Method, path: &str) -> (StatusCode, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost:7440")
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("proof=none"));
    let response = router.clone().oneshot(request.expect("a request")).await;
    let (parts, body) = response.expect("it answers").into_parts();
    let body = to_bytes(body, 4 << 20).await.expect("a short body");
    (
        parts.status,
        String::from_utf8(body.to_vec()).expect("text"),
    )
}

#[tokio::test]
async fn every_route_is_open_to_the_roles_of_its_right_and_to_no_other() {
    let mut operator = operator(None).await;
    let routes = stated_routes();
    assert!(routes.len() > 20, "{} routes", routes.len());
    for role in PersonRole::ALL {
        let word = match role {
            PersonRole::Purchaser => "purchaser:3311",
            other => other.as_str(),
        };
        operator.sign_in = SignIn::Anybody(person(&format!("somebody = {word}")));
        let router = served(&operator, "127.0.0.1:5000");
        for route in &routes {
            let path = route.path.replace("{message_id}", NOBODY);
            let path = path.replace("{id}", NOBODY);
            assert!(
                !path.contains('{'),
                "{path} has a name that is not known here"
            );
            let (status, text) = status_of(&router, &route.method, &path).await;
            let refused = status == StatusCode::FORBIDDEN && text.contains("Not for your role");
            let allowed = route.right.roles().contains(&role);
            assert_eq!(!refused, allowed, "{role:?} {route:?}: {status} {text}");
        }
    }
}

#[tokio::test]
async fn what_is_not_for_a_role_is_not_offered_to_it() {
    let mut operator = operator(None).await;
    super::acts::quarantined(&operator, 1).await;
    let one = format!("/quarantine/{}", Uuid::from_u128(1));
    let paths = ["/quarantine?state=waiting", one.as_str()];
    for (role, wanted) in [("operator", true), ("viewer", false), ("auditor", false)] {
        operator.sign_in = SignIn::Anybody(person(&format!("somebody = {role}")));
        let router = served(&operator, "127.0.0.1:5000");
        for path in paths {
            let (status, _, text) = ask(&router, path, &[]).await;
            assert_eq!(status, StatusCode::OK);
            let offered = text.contains("/quarantine/act?");
            assert_eq!(offered, wanted, "{role} {path}: {text}");
        }
    }
}

#[tokio::test]
async fn a_purchaser_is_led_to_its_declarations() {
    let mut operator = operator(None).await;
    operator.sign_in = SignIn::Anybody(person("Inkoop = purchaser:3311"));
    let router = served(&operator, "127.0.0.1:5000");
    let (status, headers, _) = ask(&router, "/", &[]).await;
    let location = headers[header::LOCATION].to_str().expect("text");
    assert_eq!((status, location), (StatusCode::SEE_OTHER, "/declarations"));
    let (_, _, text) = ask(&router, location, &[]).await;
    assert!(
        text.contains("Inkoop") && !text.contains("href=\"/quarantine\""),
        "{text}"
    );
}
