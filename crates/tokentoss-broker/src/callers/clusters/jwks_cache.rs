//! A cache of the JWK Set of one cluster, which is fetched from a file or a URL.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::Instrument;

use super::key_set::KeySet;
use crate::source::Source;

/// The time limit for one fetch.
pub(super) const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest set, in bytes.
const SET_LIMIT: usize = 256 * 1024;
/// The age from which a set is fetched again in the background, while requests still use it.
const REFRESH_AFTER: Duration = Duration::from_secs(300);
/// The age from which requests wait for a new set, so that removed keys are no longer accepted.
const STALE_AFTER: Duration = Duration::from_secs(600);
/// The shortest time between two fetches for unknown key identifiers, because anybody can invent those.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(60);

/// No usable key set could be fetched.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeysUnavailable;

/// Where the key set is fetched from.
#[derive(Debug)]
pub(super) enum JwksSource {
    /// A file that the administrator keeps up to date.
    File(PathBuf),
    /// A URL, with the bearer token that it requires.
    Url { http: Client, url: String, token: Option<Source> },
}

/// The cached key set of a cluster.
#[derive(Debug)]
pub(super) struct JwksCache {
    cluster: String,
    source: JwksSource,
    /// A monotonic clock: the time since an arbitrary start.
    clock: fn() -> Duration,
    /// The last good set, and when it was read.
    last: RwLock<Option<(Arc<KeySet>, Duration)>>,
    fetch: Arc<Mutex<FetchState>>,
}

/// The state of the fetches; the task that fetches holds its lock.
#[derive(Debug, Default)]
struct FetchState {
    /// When the last fetch ended, and whether it succeeded.
    ended: Option<(Duration, bool)>,
    /// When the last fetch for an unknown key identifier began.
    unknown_key_fetch_at: Option<Duration>,
}

impl FetchState {
    /// Whether the last fetch is long enough ago for another one.
    fn may_fetch(&self, now: Duration) -> bool {
        self.ended.is_none_or(|(ended, _)| now.saturating_sub(ended) >= UNKNOWN_KEY_INTERVAL)
    }
}

impl JwksCache {
    pub(super) fn new(cluster: &str, source: JwksSource, clock: fn() -> Duration) -> Arc<Self> {
        Arc::new(Self {
            cluster: cluster.to_owned(),
            source,
            clock,
            last: RwLock::default(),
            fetch: Arc::default(),
        })
    }

    /// The set that should contain a key. While the source is unavailable, this is the last good set.
    pub(super) async fn key_set_for(self: &Arc<Self>, key_id: &str) -> Result<Arc<KeySet>, KeysUnavailable> {
        let arrived = (self.clock)();
        if let Some((set, read_at)) = self.last()
            && set.has(key_id)
        {
            let age = arrived.saturating_sub(read_at);
            if age >= STALE_AFTER {
                let _ = timeout(FETCH_TIMEOUT, self.refresh_stale(arrived)).await;
                return self.last().map(|(set, _)| set).ok_or(KeysUnavailable);
            }
            if age >= REFRESH_AFTER
                && let Ok(fetch) = Arc::clone(&self.fetch).try_lock_owned()
                && fetch.may_fetch(arrived)
            {
                drop(self.start_fetch(fetch));
            }
            return Ok(set);
        }
        timeout(FETCH_TIMEOUT, self.fetch_for_unknown_key(key_id, arrived))
            .await
            .unwrap_or(Err(KeysUnavailable))
    }

    /// A fresh cached set that contains this key; none if a fetch is needed.
    pub(super) fn fresh_key_set(&self, key_id: &str) -> Option<Arc<KeySet>> {
        let (set, read_at) = self.last()?;
        let is_young = (self.clock)().saturating_sub(read_at) < REFRESH_AFTER;
        (is_young && set.has(key_id)).then_some(set)
    }

    /// Fetches a stale set again, or waits for the task that already does.
    async fn refresh_stale(self: &Arc<Self>, arrived: Duration) {
        let fetch = Arc::clone(&self.fetch).lock_owned().await;
        if fetch.may_fetch(arrived) {
            let _ = self.start_fetch(fetch).await;
        }
    }

    /// Fetches the set for a key that the cached one does not have, or waits for the task that already does.
    async fn fetch_for_unknown_key(
        self: &Arc<Self>,
        key_id: &str,
        arrived: Duration,
    ) -> Result<Arc<KeySet>, KeysUnavailable> {
        let mut fetch = Arc::clone(&self.fetch).lock_owned().await;
        // A fetch that ended while this one waited counts for all waiting requests.
        let is_read = fetch.ended.is_some_and(|(ended, _)| ended >= arrived);
        let last = self.last();
        if let Some((set, _)) = last.as_ref().filter(|(set, _)| set.has(key_id)) {
            return Ok(Arc::clone(set));
        }
        let is_early =
            |began: &Duration| last.is_some() && arrived.saturating_sub(*began) < UNKNOWN_KEY_INTERVAL;
        if !is_read && !fetch.unknown_key_fetch_at.as_ref().is_some_and(is_early) {
            if last.is_some() {
                fetch.unknown_key_fetch_at = Some(arrived);
            }
            self.start_fetch(fetch).await.map_err(|_| KeysUnavailable)?;
            fetch = Arc::clone(&self.fetch).lock_owned().await;
        }
        // While the source is unavailable, it is unknown whether it has this key.
        let is_unavailable = !fetch.ended.is_some_and(|(_, is_good)| is_good);
        match self.last() {
            Some((set, _)) if set.has(key_id) || !is_unavailable => Ok(set),
            _ => Err(KeysUnavailable),
        }
    }

    fn last(&self) -> Option<(Arc<KeySet>, Duration)> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches in a separate task, which goes on when the request is cancelled. It holds the lock until it
    /// ends, so there is at most one fetch, however long it takes.
    fn start_fetch(self: &Arc<Self>, mut fetch: OwnedMutexGuard<FetchState>) -> JoinHandle<()> {
        let jwks_cache = Arc::clone(self);
        tokio::spawn(async move { jwks_cache.fetch_into(&mut fetch).await }.in_current_span())
    }

    async fn fetch_into(&self, fetch: &mut FetchState) {
        let read = self.read().await;
        if let Err(what) = &read {
            tracing::warn!(cluster = self.cluster, what, "a cluster's keys cannot be read");
        }
        let ended = (self.clock)();
        fetch.ended = Some((ended, read.is_ok()));
        if let Ok(set) = read {
            *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some((Arc::new(set), ended));
        }
    }

    /// Fetches the keys as they are published now. The error is a text that names the cause.
    pub(super) async fn read(&self) -> Result<KeySet, String> {
        let document = match &self.source {
            JwksSource::File(path) => read_file(path.clone()).await?,
            JwksSource::Url { http, url, token } => fetch_url(http, url, token.as_ref()).await?,
        };
        KeySet::read(&document)
            .ok_or_else(|| "the document is not a JWK Set with an RSA or P-256 key for signatures".to_owned())
    }
}

async fn read_file(path: PathBuf) -> Result<Vec<u8>, String> {
    let read = tokio::task::spawn_blocking(move || {
        let size = std::fs::metadata(&path)?.len();
        if usize::try_from(size).is_ok_and(|size| size <= SET_LIMIT) {
            std::fs::read(&path)
        } else {
            Ok(Vec::new())
        }
    });
    read.await.map_err(|_| "reading was interrupted".to_owned())?.map_err(|error| error.to_string())
}

async fn fetch_url(http: &Client, url: &str, token: Option<&Source>) -> Result<Vec<u8>, String> {
    let mut call = http.get(url);
    if let Some(token) = token {
        // A projected token, which changes while this process runs.
        let source = token.clone();
        let token = tokio::task::spawn_blocking(move || source.secret("jwks_token"));
        let token = token.await.map_err(|_| "reading was interrupted".to_owned())?;
        let token = token.map_err(|error| error.to_string())?;
        call = call.bearer_auth(token.expose());
    }
    let mut response = call.send().await.map_err(|_| "no answer".to_owned())?;
    if response.status() != StatusCode::OK {
        return Err(format!("an answer of status {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| "an incomplete answer".to_owned())? {
        body.extend_from_slice(&chunk);
        if body.len() > SET_LIMIT {
            return Err("an answer that is too long".to_owned());
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use serde_json::json;

    use super::*;

    /// Seconds.
    static NOW: AtomicU64 = AtomicU64::new(1000);

    fn document(ids: &[&str]) -> String {
        let coordinate = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let key = |id| json!({"kty": "EC", "crv": "P-256", "kid": id, "x": coordinate, "y": coordinate});
        json!({"keys": ids.iter().map(key).collect::<Vec<_>>()}).to_string()
    }

    #[tokio::test]
    async fn a_source_that_hangs_has_one_fetch_which_outlives_its_request() {
        let folder = tempfile::tempdir().expect("a folder");
        // A pipe without a writer: reading it blocks.
        let file = folder.path().join("jwks.json");
        let made = std::process::Command::new("mkfifo").arg(&file).status().expect("it runs");
        assert!(made.success());
        let keys = JwksCache::new("prod", JwksSource::File(file.clone()), || Duration::from_secs(1));
        for _ in 0..3 {
            let left = timeout(Duration::from_millis(20), keys.key_set_for("first")).await;
            assert!(left.is_err(), "it waits still");
        }
        assert!(keys.fetch.try_lock().is_err(), "the first reading goes on");
        // Let it end.
        std::fs::write(&file, document(&["first"])).expect("written");
        assert!(keys.key_set_for("first").await.is_ok());
    }

    #[tokio::test]
    async fn no_request_uses_a_stale_set_while_another_fetches() {
        static NOW: AtomicU64 = AtomicU64::new(1000);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("jwks.json");
        std::fs::write(&file, document(&["taken-out"])).expect("written");
        let clock = || Duration::from_secs(NOW.load(Ordering::SeqCst));
        let keys = JwksCache::new("prod", JwksSource::File(file.clone()), clock);
        assert!(keys.key_set_for("taken-out").await.is_ok_and(|set| set.has("taken-out")));
        std::fs::write(&file, document(&["left"])).expect("written");
        NOW.fetch_add(STALE_AFTER.as_secs(), Ordering::SeqCst);
        assert!(keys.fresh_key_set("taken-out").is_none());
        let both =
            futures_util::future::join(keys.key_set_for("taken-out"), keys.key_set_for("taken-out")).await;
        for set in [both.0, both.1] {
            assert!(set.is_ok_and(|set| !set.has("taken-out")));
        }
    }

    #[tokio::test]
    async fn a_stale_set_is_refreshed_and_unknown_keys_are_fetched_once_a_minute() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("jwks.json");
        let publish = |ids: &[&str]| std::fs::write(&file, document(ids)).expect("written");
        let clock = || Duration::from_secs(NOW.load(Ordering::SeqCst));
        let keys = JwksCache::new("prod", JwksSource::File(file.clone()), clock);
        // Whether a key is found so many seconds later; none while the source is unavailable.
        let has = async |later: u64, id: &str| {
            NOW.fetch_add(later, Ordering::SeqCst);
            keys.key_set_for(id).await.ok().map(|set| set.has(id))
        };
        publish(&["first"]);
        assert_eq!(has(0, "first").await, Some(true));
        publish(&["second"]);
        assert_eq!(has(299, "first").await, Some(true));
        assert_eq!(has(1, "first").await, Some(true), "nobody waits for the reading that begins here");
        while keys.last().is_some_and(|(set, _)| set.has("first")) {
            tokio::task::yield_now().await;
        }
        publish(&["third"]);
        assert_eq!(has(600, "second").await, Some(false), "a key that was taken out counts for ten minutes");
        publish(&["second"]);
        assert_eq!(has(1, "second").await, Some(true));

        std::fs::remove_file(&file).expect("removed");
        assert_eq!(has(700, "second").await, Some(true), "the last good set");
        assert_eq!(has(1, "third").await, None, "nobody knows");
        publish(&["second", "third"]);
        assert_eq!(has(59, "third").await, None, "not yet again");
        assert_eq!(has(1, "third").await, Some(true));
        assert_eq!(has(1, "fourth").await, Some(false));
        publish(&["fourth"]);
        assert_eq!(has(58, "fourth").await, Some(false));
        assert_eq!(has(1, "fourth").await, Some(true));
    }
}
