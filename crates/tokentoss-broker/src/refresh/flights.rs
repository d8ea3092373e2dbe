//! Who refreshes in this process, and whom to tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::futures::Notified;
use tokio::sync::{Mutex as Turn, Notify, OwnedMutexGuard};

use crate::store::GrantId;

/// The flight of one grant.
#[derive(Debug, Default)]
pub(super) struct Flight {
    news: Notify,
    turn: Arc<Turn<()>>,
}

impl Flight {
    /// Waits for the next news.
    pub(super) fn listen(&self) -> Notified<'_> {
        self.news.notified()
    }

    /// Tells everybody who listens.
    pub(super) fn tell(&self) {
        self.news.notify_waiters();
    }

    /// The right to refresh in this process; none while somebody has it.
    pub(super) fn try_turn(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.turn).try_lock_owned().ok()
    }

    /// Whether somebody in this process refreshes.
    pub(super) fn is_running(&self) -> bool {
        self.turn.try_lock().is_err()
    }
}

/// All flights that somebody takes part in.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<GrantId, Weak<Flight>>>);

impl Flights {
    /// The flight of a grant.
    pub(super) fn of(&self, id: GrantId) -> Arc<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&id).and_then(Weak::upgrade) {
            return flight;
        }
        // Those that nobody takes part in any more leave when one more comes.
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(Flight::default());
        flights.insert(id, Arc::downgrade(&flight));
        flight
    }
}
