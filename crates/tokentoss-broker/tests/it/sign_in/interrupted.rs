//! Sign-ins that the broker cannot finish: whoever waits hears of it.

use serde_json::json;

use super::deposit::begun;
use super::{Browser, PUBLIC, begin, confirm, home, id_of, path_of, view, way_back};
use crate::provider::Provider;
use crate::running::{Answer, Broker, Home, answer};

const INTERRUPTED: &str = "sign_in_interrupted";

fn ended(seen: &Answer) -> (&str, &str) {
    (
        seen.body["status"].as_str().unwrap_or_default(),
        seen.body["problem"]["code"].as_str().unwrap_or_default(),
    )
}

/// A home, its broker, and a sign-in whose user came back; with the confirmation.
async fn returned(browser: &Browser) -> (Home, Broker, String, String) {
    let provider = Provider::start().await;
    let home = home(&provider, "page");
    let broker = home.start().await;
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let back = way_back(&broker, browser, &provider, &id, "ada").await;
    let confirmation = browser.get(&broker, &back).await.confirmation();
    (home, broker, id, confirmation)
}

#[tokio::test]
async fn tokens_that_cannot_be_connected_end_it() {
    let browser = Browser::default();
    let (home, broker, id, confirmation) = returned(&browser).await;
    home.execute("ALTER TABLE grants RENAME TO away").await;
    let waits =
        answer(broker.request("GET", &format!("/v1/authorizations/{id}?wait=25&known=confirm"), "ada"));
    let (seen, failed) = tokio::join!(waits, confirm(&broker, "ada", &id, &confirmation));
    assert_eq!(ended(&failed), ("failed", INTERRUPTED), "{failed:?}");
    assert_eq!(ended(&seen), ("failed", INTERRUPTED), "{seen:?}");
}

#[tokio::test]
async fn the_page_that_waits_for_it_is_told() {
    let browser = Browser::default();
    let (home, broker, id, confirmation) = returned(&browser).await;
    home.execute("UPDATE authorizations SET sealed = id").await;
    let here = browser.post(&broker, &format!("/connect/{id}/here"), PUBLIC).await;
    assert_eq!(here.status, 410, "{}", here.text);
    assert_eq!(ended(&view(&broker, "ada", &id).await), ("failed", INTERRUPTED));
    assert_eq!(confirm(&broker, "ada", &id, &confirmation).await.code(), "authorization_expired");
}

#[tokio::test]
async fn an_answer_that_cannot_be_redeemed_ends_it() {
    let provider = Provider::start().await;
    let home = home(&provider, "page");
    let broker = home.start().await;
    let browser = Browser::default();
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let back = way_back(&broker, &browser, &provider, &id, "ada").await;
    home.execute("UPDATE authorizations SET sealed = id").await;
    let last = browser.get(&broker, &back).await;
    assert!(last.text.contains(&format!("data-code=\"{INTERRUPTED}\"")), "{}", last.text);
    assert_eq!(ended(&view(&broker, "ada", &id).await), ("failed", INTERRUPTED));
}

#[tokio::test]
async fn an_application_is_told() {
    let provider = Provider::start().await;
    let home = home(&provider, "page");
    let broker = home.start().await;
    let browser = Browser::default();
    let sent = browser.send(broker.request("GET", "/auth/example/login", "ada")).await;
    let back = provider.consent(sent.location(), "ada");
    home.execute("ALTER TABLE grants RENAME TO away").await;
    let path = path_of(&back, "https://app.example");
    let page = browser.send(broker.request("GET", path, "ada")).await;
    assert!(page.text.contains(&format!("data-code=\"{INTERRUPTED}\"")), "{}", page.text);
}

#[tokio::test]
async fn a_deposit_that_cannot_be_connected_ends_it() {
    let home = home(&Provider::start().await, "deposit");
    let (broker, id, deposit) = begun(&home).await;
    home.execute("ALTER TABLE grants RENAME TO away").await;
    let failed = broker.post(&format!("/v1/authorizations/{id}/deposit"), "ada", &deposit).await;
    assert_eq!(ended(&failed), ("failed", INTERRUPTED), "{failed:?}");
}
