//! Behind an application's own address, which passes `/auth/…` on with its key and its user.

use serde_json::json;

use super::{Browser, Page, home, path_of};
use crate::provider::Provider;
use crate::running::{Broker, answer};

const APPLICATION: &str = "https://app.example";

async fn get(broker: &Broker, browser: &Browser, user: &str, path: &str) -> Page {
    let request = broker.request("GET", path, user);
    browser.send(request).await
}

#[tokio::test]
async fn the_user_who_began_is_connected() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let status = answer(broker.request("GET", "/api/example/status", "ada")).await;
    assert_eq!(status.body, json!({"connected": false}));
    let sent = get(&broker, &browser, "ada", "/auth/example/login").await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let back = provider.consent(sent.location(), "ada");
    assert!(back.starts_with("https://app.example/auth/example/callback?"));
    let closing = get(&broker, &browser, "ada", path_of(&back, APPLICATION)).await;
    assert!(closing.status == 200 && closing.text.contains("ada@example.com"), "{}", closing.text);
    let status = answer(broker.request("GET", "/api/example/status", "ada")).await;
    assert_eq!(
        (status.body["connected"].as_bool(), status.body["status"].as_str()),
        (Some(true), Some("active"))
    );
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
    let ended = answer(broker.request("POST", "/api/example/disconnect", "ada")).await;
    assert_eq!(ended.body, json!({"disconnected": true}));
    let again = answer(broker.request("POST", "/api/example/disconnect", "ada")).await;
    assert_eq!(again.body, json!({"disconnected": false}));
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.code(), "not_connected");
}

#[tokio::test]
async fn an_answer_for_another_user_connects_nobody() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let sent = get(&broker, &browser, "ada", "/auth/example/login").await;
    let back = provider.consent(sent.location(), "mallory");
    let path = path_of(&back, APPLICATION);
    assert_eq!(get(&broker, &browser, "eve", path).await.status, 400, "another user");
    assert_eq!(get(&broker, &Browser::default(), "ada", path).await.status, 400, "another browser");
    assert!(provider.forms().is_empty());
    assert_eq!(get(&broker, &browser, "ada", path).await.status, 200);
    assert_eq!(get(&broker, &browser, "ada", path).await.status, 400, "once");
    assert_eq!(broker.token("eve", json!({"provider": "example"})).await.code(), "not_connected");
}

#[tokio::test]
async fn without_a_key_nothing_begins() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    for path in ["/auth/example/login", "/auth/example/callback?code=c&state=s", "/api/example/status"] {
        let page = Browser::default().get(&broker, path).await;
        assert_eq!(page.status, 401, "{path}");
    }
}
