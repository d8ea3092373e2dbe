//! The SQL statements, written once for both databases.
//!
//! Each file holds the statements of one subject as a macro, which [`for_each_database`] calls with what
//! differs: how a transaction begins that will write, the database's clock in milliseconds, the type of
//! bytes, and what keeps two processes from changing the schema at once.

use sqlx::SqlitePool;
use sqlx::pool::PoolConnection;

use super::StoreError;
use borrowed_connection::BorrowedConnection;

macro_rules! for_each_database {
    ($statements:ident) => {
        $statements!(
            Sqlite,
            sqlx::Sqlite,
            "BEGIN IMMEDIATE",
            "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            "BLOB",
            None
        );
        $statements!(
            Postgres,
            sqlx::Postgres,
            "BEGIN",
            "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
            "BYTEA",
            Some("SELECT pg_advisory_xact_lock(7216134988)")
        );
    };
}

mod accounts;
mod administration;
mod authorizations;
mod borrowed_connection;
mod cells;
mod columns;
mod due;
mod durability;
mod grant_reading;
mod grant_writing;
mod notifications;
mod postgres_pool;
mod resealing;
mod revocations;
mod schema;
mod signing_out;
mod tenants;
mod tokens;
mod updating;
mod uses;

pub(super) use notifications::{Listener, Received};
pub(super) use postgres_pool::PostgresPool;
pub(super) use updating::RowWrite;

/// A connection to SQLite for one call. SQLite allows one writer at a time.
pub(super) struct Sqlite {
    connection: PoolConnection<sqlx::Sqlite>,
}

/// A connection to Postgres for one call.
pub(super) struct Postgres {
    connection: BorrowedConnection,
    pool: PostgresPool,
}

impl Sqlite {
    pub(super) async fn of(pool: &SqlitePool) -> Result<Self, StoreError> {
        Ok(Self { connection: pool.acquire().await? })
    }
}

impl Postgres {
    pub(super) async fn of(pool: &PostgresPool) -> Result<Self, StoreError> {
        Ok(Self { connection: BorrowedConnection::of(&pool.connections).await?, pool: pool.clone() })
    }
}
