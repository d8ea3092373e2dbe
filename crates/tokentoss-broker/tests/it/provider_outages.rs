//! Providers that refuse, are away, or talk nonsense.

use serde_json::json;

use crate::provider::{Provider, ProviderBehaviour};
use crate::running::Home;

#[tokio::test]
async fn a_dead_grant_is_told_once_and_asked_for_no_more() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    provider.set(ProviderBehaviour::Respond(
        400,
        r#"{"error":"invalid_grant","error_description":"Token has been revoked"}"#,
    ));
    for _ in 0..3 {
        let answer = broker.token("ada", json!({"provider": "example"})).await;
        assert_eq!((answer.status, answer.code()), (409, "reauth_required"), "{answer:?}");
        assert_eq!(
            (&answer.body["cause"], &answer.body["action"]),
            (&json!("grant_revoked"), &json!("sign_in"))
        );
    }
    assert_eq!(provider.forms().len(), 1);
    provider.set(ProviderBehaviour::Normal);
    broker.connect_long_ago("ada", &provider.grant()).await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200, "signed in again");
}

#[tokio::test]
async fn a_wrong_client_secret_is_the_administrators() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    provider.set(ProviderBehaviour::Respond(401, r#"{"error":"invalid_client"}"#));
    let answer = broker.token("ada", json!({"provider": "example"})).await;
    assert_eq!(
        (answer.status, answer.code(), &answer.body["action"]),
        (500, "client_misconfigured", &json!("ask_admin"))
    );
}

#[tokio::test]
async fn a_provider_that_is_away_is_asked_again_later() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    provider.set(ProviderBehaviour::Overloaded);
    let answer = broker.token("ada", json!({"provider": "example"})).await;
    assert_eq!((answer.status, answer.code()), (503, "provider_unavailable"), "{answer:?}");
    let wait: u64 = answer.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(answer.body["retry_after"], wait);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let again = broker.token("ada", json!({"provider": "example"})).await;
    assert_eq!((again.code(), provider.forms().len()), ("provider_unavailable", 1), "the pause is kept");
}

#[tokio::test]
async fn a_token_that_still_lives_is_given_while_the_provider_is_away() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect("ada", &provider.grant(), 120).await;
    provider.set(ProviderBehaviour::Respond(503, ""));
    for _ in 0..2 {
        let answer = broker.token("ada", json!({"provider": "example"})).await;
        assert_eq!(
            (answer.status, &answer.body["access_token"]),
            (200, &json!("first-access-of-ada")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn an_unparsable_answer_loses_no_token() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    provider.set(ProviderBehaviour::Respond(200, "<html>"));
    let answer = broker.token("ada", json!({"provider": "example"})).await;
    assert_eq!((answer.status, answer.code()), (502, "provider_misbehaved"), "{answer:?}");
    let sent = provider.forms();
    assert!(
        sent.len() >= 2 && sent.iter().all(|form| form["refresh_token"] == "refresh-1"),
        "the same token again: {sent:?}"
    );
}
