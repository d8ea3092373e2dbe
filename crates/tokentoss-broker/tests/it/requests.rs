//! Requests that make no sense get a problem, never a failure of the server.

use serde_json::json;

use crate::provider::Provider;
use crate::running::{Home, answer};

#[tokio::test]
async fn invalid_bodies_are_refused() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let bodies = [
        String::new(),
        "{".into(),
        "[]".into(),
        "null".into(),
        "{}".into(),
        json!({"provider": 7}).to_string(),
        json!({"provider": "example", "scopes": "files.read"}).to_string(),
        json!({"provider": "example", "scopes": ["a b"]}).to_string(),
        json!({"provider": "example", "scopes": [""]}).to_string(),
        json!({"provider": "example", "min_ttl": -1}).to_string(),
        json!({"provider": "example", "min_ttl": 1e300}).to_string(),
        json!({"provider": "example", "min_ttl": 86_401}).to_string(),
        json!({"provider": "example", "rejected": "x"}).to_string(),
        json!({"provider": "example", "account": ""}).to_string(),
        json!({"provider": "example", "unknown": 1}).to_string(),
        r#"{"provider":"example","provider":"example"}"#.into(),
        "[".repeat(50_000),
    ];
    for body in bodies {
        let answer = broker.post_token("ada", body.clone()).await;
        let shown: String = body.chars().take(80).collect();
        assert_eq!((answer.status, answer.code()), (400, "invalid_request"), "{shown}: {answer:?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    let huge = broker.post_token("ada", format!(r#"{{"provider":"{}"}}"#, "x".repeat(100_000))).await;
    assert_eq!((huge.status, huge.code()), (413, "request_too_large"));
    let bytes = broker.post_token("ada", vec![0xff, 0xfe]).await;
    assert_eq!(bytes.code(), "invalid_request");
    let untyped = answer(broker.request("POST", "/v1/token", "ada").body(r#"{"provider":"example"}"#)).await;
    assert_eq!(untyped.code(), "invalid_request");
    let method = answer(broker.request("GET", "/v1/token", "ada")).await;
    assert_eq!((method.status, method.code()), (405, "method_not_allowed"));
    assert_eq!(answer(broker.request("GET", "/v1/accounts?x=1", "ada")).await.code(), "invalid_request");
    assert_eq!(answer(broker.request("GET", "/nowhere", "ada")).await.code(), "route_unknown");
}

#[tokio::test]
async fn a_provider_that_nobody_configured_is_no_failure() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let body = json!({"provider": "nobody"});
    for path in ["/v1/token", "/v1/authorizations"] {
        let refused = broker.post(path, "ada", &body).await;
        assert_eq!((refused.status, refused.code()), (404, "not_connected"), "{path}");
    }
    for name in ["nobody", "no%20body", "no%2fbody"] {
        for (method, path) in [("GET", "status"), ("POST", "disconnect")] {
            let refused = answer(broker.request(method, &format!("/api/{name}/{path}"), "ada")).await;
            assert_eq!((refused.status, refused.code()), (404, "not_connected"), "{name} {path}");
        }
        for path in ["login", "callback?code=c&state=s"] {
            let page = answer(broker.request("GET", &format!("/auth/{name}/{path}"), "ada")).await;
            assert_eq!(page.status, 404, "{name} {path}");
        }
    }
    let folder = answer(broker.request("GET", "/api/box/test_folder", "ada")).await;
    assert_eq!((folder.status, folder.code()), (404, "not_connected"));
    let call = answer(broker.request("GET", "/v1/through/nobody/api.example/x", "ada")).await;
    assert_eq!((call.status, call.code()), (403, "target_forbidden"));
    let listed = answer(broker.request("GET", "/v1/accounts?provider=nobody", "ada")).await;
    assert_eq!((listed.status, &listed.body), (200, &json!([])));
}
