//! A cache of accounts, rows and opened access tokens, with a time to live of five seconds.
//!
//! A write invalidates the cache: in this process before the write returns, in other processes through
//! notifications of the database. A read that began before such a write is not cached. The current time for a
//! cached row is the database's time of the read plus the time since the read began, so that a token never
//! seems to live longer than it does.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::CellId;

use crate::clock;
use crate::store::{Account, GrantId, GrantRow, ProviderUser, StoreEvent};

/// The time to live of an entry.
const TTL: Duration = Duration::from_secs(5);
/// The approximate capacity for rows and tokens, in bytes.
const ROWS_CAPACITY: u64 = 32 * 1024 * 1024;
/// The most lists of accounts.
const LISTS_CAPACITY: u64 = 50_000;
/// The approximate size of a row without its tokens, in bytes, with the overhead of both caches.
const ROW_WEIGHT: usize = 6 * 1024;
/// The number of shards; each one counts the changes of its keys.
const SHARDS: usize = 1024;

/// A read of the database that has begun, and whose result may be cached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingRead {
    shard: usize,
    changes: u64,
    at: Duration,
}

/// A cached row with its opened tokens.
#[derive(Debug)]
pub(crate) struct CachedRow {
    row: Arc<GrantRow>,
    tokens: Vec<(CellId, Secret)>,
    at: Duration,
}

struct CachedAccounts {
    accounts: Arc<[Account]>,
    at: Duration,
}

/// The cache.
pub(crate) struct Cache {
    lists: moka::sync::Cache<ProviderUser, Arc<CachedAccounts>>,
    rows: moka::sync::Cache<GrantId, Arc<CachedRow>>,
    changes: [Mutex<u64>; SHARDS],
    hasher: RandomState,
}

impl PendingRead {
    /// The same read with an earlier time, for a value that has not changed since then.
    pub(crate) const fn as_of(self, at: Duration) -> Self {
        Self { at, ..self }
    }

    /// When it began, by this machine's clock.
    pub(crate) const fn at(self) -> Duration {
        self.at
    }
}

impl Cache {
    pub(crate) fn new() -> Self {
        let weigh = |_: &GrantId, kept: &Arc<CachedRow>| {
            let tokens: usize = kept.tokens.iter().map(|(_, token)| token.expose().len()).sum();
            u32::try_from(tokens.saturating_add(ROW_WEIGHT)).unwrap_or(u32::MAX)
        };
        Self {
            lists: moka::sync::Cache::builder().max_capacity(LISTS_CAPACITY).time_to_live(TTL).build(),
            rows: moka::sync::Cache::builder()
                .max_capacity(ROWS_CAPACITY)
                .weigher(weigh)
                .time_to_live(TTL)
                .build(),
            changes: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        }
    }

    /// Begins a read; to be called before the database is read for this user and provider.
    pub(crate) fn begin(&self, provider_user: &ProviderUser) -> PendingRead {
        let shard = self.shard(provider_user);
        let changes = self.changes.get(shard).map_or(0, |changes| *lock(changes));
        PendingRead { shard, changes, at: clock::elapsed() }
    }

    /// Caches a list of accounts. An empty list is not cached, so that a sign-in at another replica is
    /// visible at once.
    pub(crate) fn keep_accounts(
        &self,
        read: PendingRead,
        provider_user: &ProviderUser,
        accounts: &[Account],
    ) {
        if !accounts.is_empty() {
            let listed = Arc::new(CachedAccounts { accounts: accounts.into(), at: read.at });
            self.keep(read, || self.lists.insert(provider_user.clone(), listed));
        }
    }

    /// Caches a row with one of its tokens.
    pub(crate) fn keep_token(&self, read: PendingRead, row: &Arc<GrantRow>, cell: CellId, token: &Secret) {
        self.keep_with(read, row, vec![(cell, token.clone())]);
    }

    /// Caches a row without a token.
    pub(crate) fn keep_row(&self, read: PendingRead, row: &Arc<GrantRow>) {
        self.keep_with(read, row, Vec::new());
    }

    fn keep_with(&self, read: PendingRead, row: &Arc<GrantRow>, mut tokens: Vec<(CellId, Secret)>) {
        self.keep(read, || {
            // The other tokens stay cached if the row has the same version.
            if let Some(kept) = self.rows.get(&row.id).filter(|kept| names_the_same(&kept.row, row)) {
                let is_new = |cell: &CellId| tokens.iter().all(|(new, _)| new != cell);
                let others: Vec<_> = kept.tokens.iter().filter(|(cell, _)| is_new(cell)).cloned().collect();
                tokens.extend(others);
            }
            self.rows.insert(row.id, Arc::new(CachedRow { row: Arc::clone(row), tokens, at: read.at }));
        });
    }

    /// Caches a row that this process wrote after `read` began, with its new token; false if there may have
    /// been another change meanwhile.
    pub(crate) fn keep_written(
        &self,
        read: PendingRead,
        row: &Arc<GrantRow>,
        cell: CellId,
        token: &Secret,
    ) -> bool {
        // The write itself was one change.
        let written = PendingRead { changes: read.changes.wrapping_add(1), ..read };
        self.keep(written, || {
            let tokens = vec![(cell, token.clone())];
            self.rows.insert(row.id, Arc::new(CachedRow { row: Arc::clone(row), tokens, at: read.at }));
        })
    }

    /// The cached accounts of a user at a provider.
    pub(crate) fn accounts(&self, provider_user: &ProviderUser) -> Option<Arc<[Account]>> {
        let listed = self.lists.get(provider_user)?;
        is_fresh(listed.at, clock::elapsed()).then(|| Arc::clone(&listed.accounts))
    }

    /// The cached accounts of a user at a provider, if they were read at this time or later.
    pub(crate) fn accounts_since(
        &self,
        provider_user: &ProviderUser,
        moment: Duration,
    ) -> Option<Arc<[Account]>> {
        let listed = self.lists.get(provider_user)?;
        (listed.at >= moment).then(|| Arc::clone(&listed.accounts))
    }

    /// A cached row.
    pub(crate) fn row(&self, id: GrantId) -> Option<Arc<CachedRow>> {
        self.rows.get(&id).filter(|kept| is_fresh(kept.at, clock::elapsed()))
    }

    /// Invalidates the entries that an event makes outdated.
    pub(crate) fn on_event(&self, event: &StoreEvent) {
        match event {
            StoreEvent::Changed(change) => {
                let Some(changes) = self.changes.get(self.shard(&change.provider_user)) else { return };
                let mut changes = lock(changes);
                *changes = changes.wrapping_add(1);
                self.lists.invalidate(&change.provider_user);
                self.rows.invalidate(&change.grant);
            }
            StoreEvent::WriteFailed | StoreEvent::Missed => {
                self.changes.iter().for_each(|changes| {
                    let mut changes = lock(changes);
                    *changes = changes.wrapping_add(1);
                });
                self.lists.invalidate_all();
                self.rows.invalidate_all();
            }
        }
    }

    /// Frees the memory of expired entries.
    pub(crate) fn tidy(&self) {
        self.lists.run_pending_tasks();
        self.rows.run_pending_tasks();
    }

    fn keep(&self, read: PendingRead, insert: impl FnOnce()) -> bool {
        let Some(changes) = self.changes.get(read.shard) else { return false };
        // Locked until the entry is inserted, so that no change comes in between.
        let changes = lock(changes);
        let is_unchanged = *changes == read.changes;
        if is_unchanged {
            insert();
        }
        is_unchanged
    }

    fn shard(&self, provider_user: &ProviderUser) -> usize {
        let hash = usize::try_from(self.hasher.hash_one(provider_user) & 0xffff).unwrap_or_default();
        hash % SHARDS
    }
}

/// Whether a row names the same tokens of the same account as before. The version alone does not say so: whoever else writes
/// to the database need not raise it.
fn names_the_same(before: &GrantRow, after: &GrantRow) -> bool {
    let (one, other) = (&before.grant, &after.grant);
    before.account() == after.account()
        && (one.version, one.id_token) == (other.version, other.id_token)
        && one.tokens == other.tokens
}

impl CachedRow {
    /// The row.
    pub(crate) const fn row(&self) -> &Arc<GrantRow> {
        &self.row
    }

    /// When it was read, by this machine's clock.
    pub(crate) const fn at(&self) -> Duration {
        self.at
    }

    /// An opened token.
    pub(crate) fn token(&self, cell: CellId) -> Option<&Secret> {
        self.tokens.iter().find_map(|(kept, token)| (*kept == cell).then_some(token))
    }

    /// The current time of the database's clock, or slightly later.
    pub(crate) fn now(&self) -> Timestamp {
        self.row.now + clock::elapsed().saturating_sub(self.at)
    }
}

fn is_fresh(at: Duration, now: Duration) -> bool {
    now.saturating_sub(at) < TTL
}

fn lock(changes: &Mutex<u64>) -> std::sync::MutexGuard<'_, u64> {
    changes.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, PoisonError};
    use std::time::Duration;

    use super::{Cache, PendingRead, TTL, is_fresh};
    use crate::store::{Account, Change, ChangeKind, GrantId, GrantRow, ProviderUser, StoreEvent};
    use tokentoss_core::{Secret, Timestamp};
    use tokentoss_custody::{
        CellId, ClientRevision, Handle, Jitter, Renewed, Scopes, SettleParameters, SignIn, TokenHash,
        Version, connect,
    };

    fn provider_user(user: &str) -> ProviderUser {
        ProviderUser { tenant: "acme".into(), user: user.into(), provider: "example".into() }
    }

    fn accounts() -> Vec<Account> {
        vec![Account { id: GrantId([1; 16]), subject: "ada".into(), email: None }]
    }

    fn change() -> StoreEvent {
        let (grant, provider_user, version) = (GrantId([1; 16]), provider_user("ada"), Version(2));
        StoreEvent::Changed(Change { grant, provider_user, version, kind: ChangeKind::Disconnected })
    }

    fn row() -> Arc<GrantRow> {
        let now = Timestamp::from_millis(1_000_000);
        let access = Handle { hash: TokenHash([1; 32]), cell: CellId(1) };
        let expires_in = Some(Duration::from_secs(3600));
        let tokens = Renewed { access, refresh: None, id_token: None, expires_in, scopes: None };
        let sign_in = SignIn { tokens, requested: Scopes::default(), assumed_life: TTL };
        let terms = SettleParameters {
            forgets_after: Duration::MAX,
            client_revision: ClientRevision(1),
            jitter: Jitter(0),
        };
        let ProviderUser { tenant, user, provider } = provider_user("ada");
        let grant = connect(now, &sign_in, Version(1), &terms);
        let id = GrantId([1; 16]);
        let (issuer, subject) = ("https://as.example".into(), "ada".into());
        Arc::new(GrantRow { id, tenant, user, provider, issuer, subject, email: None, grant, now })
    }

    #[test]
    fn a_written_row_is_kept_after_its_own_change_alone() {
        let (token, cell) = (Secret::new("token".into()), CellId(1));
        for (news, is_kept) in [
            (vec![], false),
            (vec![change()], true),
            // A sign-out happened before or after.
            (vec![change(), change()], false),
            (vec![change(), StoreEvent::Missed], false),
        ] {
            let cache = Cache::new();
            let read = cache.begin(&provider_user("ada"));
            news.iter().for_each(|news| cache.on_event(news));
            assert_eq!(cache.keep_written(read, &row(), cell, &token), is_kept, "{news:?}");
            assert_eq!(cache.row(GrantId([1; 16])).is_some(), is_kept, "{news:?}");
            cache.on_event(&change());
            assert!(cache.row(GrantId([1; 16])).is_none());
        }
    }

    #[test]
    fn tokens_stay_only_while_the_row_names_the_same_ones_for_the_same_account() {
        let moves: [fn(&mut GrantRow); 4] = [
            |_| (),
            |row| row.user = "mallory".into(),
            |row| row.subject = "mallory".into(),
            |row| {
                for access in row.grant.tokens.iter_mut().filter_map(|slot| slot.access.as_mut()) {
                    access.handle.cell = CellId(2);
                }
            },
        ];
        for (at, change) in moves.into_iter().enumerate() {
            let (cache, token) = (Cache::new(), Secret::new("token".into()));
            let reading = cache.begin(&provider_user("ada"));
            cache.keep_token(reading, &row(), CellId(2), &token);
            let mut read = Arc::unwrap_or_clone(row());
            change(&mut read);
            cache.keep_row(reading, &Arc::new(read));
            let kept = cache.row(GrantId([1; 16])).expect("a row");
            assert_eq!(kept.token(CellId(2)).is_some(), at == 0, "{at}");
        }
    }

    #[test]
    fn a_read_that_began_before_a_change_keeps_nothing() {
        for news in [change(), StoreEvent::WriteFailed, StoreEvent::Missed] {
            let cache = Cache::new();
            let read = cache.begin(&provider_user("ada"));
            cache.on_event(&news);
            cache.keep_accounts(read, &provider_user("ada"), &accounts());
            assert_eq!(cache.accounts(&provider_user("ada")), None);
            cache.keep_accounts(cache.begin(&provider_user("ada")), &provider_user("ada"), &accounts());
            assert_eq!(cache.accounts(&provider_user("ada")).as_deref(), Some(&accounts()[..]));
            assert_eq!(cache.accounts(&provider_user("grace")), None);
            cache.on_event(&news);
            assert_eq!(cache.accounts(&provider_user("ada")), None);
        }
    }

    #[test]
    fn nothing_outlives_its_five_seconds_whatever_the_cache_s_own_clock_says() {
        let cache = Cache::new();
        let now = cache.begin(&provider_user("ada"));
        // As after five seconds of sleep, for which a monotonic clock stands still.
        let slept = PendingRead { at: now.at.saturating_sub(TTL), ..now };
        cache.keep_accounts(slept, &provider_user("ada"), &accounts());
        assert_eq!(cache.accounts(&provider_user("ada")), None);
        assert!(is_fresh(Duration::from_secs(9), Duration::from_millis(13_999)));
        assert!(!is_fresh(Duration::from_secs(9), Duration::from_secs(14)));
    }

    #[test]
    fn an_empty_list_is_read_again() {
        let cache = Cache::new();
        cache.keep_accounts(cache.begin(&provider_user("ada")), &provider_user("ada"), &[]);
        assert_eq!(cache.accounts(&provider_user("ada")), None);
    }

    #[test]
    fn changes_and_reads_at_once_never_leave_what_is_old() {
        let cache = Arc::new(Cache::new());
        let truth = Arc::new(std::sync::Mutex::new(0_u64));
        let writer = {
            let (cache, truth) = (Arc::clone(&cache), Arc::clone(&truth));
            std::thread::spawn(move || {
                for _ in 0..20_000 {
                    *truth.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                    cache.on_event(&change());
                    let count = *truth.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(kept) = cache.accounts(&provider_user("ada")) {
                        assert_eq!(kept[0].subject, count.to_string());
                    }
                }
            })
        };
        while !writer.is_finished() {
            let read = cache.begin(&provider_user("ada"));
            let subject = truth.lock().unwrap_or_else(PoisonError::into_inner).to_string();
            let account = Account { subject, ..accounts().remove(0) };
            cache.keep_accounts(read, &provider_user("ada"), &[account]);
        }
        writer.join().expect("nothing old");
    }
}
