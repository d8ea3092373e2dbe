//! Rows, leases and sealed cells in SQLite or Postgres, with the same statements for both.
//!
//! The database's clock counts: every time that is written or compared is read by the statement itself.

/// Calls a method of the configured backend without a time limit.
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

/// Calls a method of the configured backend, with the time limit `limit::LIMIT`.
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
mod durability;
mod hex;
mod ids;
mod limit;
mod migrations;
mod read_modify_write;
mod row;
mod signing_out;
mod sqlite_file;
mod unreadable_grants;

pub use administration::{GrantCell, GrantFilter, NamedAs, ResealedCell};
pub use authorization::{Authorization, AuthorizationChange, Stage};
pub(crate) use authorizations::RESUMABLE_FOR;
pub use change_events::{Change, ChangeKind, ProviderUser, StoreEvent};
pub use change_feed::ChangeFeed;
pub use ids::{Account, AccountKey, AuthorizationId, GrantId};
pub use row::{DueGrant, DueQuery, GrantRow, NewCell, NewGrant, Revocation};
pub use signing_out::GrantOwner;
pub use sqlite_file::sqlite_file;
pub use unreadable_grants::UnreadableGrants;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqlitePool};
use tokentoss_core::Timestamp;
use tokentoss_custody::{CellId, Claim, Handle, LeaseOwner, Update};

use backend::{Listener, PostgresPool, RowWrite, Sqlite};
use change_events::ChangeNotifier;

/// The time limit for a connection from the pool, and for a lock of another writer.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long processes that start at the same time wait for each other.
const STARTING: Duration = Duration::from_secs(30);
/// The pause between two attempts to start.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Why a call of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is unreachable, full, locked or damaged.
    #[error("the database does not answer: {}", reason(.0))]
    Unavailable(#[source] sqlx::Error),
    /// The database gave no answer in time.
    #[error("the database gave no answer within {} seconds", limit::LIMIT.as_secs())]
    Late,
    /// Other processes changed the row after each read, so that no write succeeded.
    #[error("others write the same row all the time")]
    Contended,
    /// A row that this version cannot read.
    #[error("a row holds something that this version does not know: {0}")]
    Row(Cow<'static, str>),
    /// The sign-in whose account was to be written is over.
    #[error("the sign-in was over before its account was written")]
    SignInOver,
    /// The address does not name a supported database.
    #[error("`database` is neither sqlite:… nor postgres://…")]
    Address,
    /// The address has an unknown parameter, which the driver would ignore.
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

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            // The name is one of this source's; what the column holds is not told.
            sqlx::Error::ColumnDecode { index, .. } => Self::Row(format!("the column {index}").into()),
            error => Self::Unavailable(error),
        }
    }
}

impl StoreError {
    /// Whether the values themselves cause the error, so that a retry fails again.
    #[must_use]
    pub fn is_about_values(&self) -> bool {
        if self.is_unreadable_row() {
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

    /// Whether there is a row that this version cannot read, now or later.
    #[must_use]
    pub const fn is_unreadable_row(&self) -> bool {
        use sqlx::Error::{ColumnDecode, Decode};
        matches!(self, Self::Row(_) | Self::Unavailable(ColumnDecode { .. } | Decode(_)))
    }

    /// Whether the database refused the statement or never received it, so that nothing was written.
    const fn wrote_nothing(&self) -> bool {
        use sqlx::Error::{Database, PoolClosed, PoolTimedOut};
        matches!(self, Self::SignInOver | Self::Unavailable(Database(_) | PoolTimedOut | PoolClosed))
    }
}

/// A description of the error without texts of the driver, which may quote secrets: the error code or the
/// kind of error.
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
                // A new refresh token must be on the disk before a caller gets the access token.
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
                // SQLite ends a transaction itself when the disk is full. sqlx still counts the connection as
                // inside the transaction, and begins no other one there.
                .after_release(|connection, _| {
                    Box::pin(async move {
                        // The ping runs after a pending rollback.
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

    /// Registers the function that is called for every event; in this process it is called before the write
    /// returns. Only the first registration has an effect.
    pub fn watch(&self, watcher: impl Fn(&StoreEvent) + Send + Sync + 'static) {
        self.notifier.watch(Box::new(watcher));
    }

    /// Subscribes to the writes of other processes from now on; [`ChangeFeed::run`] delivers them.
    ///
    /// # Errors
    /// The database does not answer.
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

    /// Subscribes again after a time without a subscription, and reports [`StoreEvent::Missed`].
    ///
    /// # Errors
    /// As [`Store::listen`].
    pub async fn listen_again(&self) -> Result<ChangeFeed, StoreError> {
        let following = self.listen().await?;
        // Reported after the subscription, so that no event is lost between the two.
        self.notifier.tell(&StoreEvent::Missed);
        Ok(following)
    }

    /// Deletes old notifications from SQLite; Postgres stores none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_news(&self) -> Result<(), StoreError> {
        let Backend::Sqlite(pool) = &self.backend else { return Ok(()) };
        limit::limited(async { Sqlite::of(pool).await?.forget_news().await }).await
    }

    /// Opens the database and migrates its schema; waits for a limited time for other processes that migrate.
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
                // SQLite's busy timeout does not cover the change to write-ahead logging.
                Err(error) if is_locked(&error) && Instant::now() < gives_up_at => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                begun => return begun,
            }
        }
    }

    /// Migrates the schema to this version; does nothing if it is up to date.
    ///
    /// # Errors
    /// [`StoreError::Newer`], or that the database does not answer.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // Building an index over many rows may take longer than the usual limit.
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
    /// The database does not answer.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        either!(self, backend => backend.now().await)
    }

    /// A tenant's wrapped data key.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn data_key(&self, tenant: &str) -> Result<Option<Vec<u8>>, StoreError> {
        either!(self, backend => backend.data_key(tenant).await)
    }

    /// Adds a tenant with its wrapped data key, unless the tenant exists; returns the stored wrapped key.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn add_tenant(&self, tenant: &str, wrapped: &[u8]) -> Result<Vec<u8>, StoreError> {
        either!(self, backend => backend.add_tenant(tenant, wrapped).await)
    }

    /// A user's grants at a provider, and with this issuer if one is named; the latest connection first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn accounts(
        &self,
        tenant: &str,
        user: &str,
        provider: &str,
        issuer: Option<&str>,
    ) -> Result<Vec<Account>, StoreError> {
        either!(self, backend => backend.accounts(tenant, user, provider, issuer).await)
    }

    /// The grant of an account, active or ended.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn grant_of(&self, account: &AccountKey<'_>) -> Result<Option<GrantId>, StoreError> {
        either!(self, backend => backend.id_of(account).await)
    }

    /// The row of a grant, with the database's time of the read.
    ///
    /// # Errors
    /// The database does not answer, or [`StoreError::Row`].
    pub async fn grant(&self, id: GrantId) -> Result<Option<GrantRow>, StoreError> {
        either!(self, backend => backend.grant(id).await)
    }

    /// Adds a grant, with its cells; false if that user has this account already.
    ///
    /// # Errors
    /// The database does not answer, or [`StoreError::SignInOver`].
    pub async fn add_grant(&self, new: &NewGrant, cells: &[NewCell]) -> Result<bool, StoreError> {
        let begun = self.notifier.begin();
        begun.end(either!(self, backend => backend.add_grant(new, cells, &self.notifier).await))
    }

    /// Takes the lease and writes the intent; false if the row has changed or another holder has the lease.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim(&self, id: GrantId, claim: &Claim, owner: LeaseOwner) -> Result<bool, StoreError> {
        either!(self, backend => backend.claim(id, claim, owner).await)
    }

    /// Writes a row if the guard holds, with its new cells; deletes cells that are no longer referenced.
    /// False if it does not hold.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn update(&self, id: GrantId, update: &Update, cells: &[NewCell]) -> Result<bool, StoreError> {
        self.write(RowWrite { id, update, email: None, sign_in: None, cells }).await
    }

    /// Like [`Store::update`], for a new sign-in of a known account; also stores its e-mail address. The row of the
    /// sign-in, where there is one, is done by the same transaction.
    ///
    /// # Errors
    /// The database does not answer, or [`StoreError::SignInOver`].
    pub async fn sign_in_again(
        &self,
        id: GrantId,
        update: &Update,
        email: Option<&str>,
        sign_in: Option<AuthorizationId>,
        cells: &[NewCell],
    ) -> Result<bool, StoreError> {
        self.write(RowWrite { id, update, email, sign_in, cells }).await
    }

    async fn write(&self, write: RowWrite<'_>) -> Result<bool, StoreError> {
        let begun = self.notifier.begin();
        begun.end(either!(self, backend => backend.update(write, &self.notifier).await))
    }

    /// Adds tokens to the revocation queue that no row references.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn queue_revocations(
        &self,
        id: GrantId,
        tokens: &[Handle],
        cells: &[NewCell],
    ) -> Result<(), StoreError> {
        either!(self, backend => backend.queue_revocations(id, tokens, cells).await)
    }

    /// Claims grants of a provider that the scheduler should refresh. `choose` returns the claim for a row; a
    /// row without a claim is returned without a lease.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_due(
        &self,
        asked: &DueQuery<'_>,
        most: usize,
        choose: &(dyn Fn(&GrantRow) -> Option<(Claim, LeaseOwner)> + Sync),
    ) -> Result<Vec<DueGrant>, StoreError> {
        either!(self, backend => backend.claim_due(asked, most, choose).await)
    }

    /// Takes due tokens of a provider from the revocation queue, and reserves them for `hold`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn take_revocations(
        &self,
        provider: &str,
        most: usize,
        hold: Duration,
    ) -> Result<Vec<Revocation>, StoreError> {
        either!(self, backend => backend.take_revocations(provider, most, hold).await)
    }

    /// Delays a revocation after a failure.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn revocation_failed(&self, cell: CellId, pause: Duration) -> Result<(), StoreError> {
        either!(self, backend => backend.revocation_failed(cell, pause).await)
    }

    /// Removes a token from the revocation queue, and deletes it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn end_revocation(&self, cell: CellId) -> Result<(), StoreError> {
        either!(self, backend => backend.end_revocation(cell).await)
    }

    /// How many tokens wait to be revoked, by the names of the providers that have some.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn waiting_revocations(&self) -> Result<Vec<(String, u64)>, StoreError> {
        either!(self, backend => backend.waiting_revocations().await)
    }

    /// Notes when callers got tokens, each grant once.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_uses(&self, uses: &[(GrantId, Timestamp)]) -> Result<(), StoreError> {
        either!(self, backend => backend.note_uses(uses).await)
    }

    /// The sealed bytes of a cell.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn cell(&self, cell: CellId) -> Result<Option<Vec<u8>>, StoreError> {
        either!(self, backend => backend.cell(cell).await)
    }

    /// Closes the connections after their running calls. For Postgres the wait for running calls is limited.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(pool) => pool.close().await,
            Backend::Postgres(pool) => pool.close().await,
        }
    }
}

/// Whether another process holds a lock: `SQLITE_BUSY` in the lowest byte of SQLite's code,
/// `lock_not_available` of Postgres.
fn is_locked(error: &StoreError) -> bool {
    let StoreError::Unavailable(sqlx::Error::Database(error)) = error else { return false };
    error.code().is_some_and(|code| code == "55P03" || code.parse::<u32>().is_ok_and(|code| code & 0xff == 5))
}
