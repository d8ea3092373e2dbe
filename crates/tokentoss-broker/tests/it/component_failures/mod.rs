//! Failures of database, key ring, clock, network and provider, and the end of the process. Each test checks the exact answer,
//! and that no grant is lost that could have been kept.

pub(crate) mod clocks;
mod database;
mod full_disk;
mod gate;
mod keys;
mod provider;
mod shutdown;
mod unresponsive;

use serde_json::json;

use crate::running::{Answer, Broker, Home};

/// A broker at which ada's token has ended.
async fn connected(home: &Home) -> Broker {
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    broker
}

/// What ada is told who asks for a token.
async fn told(broker: &Broker) -> Answer {
    broker.token("ada", json!({"provider": "example"})).await
}

/// Status, code and sentence.
fn said(answer: &Answer) -> (u16, &str, &str) {
    (answer.status, answer.code(), answer.body["title"].as_str().unwrap_or_default())
}

const STORAGE: (u16, &str, &str) =
    (503, "storage_unavailable", "The broker's database does not answer. Try again in a moment.");

/// Whether all grants are as they should be.
async fn is_active(home: &Home) -> bool {
    home.number("SELECT COUNT(*) FROM grants WHERE status <> 'active' OR refresh_hash IS NULL").await == 0
}
