//! What is read again and again: kept for a moment, and never after a sign-out.

use std::time::Duration;

use serde_json::json;

use crate::provider::Provider;
use crate::running::{Home, answer};

/// Longer than anything may be kept without news.
const FIVE_SECONDS: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_kept_token_costs_no_look_at_the_database() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let first = broker.token("ada", json!({"provider": "example"})).await;
    // Behind the broker's back, so that no news tell of it.
    home.execute("UPDATE cells SET sealed = id").await;
    let again = broker.token("ada", json!({"provider": "example"})).await;
    assert_eq!((again.status, &again.body["access_token"]), (200, &first.body["access_token"]), "{again:?}");
    let expires = |answer: &crate::running::Answer| answer.body["expires_at"].as_u64().expect("a time");
    assert!(expires(&first).abs_diff(expires(&again)) <= 1, "{first:?} {again:?}");
    let rejected = json!({"provider": "example", "min_ttl": 3600});
    assert_ne!(broker.token("ada", rejected).await.body, again.body, "more life than it has left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_final_at_once() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    for _ in 0..50 {
        let id = broker.connect("ada", &provider.grant(), 3600).await;
        assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
        let (end, _) = tokio::join!(
            answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "ada")),
            futures_util::future::join_all(
                (0..4).map(|_| broker.token("ada", json!({"provider": "example"})))
            ),
        );
        assert_eq!(end.status, 204);
        let after = broker.token("ada", json!({"provider": "example"})).await;
        assert_eq!((after.status, after.code()), (404, "not_connected"), "{after:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_final_while_tokens_are_refreshed() {
    for home in Home::all().await {
        let provider = home.provider.clone();
        let (one, other) = (home.start().await, home.start().await);
        for _ in 0..20 {
            // Its access token is over.
            let id = one.connect_at("example", "ada", &provider.grant()).await;
            let _ = tokio::join!(
                answer(other.request("DELETE", &format!("/v1/accounts/{id}"), "ada")),
                futures_util::future::join_all(
                    (0..4).map(|_| one.token("ada", json!({"provider": "example"})))
                ),
            );
            let after = other.token("ada", json!({"provider": "example"})).await;
            assert_eq!((after.status, after.code()), (404, "not_connected"), "{after:?}");
            let began = tokio::time::Instant::now();
            while one.token("ada", json!({"provider": "example"})).await.status == 200 {
                assert!(began.elapsed() < Duration::from_secs(3), "still given out");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_counts_in_other_processes_within_five_seconds() {
    for home in Home::all().await {
        let provider = home.provider.clone();
        let (one, other) = (home.start().await, home.start().await);
        let id = one.connect("ada", &provider.grant(), 3600).await;
        assert_eq!(other.token("ada", json!({"provider": "example"})).await.status, 200);
        let began = tokio::time::Instant::now();
        let end = answer(one.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
        assert_eq!(end.status, 204);
        while other.token("ada", json!({"provider": "example"})).await.status == 200 {
            assert!(began.elapsed() < FIVE_SECONDS, "still given out");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // News are faster than the life of what is kept.
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        let last = other.token("ada", json!({"provider": "example"})).await;
        assert_eq!(last.code(), "not_connected");
    }
}

#[tokio::test]
async fn a_second_account_is_seen_at_once() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
    let id = broker.connect_as("ada", "ada-at-work", &provider.grant(), 3600).await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.code(), "account_ambiguous");
    let named = broker.token("ada", json!({"provider": "example", "account": "ada-at-work"})).await;
    assert_eq!(named.body["account"]["id"], id.to_string());
    answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
}
