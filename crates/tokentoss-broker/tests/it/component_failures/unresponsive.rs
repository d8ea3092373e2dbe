//! Postgres is gone without a word: what is sent to it is neither answered nor refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokentoss_broker::store::Store;

use super::gate::gated;
use super::{STORAGE, connected, said, told};
use crate::process::Process;
use crate::running::until;

/// How many connections brokers have.
const CONNECTIONS: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'tokentoss-broker'";

#[tokio::test(flavor = "multi_thread")]
async fn gone_without_a_word_it_is_told_in_time_and_listeners_are_cut_off() {
    let Some((home, gate)) = gated().await else { return };
    let broker = connected(&home).await;
    let mut news = broker.request("GET", "/v1/events", "ada").send().await.expect("an answer");
    gate.stall();
    let answer = tokio::time::timeout(Duration::from_secs(20), told(&broker)).await.expect("in time");
    // Where the test took so long that its connection had rested, another one was opened.
    assert!(answer.status == 200 || said(&answer) == STORAGE, "{answer:?}");
    assert_eq!(home.provider.forms().is_empty(), answer.status != 200);
    // The next connections are good ones.
    until(async || told(&broker).await.status == 200).await;
    // Whoever listens to the database asks after half a minute of silence whether it is still there.
    let cut_off = async { while news.chunk().await.expect("a stream").is_some() {} };
    tokio::time::timeout(Duration::from_secs(90), cut_off).await.expect("the stream ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_leaves_unanswered_keeps_no_connection_from_those_who_come_later() {
    let Some((home, gate)) = gated().await else { return };
    let broker = connected(&home).await;
    let (store, is_stalled) = (&broker.custodian.store, AtomicBool::new(false));
    let calls = (0..20).map(|_| async {
        while !is_stalled.load(Ordering::Relaxed) {
            let _ = store.now().await;
        }
    });
    let stalling = async {
        // All that there may be, and each of them was used this moment.
        until(async || home.number(CONNECTIONS).await == 16).await;
        gate.stall();
        is_stalled.store(true, Ordering::Relaxed);
    };
    tokio::join!(join_all(calls), stalling);
    // Twelve seconds are over.
    let next = until(async || told(&broker).await.status == 200);
    tokio::time::timeout(Duration::from_secs(10), next).await.expect("the next connections are good ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_gets_the_other_numbers_in_time() {
    let Some((home, gate)) = gated().await else { return };
    let broker = connected(&home).await;
    let url = format!("http://{}/metrics", broker.admin);
    assert_eq!(told(&broker).await.status, 200);
    gate.stall();
    let began = std::time::Instant::now();
    let answer = broker.http.get(&url).send().await.expect("an answer");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.expect("a body");
    assert!(text.contains("tokentoss_refreshes_total"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_has_rested_is_asked_first() {
    let Some((home, gate)) = gated().await else { return };
    let store = Store::begin(&home.database()).await.expect("a store");
    // Longer than it is believed to live.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    gate.stall();
    // Before the statement itself would be given up, after twelve seconds.
    let now = tokio::time::timeout(Duration::from_secs(10), store.now()).await.expect("in time");
    now.expect("an answer to another one");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_ends_without_it() {
    let Some((home, gate)) = gated().await else { return };
    let process = Process::start(&home, "").await;
    let answer = process.token("ada", &json!({"provider": "example"})).await;
    assert_eq!(answer.code(), "not_connected", "it is served");
    gate.stall();
    let status = process.terminate().await;
    assert!(status.success(), "{status}");
}
