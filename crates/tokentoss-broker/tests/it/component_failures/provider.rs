//! The provider is down, slow, or answers with pages for people.

use std::time::Duration;

use super::gate::Gate;
use super::{is_active, said, told};
use crate::provider::{Provider, ProviderBehaviour};
use crate::running::{Answer, Home, until};

const UNAVAILABLE: (u16, &str, &str) =
    (503, "provider_unavailable", "The provider cannot be reached. Try again later.");
/// It was asked once more, and nobody waits for that for ever.
const BUSY: (u16, &str, &str) = (503, "refresh_busy", "The token is being renewed. Try again in a moment.");
const MISBEHAVED: (u16, &str, &str) = (
    502,
    "provider_misbehaved",
    "The provider answers with something that is not an answer. Try again later.",
);

/// Asks for a token during a failure, and again after it; returns the first answer.
async fn answer_during(mut home: Home, gate: &mut Option<Gate>, is_over: impl FnOnce(&Provider)) -> Answer {
    if let Some(gate) = gate {
        home.provider.token_endpoint = format!("http://{}/token", gate.address);
    }
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    if let Some(gate) = gate {
        gate.close().await;
    }
    let answer = told(&broker).await;
    assert!(is_active(&home).await, "{answer:?}");
    is_over(&home.provider);
    if let Some(gate) = gate {
        gate.open().await;
    }
    // The pause after several failures can be longer than anybody waits here.
    home.execute("UPDATE grants SET next_attempt_at = NULL, failed_at = NULL").await;
    until(async || told(&broker).await.status == 200).await;
    assert!(is_active(&home).await);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_told_and_none_loses_a_grant() {
    let mut homes = Vec::new();
    for _ in 0..6 {
        // Before anything is timed: making a database takes its time.
        homes.push(Home::new(&Provider::start().await));
    }
    let mut homes = homes.into_iter();
    let mut next = || homes.next().expect("one for each");
    let home = next();
    let down = async {
        let issuer = home.provider.issuer().to_owned();
        let to = issuer.strip_prefix("http://").expect("an origin").parse().expect("an address");
        let mut gate = Some(Gate::to(to).await);
        answer_during(home, &mut gate, |_| {}).await
    };
    let home = next();
    let slow = async {
        // What comes too late was given all the same.
        home.provider.has_grace();
        home.provider.takes(Duration::from_secs(30));
        answer_during(home, &mut None, |provider| provider.takes(Duration::ZERO)).await
    };
    let mut says = |status, body| {
        let home = next();
        home.provider.set(ProviderBehaviour::Respond(status, body));
        async { answer_during(home, &mut None, |provider| provider.set(ProviderBehaviour::Normal)).await }
    };
    let (down, slow, html, html_of_proxy, failed, busy) = tokio::join!(
        down,
        slow,
        says(200, "<!doctype html><title>Sign in to the network</title>"),
        says(502, "<html>Bad gateway</html>"),
        says(500, r#"{"error":"server_error"}"#),
        says(429, r#"{"error":"rate_limited"}"#),
    );
    for (answer, expected) in [
        (down, UNAVAILABLE),
        (slow, BUSY),
        (html, MISBEHAVED),
        (html_of_proxy, UNAVAILABLE),
        (failed, UNAVAILABLE),
        (busy, UNAVAILABLE),
    ] {
        assert_eq!(said(&answer), expected);
        let wait: u64 = answer.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=300).contains(&wait), "{wait}");
    }
}
