//! Rows, leases and sealed cells, in SQLite or Postgres by the same statements.
//!
//! The clock is the database's: every time that is written or compared comes from the statement that does so.

/// Calls the same method of either through a connection, however long that takes.
macro_rules! without_limit {
    ($store:expr, $backend:ident => $call:expr) => {
        match &$store.backend {
            Backend::Sqlite(pool) => {
                let mut $backend = $crate::store::backend::Sqlite::of(pool).await?;
                $call
            }
            Backend::Postgres(pool) => {
                let mut $backend = $crate::store::backend::Postgres::of(pool).await?;
                $call
            }
        }
    };
}

/// Calls the same method of either, and waits no longer than [`LIMIT`].
macro_rules! either {
    ($store:expr, $backend:ident => $call:expr) => {
        $crate::store::limit::limited(async { without_limit!($store, $backend => $call) }).await
    };
}

mod address;
mod administration;
mod authorization;
mod authorizations;
mod backend;
mod change_events;
mod change_feed;
mod hex;
mod ids;
mod limit;
mod migrations;
mod read_modify_write;
mod row;
mod sqlite_file;
mod unreadable_grants;

pub use administration::{GrantCell, GrantFilter, ResealedCell};
pub use authorization::{Authorization, AuthorizationChange, Stage};
pub use change_events::{Change, ChangeKind, ProviderUser, StoreEvent};
pub use change_feed::ChangeFeed;
pub use ids::{Account, AccountKey, AuthorizationId, GrantId};
pub use row::{DueGrant, DueQuery, GrantRow, NewCell, NewGrant, Revocation};
pub use sqlite_file::sqlite_file;
pub use unreadable_grants::UnreadableGrants;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqlitePool};
use tokentoss_core::Timestamp;
use tokentoss_custody::{CellId, Claim, Handle, LeaseOwner, Update};

use backend::{Listener, PostgresPool, RowWrite, Sqlite};
use change_events::ChangeNotifier;

/// How long to wait for a connection, or for another writer.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long several processes that start at once wait for one another.
const STARTING: Duration = Duration::from_secs(30);
/// Between two tries to start.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Why the store gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away, full, locked or broken.
    #[error("the database does not answer: {}", reason(.0))]
    Unavailable(#[from] sqlx::Error),
    /// The database gave no answer in time.
    #[error("the database gave no answer within {} seconds", limit::LIMIT.as_secs())]
    Late,
    /// Others wrote a row each time after it had been read.
    #[error("others write the same row all the time")]
    Contended,
    /// A row that this version cannot read.
    #[error("a row holds something that this version does not know: {0}")]
    Row(&'static str),
    /// The address names no database of a kind that is known.
    #[error("`database` is neither sqlite:… nor postgres://…")]
    Address,
    /// The address has a parameter that would be passed over.
    #[error("the address in `database` has a parameter that is not known")]
    Parameter,
    /// The database was made by a later version.
    #[error("the database has the schema {found}, and this version knows {known} at most")]
    Newer {
        /// What the database says.
        found: i64,
        /// What this version knows.
        known: i64,
    },
}

impl StoreError {
    /// Whether the values themselves are the trouble, and would be again: nothing of the kind is to be tried twice.
    #[must_use]
    pub fn is_about_values(&self) -> bool {
        if matches!(self, Self::Row(_)) {
            return true;
        }
        let Self::Unavailable(sqlx::Error::Database(refusal)) = self else { return false };
        let code = refusal.code().unwrap_or_default();
        if refusal.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
            // Data exceptions, constraints, and what is too large or complex.
            return ["22", "23", "54"].iter().any(|class| code.starts_with(class));
        }
        // SQLITE_TOOBIG and SQLITE_MISMATCH.
        ["18", "20"].contains(&&*code)
    }

    /// Whether the database itself refused, or was not even asked: then nothing was written.
    const fn wrote_nothing(&self) -> bool {
        use sqlx::Error::{Database, PoolClosed, PoolTimedOut};
        matches!(self, Self::Unavailable(Database(_) | PoolTimedOut | PoolClosed))
    }
}

/// What is known of a failure without a word that came from elsewhere: the database's code, or the kind of trouble.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(refusal) => format!("code {}", refusal.code().unwrap_or("unknown".into())),
        sqlx::Error::Io(error) => error.kind().to_string(),
        sqlx::Error::PoolTimedOut => "all connections are in use".to_owned(),
        sqlx::Error::PoolClosed => "the broker is ending".to_owned(),
        sqlx::Error::Tls(_) => "TLS failed".to_owned(),
        _ => "an error of another kind".to_owned(),
    }
}

/// The database.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    notifier: Arc<ChangeNotifier>,
}

#[derive(Clone)]
enum Backend {
    /// SQLite, in a file or in memory.
    Sqlite(SqlitePool),
    /// Postgres.
    Postgres(PostgresPool),
}

impl Store {
    /// Opens the database at an address: `sqlite:<path>`, `sqlite::memory:` or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Address`], or that it cannot be reached.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        if address.starts_with("sqlite:") {
            let in_memory = sqlite_file::is_in_memory(address);
            if let Some(file) = sqlite_file(address) {
                sqlite_file::make(&file).map_err(sqlx::Error::Io)?;
            }
            let options: SqliteConnectOptions =
                address.parse().map_err(|_: sqlx::Error| StoreError::Address)?;
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // A refresh token that was answered for must be on the disk before anybody gets the access token.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(LOCK_TIMEOUT)
                .foreign_keys(true);
            let pool = SqlitePoolOptions::new()
                .acquire_timeout(LOCK_TIMEOUT)
                // Each connection to `:memory:` has a database of its own.
                .max_connections(if in_memory { 1 } else { 4 })
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                // A full disk makes SQLite end a transaction by itself. sqlx then takes the connection for one that is still
                // in it, and begins no other there.
                .after_release(|connection, _| {
                    Box::pin(async move {
                        // Behind a rollback that is still to be done.
                        connection.ping().await?;
                        Ok(!connection.is_in_transaction())
                    })
                })
                .connect_with(options)
                .await?;
            return Ok(Self::of(Backend::Sqlite(pool)));
        }
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            return Ok(Self::of(Backend::Postgres(PostgresPool::open(address).await?)));
        }
        Err(StoreError::Address)
    }

    fn of(backend: Backend) -> Self {
        Self { backend, notifier: Arc::default() }
    }

    /// Has this called for all that is written, in this process before the write's caller goes on; the first one counts.
    pub fn watch(&self, watcher: impl Fn(&StoreEvent) + Send + Sync + 'static) {
        self.notifier.watch(Box::new(watcher));
    }

    /// Listens to what other processes write from now on; [`ChangeFeed::run`] tells it.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn listen(&self) -> Result<ChangeFeed, StoreError> {
        let listener = limit::limited(async {
            match &self.backend {
                Backend::Sqlite(pool) => Listener::of_sqlite(pool).await,
                Backend::Postgres(pool) => Listener::of_postgres(pool).await,
            }
        });
        let listener = listener.await?;
        Ok(ChangeFeed { listener, notifier: Arc::clone(&self.notifier) })
    }

    /// The same after a time without a listener: what was written meanwhile is not known.
    ///
    /// # Errors
    /// As [`Store::listen`].
    pub async fn listen_again(&self) -> Result<ChangeFeed, StoreError> {
        let following = self.listen().await?;
        // Not before, so that nothing falls between.
        self.notifier.tell(&StoreEvent::Missed);
        Ok(following)
    }

    /// Deletes news that everybody has read; Postgres keeps none.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn forget_news(&self) -> Result<(), StoreError> {
        let Backend::Sqlite(pool) = &self.backend else { return Ok(()) };
        limit::limited(async { Sqlite::of(pool).await?.forget_news().await }).await
    }

    /// Opens the database and brings its schema up to this version's; waits for others that do the same, for some time.
    ///
    /// # Errors
    /// As [`Store::open`] and [`Store::migrate`].
    pub async fn begin(address: &str) -> Result<Self, StoreError> {
        let gives_up_at = Instant::now() + STARTING;
        loop {
            let begun = async {
                let store = Self::open(address).await?;
                store.migrate().await?;
                Ok(store)
            };
            match begun.await {
                // SQLite's own patience does not cover the change to write-ahead logging.
                Err(error) if is_locked(&error) && Instant::now() < gives_up_at => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                begun => return begun,
            }
        }
    }

    /// Brings the schema up to this version's; nothing if it is there already.
    ///
    /// # Errors
    /// [`StoreError::Newer`], or that the database does not answer.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // To build an index of many rows takes its time.
        without_limit!(self, backend => backend.migrate().await)
    }

    /// How many migrations are pending.
    ///
    /// # Errors
    /// As [`Store::migrate`].
    pub async fn pending(&self) -> Result<usize, StoreError> {
        either!(self, backend => backend.pending().await)
    }

    /// The database's clock.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        either!(self, backend => backend.now().await)
    }

    /// A tenant's wrapped data key.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn data_key(&self, tenant: &str) -> Result<Option<Vec<u8>>, StoreError> {
        either!(self, backend => backend.data_key(tenant).await)
    }

    /// Adds a tenant with its wrapped data key, unless it is there; returns the one that counts.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn add_tenant(&self, tenant: &str, wrapped: &[u8]) -> Result<Vec<u8>, StoreError> {
        either!(self, backend => backend.add_tenant(tenant, wrapped).await)
    }

    /// A user's grants at a provider, or at the one with this issuer, the one that was connected last first.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn accounts(
        &self,
        tenant: &str,
        user: &str,
        provider: &str,
        issuer: Option<&str>,
    ) -> Result<Vec<Account>, StoreError> {
        either!(self, backend => backend.accounts(tenant, user, provider, issuer).await)
    }

    /// The grant of an account, be it ended or not.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn grant_of(&self, account: &AccountKey<'_>) -> Result<Option<GrantId>, StoreError> {
        either!(self, backend => backend.id_of(account).await)
    }

    /// The row of a grant, with the database's clock at that moment.
    ///
    /// # Errors
    /// That the database does not answer, or [`StoreError::Row`].
    pub async fn grant(&self, id: GrantId) -> Result<Option<GrantRow>, StoreError> {
        either!(self, backend => backend.grant(id).await)
    }

    /// Adds a grant, with its cells; false if that user has this account already.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn add_grant(&self, new: &NewGrant, cells: &[NewCell]) -> Result<bool, StoreError> {
        let begun = self.notifier.begin();
        begun.end(either!(self, backend => backend.add_grant(new, cells, &self.notifier).await))
    }

    /// Takes the lease and writes the intent; false where the row is another one by now, or somebody holds the lease.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn claim(&self, id: GrantId, claim: &Claim, owner: LeaseOwner) -> Result<bool, StoreError> {
        either!(self, backend => backend.claim(id, claim, owner).await)
    }

    /// Writes a row where the guard holds, with the cells that are new in it; drops those that nothing names any more.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn update(&self, id: GrantId, update: &Update, cells: &[NewCell]) -> Result<bool, StoreError> {
        self.write(RowWrite { id, update, email: None, cells }).await
    }

    /// The same for a sign-in that is about an account that is known: its e-mail address counts from now on.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn sign_in_again(
        &self,
        id: GrantId,
        update: &Update,
        email: Option<&str>,
        cells: &[NewCell],
    ) -> Result<bool, StoreError> {
        self.write(RowWrite { id, update, email, cells }).await
    }

    async fn write(&self, write: RowWrite<'_>) -> Result<bool, StoreError> {
        let begun = self.notifier.begin();
        begun.end(either!(self, backend => backend.update(write, &self.notifier).await))
    }

    /// Puts tokens into the revocation queue that stand in no row.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn queue_revocations(
        &self,
        id: GrantId,
        tokens: &[Handle],
        cells: &[NewCell],
    ) -> Result<(), StoreError> {
        either!(self, backend => backend.queue_revocations(id, tokens, cells).await)
    }

    /// Claims grants of a provider that the scheduler should refresh. `choose` draws up the claim of a row; where it draws up
    /// none, the row comes back without a lease.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn claim_due(
        &self,
        asked: &DueQuery<'_>,
        most: usize,
        choose: &(dyn Fn(&GrantRow) -> Option<(Claim, LeaseOwner)> + Sync),
    ) -> Result<Vec<DueGrant>, StoreError> {
        either!(self, backend => backend.claim_due(asked, most, choose).await)
    }

    /// Takes tokens of a provider from the revocation queue that are due; nobody else takes them for as long as `hold`.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn take_revocations(
        &self,
        provider: &str,
        most: usize,
        hold: Duration,
    ) -> Result<Vec<Revocation>, StoreError> {
        either!(self, backend => backend.take_revocations(provider, most, hold).await)
    }

    /// Has a revocation wait after a failure.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn revocation_failed(&self, cell: CellId, pause: Duration) -> Result<(), StoreError> {
        either!(self, backend => backend.revocation_failed(cell, pause).await)
    }

    /// Takes a token from the revocation queue, and deletes it.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn end_revocation(&self, cell: CellId) -> Result<(), StoreError> {
        either!(self, backend => backend.end_revocation(cell).await)
    }

    /// How many tokens wait to be revoked.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn waiting_revocations(&self) -> Result<u64, StoreError> {
        either!(self, backend => backend.waiting_revocations().await)
    }

    /// Notes when callers got tokens, each grant once.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn note_uses(&self, uses: &[(GrantId, Timestamp)]) -> Result<(), StoreError> {
        either!(self, backend => backend.note_uses(uses).await)
    }

    /// The sealed bytes of a cell.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn cell(&self, cell: CellId) -> Result<Option<Vec<u8>>, StoreError> {
        either!(self, backend => backend.cell(cell).await)
    }

    /// Closes the connections, when what runs on them has ended; those to Postgres soon, whether it has ended or not.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(pool) => pool.close().await,
            Backend::Postgres(pool) => pool.close().await,
        }
    }
}

/// Whether another process holds a lock: `SQLITE_BUSY` in the lowest byte of SQLite's code, `lock_not_available` of Postgres.
fn is_locked(error: &StoreError) -> bool {
    let StoreError::Unavailable(sqlx::Error::Database(error)) = error else { return false };
    error.code().is_some_and(|code| code == "55P03" || code.parse::<u32>().is_ok_and(|code| code & 0xff == 5))
}
