//! The statements, once for both databases.
//!
//! Each file holds the statements of one subject as a macro, which [`for_each_database`] calls with what differs: how a
//! transaction begins that will write, the database's clock in milliseconds, the type of bytes, and what keeps two processes
//! from changing the schema at once.

use std::sync::Arc;

use sqlx::{Postgres as PostgresDatabase, Sqlite as SqliteDatabase};

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
mod announcing;
mod authorizations;
mod cells;
mod columns;
mod due;
mod grant_reading;
mod grant_writing;
mod resealing;
mod revocations;
mod schema;
mod tenants;
mod tokens;
mod updating;
mod uses;

pub(super) use announcing::{Arrived, Listener};
pub(super) use updating::RowWrite;

/// SQLite, which lets one writer in at a time.
#[derive(Clone)]
pub(super) struct Sqlite {
    pool: sqlx::Pool<SqliteDatabase>,
}

/// Postgres.
#[derive(Clone)]
pub(super) struct Postgres {
    pool: sqlx::Pool<PostgresDatabase>,
    unsaid: Arc<announcing::Unsaid>,
}

impl Sqlite {
    pub(super) const fn new(pool: sqlx::Pool<SqliteDatabase>) -> Self {
        Self { pool }
    }
}

impl Postgres {
    pub(super) fn new(pool: sqlx::Pool<PostgresDatabase>) -> Self {
        Self { pool, unsaid: Arc::default() }
    }
}

macro_rules! pools {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(super) async fn close(&self) {
                self.pool.close().await;
            }
        }
    };
}

for_each_database!(pools);
