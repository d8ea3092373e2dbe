//! News of a user's accounts.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::provider::{Provider, ProviderBehaviour};
use crate::running::{Broker, Home, answer, until};

/// A listener, and what of the stream was not read yet.
struct Listener {
    response: reqwest::Response,
    text: String,
}

async fn listen(broker: &Broker, user: &str) -> Listener {
    let response = broker.request("GET", "/v1/events", user).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    Listener { response, text: String::new() }
}

impl Listener {
    /// The next event; none at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).map(str::to_owned)
                };
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Some((name, serde_json::from_str(&data).expect("JSON")));
                }
                continue;
            }
            let chunk = timeout(Duration::from_secs(10), self.response.chunk()).await.expect("in time");
            match chunk {
                Ok(Some(chunk)) => self.text += std::str::from_utf8(&chunk).expect("text"),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn news_reach_the_user_s_listeners_of_every_replica_and_nobody_else() {
    for home in Home::all().await {
        let provider = home.provider.clone();
        let (one, other) = (home.start().await, home.start().await);
        let (mut near, mut far) = (listen(&one, "ada").await, listen(&other, "ada").await);
        let mut stranger = listen(&other, "grace").await;
        let id = one.connect_long_ago("ada", &provider.grant()).await.to_string();
        assert_eq!(one.token("ada", json!({"provider": "example"})).await.status, 200);
        answer(one.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
        for listener in [&mut near, &mut far] {
            let mut last = 0;
            for name in ["connected", "renewed", "disconnected"] {
                let (event, data) = listener.next().await.expect("news");
                assert_eq!(
                    (event.as_str(), &data["account"], &data["provider"]),
                    (name, &json!(id), &json!("example"))
                );
                let version = data["version"].as_u64().expect("a number");
                assert!(version > last, "{version} after {last}");
                last = version;
                assert_eq!(data.as_object().map(serde_json::Map::len), Some(3));
            }
        }
        one.connect("grace", &provider.grant(), 3600).await;
        assert_eq!(stranger.next().await.expect("its own").0, "connected");
    }
}

#[tokio::test]
async fn a_dead_grant_asks_for_a_sign_in() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    let mut listener = listen(&broker, "ada").await;
    provider.set(ProviderBehaviour::Respond(400, r#"{"error":"invalid_grant"}"#));
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 409);
    assert_eq!(listener.next().await.expect("news").0, "sign_in_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_that_may_have_missed_events_are_disconnected() {
    let Some(home) = Home::on_postgres().await else { return };
    let broker = home.start().await;
    let mut listener = listen(&broker, "ada").await;
    broker.connect("ada", &home.provider.grant(), 3600).await;
    assert_eq!(listener.next().await.expect("news").0, "connected");
    // Another replica may write before this one listens again.
    let listening = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    home.execute(&format!("SELECT pg_terminate_backend(pid) {listening}")).await;
    assert_eq!(listener.next().await, None);
    let mut again = listen(&broker, "ada").await;
    broker.connect("ada", &home.provider.grant(), 3600).await;
    assert_eq!(again.next().await.expect("news").0, "connected");
}

#[tokio::test(flavor = "multi_thread")]
async fn news_that_were_deleted_before_they_were_read_count_as_missed() {
    // Postgres stores no news.
    let Some(home) = Home::on_sqlite().await else { return };
    let broker = home.start().await;
    let mut listener = listen(&broker, "ada").await;
    // As after a sleep of more than a minute: another process wrote, and deleted what was old.
    home.execute("BEGIN; INSERT INTO changes (message, at) VALUES ('x', 0); DELETE FROM changes; COMMIT")
        .await;
    assert_eq!(listener.next().await, None);
}

#[tokio::test]
async fn the_end_of_the_server_ends_the_stream_at_once() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    let mut listener = listen(&broker, "ada").await;
    let stopped = timeout(Duration::from_secs(3), broker.stop());
    let (stopped, last) = tokio::join!(stopped, listener.next());
    stopped.expect("it does not wait for listeners");
    assert_eq!(last, None);
}

#[tokio::test]
async fn a_user_has_so_many_listeners_and_those_who_left_do_not_count() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let mut listeners = Vec::new();
    for _ in 0..16 {
        listeners.push(listen(&broker, "ada").await);
    }
    let refused = answer(broker.request("GET", "/v1/events", "ada")).await;
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
    listen(&broker, "grace").await;
    listeners.clear();
    until(async || {
        let again = broker.request("GET", "/v1/events", "ada").send().await.expect("an answer");
        again.status() == 200
    })
    .await;
    let path = broker.request("GET", "/v1/events", "ada").build().expect("a request").url().clone();
    assert_eq!(answer(broker.http.get(path)).await.code(), "caller_unauthenticated");
}
