//! Data keys that were opened already, for a short while: a new one must become known to every broker in time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Key;

/// How long an opened data key is used before its row is read again.
pub const DATA_KEY_CACHE_TTL: Duration = Duration::from_secs(30);

/// Opened data keys, by their tenants.
#[derive(Debug, Default)]
pub struct DataKeyCache {
    keys: Mutex<HashMap<String, (Key, Instant)>>,
    /// Tenants whose data keys no key of the ring opened, and when that was.
    unreadable: Mutex<HashMap<String, Instant>>,
}

impl DataKeyCache {
    /// A tenant's data key, if it was read a moment ago.
    pub fn get(&self, tenant: &str) -> Option<Key> {
        let cached = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        cached
            .get(tenant)
            .filter(|(_, read_at)| read_at.elapsed() < DATA_KEY_CACHE_TTL)
            .map(|(key, _)| key.clone())
    }

    /// Keeps a data key whose row was read no earlier than `read_at`, unless a younger one is kept.
    pub fn keep(&self, tenant: &str, key: &Key, read_at: Instant) {
        let mut cached = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.get(tenant).is_none_or(|(_, other)| *other <= read_at) {
            cached.insert(tenant.to_owned(), (key.clone(), read_at));
        }
    }

    /// Notes that a tenant's data key does not open.
    pub fn note_unreadable(&self, tenant: &str) {
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        unreadable.insert(tenant.to_owned(), Instant::now());
    }

    /// The tenants whose data keys did not open a moment ago.
    pub fn unreadable_tenants(&self) -> Vec<String> {
        let unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let young = unreadable.iter().filter(|(_, seen_at)| seen_at.elapsed() < DATA_KEY_CACHE_TTL);
        young.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// Forgets what is not used any more.
    pub fn tidy(&self) {
        let mut cached = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        cached.retain(|_, (_, read_at)| read_at.elapsed() < DATA_KEY_CACHE_TTL);
        drop(cached);
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        unreadable.retain(|_, seen_at| seen_at.elapsed() < DATA_KEY_CACHE_TTL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_leaves_memory() {
        let (keys, now) = (DataKeyCache::default(), Instant::now());
        let before = now.checked_sub(DATA_KEY_CACHE_TTL).expect("a machine that runs for longer");
        for (tenant, seen_at) in [("old", before), ("young", now)] {
            keys.keep(tenant, &Key::generate(), seen_at);
            keys.unreadable.lock().expect("not poisoned").insert(format!("unreadable-{tenant}"), seen_at);
        }
        keys.tidy();
        let opened = keys.keys.lock().expect("not poisoned");
        assert_eq!(opened.keys().collect::<Vec<_>>(), ["young"]);
        assert_eq!(
            keys.unreadable.lock().expect("not poisoned").keys().collect::<Vec<_>>(),
            ["unreadable-young"]
        );
    }
}
