//! Who else has the address, the answer or the confirmation, and what that is worth.

use serde_json::json;

use super::{Browser, PAGE, PUBLIC, begin, confirm, home, id_of, view, way_back};
use crate::provider::{Granted, Provider};
use crate::running::{Answer, Broker, Home, answer};

async fn returned(broker: &Broker, browser: &Browser, provider: &Provider) -> (String, String) {
    let id = id_of(&begin(broker, "ada", json!({})).await);
    let back = way_back(broker, browser, provider, &id, "ada").await;
    (id, back)
}

#[tokio::test]
async fn another_browser_cannot_use_the_answer_nor_use_it_up() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let (id, back) = returned(&broker, &browser, &provider).await;
    let stranger = Browser::default().get(&broker, &back).await;
    assert_eq!(stranger.status, 400);
    assert!(provider.forms().is_empty() && !stranger.text.contains("<output"));
    let last = browser.get(&broker, &back).await;
    assert_eq!(confirm(&broker, "ada", &id, &last.confirmation()).await.body["status"], "done");
}

#[tokio::test]
async fn a_sign_in_that_is_moved_to_another_user_connects_nothing() {
    for of_database in Home::all().await {
        let mut home = home(&of_database.provider, "page");
        home.set_database(&of_database.database());
        let (broker, browser) = (home.start().await, Browser::default());
        for is_back in [false, true] {
            let (id, back) = returned(&broker, &browser, &home.provider).await;
            let moved = "UPDATE authorizations SET user_id = 'mallory' WHERE stage <> 'failed'";
            if is_back {
                let last = browser.get(&broker, &back).await;
                home.execute(moved).await;
                confirm(&broker, "mallory", &id, &last.confirmation()).await;
            } else {
                home.execute(moved).await;
                browser.get(&broker, &back).await;
            }
            assert_eq!(view(&broker, "mallory", &id).await.body["status"], "failed");
        }
        assert_eq!(home.number("SELECT COUNT(*) FROM grants").await, 0);
        assert_eq!(home.provider.forms().len(), 1, "the code of the second one alone");
    }
}

#[tokio::test]
async fn somebody_whom_no_database_can_name_is_not_connected() {
    let refused =
        [("ada\u{0}".to_owned(), "identity_unusable"), ("x".repeat(5000), "id_token_subject_missing")];
    for of_database in Home::all().await {
        let mut home = home(&of_database.provider, "page");
        home.set_database(&of_database.database());
        let (broker, browser) = (home.start().await, Browser::default());
        for (subject, code) in &refused {
            let id = id_of(&begin(&broker, "ada", json!({})).await);
            let back = way_back(&broker, &browser, &home.provider, &id, subject).await;
            browser.get(&broker, &back).await;
            let Answer { body, .. } = view(&broker, "ada", &id).await;
            assert_eq!((&body["status"], &body["problem"]["code"]), (&json!("failed"), &json!(code)));
        }
    }
}

#[tokio::test]
async fn an_answer_counts_once() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let (id, back) = returned(&broker, &browser, &provider).await;
    let (one, other) = tokio::join!(browser.get(&broker, &back), browser.get(&broker, &back));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    assert_eq!(provider.forms().len(), 1);
    assert_eq!(view(&broker, "ada", &id).await.body["status"], "confirm");
}

#[tokio::test]
async fn an_invented_state_costs_no_query() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    broker.custodian.store.close().await;
    for state in ["", "x", &"A".repeat(75), &"A".repeat(30_000)] {
        let page = Browser::default().get(&broker, &format!("/callback?code=c&state={state}")).await;
        assert!([400, 414, 431].contains(&page.status), "{}", page.status);
    }
}

#[tokio::test]
async fn what_was_typed_wrong_five_times_ends_it() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let (id, back) = returned(&broker, &browser, &provider).await;
    let right = browser.get(&broker, &back).await.confirmation();
    for _ in 0..5 {
        let wrong = confirm(&broker, "ada", &id, "00000000").await;
        assert_eq!((wrong.status, wrong.code()), (403, "confirmation_wrong"));
    }
    assert_eq!(confirm(&broker, "ada", &id, &right).await.code(), "authorization_expired");
    let seen = view(&broker, "ada", &id).await;
    assert_eq!(seen.body["problem"]["code"], "confirmation_wrong");
    assert_eq!(answer(broker.request("GET", "/v1/accounts", "ada")).await.body, json!([]));
}

#[tokio::test]
async fn many_at_once_are_as_few_as_one_after_the_other() {
    for of_database in Home::all().await {
        let mut home = home(&of_database.provider, "page");
        home.set_database(&of_database.database());
        let broker = home.start().await;
        let browser = Browser::default();
        let id = id_of(&begin(&broker, "ada", json!({})).await);
        let back = way_back(&broker, &browser, &home.provider, &id, "ada").await;
        let right = browser.get(&broker, &back).await.confirmation();
        let wrong =
            futures_util::future::join_all((0..40).map(|_| confirm(&broker, "ada", &id, "00000000"))).await;
        assert_eq!(wrong.iter().filter(|answer| answer.code() == "confirmation_wrong").count(), 5);
        assert_eq!(home.number("SELECT confirmation_failures FROM authorizations").await, 5);
        assert_eq!(confirm(&broker, "ada", &id, &right).await.code(), "authorization_expired");
    }
}

#[tokio::test]
async fn what_is_typed_right_twice_is_right() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let (browser, id) = (Browser::default(), id_of(&begin(&broker, "ada", json!({})).await));
    let back = way_back(&broker, &browser, &provider, &id, "ada").await;
    let right = browser.get(&broker, &back).await.confirmation();
    let both = (confirm(&broker, "ada", &id, &right), confirm(&broker, "ada", &id, &right));
    for answer in <[_; 2]>::from(futures_util::future::join(both.0, both.1).await) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(confirm(&broker, "ada", &id, &right).await.body["status"], "done");
}

#[tokio::test]
async fn another_user_finds_nothing() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let (id, back) = returned(&broker, &browser, &provider).await;
    let confirmation = browser.get(&broker, &back).await.confirmation();
    let unknown = view(&broker, "eve", &"0".repeat(32)).await;
    assert_eq!(view(&broker, "eve", &id).await.body, unknown.body);
    assert_eq!(confirm(&broker, "eve", &id, &confirmation).await.code(), "authorization_unknown");
    let given_up = answer(broker.request("DELETE", &format!("/v1/authorizations/{id}"), "eve")).await;
    assert_eq!(given_up.code(), "authorization_unknown");
    let sealed = json!({"sealed": "AAAA"});
    let path = format!("/v1/authorizations/{id}/deposit");
    assert_eq!(broker.post(&path, "eve", &sealed).await.code(), "authorization_unknown");
    assert_eq!(confirm(&broker, "ada", &id, &confirmation).await.body["status"], "done");
    assert_eq!(broker.token("eve", json!({"provider": "example"})).await.code(), "not_connected");
}

#[tokio::test]
async fn a_page_that_is_not_the_brokers_cannot_say_yes() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let (id, back) = returned(&broker, &browser, &provider).await;
    browser.get(&broker, &back).await;
    for origin in [PAGE, "null", "https://evil.example"] {
        assert_eq!(browser.post(&broker, &format!("/connect/{id}"), origin).await.status, 400);
        assert_eq!(browser.post(&broker, &format!("/connect/{id}/here"), origin).await.status, 400);
    }
    let without = broker.http.post(broker.url(&format!("/connect/{id}/here")));
    assert_eq!(browser.send(without).await.status, 400);
    let stranger = Browser::default();
    assert_eq!(stranger.post(&broker, &format!("/connect/{id}/here"), PUBLIC).await.status, 400, "no cookie");
    assert_eq!(view(&broker, "ada", &id).await.body["status"], "confirm");
}

#[tokio::test]
async fn an_id_token_of_another_sign_in_connects_nobody() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let sent = browser.post(&broker, &format!("/connect/{id}"), PUBLIC).await;
    let asked: std::collections::HashMap<_, _> =
        form_urlencoded::parse(sent.location().split_once('?').expect("a query").1.as_bytes())
            .into_owned()
            .collect();
    let code = provider.code(Granted {
        subject: "mallory".into(),
        nonce: "of another sign-in".into(),
        challenge: asked["code_challenge"].clone(),
        redirect_uri: asked["redirect_uri"].clone(),
    });
    let state: String = form_urlencoded::byte_serialize(asked["state"].as_bytes()).collect();
    let last = browser.get(&broker, &format!("/callback?code={code}&state={state}")).await;
    assert!(last.text.contains("data-code=\"id_token_nonce_mismatch\""), "{}", last.text);
    assert_eq!(view(&broker, "ada", &id).await.body["status"], "failed");
}

#[tokio::test]
async fn what_the_administrator_did_not_allow_is_refused() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let refused = async |more| begin(&broker, "ada", more).await.code().to_owned();
    assert_eq!(refused(json!({"page_origin": "https://evil.example"})).await, "origin_forbidden");
    assert_eq!(refused(json!({"page_origin": "http://localhost:8888"})).await, "origin_forbidden");
    assert_eq!(refused(json!({"scopes": ["mail.send"]})).await, "scope_forbidden");
    assert_eq!(refused(json!({"way": "deposit"})).await, "way_unavailable");
    assert_eq!(refused(json!({"provider": "nobody"})).await, "not_connected");
    assert_eq!(refused(json!({"kernel": "x".repeat(81)})).await, "invalid_request");
    assert_eq!(refused(json!({"scopes": ["a b"]})).await, "invalid_request");
    assert_eq!(refused(json!({"more": 1})).await, "invalid_request");
}

#[tokio::test]
async fn no_secret_of_a_sign_in_stands_in_the_database() {
    let provider = Provider::start().await;
    let home = home(&provider, "page");
    let broker = home.start().await;
    let browser = Browser::default();
    let (id, back) = returned(&broker, &browser, &provider).await;
    let last = browser.get(&broker, &back).await;
    let state = back.split_once("state=").expect("a state").1;
    let form = provider.forms()[0].clone();
    let secrets = [form["code_verifier"].as_str(), form["code"].as_str(), state, "access-", "refresh-"];
    let confirmation = last.confirmation();
    for entry in std::fs::read_dir(home.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        for secret in secrets.iter().copied().chain([confirmation.as_str()]) {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
    assert_eq!(confirm(&broker, "ada", &id, &confirmation).await.body["status"], "done");
}
