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
pub struct KeptKeys(Mutex<HashMap<String, (Key, Instant)>>);

impl KeptKeys {
    /// A tenant's data key, if it was read a moment ago.
    pub fn get(&self, tenant: &str) -> Option<Key> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(tenant).filter(|(_, read_at)| read_at.elapsed() < KEPT_FOR).map(|(key, _)| key.clone())
    }

    /// Keeps a data key whose row was read no earlier than `read_at`, unless a younger one is kept.
    pub fn keep(&self, tenant: &str, key: &Key, read_at: Instant) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(tenant).is_none_or(|(_, other)| *other <= read_at) {
            kept.insert(tenant.to_owned(), (key.clone(), read_at));
        }
    }
}
