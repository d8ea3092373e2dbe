//! An answer that waited in the journal for longer than a lease.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::component_failures::clocks::Clock;
use crate::journal::{answers, home, killed_in_journal};
use crate::process::Process;
use crate::provider::Provider;

const HOUR: i64 = 3600;

/// Milliseconds since 1970.
fn now() -> i64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    i64::try_from(passed.as_millis()).expect("a time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_token_is_as_old_as_its_claim() {
    let home = home(&Provider::start().await);
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    broker.stop().await;
    let began = now();
    killed_in_journal(&home).await;
    let sent_by = now();
    let clock = Clock::of(home.path());
    clock.shows(HOUR);
    let _process = Process::start_in(&home, "", &clock.environment()).await;
    assert!(answers(&home).is_empty(), "replayed");
    let obtained_at = home.number("SELECT obtained_at FROM tokens").await;
    assert!((began..=sent_by).contains(&obtained_at), "{began}, {obtained_at}, {sent_by}");
}
