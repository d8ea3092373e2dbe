//! Refreshes that nobody waits for.

use std::time::Duration;

use serde_json::json;

use crate::provider::{Provider, ProviderBehaviour};
use crate::running::{Home, until};

/// Makes the grants of all users due, as after some time.
const DUE: &str = "UPDATE grants SET refresh_at = 0";

#[tokio::test]
async fn a_used_grant_is_renewed_before_anybody_waits() {
    for home in Home::all().await {
        let provider = home.provider.clone();
        let broker = home.start().await;
        broker.connect("ada", &provider.grant(), 3600).await;
        assert!(provider.forms().is_empty());
        home.execute(DUE).await;
        until(async || provider.forms().len() == 1).await;
        until(async || {
            broker.token("ada", json!({"provider": "example"})).await.body["access_token"] == "access-2"
        })
        .await;
        assert_eq!(provider.forms().len(), 1, "by the scheduler alone");
    }
}

#[tokio::test]
async fn an_idle_grant_is_kept_alive_and_no_more() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    for user in ["ada", "grace"] {
        broker.connect(user, &provider.grant(), 3600).await;
    }
    home.execute("UPDATE grants SET used_at = renewed_at - 1, refresh_at = 0").await;
    home.execute("UPDATE grants SET keep_alive_at = 1 WHERE user_id = 'grace'").await;
    until(async || !provider.forms().is_empty()).await;
    until(async || home.number("SELECT COUNT(*) FROM grants WHERE renewed_at > connected_at").await == 1)
        .await;
    assert_eq!(provider.forms()[0]["refresh_token"], "refresh-2", "grace's");
    let next = "SELECT (keep_alive_at - renewed_at) / 86400000 FROM grants WHERE user_id = 'grace'";
    let days = home.number(next).await;
    assert!((100..=120).contains(&days), "two thirds of 180 days, and a tenth of jitter: {days}");
    let again = "SELECT COUNT(*) FROM grants WHERE used_at < renewed_at AND keep_alive_at > 2";
    assert_eq!(home.number(again).await, 2, "both rest");
    assert_eq!(provider.forms().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_replicas_do_each_work_once() {
    for home in Home::all().await {
        let provider = home.provider.clone();
        provider.takes(Duration::from_millis(50));
        let (one, _other, _third) = (home.start().await, home.start().await, home.start().await);
        for number in 0..60 {
            one.connect(&format!("user-{number}"), &provider.grant(), 3600).await;
        }
        home.execute(DUE).await;
        until(async || provider.forms().len() >= 60).await;
        until(async || home.number("SELECT COUNT(*) FROM grants WHERE lease_until IS NOT NULL").await == 0)
            .await;
        let mut sent: Vec<String> =
            provider.forms().into_iter().map(|form| form["refresh_token"].clone()).collect();
        sent.sort();
        let before = sent.len();
        sent.dedup();
        assert_eq!((before, sent.len()), (60, 60), "no token twice");
        assert_eq!(home.number("SELECT COUNT(*) FROM grants WHERE status <> 'active'").await, 0);
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_not_asked_for_every_grant() {
    let provider = Provider::start().await;
    provider.set(ProviderBehaviour::Respond(503, ""));
    let home = Home::new(&provider);
    let broker = home.start().await;
    for number in 0..200 {
        broker.connect(&format!("user-{number}"), &provider.grant(), 3600).await;
    }
    home.execute(DUE).await;
    until(async || provider.forms().len() >= 32).await;
    // The first handful tells; then it is probed, by one at a time.
    until(async || home.number("SELECT COUNT(*) FROM grants WHERE lease_until IS NOT NULL").await == 0).await;
    let after_the_first = provider.forms().len();
    assert!(after_the_first <= 40, "{after_the_first}");
    let began = tokio::time::Instant::now();
    until(async || provider.forms().len() >= after_the_first + 2).await;
    assert!(began.elapsed() > Duration::from_millis(1500), "{:?}", began.elapsed());
    provider.set(ProviderBehaviour::Normal);
    home.execute("UPDATE grants SET next_attempt_at = NULL, failed_at = NULL").await;
    until(async || home.number("SELECT COUNT(*) FROM grants WHERE renewed_at = connected_at").await == 0)
        .await;
}

#[tokio::test]
async fn grants_that_fail_for_ever_hold_up_nobody_else() {
    for home in Home::all().await {
        let provider = home.provider.clone();
        let broker = home.start().await;
        for number in 0..40 {
            broker.connect(&format!("user-{number}"), &provider.poisoned_grant(), 3600).await;
        }
        for user in ["ada", "grace", "joan"] {
            broker.connect(user, &provider.grant(), 3600).await;
        }
        let poisoned = "user_id LIKE 'user-%'";
        // As after some tries.
        home.execute(&format!(
            "UPDATE grants SET failures = 9, failure = 'server_failed', failed_at = 1, next_attempt_at = 2,
                    attempt_hash = refresh_hash, attempt_at = 1 WHERE {poisoned}"
        ))
        .await;
        until(async || provider.forms().len() >= 32).await;
        home.execute(&format!("UPDATE grants SET refresh_at = 0 WHERE NOT {poisoned}")).await;
        until(async || home.number("SELECT COUNT(*) FROM grants WHERE renewed_at > connected_at").await == 3)
            .await;
    }
}

#[tokio::test]
async fn the_end_waits_for_what_is_on_its_way() {
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(500));
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    home.execute(DUE).await;
    until(async || provider.forms().len() == 1).await;
    broker.stop().await;
    assert_eq!(home.number("SELECT COUNT(*) FROM grants WHERE lease_until IS NOT NULL").await, 0);
    assert_eq!(home.number("SELECT COUNT(*) FROM grants WHERE renewed_at > connected_at").await, 1);
}
