//! Locks that coalesce reads: one read of the database at a time for each key, whose result the waiting
//! readers then find cached.

use std::hash::Hash;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::weak_map::WeakMap;

/// The longest wait for another reader: the database may answer a second read faster.
const WAIT_LIMIT: Duration = Duration::from_secs(1);

/// The locks by key.
#[derive(Debug)]
pub(super) struct ReadLocks<K>(WeakMap<K, Mutex<()>>);

impl<K> Default for ReadLocks<K> {
    fn default() -> Self {
        Self(WeakMap::default())
    }
}

impl<K: Clone + Eq + Hash> ReadLocks<K> {
    /// Locks this key; none if another reader still has the lock after [`WAIT_LIMIT`].
    pub(super) async fn lock(&self, key: &K) -> Option<OwnedMutexGuard<()>> {
        let lock = self.0.get_or_make(key, || Mutex::new(()));
        tokio::time::timeout(WAIT_LIMIT, lock.lock_owned()).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::{ReadLocks, WAIT_LIMIT};

    #[tokio::test(start_paused = true)]
    async fn one_reader_at_a_time_has_the_lock_of_a_key() {
        let locks = Arc::new(ReadLocks::default());
        let (reading, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let other = locks.lock(&"other").await;
        assert!(other.is_some());
        let all = (0..20).map(|_| {
            let (locks, reading, most) = (Arc::clone(&locks), Arc::clone(&reading), Arc::clone(&most));
            tokio::spawn(async move {
                let lock = locks.lock(&"one").await;
                most.fetch_max(reading.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(1)).await;
                reading.fetch_sub(1, Ordering::SeqCst);
                lock.is_some()
            })
        });
        assert!(futures_util::future::join_all(all).await.into_iter().all(|done| done.is_ok_and(|had| had)));
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_hangs_blocks_others_for_a_second() {
        let locks = ReadLocks::default();
        let hangs = locks.lock(&1).await;
        let began = tokio::time::Instant::now();
        assert!(locks.lock(&1).await.is_none());
        assert_eq!(began.elapsed().as_secs(), WAIT_LIMIT.as_secs());
        drop(hangs);
        assert!(locks.lock(&1).await.is_some());
    }
}
