//! One reader of the database at a time for each key: who comes meanwhile finds what that one has read.

use std::hash::Hash;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::weak_map::WeakMap;

/// A database that is slow with one reader may answer another.
const WAIT_LIMIT: Duration = Duration::from_secs(1);

/// Who reads, by key.
#[derive(Debug)]
pub(super) struct ReadLocks<K>(WeakMap<K, Mutex<()>>);

impl<K> Default for ReadLocks<K> {
    fn default() -> Self {
        Self(WeakMap::default())
    }
}

impl<K: Clone + Eq + Hash> ReadLocks<K> {
    /// Waits until nobody else reads for this key, but for a second at most; none where somebody still does.
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
    async fn one_reads_at_a_time_for_a_key_and_others_for_theirs() {
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
    async fn a_reader_that_hangs_stops_nobody_for_long() {
        let locks = ReadLocks::default();
        let hangs = locks.lock(&1).await;
        let began = tokio::time::Instant::now();
        assert!(locks.lock(&1).await.is_none());
        assert_eq!(began.elapsed().as_secs(), WAIT_LIMIT.as_secs());
        drop(hangs);
        assert!(locks.lock(&1).await.is_some());
    }
}
