//! Where a cluster publishes its keys, and what was read there last.

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

/// How long the place may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The longest set, in bytes.
const SET_LIMIT: usize = 256 * 1024;
/// How old a set may be before it is read again, while everybody goes on with it.
const FRESH: Duration = Duration::from_secs(300);
/// How old it may be before whoever comes waits for that, so that keys that were taken out stop counting.
const OLD: Duration = Duration::from_secs(600);
/// The shortest time between two readings for identifiers that the set does not have: anybody can invent those.
const UNKNOWN_EVERY: Duration = Duration::from_secs(60);

/// The place gave no set that can be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Away;

/// Where keys are.
#[derive(Debug)]
pub(super) enum Place {
    /// A file that somebody keeps up to date.
    File(PathBuf),
    /// An address, with the token that it asks for.
    Address { http: Client, url: String, token: Option<Source> },
}

/// A cluster's keys.
#[derive(Debug)]
pub(super) struct Published {
    cluster: String,
    place: Place,
    /// The time that passed since some moment.
    clock: fn() -> Duration,
    /// The last good set, and when it was read.
    last: RwLock<Option<(Arc<KeySet>, Duration)>>,
    turn: Arc<Mutex<Turn>>,
}

/// Held by who reads.
#[derive(Debug, Default)]
struct Turn {
    /// When the last reading ended, and whether it gave a set.
    ended: Option<(Duration, bool)>,
    /// When a reading for an unknown identifier began.
    for_unknown: Option<Duration>,
}

impl Turn {
    /// Whether the last reading is so long ago that it may be done again.
    fn may_read(&self, now: Duration) -> bool {
        self.ended.is_none_or(|(ended, _)| now.saturating_sub(ended) >= UNKNOWN_EVERY)
    }
}

impl Published {
    pub(super) fn new(cluster: &str, place: Place, clock: fn() -> Duration) -> Arc<Self> {
        Arc::new(Self {
            cluster: cluster.to_owned(),
            place,
            clock,
            last: RwLock::default(),
            turn: Arc::default(),
        })
    }

    /// The set in which a key should be; the last good one while the place is away.
    pub(super) async fn with(self: &Arc<Self>, key_id: &str) -> Result<Arc<KeySet>, Away> {
        let arrived = (self.clock)();
        if let Some((set, read_at)) = self.last()
            && set.has(key_id)
        {
            let age = arrived.saturating_sub(read_at);
            if age >= OLD {
                let _ = timeout(PATIENCE, self.read_again(arrived)).await;
                return self.last().map(|(set, _)| set).ok_or(Away);
            }
            if age >= FRESH
                && let Ok(turn) = Arc::clone(&self.turn).try_lock_owned()
                && turn.may_read(arrived)
            {
                drop(self.begin_reading(turn));
            }
            return Ok(set);
        }
        timeout(PATIENCE, self.look_for(key_id, arrived)).await.unwrap_or(Err(Away))
    }

    /// The set in which this key is, where nobody need wait for it.
    pub(super) fn at_hand(&self, key_id: &str) -> Option<Arc<KeySet>> {
        let (set, read_at) = self.last()?;
        let is_young = (self.clock)().saturating_sub(read_at) < FRESH;
        (is_young && set.has(key_id)).then_some(set)
    }

    /// Reads a set that is old, or waits for whoever does.
    async fn read_again(self: &Arc<Self>, arrived: Duration) {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        if turn.may_read(arrived) {
            let _ = self.begin_reading(turn).await;
        }
    }

    /// Reads for a key that is not among those that were read, or waits for whoever does.
    async fn look_for(self: &Arc<Self>, key_id: &str, arrived: Duration) -> Result<Arc<KeySet>, Away> {
        let mut turn = Arc::clone(&self.turn).lock_owned().await;
        // What another read meanwhile is for all who waited.
        let is_read = turn.ended.is_some_and(|(ended, _)| ended >= arrived);
        let last = self.last();
        if let Some((set, _)) = last.as_ref().filter(|(set, _)| set.has(key_id)) {
            return Ok(Arc::clone(set));
        }
        let is_early = |began: &Duration| last.is_some() && arrived.saturating_sub(*began) < UNKNOWN_EVERY;
        if !is_read && !turn.for_unknown.as_ref().is_some_and(is_early) {
            if last.is_some() {
                turn.for_unknown = Some(arrived);
            }
            self.begin_reading(turn).await.map_err(|_| Away)?;
            turn = Arc::clone(&self.turn).lock_owned().await;
        }
        // While the place is away, nobody knows whether it has a key of this name.
        let is_away = !turn.ended.is_some_and(|(_, is_good)| is_good);
        match self.last() {
            Some((set, _)) if set.has(key_id) || !is_away => Ok(set),
            _ => Err(Away),
        }
    }

    fn last(&self) -> Option<(Arc<KeySet>, Duration)> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads in a task of its own, which goes on when whoever asked has left. As it keeps the turn until it ends, there is one at
    /// most, however long the place takes.
    fn begin_reading(self: &Arc<Self>, mut turn: OwnedMutexGuard<Turn>) -> JoinHandle<()> {
        let published = Arc::clone(self);
        tokio::spawn(async move { published.read_in(&mut turn).await }.in_current_span())
    }

    async fn read_in(&self, turn: &mut Turn) {
        let read = self.read().await;
        if let Err(what) = &read {
            tracing::warn!(cluster = self.cluster, what, "a cluster's keys cannot be read");
        }
        let ended = (self.clock)();
        turn.ended = Some((ended, read.is_ok()));
        if let Ok(set) = read {
            *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some((Arc::new(set), ended));
        }
    }

    /// Reads the keys as they are published now; the error is what stands in the way, in words.
    pub(super) async fn read(&self) -> Result<KeySet, String> {
        let document = match &self.place {
            Place::File(path) => of_file(path.clone()).await?,
            Place::Address { http, url, token } => of_address(http, url, token.as_ref()).await?,
        };
        KeySet::read(&document)
            .ok_or_else(|| "what is there is no JWK Set with an RSA or P-256 key for signatures".to_owned())
    }
}

async fn of_file(path: PathBuf) -> Result<Vec<u8>, String> {
    let read = tokio::task::spawn_blocking(move || {
        let size = std::fs::metadata(&path)?.len();
        if usize::try_from(size).is_ok_and(|size| size <= SET_LIMIT) {
            std::fs::read(&path)
        } else {
            Ok(Vec::new())
        }
    });
    read.await.map_err(|_| "reading was broken off".to_owned())?.map_err(|error| error.to_string())
}

async fn of_address(http: &Client, url: &str, token: Option<&Source>) -> Result<Vec<u8>, String> {
    let mut call = http.get(url);
    if let Some(token) = token {
        // A projected token, which changes while this process runs.
        let source = token.clone();
        let token = tokio::task::spawn_blocking(move || source.secret("jwks_token"));
        let token = token.await.map_err(|_| "reading was broken off".to_owned())?;
        let token = token.map_err(|error| error.to_string())?;
        call = call.bearer_auth(token.expose());
    }
    let mut response = call.send().await.map_err(|_| "no answer".to_owned())?;
    if response.status() != StatusCode::OK {
        return Err(format!("an answer of status {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| "half an answer".to_owned())? {
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
    async fn a_place_that_hangs_keeps_one_reading_which_outlives_who_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        // A pipe into which nobody writes.
        let file = folder.path().join("jwks.json");
        let made = std::process::Command::new("mkfifo").arg(&file).status().expect("it runs");
        assert!(made.success());
        let keys = Published::new("prod", Place::File(file.clone()), || Duration::from_secs(1));
        for _ in 0..3 {
            let left = timeout(Duration::from_millis(20), keys.with("first")).await;
            assert!(left.is_err(), "it waits still");
        }
        assert!(keys.turn.try_lock().is_err(), "the first reading goes on");
        // Let it end.
        std::fs::write(&file, document(&["first"])).expect("written");
        assert!(keys.with("first").await.is_ok());
    }

    #[tokio::test]
    async fn nobody_goes_on_with_an_old_set_while_another_reads() {
        static NOW: AtomicU64 = AtomicU64::new(1000);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("jwks.json");
        std::fs::write(&file, document(&["taken-out"])).expect("written");
        let clock = || Duration::from_secs(NOW.load(Ordering::SeqCst));
        let keys = Published::new("prod", Place::File(file.clone()), clock);
        assert!(keys.with("taken-out").await.is_ok_and(|set| set.has("taken-out")));
        std::fs::write(&file, document(&["left"])).expect("written");
        NOW.fetch_add(OLD.as_secs(), Ordering::SeqCst);
        assert!(keys.at_hand("taken-out").is_none());
        let both = futures_util::future::join(keys.with("taken-out"), keys.with("taken-out")).await;
        for set in [both.0, both.1] {
            assert!(set.is_ok_and(|set| !set.has("taken-out")));
        }
    }

    #[tokio::test]
    async fn a_set_grows_old_and_unknown_keys_are_looked_for_once_a_minute() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("jwks.json");
        let publish = |ids: &[&str]| std::fs::write(&file, document(ids)).expect("written");
        let clock = || Duration::from_secs(NOW.load(Ordering::SeqCst));
        let keys = Published::new("prod", Place::File(file.clone()), clock);
        // Whether a key is found so many seconds later; none while the place is away.
        let has = async |later: u64, id: &str| {
            NOW.fetch_add(later, Ordering::SeqCst);
            keys.with(id).await.ok().map(|set| set.has(id))
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
