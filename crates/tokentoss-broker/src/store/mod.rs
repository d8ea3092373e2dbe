//! Rows, leases and sealed cells, in SQLite or Postgres by the same statements.
//!
//! The clock is the database's: every time that is written or compared comes from the statement that does so.

mod backend;
mod ids;
mod migrations;
mod row;

pub use ids::{Account, AccountKey, GrantId};
pub use row::{GrantRow, NewCell, NewGrant};

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokentoss_core::Timestamp;
use tokentoss_custody::{CellId, Claim, Handle, LeaseOwner, Update};

use backend::{Postgres, Sqlite};

/// How long to wait for a connection, or for another writer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections to Postgres of one process.
const CONNECTIONS: u32 = 16;

/// Why the store gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away, full, locked or broken.
    #[error("the database does not answer")]
    Unavailable(#[from] sqlx::Error),
    /// A row that this version cannot read.
    #[error("a row holds something that this version does not know: {0}")]
    Row(&'static str),
    /// The address names no database of a kind that is known.
    #[error("`database` is neither sqlite:… nor postgres://…")]
    Address,
    /// The database was made by a later version.
    #[error("the database has the schema {found}, and this version knows {known} at most")]
    Newer {
        /// What the database says.
        found: i64,
        /// What this version knows.
        known: i64,
    },
}

/// The database.
#[derive(Clone)]
pub enum Store {
    /// SQLite, in a file or in memory.
    Sqlite(Sqlite),
    /// Postgres.
    Postgres(Postgres),
}

/// Calls the same method of either.
macro_rules! either {
    ($store:expr, $backend:ident => $call:expr) => {
        match $store {
            Store::Sqlite($backend) => $call,
            Store::Postgres($backend) => $call,
        }
    };
}

impl Store {
    /// Opens the database at an address: `sqlite:<path>`, `sqlite::memory:` or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Address`], or that it cannot be reached.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        if address.starts_with("sqlite:") {
            let in_memory = address.contains(":memory:");
            let options: SqliteConnectOptions =
                address.parse().map_err(|_: sqlx::Error| StoreError::Address)?;
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // A refresh token that was answered for must be on the disk before anybody gets the access token.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(PATIENCE)
                .foreign_keys(true);
            let pool = SqlitePoolOptions::new()
                .acquire_timeout(PATIENCE)
                // Each connection to `:memory:` has a database of its own.
                .max_connections(if in_memory { 1 } else { 4 })
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_with(options)
                .await?;
            return Ok(Self::Sqlite(Sqlite::new(pool)));
        }
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            let options: PgConnectOptions = address.parse().map_err(|_: sqlx::Error| StoreError::Address)?;
            let pool = PgPoolOptions::new()
                .acquire_timeout(PATIENCE)
                .max_connections(CONNECTIONS)
                .connect_with(options.application_name("tokentoss-broker"))
                .await?;
            return Ok(Self::Postgres(Postgres::new(pool)));
        }
        Err(StoreError::Address)
    }

    /// Brings the schema up to this version's; nothing if it is there already.
    ///
    /// # Errors
    /// [`StoreError::Newer`], or that the database does not answer.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        either!(self, backend => backend.migrate().await)
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

    /// A user's grants at a provider, the one that was connected last first.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn accounts(
        &self,
        tenant: &str,
        user: &str,
        provider: &str,
    ) -> Result<Vec<Account>, StoreError> {
        either!(self, backend => backend.accounts(tenant, user, provider).await)
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
        either!(self, backend => backend.add_grant(new, cells).await)
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
        either!(self, backend => backend.update(id, update, cells).await)
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

    /// Notes that a caller got a token now.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn touch(&self, id: GrantId) -> Result<(), StoreError> {
        either!(self, backend => backend.touch(id).await)
    }

    /// The sealed bytes of a cell.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn cell(&self, cell: CellId) -> Result<Option<Vec<u8>>, StoreError> {
        either!(self, backend => backend.cell(cell).await)
    }

    /// Closes the connections, when what runs on them has ended.
    pub async fn close(&self) {
        either!(self, backend => backend.close().await);
    }
}
