//! Refreshes before anybody waits for them: used grants at two thirds of a token's life, idle ones before their provider
//! forgets them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::refresh::Custodian;

/// How many grants of one provider are refreshed at once.
const AT_ONCE: usize = 32;
/// How often the database is asked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Before more is claimed while more is due.
const GO_ON_AFTER: Duration = Duration::from_millis(20);

/// Works for one provider, so that a slow one holds up nobody else's grants.
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
