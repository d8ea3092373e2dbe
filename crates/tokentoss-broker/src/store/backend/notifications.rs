//! Notifications between processes: `NOTIFY` in Postgres, a table with the last minute in SQLite.
//!
//! They are part of the write's transaction, except for renewals in Postgres, which serialises the commits of
//! transactions that notify. A process that misses a renewal still has a valid token.

use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Connection, PgPool, Row, SqliteConnection, SqlitePool};

use super::borrowed_connection::BorrowedConnection;
use super::{Postgres, PostgresPool, Sqlite};
use crate::store::limit::limited;
use crate::store::{LOCK_TIMEOUT, StoreError};

/// The channel of Postgres.
const CHANNEL: &str = "tokentoss_broker";
/// After this time without a message the connection is probed, to detect a dead peer.
const PROBE_AFTER: Duration = Duration::from_secs(30);
/// The time limit for the probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// The interval at which SQLite is polled for writes of other connections.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The most messages that are read at once from SQLite; more count as missed.
const MESSAGES: i64 = 1000;

/// The most messages in the outbox; beyond that, one empty message reports that some are missing.
const OUTBOX_LIMIT: usize = 10_000;

/// A result of listening.
#[derive(Debug)]
pub(in crate::store) enum Received {
    /// Messages, in their order.
    Messages(Vec<String>),
    /// Some messages may be missing.
    Missed,
}

/// Listens to the messages of other processes.
pub(in crate::store) enum Listener {
    /// Through the only connection of a separate pool, because sqlx waits without a limit when it returns
    /// that connection.
    Postgres(Box<PgListener>, PgPool),
    /// Through a connection of its own.
    Sqlite(Box<SqliteListener>),
    /// No other process can write to a database in memory.
    Nowhere,
}

/// The position in the table of messages.
pub(in crate::store) struct SqliteListener {
    connection: SqliteConnection,
    data_version: i64,
    last: i64,
}

impl Listener {
    pub(in crate::store) async fn next(&mut self) -> Result<Received, StoreError> {
        match self {
            Self::Postgres(listener, _) => next_of_postgres(listener, PROBE_AFTER).await,
            Self::Sqlite(listener) => listener.next().await,
            Self::Nowhere => std::future::pending().await,
        }
    }

    pub(in crate::store) async fn close(self) {
        match self {
            Self::Postgres(listener, pool) => {
                // Returns the connection to its pool and sends UNLISTEN.
                drop(listener);
                let _ = tokio::time::timeout(PROBE_TIMEOUT, pool.close()).await;
            }
            Self::Sqlite(listener) => {
                if let Err(error) = listener.connection.close().await {
                    tracing::debug!(%error, "the connection that listened was closed with an error");
                }
            }
            Self::Nowhere => {}
        }
    }

    pub(in crate::store) async fn of_sqlite(pool: &SqlitePool) -> Result<Self, StoreError> {
        if pool.options().get_max_connections() == 1 {
            return Ok(Self::Nowhere);
        }
        let mut connection = SqliteConnection::connect_with(&pool.connect_options()).await?;
        let row = sqlx::query("PRAGMA data_version").fetch_one(&mut connection).await?;
        let data_version = row.try_get(0)?;
        let last = newest(&mut connection).await?;
        Ok(Self::Sqlite(Box::new(SqliteListener { connection, data_version, last })))
    }

    pub(in crate::store) async fn of_postgres(pool: &PostgresPool) -> Result<Self, StoreError> {
        let options = PgConnectOptions::clone(&pool.connections.connect_options());
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(LOCK_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self::Postgres(Box::new(listener), pool))
    }
}

async fn next_of_postgres(listener: &mut PgListener, probe_after: Duration) -> Result<Received, StoreError> {
    loop {
        if let Ok(received) = tokio::time::timeout(probe_after, listener.try_recv()).await {
            return Ok(match received? {
                Some(notification) => Received::Messages(vec![notification.payload().to_owned()]),
                None => Received::Missed,
            });
        }
        // Messages that arrive with the answer stay in the listener.
        let probe = sqlx::query("SELECT 1").execute(&mut *listener);
        tokio::time::timeout(PROBE_TIMEOUT, probe).await.map_err(|_| StoreError::Late)??;
    }
}

impl SqliteListener {
    async fn next(&mut self) -> Result<Received, StoreError> {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let row = sqlx::query("PRAGMA data_version").fetch_one(&mut self.connection).await?;
            let data_version: i64 = row.try_get(0)?;
            if data_version == self.data_version {
                continue;
            }
            let rows = sqlx::query(
                "SELECT id, message, (SELECT MIN(id) FROM changes) AS oldest FROM changes
                  WHERE id > $1 ORDER BY id LIMIT $2",
            )
            .bind(self.last)
            .bind(MESSAGES)
            .fetch_all(&mut self.connection)
            .await?;
            self.data_version = data_version;
            let Some(last) = rows.last() else {
                // A process that slept may find that its messages have been deleted meanwhile.
                let newest = newest(&mut self.connection).await?;
                if newest <= self.last {
                    continue;
                }
                self.last = newest;
                return Ok(Received::Missed);
            };
            let (before, oldest): (i64, i64) = (self.last, last.try_get("oldest")?);
            self.last = last.try_get("id")?;
            let is_whole = rows.len() < usize::try_from(MESSAGES).unwrap_or_default();
            if oldest > before.saturating_add(1) || !is_whole {
                self.last = newest(&mut self.connection).await?;
                return Ok(Received::Missed);
            }
            let messages = rows.iter().map(|row| row.try_get("message"));
            return Ok(Received::Messages(messages.collect::<Result<_, _>>()?));
        }
    }
}

async fn newest(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let row = sqlx::query("SELECT COALESCE(MAX(seq), 0) AS id FROM sqlite_sequence WHERE name = 'changes'")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get("id")?)
}

impl Sqlite {
    pub(super) async fn announce(connection: &mut SqliteConnection, message: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO changes (message, at) VALUES ($1, CAST(unixepoch('subsec') * 1000 AS INTEGER))",
        )
        .bind(message)
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Deletes messages that are older than a minute, which all listeners have read.
    pub(in crate::store) async fn forget_news(&mut self) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM changes WHERE at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - 60000")
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}

/// Notifications of renewals that still have to be sent.
#[derive(Default)]
pub(super) struct Outbox(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    messages: Vec<String>,
    is_sent: bool,
}

impl Outbox {
    /// Adds a message; true if the caller must start a sender.
    fn add(&self, message: String) -> bool {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.messages.len() < OUTBOX_LIMIT {
            queue.messages.push(message);
        } else {
            // The empty message makes receivers drop their caches.
            queue.messages = vec![String::new()];
        }
        !mem::replace(&mut queue.is_sent, true)
    }

    /// Takes all messages; after an empty result, the next message needs a new sender.
    fn take(&self) -> Vec<String> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.is_sent = !queue.messages.is_empty();
        mem::take(&mut queue.messages)
    }
}

impl Postgres {
    pub(super) async fn announce(
        connection: &mut sqlx::PgConnection,
        message: &str,
    ) -> Result<(), StoreError> {
        sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(message).execute(connection).await?;
        Ok(())
    }
}

impl PostgresPool {
    /// Notifies other processes of a committed write, in batches. Without the notification, their caches
    /// expire after five seconds.
    pub(super) fn announce_later(&self, message: String) {
        if !self.outbox.add(message) {
            return;
        }
        let pool = self.clone();
        tokio::spawn(async move {
            loop {
                let messages = pool.outbox.take();
                if messages.is_empty() {
                    return;
                }
                if let Err(error) = limited(pool.announce(messages)).await {
                    tracing::warn!(%error, "other replicas were not told of renewals");
                }
            }
        });
    }

    async fn announce(&self, messages: Vec<String>) -> Result<(), StoreError> {
        let mut connection = BorrowedConnection::of(&self.connections).await?;
        sqlx::query("SELECT pg_notify($1, message) FROM unnest($2::text[]) AS m (message)")
            .bind(CHANNEL)
            .bind(messages)
            .execute(&mut *connection)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{OUTBOX_LIMIT, Outbox};

    #[test]
    fn an_overflow_becomes_one_message_that_reports_it() {
        let outbox = Outbox::default();
        assert!(outbox.add("first".into()), "somebody begins to send");
        for _ in 1..OUTBOX_LIMIT {
            assert!(!outbox.add("another".into()));
        }
        assert!(!outbox.add("one too many".into()));
        assert_eq!(outbox.take(), [""]);
        assert!(outbox.take().is_empty());
        assert!(outbox.add("later".into()));
    }
}
