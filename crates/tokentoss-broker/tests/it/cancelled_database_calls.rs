//! Calls to Postgres that are dropped before they are over, as when a caller leaves.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::poll;
use tokentoss_broker::store::Store;
use tokentoss_custody::CellId;

use crate::running::{Home, until};

/// How many connections of brokers wait for an end of what they asked for.
const ASKING: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'tokentoss-broker' AND state = 'active'";

/// Has a call go on so many times, and drops it; whether it was over.
async fn is_over(call: impl Future, times: usize) -> bool {
    let mut call = pin!(call);
    for _ in 0..times {
        if poll!(call.as_mut()).is_ready() {
            return true;
        }
        // What it waits for arrives.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn what_is_written_after_a_call_was_cut_off_lasts() {
    let Some(home) = Home::on_postgres().await else { return };
    let store = Store::begin(&home.database()).await.expect("a store");
    let other = Store::open(&home.database()).await.expect("a store");
    other.add_tenant("acme", &[0]).await.expect("added");
    // Until then a connection is not back in the pool, and whoever asks next gets another one.
    let is_quiet = async || home.number(ASKING).await == 0;
    for times in 1.. {
        until(is_quiet).await;
        // A transaction of two statements, cut off after its beginning, and each time a little later.
        let is_over = is_over(store.end_revocation(CellId(7)), usize::from(times)).await;
        until(is_quiet).await;
        assert!(store.replace_data_key("acme", &[times - 1], &[times]).await.expect("an answer"));
        let found = other.data_key("acme").await.expect("an answer");
        assert_eq!(found, Some(vec![times]), "cut off after {times}");
        if is_over {
            assert_ne!(times, 1, "it was cut off");
            break;
        }
    }
}
