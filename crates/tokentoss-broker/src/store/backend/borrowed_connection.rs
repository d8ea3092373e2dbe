//! A connection to Postgres that is lent to one call, and comes back to the pool in time and in no transaction, or is closed.
//!
//! sqlx finishes what a call was cut off from before it lends the connection again. But it waits for that as long as it takes,
//! which is for good where the server is gone without a word, and the connection keeps its place in the pool meanwhile. And it
//! does not know of a transaction whose beginning was cut off: the writes of later calls would be lost in it.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres, Transaction};

use crate::store::StoreError;

/// How long Postgres may take to end what a call left, and to roll back its transaction.
const RETURN: Duration = Duration::from_secs(2);

/// A connection of the pool.
pub(super) struct BorrowedConnection {
    connection: PoolConnection<Postgres>,
    is_beginning: bool,
}

impl BorrowedConnection {
    pub(super) async fn of(pool: &PgPool) -> Result<Self, StoreError> {
        Ok(Self { connection: pool.acquire().await?, is_beginning: false })
    }

    /// Begins a transaction, in place of the connection's own method.
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
        // Where this is not over in time, or not begun, the connection is dropped with its place in the pool.
        if !self.is_beginning {
            tokio::spawn(tokio::time::timeout(RETURN, back));
        }
    }
}
