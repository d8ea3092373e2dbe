//! Who refreshes in this process, and whom to tell.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::store::GrantId;
use crate::weak_map::WeakMap;

/// How often a lease of another process is looked at.
pub(super) const LEASE_POLL_INTERVAL: Duration = Duration::from_millis(200);
/// More looks than any caller needs; reaching them is a fault.
const MAX_OBSERVATIONS: usize = 1000;

/// The flight of one grant.
#[derive(Debug)]
pub(super) struct SingleFlight {
    news: Notify,
    /// Its one permit is the right to refresh. To ask whether it is there takes nothing away, not even for a moment.
    permit: Arc<Semaphore>,
}

/// The right to refresh in this process. Its end is news to everybody, whatever ended it.
#[derive(Debug)]
pub(super) struct RefreshPermit {
    flight: Arc<SingleFlight>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for RefreshPermit {
    fn drop(&mut self) {
        // Whoever is told finds the permit free.
        drop(self.permit.take());
        self.flight.notify();
    }
}

/// What one look at the grant says.
pub(super) enum Observation<T, C> {
    /// This is the answer.
    Ready(T),
    /// Somebody was faster: look again.
    Retry,
    /// Somebody has to refresh, under this claim.
    Refresh(C),
    /// Nothing can be done for so long, unless news come before.
    Wait(Duration),
}

/// Somebody who wants a token, and can refresh for it.
pub(super) trait TokenWaiter {
    /// What is wanted.
    type Token;
    /// What a refresh needs.
    type Claim;
    /// Why there is none.
    type Error;

    /// Looks at the grant.
    fn observe(
        &mut self,
    ) -> impl Future<Output = Result<Observation<Self::Token, Self::Claim>, Self::Error>> + Send;

    /// Begins a refresh that goes on without this waiter and keeps the permit to its end; false if another process was
    /// faster.
    fn start_refresh(
        &self,
        claim: Self::Claim,
        permit: RefreshPermit,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// How much longer there is to wait for somebody else's refresh.
    ///
    /// # Errors
    /// That it is over.
    fn remaining_wait(&self) -> Result<Duration, Self::Error>;

    /// Waits for news, so long at most.
    fn pause(
        &self,
        news: impl Future<Output = ()> + Send,
        longest: Duration,
    ) -> impl Future<Output = ()> + Send;

    /// There was no end to it.
    fn too_many_attempts(&self) -> Self::Error;
}

impl SingleFlight {
    fn new() -> Self {
        Self { news: Notify::new(), permit: Arc::new(Semaphore::new(1)) }
    }

    /// Takes a waiter to a token.
    pub(super) async fn obtain<P: TokenWaiter>(
        self: &Arc<Self>,
        waiter: &mut P,
    ) -> Result<P::Token, P::Error> {
        for _ in 0..MAX_OBSERVATIONS {
            // Before the row is read, so that no news is missed.
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
                // The task of this process tells; another one's lease has to be looked at.
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

    /// Tells everybody who listens.
    pub(super) fn notify(&self) {
        self.news.notify_waiters();
    }

    /// The right to refresh in this process; none while somebody has it.
    pub(super) fn try_permit(self: &Arc<Self>) -> Option<RefreshPermit> {
        let permit = Arc::clone(&self.permit).try_acquire_owned().ok()?;
        Some(RefreshPermit { flight: Arc::clone(self), permit: Some(permit) })
    }

    /// Whether somebody in this process refreshes.
    pub(super) fn is_running(&self) -> bool {
        self.permit.available_permits() == 0
    }
}

/// All flights that somebody takes part in.
#[derive(Debug, Default)]
pub(super) struct SingleFlights(WeakMap<GrantId, SingleFlight>);

impl SingleFlights {
    /// The flight of a grant, if somebody takes part in it.
    pub(super) fn find(&self, id: GrantId) -> Option<Arc<SingleFlight>> {
        self.0.get(&id)
    }

    /// The flight of a grant.
    pub(super) fn of(&self, id: GrantId) -> Arc<SingleFlight> {
        self.0.get_or_make(&id, SingleFlight::new)
    }
}
