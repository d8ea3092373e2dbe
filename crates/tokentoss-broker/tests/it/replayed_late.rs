//! An answer that waited in the journal for longer than a lease.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tokentoss_custody::LEASE;

use crate::journal::{Locked, answers, home};
use crate::process::Process;
use crate::provider::Provider;
use crate::running::until;

#[tokio::test(flavor = "multi_thread")]
async fn is_as_old_as_its_claim() {
    let home = home(&Provider::start().await);
    let held = home.provider.hold().await;
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    broker.stop().await;
    let mut process = Process::start(&home, "in_journal").await;
    let asked = tokio::spawn(process.token("ada", &json!({"provider": "example"})));
    until(async || home.provider.forms().len() == 1).await;
    let sent_by = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    let locked = Locked::take(&home).await;
    drop(held);
    process.reached("in_journal").await;
    process.kill().await;
    asked.abort();
    locked.give_back().await;
    tokio::time::sleep(LEASE + Duration::from_secs(3)).await;
    let _process = Process::start(&home, "").await;
    assert!(answers(&home).is_empty(), "replayed");
    let obtained_at = home.number("SELECT obtained_at FROM tokens").await;
    assert!(obtained_at <= i64::try_from(sent_by.as_millis()).expect("a time"), "{obtained_at}, {sent_by:?}");
}
