//! Refreshes grants in advance: used ones at two thirds of the lifetime of a token, idle ones before their
//! provider expires the refresh token.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::refresh::Custodian;

/// How many grants of one provider are refreshed at once.
const AT_ONCE: usize = 32;
/// The interval at which the database is polled for due grants.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The pause between two claims while more grants are due.
const GO_ON_AFTER: Duration = Duration::from_millis(20);

/// Runs the scheduler of one provider, so that a slow provider does not delay others.
pub(super) async fn run(custodian: Arc<Custodian>, provider: String) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let pause = match custodian.refresh_due(&provider, &room).await {
            Ok(true) => GO_ON_AFTER,
            Ok(false) => LOOK_EVERY,
            Err(failed) => {
                tracing::warn!(provider, %failed, "the scheduler cannot ask what is due");
                LOOK_EVERY
            }
        };
        if custodian.ending.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
