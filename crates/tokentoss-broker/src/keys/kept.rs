//! Data keys that were opened already, for a short while: a new one must become known to every broker in time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Key;

/// How long an opened data key is used before its row is read again.
pub const KEPT_FOR: Duration = Duration::from_secs(30);

/// Opened data keys, by their tenants.
#[derive(Debug, Default)]
pub struct KeptKeys {
    opened: Mutex<HashMap<String, (Key, Instant)>>,
    /// Tenants whose data keys no key of the ring opened, and when that was.
    closed: Mutex<HashMap<String, Instant>>,
}

impl KeptKeys {
    /// A tenant's data key, if it was read a moment ago.
    pub fn get(&self, tenant: &str) -> Option<Key> {
        let kept = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(tenant).filter(|(_, read_at)| read_at.elapsed() < KEPT_FOR).map(|(key, _)| key.clone())
    }

    /// Keeps a data key whose row was read no earlier than `read_at`, unless a younger one is kept.
    pub fn keep(&self, tenant: &str, key: &Key, read_at: Instant) {
        let mut kept = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(tenant).is_none_or(|(_, other)| *other <= read_at) {
            kept.insert(tenant.to_owned(), (key.clone(), read_at));
        }
    }

    /// Notes that a tenant's data key does not open.
    pub fn note_closed(&self, tenant: &str) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.retain(|_, seen_at| seen_at.elapsed() < KEPT_FOR);
        closed.insert(tenant.to_owned(), Instant::now());
    }

    /// Whether a tenant's data key did not open a moment ago.
    pub fn is_closed(&self, tenant: &str) -> bool {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.get(tenant).is_some_and(|seen_at| seen_at.elapsed() < KEPT_FOR)
    }
}
