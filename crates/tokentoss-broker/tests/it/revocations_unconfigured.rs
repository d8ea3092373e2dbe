//! Tokens that wait to be revoked at a provider that the configuration has no more: seen, in nobody's way, and given up in time.

use std::path::Path;

use serde_json::Value;

use crate::commands::{out, run};
use crate::process::Process;
use crate::provider::ProviderBehaviour;
use crate::revocations::waiting_at;
use crate::running::{Home, answer, until};

const DAY: i64 = 86_400_000;

/// Leaves a token in the queue whose provider goes out of the configuration.
async fn leave_one(home: &mut Home) {
    home.provider.revoking(ProviderBehaviour::Overloaded);
    let broker = home.start().await;
    let id = broker.connect("ada", &home.provider.grant(), 3600).await;
    let ended = answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
    assert_eq!(ended.status, 204);
    until(async || home.number("SELECT COUNT(*) FROM revocations WHERE failures = 1").await == 1).await;
    broker.stop().await;
    home.provider.revoking(ProviderBehaviour::Normal);
    home.execute("UPDATE revocations SET next_attempt_at = 0").await;
    home.provider_name = "another".into();
}

#[tokio::test]
async fn they_wait_apart_until_the_provider_is_back() {
    for mut home in Home::all().await {
        leave_one(&mut home).await;
        let broker = home.start().await;
        // Put off, so that no other queue goes through it.
        until(async || home.number("SELECT COUNT(*) FROM revocations WHERE next_attempt_at = 0").await == 0)
            .await;
        let id = broker.connect_at("another", "grace", &home.provider.grant()).await;
        let path = format!("/v1/accounts/{id}");
        assert_eq!(answer(broker.request("DELETE", &path, "grace")).await.status, 204);
        // The row goes once the provider's answer is there.
        until(async || {
            let waiting = broker.custodian.store.waiting_revocations().await.expect("an answer");
            waiting == [("example".to_owned(), 1)]
        })
        .await;
        assert_eq!(home.provider.revoked().len(), 2);
        broker.stop().await;

        home.provider_name = "example".into();
        home.execute("UPDATE revocations SET next_attempt_at = 0").await;
        let broker = home.start().await;
        until(async || waiting_at(&broker.custodian.store).await == 0).await;
        assert_eq!(home.provider.revoked().len(), 3, "the mistake is undone");
        broker.stop().await;
    }
}

#[tokio::test]
async fn check_says_how_many_wait_and_for_whom() {
    for mut home in Home::all().await {
        leave_one(&mut home).await;
        let said = async |home: &Home| out(&run(&home.configuration(""), &["check"]).await);
        let note = "note: 1 revocations wait for example, which is not configured (provider_unconfigured); put it back";
        assert!(said(&home).await.contains(note), "{}", said(&home).await);
        home.provider_name = "example".into();
        let text = said(&home).await;
        assert!(text.contains("\n1 revocations wait for example\n") && !text.contains("note:"), "{text}");
    }
}

#[tokio::test]
async fn after_thirty_days_they_are_given_up_and_the_log_says_both() {
    for mut home in Home::all().await {
        leave_one(&mut home).await;
        let age = |days: i64, more: i64| {
            format!(
                "UPDATE revocations SET created_at = created_at - {} - {more}, next_attempt_at = 0",
                days * DAY
            )
        };
        home.execute(&age(30, -60_000)).await;
        let told = async |home: &Home| {
            let mut process = Process::start_in(home, "", &[("RUST_LOG", Path::new("warn"))]).await;
            (process.overhear(), process)
        };
        let (heard, process) = told(&home).await;
        until(async || home.number("SELECT COUNT(*) FROM revocations WHERE next_attempt_at = 0").await == 0)
            .await;
        let metrics = process.metrics().await;
        for gauge in ["tokentoss_revocations_waiting 1\n", "tokentoss_revocations_unconfigured 1\n"] {
            assert!(metrics.contains(gauge), "{gauge}: {metrics}");
        }
        assert!(process.terminate().await.success());
        assert_eq!(home.number("SELECT COUNT(*) FROM cells").await, 1, "not yet");
        let lines = lines(&heard.lock().expect("not poisoned"));
        let told_of: Vec<_> = lines.iter().filter(|line| line["code"] == "provider_unconfigured").collect();
        assert_eq!(
            (told_of.len(), &told_of[0]["provider"], &told_of[0]["waiting"]),
            (1, &"example".into(), &1.into())
        );

        home.execute(&age(0, 120_000)).await;
        let (heard, process) = told(&home).await;
        until(async || home.number("SELECT COUNT(*) FROM cells").await == 0).await;
        until(async || !given_up(&heard.lock().expect("not poisoned")).is_empty()).await;
        assert!(process.terminate().await.success());
        assert_eq!(home.number("SELECT COUNT(*) FROM revocations").await, 0);
        let given_up = given_up(&heard.lock().expect("not poisoned"));
        let words =
            ["cause", "tenant", "user", "provider"].map(|name| given_up[0][name].as_str().expect("text"));
        assert_eq!((given_up.len(), words), (1, ["provider_unconfigured", "acme", "ada", "example"]));
        assert_eq!(home.provider.revoked().len(), 1, "it was sent nowhere");
    }
}

fn lines(heard: &[String]) -> Vec<Value> {
    let lines = heard.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.map(|line| line["fields"].clone()).collect()
}

fn given_up(heard: &[String]) -> Vec<Value> {
    lines(heard).into_iter().filter(|line| line["action"] == "revocation_given_up").collect()
}
