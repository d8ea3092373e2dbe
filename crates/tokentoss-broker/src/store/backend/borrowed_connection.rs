//! A pooled connection to Postgres for one call. It returns to the pool within a time limit and outside of a
//! transaction, or it is closed.
//!
//! When a call is cancelled, sqlx finishes the pending statement before it reuses the connection. It waits
//! without a limit, which is for ever if the server is gone, and the connection occupies the pool meanwhile.
//! It also does not know of a transaction whose `BEGIN` was cancelled: the writes of later calls would be
//! lost in it.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres, Transaction};

use crate::store::StoreError;

/// The time limit to finish a cancelled statement and to roll back its transaction.
const RETURN: Duration = Duration::from_secs(2);

/// A connection that is borrowed from the pool.
pub(super) struct BorrowedConnection {
    connection: PoolConnection<Postgres>,
    is_beginning: bool,
}

impl BorrowedConnection {
    pub(super) async fn of(pool: &PgPool) -> Result<Self, StoreError> {
        Ok(Self { connection: pool.acquire().await?, is_beginning: false })
    }

    /// Begins a transaction. Use this, and not the connection's own method, which does not note a cancelled
    /// beginning.
    pub(super) async fn begin_with(
        &mut self,
        statement: &'static str,
    ) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
        self.is_beginning = true;
        let begun = self.connection.begin_with(statement).await;
        self.is_beginning = false;
        begun
    }
}

impl Deref for BorrowedConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for BorrowedConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for BorrowedConnection {
    fn drop(&mut self) {
        let back = self.connection.return_to_pool();
        // A connection that does not return in time, or is inside a cancelled BEGIN, is closed.
        if !self.is_beginning {
            tokio::spawn(tokio::time::timeout(RETURN, back));
        }
    }
}
