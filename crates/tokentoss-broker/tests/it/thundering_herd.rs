//! A thousand callers of three processes, on each database, with a real provider that rotates and looks for reuse.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::openid_provider::OpenIdProvider;
use crate::process::Process;
use crate::running::{Home, until};
use crate::sign_in::{Browser, PUBLIC, begin, confirm, id_of, path_of};

const CALLERS: usize = 1000;
/// Shorter than any pause of a caller who has missed the news.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Ada signs in, an hour and a minute ago.
async fn sign_in(home: &Home, provider: &OpenIdProvider) {
    let broker = home.start().await;
    let browser = Browser::default();
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let sent = browser.post(&broker, &format!("/connect/{id}"), PUBLIC).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let back = provider.consent(&Browser::default(), sent.location(), "ada").await;
    let last = browser.get(&broker, path_of(&back, PUBLIC)).await;
    let done = confirm(&broker, "ada", &id, &last.confirmation()).await;
    assert_eq!(done.body["status"], "done", "{done:?} {}", last.text);
    broker.stop().await;
    age(home).await;
}

async fn age(home: &Home) {
    home.execute("UPDATE tokens SET obtained_at = obtained_at - 3660000, expires_at = expires_at - 3660000")
        .await;
}

/// The sum of a counter of all processes.
async fn sum(processes: &[Process], line: &str) -> usize {
    let mut sum = 0;
    for process in processes {
        let text = process.metrics().await;
        let value = text.lines().find_map(|found| found.strip_prefix(line));
        sum += value.map_or(0, |value| value.trim().parse::<usize>().expect("a number"));
    }
    sum
}

/// All callers ask while the provider takes its time; the one token that all of them got.
async fn stampede(processes: &[Process], provider: &OpenIdProvider, database: &str) -> Value {
    const MISSES: &str = "tokentoss_cache_lookups_total{result=\"miss\"}";
    let before = (provider.refreshes(None).await, sum(processes, MISSES).await);
    provider.change(json!({"token_hold": true})).await;
    let body = json!({"provider": "example"});
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let request = processes[number % processes.len()].token("ada", &body);
            tokio::spawn(async move { (request.await, Instant::now()) })
        })
        .collect();
    until(async || provider.refreshes(None).await > before.0).await;
    until(async || sum(processes, MISSES).await - before.1 >= CALLERS).await;
    let released = Instant::now();
    provider.change(json!({"token_hold": false})).await;
    let (mut token, mut took) = (Value::Null, Vec::new());
    for caller in callers {
        let (answer, at) = caller.await.expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        let got = answer.body["access_token"].clone();
        assert!(token.is_null() || token == got, "the same for all");
        token = got;
        took.push(at.saturating_duration_since(released));
    }
    took.sort_unstable();
    let (half, most, last) = (took[CALLERS / 2], took[CALLERS * 99 / 100], took[CALLERS - 1]);
    println!("{database}: p50 {half:?}, p99 {most:?}, last {last:?} after the provider went on");
    assert!(last < AT_ONCE, "somebody waited for news that never came: {last:?}");
    assert_eq!(provider.refreshes(None).await - before.0, 1, "one request");
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_of_three_processes_cause_one_request() {
    for mut home in Home::all().await {
        let provider = OpenIdProvider::start().await;
        provider.settle_in(&mut home);
        sign_in(&home, &provider).await;
        let processes = [
            Process::start(&home, "").await,
            Process::start(&home, "").await,
            Process::start(&home, "").await,
        ];
        let database = home.database().split(':').next().expect("a scheme").to_owned();
        let first = stampede(&processes, &provider, &database).await;
        // What the processes keep of the row is not old yet; a fresh one keeps nothing.
        age(&home).await;
        let next = home.start().await.token("ada", json!({"provider": "example"})).await;
        assert_eq!(next.status, 200, "the rotated refresh token is good too: {next:?}");
        assert_ne!(next.body["access_token"], first);
        assert_eq!(provider.refreshes(Some(200)).await, 2, "nothing was taken for reuse");
    }
}
