//! Grants that this version cannot read: the scheduler leaves them alone for some time, so that they stand in nobody's way.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::GrantId;

/// After so long it looks again, because an administrator may have helped.
const SKIPPED_FOR: Duration = Duration::from_secs(600);

/// The grants of this process that are left alone, and since when.
#[derive(Debug, Default)]
pub struct UnreadableGrants(Mutex<HashMap<GrantId, Instant>>);

impl UnreadableGrants {
    pub(super) fn add(&self, id: GrantId) {
        self.lock().insert(id, Instant::now());
    }

    pub(super) fn has(&self, id: GrantId) -> bool {
        self.lock().contains_key(&id)
    }

    /// How many there are, without those whose time is over.
    pub(super) fn count(&self) -> usize {
        let mut grants = self.lock();
        grants.retain(|_, since| since.elapsed() < SKIPPED_FOR);
        grants.len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<GrantId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
