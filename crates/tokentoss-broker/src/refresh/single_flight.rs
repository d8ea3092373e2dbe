//! Single flight: at most one refresh of a grant runs in this process, and all waiting callers are notified
//! of its end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::store::GrantId;
use crate::weak_map::WeakMap;

/// The interval at which a lease of another process is polled.
pub(super) const LEASE_POLL_INTERVAL: Duration = Duration::from_millis(200);
/// The most observations for one caller; reaching it is a bug.
const MAX_OBSERVATIONS: usize = 1000;

/// The single flight of one grant.
#[derive(Debug)]
pub(super) struct SingleFlight {
    news: Notify,
    /// Its only permit is the right to refresh. A check whether it is available does not take it.
    permit: Arc<Semaphore>,
}

/// The right to refresh in this process. All waiting callers are notified when it is dropped.
#[derive(Debug)]
pub(super) struct RefreshPermit {
    flight: Arc<SingleFlight>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for RefreshPermit {
    fn drop(&mut self) {
        // The permit is free before the callers are notified.
        drop(self.permit.take());
        self.flight.notify();
    }
}

/// The result of one observation of the grant.
pub(super) enum Observation<T, C> {
    /// The token is ready.
    Ready(T),
    /// Another process was faster; observe again.
    Retry,
    /// A refresh is needed, under this claim.
    Refresh(C),
    /// Wait for this time, or until a notification.
    Wait(Duration),
}

/// A caller that waits for a token, and can start a refresh.
pub(super) trait TokenWaiter {
    /// The token.
    type Token;
    /// The claim for a refresh.
    type Claim;
    /// The error.
    type Error;

    /// Observes the grant.
    fn observe(
        &mut self,
    ) -> impl Future<Output = Result<Observation<Self::Token, Self::Claim>, Self::Error>> + Send;

    /// Starts a refresh that is independent of this caller and holds the permit until its end; false if
    /// another process was faster.
    fn start_refresh(
        &self,
        claim: Self::Claim,
        permit: RefreshPermit,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// The remaining time to wait for another refresh.
    ///
    /// # Errors
    /// The time is over.
    fn remaining_wait(&self) -> Result<Duration, Self::Error>;

    /// Waits for a notification, for this time at most.
    fn pause(
        &self,
        news: impl Future<Output = ()> + Send,
        longest: Duration,
    ) -> impl Future<Output = ()> + Send;

    /// The error after too many observations.
    fn too_many_attempts(&self) -> Self::Error;
}

impl SingleFlight {
    fn new() -> Self {
        Self { news: Notify::new(), permit: Arc::new(Semaphore::new(1)) }
    }

    /// Obtains a token for a caller.
    pub(super) async fn obtain<P: TokenWaiter>(
        self: &Arc<Self>,
        waiter: &mut P,
    ) -> Result<P::Token, P::Error> {
        for _ in 0..MAX_OBSERVATIONS {
            // Before the row is read, so that no notification is missed.
            let news = self.listen();
            tokio::pin!(news);
            news.as_mut().enable();
            let longest = match waiter.observe().await? {
                Observation::Ready(issued) => return Ok(issued),
                Observation::Retry => continue,
                Observation::Refresh(claim) => {
                    if let Some(permit) = self.try_permit()
                        && !waiter.start_refresh(claim, permit).await?
                    {
                        continue;
                    }
                    waiter.remaining_wait()?
                }
                // A task of this process notifies; a lease of another process must be polled.
                Observation::Wait(longest) if self.is_running() => longest,
                Observation::Wait(longest) => longest.min(LEASE_POLL_INTERVAL),
            };
            waiter.pause(news, longest).await;
        }
        Err(waiter.too_many_attempts())
    }

    fn listen(&self) -> Notified<'_> {
        self.news.notified()
    }

    /// Notifies all waiting callers.
    pub(super) fn notify(&self) {
        self.news.notify_waiters();
    }

    /// The right to refresh in this process; none while another task has it.
    pub(super) fn try_permit(self: &Arc<Self>) -> Option<RefreshPermit> {
        let permit = Arc::clone(&self.permit).try_acquire_owned().ok()?;
        Some(RefreshPermit { flight: Arc::clone(self), permit: Some(permit) })
    }

    /// Whether a task of this process refreshes.
    pub(super) fn is_running(&self) -> bool {
        self.permit.available_permits() == 0
    }
}

/// All flights that are in use.
#[derive(Debug, Default)]
pub(super) struct SingleFlights(WeakMap<GrantId, SingleFlight>);

impl SingleFlights {
    /// The flight of a grant, if it is in use.
    pub(super) fn find(&self, id: GrantId) -> Option<Arc<SingleFlight>> {
        self.0.get(&id)
    }

    /// The flight of a grant; it is created if there is none.
    pub(super) fn of(&self, id: GrantId) -> Arc<SingleFlight> {
        self.0.get_or_make(&id, SingleFlight::new)
    }
}
