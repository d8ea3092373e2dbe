//! The limits on calls of one user: the rate, and the number of concurrent calls.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::LimitsConfig;
use crate::callers::Caller;
use crate::problem::Problem;

/// The number of users above which idle users are removed.
const CAPACITY: usize = 10_000;

type User = (String, String);

/// The limiters of all users.
pub(super) struct CallLimiter {
    at_once: usize,
    running: Mutex<HashMap<User, Weak<Semaphore>>>,
    rates: RateLimiter<User, HashMapStateStore<User>, DefaultClock>,
    clock: DefaultClock,
}

/// A permit for one call; it is held until the response has been forwarded.
pub(crate) struct CallPermit(
    #[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit,
    Arc<Semaphore>,
);

impl CallLimiter {
    /// Creates the limiter; the ranges of the limits must be checked.
    pub(super) fn of(limits: &LimitsConfig) -> Self {
        let per_minute = NonZeroU32::new(limits.per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            at_once: limits.at_once,
            running: Mutex::default(),
            rates: RateLimiter::hashmap(Quota::per_minute(per_minute)),
            clock: DefaultClock::default(),
        }
    }

    /// Acquires a permit for a call of this user.
    pub(super) fn acquire(&self, caller: &Caller) -> Result<CallPermit, Problem> {
        let user = (caller.tenant.clone(), caller.user.clone());
        if self.rates.len() > CAPACITY {
            self.rates.retain_recent();
        }
        if let Err(early) = self.rates.check_key(&user) {
            let wait = early.wait_time_from(self.clock.now());
            return Err(Problem::too_many_calls(wait.as_secs() + 1));
        }
        let running = self.running_of(user);
        let permit = Arc::clone(&running).try_acquire_owned().map_err(|_| Problem::too_many_calls(1))?;
        Ok(CallPermit(permit, running))
    }

    fn running_of(&self, user: User) -> Arc<Semaphore> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = running.get(&user).and_then(Weak::upgrade) {
            return semaphore;
        }
        if running.len() > CAPACITY {
            running.retain(|_, semaphore| semaphore.strong_count() > 0);
        }
        let semaphore = Arc::new(Semaphore::new(self.at_once));
        running.insert(user, Arc::downgrade(&semaphore));
        semaphore
    }
}

impl std::fmt::Debug for CallPermit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CallPermit({} left)", self.1.available_permits())
    }
}
