//! Background tasks, which run until the process shuts down.

mod revocations;
mod scheduler;
mod unconfigured;

use std::sync::Arc;
use std::time::Duration;

use crate::metrics;
use crate::refresh::{Custodian, WRITE_USES_EVERY};
use crate::store::ChangeFeed;

/// The pause before the database is listened to again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// The interval of cleaning up.
const TIDY_EVERY: Duration = Duration::from_secs(10);

/// Starts all tasks. `feed` was subscribed before the first request was served.
pub fn start(custodian: &Arc<Custodian>, feed: ChangeFeed) {
    custodian.tasks.spawn(write_uses(Arc::clone(custodian)));
    custodian.tasks.spawn(follow(Arc::clone(custodian), feed));
    custodian.tasks.spawn(tidy(Arc::clone(custodian)));
    custodian.tasks.spawn(unconfigured::run(Arc::clone(custodian)));
    for provider in custodian.provider_names() {
        metrics::begin(provider);
        custodian.tasks.spawn(revocations::run(Arc::clone(custodian), provider.to_owned()));
        custodian.tasks.spawn(scheduler::run(Arc::clone(custodian), provider.to_owned()));
    }
}

/// Delivers changes of other processes, and subscribes again after the connection failed.
async fn follow(custodian: Arc<Custodian>, mut feed: ChangeFeed) {
    while let Some(result) = custodian.ending.run_until_cancelled(feed.run()).await {
        if let Err(error) = result {
            tracing::warn!(%error, "news of other processes do not arrive");
        }
        feed = match custodian.ending.run_until_cancelled(listen_again(&custodian)).await {
            Some(again) => again,
            None => return,
        };
    }
    feed.close().await;
}

async fn listen_again(custodian: &Custodian) -> ChangeFeed {
    loop {
        tokio::time::sleep(LISTEN_AGAIN).await;
        match custodian.store.listen_again().await {
            Ok(feed) => return feed,
            Err(error) => tracing::warn!(%error, "the database cannot be listened to yet"),
        }
    }
}

/// Removes expired entries, in memory and in the database.
async fn tidy(custodian: Arc<Custodian>) {
    while custodian.ending.run_until_cancelled(tokio::time::sleep(TIDY_EVERY)).await.is_some() {
        custodian.tidy().await;
    }
}

async fn write_uses(custodian: Arc<Custodian>) {
    // The last batch is written after the last request.
    while custodian.ending.run_until_cancelled(tokio::time::sleep(WRITE_USES_EVERY)).await.is_some() {
        custodian.write_uses().await;
    }
}
