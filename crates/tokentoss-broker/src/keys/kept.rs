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
        closed.insert(tenant.to_owned(), Instant::now());
    }

    /// The tenants whose data keys did not open a moment ago.
    pub fn closed(&self) -> Vec<String> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let young = closed.iter().filter(|(_, seen_at)| seen_at.elapsed() < KEPT_FOR);
        young.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// Forgets what is not used any more.
    pub fn tidy(&self) {
        let mut kept = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (_, read_at)| read_at.elapsed() < KEPT_FOR);
        drop(kept);
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.retain(|_, seen_at| seen_at.elapsed() < KEPT_FOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_leaves_memory() {
        let (keys, now) = (KeptKeys::default(), Instant::now());
        let before = now.checked_sub(KEPT_FOR).expect("a machine that runs for longer");
        for (tenant, seen_at) in [("old", before), ("young", now)] {
            keys.keep(tenant, &Key::generate(), seen_at);
            keys.closed.lock().expect("not poisoned").insert(format!("closed-{tenant}"), seen_at);
        }
        keys.tidy();
        let opened = keys.opened.lock().expect("not poisoned");
        assert_eq!(opened.keys().collect::<Vec<_>>(), ["young"]);
        assert_eq!(keys.closed.lock().expect("not poisoned").keys().collect::<Vec<_>>(), ["closed-young"]);
    }
}
