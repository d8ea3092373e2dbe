//! Who refreshes in this process, and whom to tell.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::store::GrantId;

/// How often a lease of another process is looked at.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// More looks than any caller needs; reaching them is a fault.
const LOOKS: usize = 1000;

/// The flight of one grant.
#[derive(Debug)]
pub(super) struct Flight {
    news: Notify,
    /// Its one permit is the right to refresh. To ask whether it is there takes nothing away, not even for a moment.
    seat: Arc<Semaphore>,
}

/// The right to refresh in this process. Its end is news to everybody, whatever ended it.
#[derive(Debug)]
pub(super) struct Turn {
    flight: Arc<Flight>,
    seat: Option<OwnedSemaphorePermit>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Whoever is told finds the seat free.
        drop(self.seat.take());
        self.flight.tell();
    }
}

/// What one look at the grant says.
pub(super) enum Look<T, C> {
    /// This is the answer.
    Is(T),
    /// Somebody was faster: look again.
    Again,
    /// Somebody has to refresh, under this claim.
    Refresh(C),
    /// Nothing can be done for so long, unless news come before.
    Wait(Duration),
}

/// Somebody who wants a token, and can refresh for it.
pub(super) trait Passenger {
    /// What is wanted.
    type Given;
    /// What a refresh needs.
    type Claim;
    /// Why there is none.
    type Failed;

    /// Looks at the grant.
    fn look(&mut self) -> impl Future<Output = Result<Look<Self::Given, Self::Claim>, Self::Failed>> + Send;

    /// Begins a refresh that goes on without this passenger and keeps the turn to its end; false if another process was
    /// faster.
    fn take_off(
        &self,
        claim: Self::Claim,
        turn: Turn,
    ) -> impl Future<Output = Result<bool, Self::Failed>> + Send;

    /// How much longer there is to wait for somebody else's refresh.
    ///
    /// # Errors
    /// That it is over.
    fn patience(&self) -> Result<Duration, Self::Failed>;

    /// Waits for news, so long at most.
    fn pause(
        &self,
        news: impl Future<Output = ()> + Send,
        longest: Duration,
    ) -> impl Future<Output = ()> + Send;

    /// There was no end to it.
    fn lost(&self) -> Self::Failed;
}

impl Flight {
    fn new() -> Self {
        Self { news: Notify::new(), seat: Arc::new(Semaphore::new(1)) }
    }

    /// Takes a passenger to a token.
    pub(super) async fn take<P: Passenger>(
        self: &Arc<Self>,
        passenger: &mut P,
    ) -> Result<P::Given, P::Failed> {
        for _ in 0..LOOKS {
            // Before the row is read, so that no news is missed.
            let news = self.listen();
            tokio::pin!(news);
            news.as_mut().enable();
            let longest = match passenger.look().await? {
                Look::Is(given) => return Ok(given),
                Look::Again => continue,
                Look::Refresh(claim) => {
                    if let Some(turn) = self.try_turn()
                        && !passenger.take_off(claim, turn).await?
                    {
                        continue;
                    }
                    passenger.patience()?
                }
                // The task of this process tells; another one's lease has to be looked at.
                Look::Wait(longest) if self.is_running() => longest,
                Look::Wait(longest) => longest.min(LOOK_AGAIN),
            };
            passenger.pause(news, longest).await;
        }
        Err(passenger.lost())
    }

    fn listen(&self) -> Notified<'_> {
        self.news.notified()
    }

    /// Tells everybody who listens.
    pub(super) fn tell(&self) {
        self.news.notify_waiters();
    }

    /// The right to refresh in this process; none while somebody has it.
    pub(super) fn try_turn(self: &Arc<Self>) -> Option<Turn> {
        let seat = Arc::clone(&self.seat).try_acquire_owned().ok()?;
        Some(Turn { flight: Arc::clone(self), seat: Some(seat) })
    }

    /// Whether somebody in this process refreshes.
    pub(super) fn is_running(&self) -> bool {
        self.seat.available_permits() == 0
    }
}

/// All flights that somebody takes part in.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<GrantId, Weak<Flight>>>);

impl Flights {
    /// The flight of a grant, if somebody takes part in it.
    pub(super) fn known(&self, id: GrantId) -> Option<Arc<Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).and_then(Weak::upgrade)
    }

    /// The flight of a grant.
    pub(super) fn of(&self, id: GrantId) -> Arc<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&id).and_then(Weak::upgrade) {
            return flight;
        }
        // Those that nobody takes part in any more leave when one more comes.
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(Flight::new());
        flights.insert(id, Arc::downgrade(&flight));
        flight
    }
}
