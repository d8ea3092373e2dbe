//! Grants that this version cannot read: the scheduler skips them for some time, so that they do not block
//! other grants.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::GrantId;

/// How long a grant is skipped. Then it is read again, because an administrator may have repaired it.
const SKIPPED_FOR: Duration = Duration::from_secs(600);

/// The skipped grants of this process, and since when.
#[derive(Debug, Default)]
pub struct UnreadableGrants(Mutex<HashMap<GrantId, Instant>>);

impl UnreadableGrants {
    pub(super) fn add(&self, id: GrantId) {
        self.lock().insert(id, Instant::now());
    }

    pub(super) fn has(&self, id: GrantId) -> bool {
        self.lock().contains_key(&id)
    }

    /// The number of skipped grants; drops expired entries first.
    pub(super) fn count(&self) -> usize {
        let mut grants = self.lock();
        grants.retain(|_, since| since.elapsed() < SKIPPED_FOR);
        grants.len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<GrantId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
