//! A provider without scopes and without ID tokens, as Box is one.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Browser, PAGE, PUBLIC, begin, confirm, id_of, path_of, sealed, view, way_back};
use crate::provider::Provider;
use crate::running::{Broker, Home, answer};

fn home(provider: &Provider, way: &str) -> Home {
    let issuer = provider.issuer();
    let mut home = super::home(provider, way);
    home.provider_name = "box".to_owned();
    home.of_provider = format!(
        "preset = \"box\"\n[providers.box.sign_in]\nway = \"{way}\"\nissuer = \"{issuer}\"\n\
         authorization_endpoint = \"{issuer}/authorize\"\nidentity_endpoint = \"{issuer}/2.0/users/me\""
    );
    home
}

fn asked(address: &str) -> HashMap<String, String> {
    let query = address.split_once('?').expect("a query").1;
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// What is true of every account there, however it was connected.
async fn works(broker: &Broker) {
    let token = broker.token("ada", json!({"provider": "box"})).await;
    assert_eq!((token.status, &token.body["scopes"]), (200, &json!([])), "{token:?}");
    assert_eq!(
        token.body["account"],
        json!({"id": token.body["account"]["id"], "subject": "ada", "email": "ada@example.com"})
    );
    let never_granted = broker.token("ada", json!({"provider": "box", "scopes": ["root_readwrite"]})).await;
    assert_eq!((never_granted.status, never_granted.code()), (409, "scope_missing"));
    let accounts = answer(broker.request("GET", "/v1/accounts", "ada")).await;
    assert_eq!(accounts.body[0]["scopes"], json!([]));
    let status = answer(broker.request("GET", "/api/box/status", "ada")).await;
    assert_eq!((&status.body["connected"], &status.body["scopes"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn somebody_signs_in_by_the_brokers_pages() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let id = id_of(&begin(&broker, "ada", json!({"provider": "box"})).await);
    let browser = Browser::default();
    let first = browser.get(&broker, &format!("/connect/{id}")).await;
    assert!(first.status == 200 && !first.text.contains("Access to"), "{}", first.text);
    let sent = browser.post(&broker, &format!("/connect/{id}"), PUBLIC).await;
    assert!(!asked(sent.location()).contains_key("scope"), "no scope is no empty one");
    let back = provider.consent(sent.location(), "ada");
    let last = browser.get(&broker, path_of(&back, PUBLIC)).await;
    let done = confirm(&broker, "ada", &id, &last.confirmation()).await;
    assert_eq!(done.body["status"], "done", "{done:?}");
    works(&broker).await;
}

#[tokio::test]
async fn somebody_signs_in_by_the_applications_pages() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let sent = browser.send(broker.request("GET", "/auth/box/login", "ada")).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let back = provider.consent(sent.location(), "ada");
    let path = path_of(&back, "https://app.example");
    let closing = browser.send(broker.request("GET", path, "ada")).await;
    assert!(closing.status == 200 && closing.text.contains("ada@example.com"), "{}", closing.text);
    works(&broker).await;
}

#[tokio::test]
async fn somebody_signs_in_by_a_deposit() {
    let provider = Provider::start().await;
    let broker = home(&provider, "deposit").start_kept().await;
    let begun = begin(&broker, "ada", json!({"provider": "box"})).await;
    assert_eq!(begun.body["deposit"]["scopes"], json!([]));
    let id = id_of(&begun);
    let sealed = json!({"sealed": sealed(&begun, &provider, &id)});
    let done = broker.post(&format!("/v1/authorizations/{id}/deposit"), "ada", &sealed).await;
    assert_eq!(done.body["status"], "done", "{done:?}");
    works(&broker).await;
}

#[tokio::test]
async fn a_scope_that_nobody_may_ask_for_is_refused_at_the_beginning() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let refused = begin(&broker, "ada", json!({"provider": "box", "scopes": ["root_readwrite"]})).await;
    assert_eq!((refused.status, refused.code()), (403, "scope_forbidden"));
    assert_eq!(begin(&broker, "ada", json!({"provider": "box", "page_origin": PAGE})).await.status, 201);
}

#[tokio::test]
async fn a_folder_is_a_call_like_others() {
    let provider = Provider::start().await;
    let limits = "[through]\nper_minute = 2";
    let broker = home(&provider, "page").start_kept_with(limits).await;
    let id = id_of(&begin(&broker, "ada", json!({"provider": "box"})).await);
    let browser = Browser::default();
    let back = way_back(&broker, &browser, &provider, &id, "ada").await;
    let last = browser.get(&broker, &back).await;
    confirm(&broker, "ada", &id, &last.confirmation()).await;
    assert_eq!(view(&broker, "ada", &id).await.body["status"], "done");
    for folder in ["/api/box/test_folder", "/api/box/test_folder?folder_id=7"] {
        let entries = answer(broker.request("GET", folder, "ada")).await;
        assert_eq!((entries.status, &entries.body["total_count"]), (200, &json!(0)), "{entries:?}");
        assert_eq!(entries.headers["tokentoss-through"], "1");
        assert_eq!(entries.headers["cache-control"], "no-store");
    }
    let too_many = answer(broker.request("GET", "/api/box/test_folder", "ada")).await;
    assert_eq!((too_many.status, too_many.code()), (429, "rate_limited"));
    assert!(!too_many.headers.contains_key("tokentoss-through"));
    let not_a_folder = answer(broker.request("GET", "/api/box/test_folder?folder_id=../1", "ada")).await;
    assert_eq!(not_a_folder.code(), "invalid_request");
}
