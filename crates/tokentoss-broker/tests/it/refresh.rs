//! Tokens for callers: from the row, or renewed by one request however many ask.

use std::time::Duration;

use serde_json::json;

use crate::provider::Provider;
use crate::running::Home;

#[tokio::test]
async fn a_token_with_life_enough_costs_no_request() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let answer = broker.token("ada", json!({"provider": "example"})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["access_token"], "first-access-of-ada");
    assert_eq!(answer.body["scopes"], json!(["files.read", "profile"]));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(provider.forms().is_empty());
}

#[tokio::test]
async fn an_old_one_is_renewed_and_the_refresh_token_stays_here() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let first = provider.grant();
    broker.connect_long_ago("ada", &first).await;
    provider.life(1);
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let answer = broker.token("ada", json!({"provider": "example"})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!answer.body.to_string().contains("refresh-"), "no answer holds a refresh token");
        let token = answer.body["access_token"].clone();
        if seen.last() != Some(&token) {
            seen.push(token);
        }
    }
    assert_eq!(seen, ["access-2", "access-3", "access-4"]);
    let sent = provider.forms();
    assert_eq!(sent[0]["refresh_token"], first);
    assert_eq!(sent[1]["refresh_token"], "refresh-2", "the one that came with the answer before");
    assert_eq!(sent[0]["client_secret"], "s3cret-of-the-client");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_cause_one_request() {
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(300));
    let broker = Home::new(&provider).start_kept().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    let callers = (0..1000).map(|_| broker.token("ada", json!({"provider": "example"})));
    for answer in futures_util::future::join_all(callers).await {
        assert_eq!((answer.status, &answer.body["access_token"]), (200, &json!("access-2")), "{answer:?}");
    }
    assert_eq!(provider.forms().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_brokers_on_one_database_cause_one_request() {
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(300));
    let home = Home::new(&provider);
    let (one, other) = (home.start().await, home.start().await);
    one.connect_long_ago("ada", &provider.grant()).await;
    let callers = (0..100).map(|number| {
        let broker = if number % 2 == 0 { &one } else { &other };
        broker.token("ada", json!({"provider": "example"}))
    });
    for answer in futures_util::future::join_all(callers).await {
        assert_eq!((answer.status, &answer.body["access_token"]), (200, &json!("access-2")), "{answer:?}");
    }
    assert_eq!(provider.forms().len(), 1);
}

#[tokio::test]
async fn a_refresh_outlives_the_caller_and_the_servers_end() {
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(500));
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    let impatient = broker.token("ada", json!({"provider": "example"}));
    assert!(tokio::time::timeout(Duration::from_millis(200), impatient).await.is_err(), "the caller leaves");
    broker.stop().await;
    let again = home.start().await;
    let answer = again.token("ada", json!({"provider": "example"})).await;
    assert_eq!(answer.body["access_token"], "access-2", "{answer:?}");
    assert_eq!(provider.forms().len(), 1, "what the provider answered was kept");
}
