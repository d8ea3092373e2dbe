//! A cache of opened data keys. Its short lifetime makes every broker read a new key in time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Key;

/// How long a data key is cached before its row is read again.
pub const DATA_KEY_CACHE_TTL: Duration = Duration::from_secs(30);

/// Opened data keys by tenant.
#[derive(Debug, Default)]
pub struct DataKeyCache {
    keys: Mutex<HashMap<String, (Key, Instant)>>,
    /// Tenants whose data keys could not be opened with the key ring, and when that failed.
    unreadable: Mutex<HashMap<String, Instant>>,
}

impl DataKeyCache {
    /// A tenant's cached data key.
    pub fn get(&self, tenant: &str) -> Option<Key> {
        let cached = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        cached
            .get(tenant)
            .filter(|(_, read_at)| read_at.elapsed() < DATA_KEY_CACHE_TTL)
            .map(|(key, _)| key.clone())
    }

    /// Caches a data key whose row was read at `read_at` or later, unless a newer one is cached.
    pub fn keep(&self, tenant: &str, key: &Key, read_at: Instant) {
        let mut cached = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.get(tenant).is_none_or(|(_, other)| *other <= read_at) {
            cached.insert(tenant.to_owned(), (key.clone(), read_at));
        }
    }

    /// Records that a tenant's data key cannot be opened.
    pub fn note_unreadable(&self, tenant: &str) {
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        unreadable.insert(tenant.to_owned(), Instant::now());
    }

    /// The tenants whose data keys could not be opened recently.
    pub fn unreadable_tenants(&self) -> Vec<String> {
        let unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let young = unreadable.iter().filter(|(_, seen_at)| seen_at.elapsed() < DATA_KEY_CACHE_TTL);
        young.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// Removes expired entries.
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
    fn expired_entries_are_removed() {
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
