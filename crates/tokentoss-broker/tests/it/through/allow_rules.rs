//! What is allowed passes, and everything else is refused.

use serde_json::json;

use super::service::{Service, broker};
use crate::provider::Provider;
use crate::running::answer;

#[tokio::test]
async fn an_allowed_call_carries_the_users_token() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let path = format!("/v1/through/example/{}/mail/inbox?q=a%20b", service.address);
    let response = answer(broker.request("GET", &path, "ada")).await;
    assert_eq!((response.status, &response.body), (200, &json!("hello /mail/inbox?q=a%20b")));
    assert_eq!(response.headers["tokentoss-through"], "1");
    assert_eq!(response.headers["cache-control"], "no-store");
    let posted = answer(
        broker
            .request("POST", &format!("/v1/through/example/{}/mail", service.address), "ada")
            .body("a letter"),
    );
    assert_eq!(posted.await.status, 200);
    let seen = service.seen();
    assert_eq!(seen[0].headers["authorization"], "Bearer first-access-of-ada");
    assert_eq!((seen[1].method.as_str(), &seen[1].body[..]), ("POST", b"a letter".as_slice()));
    assert_eq!(seen[1].headers["content-length"], "8");
}

#[tokio::test]
async fn what_nobody_allowed_is_refused() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let here = service.address;
    let other_port = here.port().wrapping_add(1);
    for path in [
        format!("/v1/through/example/{here}/"),
        format!("/v1/through/example/{here}"),
        format!("/v1/through/example/{here}/mailbox"),
        format!("/v1/through/example/{here}/Mail"),
        format!("/v1/through/example/127.0.0.1:{other_port}/mail"),
        "/v1/through/example/127.0.0.1/mail".to_owned(),
        format!("/v1/through/example/localhost:{}/mail", here.port()),
        "/v1/through/example/evil.example/mail".to_owned(),
        format!("/v1/through/nowhere/{here}/mail"),
    ] {
        let response = answer(broker.request("GET", &path, "ada")).await;
        assert_eq!((response.status, response.code()), (403, "target_forbidden"), "{path}");
        assert!(!response.headers.contains_key("tokentoss-through"), "the broker's own answer");
    }
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn without_a_rule_nothing_is_called() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, "").await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    assert_eq!(answer(broker.request("GET", &path, "ada")).await.code(), "target_forbidden");
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn the_credential_is_the_rules() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let with = |name: &str, value: &str| {
        broker.request("GET", &path, "ada").header(name.to_owned(), value.to_owned())
    };
    assert_eq!(answer(with("x-tokentoss-credential", "access_token")).await.status, 200);
    let other = answer(with("x-tokentoss-credential", "id_token")).await;
    assert_eq!((other.status, other.code()), (403, "target_forbidden"));
    let unknown = answer(with("x-tokentoss-credential", "refresh_token")).await;
    assert_eq!((unknown.status, unknown.code()), (400, "invalid_request"));
    assert_eq!(answer(with("x-tokentoss-account", "ada")).await.status, 200);
    assert_eq!(answer(with("x-tokentoss-account", "grace")).await.code(), "not_connected");
    assert_eq!(service.seen().len(), 2);
}

#[tokio::test]
async fn without_an_id_token_none_is_sent() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &format!("{}credential = \"id_token\"\n", service.rule())).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let response = answer(broker.request("GET", &path, "ada")).await;
    assert_eq!((response.status, response.code()), (409, "id_token_missing"));
    assert!(service.seen().is_empty(), "the access token is not sent in its place");
}
