//! The program is killed at each step of a refresh, and another one takes over.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::process::Process;
use crate::running::{Answer, Home, until};

/// A lease, and a second to notice its end.
const TAKEOVER: Duration = Duration::from_secs(21);
/// Every step, in the order of a refresh.
const STEPS: [&str; 5] = ["after_claim", "before_send", "after_answer", "before_write", "after_write"];

/// Kills a broker at a step, and asks the next one until it knows.
async fn killed_at(step: &'static str, home: Home) -> (Home, Answer, Duration) {
    {
        let broker = home.start().await;
        broker.connect_long_ago("ada", &home.provider.grant()).await;
        broker.stop().await;
    }
    let body = json!({"provider": "example"});
    let mut first = Process::start(&home, step).await;
    let asked = tokio::spawn(first.token("ada", &body));
    first.reached(step).await;
    let killed = Instant::now();
    first.kill().await;
    asked.abort();
    let second = Process::start(&home, "").await;
    loop {
        let answer = second.token("ada", &body).await;
        if answer.status != 503 {
            return (home, answer, killed.elapsed());
        }
        assert!(killed.elapsed() < TAKEOVER, "{step}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn cases(has_grace: bool) -> Vec<(&'static str, Home, Answer, Duration)> {
    let mut running = Vec::new();
    for step in STEPS {
        for home in Home::all().await {
            if has_grace {
                home.provider.has_grace();
            }
            running.push(async move {
                let (home, answer, took) = killed_at(step, home).await;
                (step, home, answer, took)
            });
        }
    }
    futures_util::future::join_all(running).await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_grace_window_no_grant_is_lost() {
    for (step, home, answer, took) in cases(true).await {
        assert_eq!(
            (answer.status, &answer.body["access_token"]),
            (200, &json!("access-2")),
            "{step}: {answer:?}"
        );
        assert!(took <= TAKEOVER, "{step}: {took:?}");
        if step == "after_write" {
            assert_eq!(home.provider.forms().len(), 1, "it was written");
        }
        // What was kept is good for the next time too.
        home.execute("UPDATE grants SET refresh_at = 0, used_at = renewed_at").await;
        let broker = home.start().await;
        until(async || {
            broker.token("ada", json!({"provider": "example"})).await.body["access_token"] == "access-3"
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_grace_only_an_answer_in_flight_is_lost_and_its_cause_told() {
    for (step, home, answer, took) in cases(false).await {
        assert!(took <= TAKEOVER, "{step}: {took:?}");
        let sent = home.provider.forms().len();
        match step {
            "after_claim" | "before_send" => {
                assert_eq!((answer.status, sent), (200, 1), "{step}: nothing was sent before: {answer:?}");
            }
            "after_write" => {
                assert_eq!((answer.status, sent), (200, 1), "{step}: it was written: {answer:?}")
            }
            _ => {
                let expected = (409, "reauth_required", &json!("refresh_interrupted"), 2);
                let found = (answer.status, answer.code(), &answer.body["cause"], sent);
                assert_eq!(found, expected, "{step}: {answer:?}");
            }
        }
    }
}
