//! The pool of connections to Postgres, without the one that listens.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};

use super::notifications::Outbox;
use crate::store::{LOCK_TIMEOUT, StoreError, address};

/// The size of the pool; with the listening connection there are 16.
const CONNECTIONS: u32 = 15;
/// Postgres ends an idle transaction after this time, which is longer than any caller waits.
const ABANDONED: Duration = Duration::from_secs(15);
/// A connection that was idle for less than this is not probed.
const ASK_AFTER: Duration = Duration::from_secs(1);
/// The time limit for the probe of an idle connection.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long closing waits for running calls.
const LAST_CALLS: Duration = Duration::from_secs(2);

/// The connections, and the notifications that still have to be sent.
#[derive(Clone)]
pub(in crate::store) struct PostgresPool {
    pub(super) connections: PgPool,
    pub(super) outbox: Arc<Outbox>,
}

impl PostgresPool {
    /// Connects to the server of an address.
    pub(in crate::store) async fn open(address: &str) -> Result<Self, StoreError> {
        let options = address::postgres(address)?;
        let settings = [
            // The same limit as SQLite's busy timeout.
            ("lock_timeout", LOCK_TIMEOUT.as_millis().to_string()),
            // A client that lost its power must not keep locks.
            ("idle_in_transaction_session_timeout", ABANDONED.as_millis().to_string()),
            ("tcp_user_timeout", ABANDONED.as_millis().to_string()),
        ];
        let options = options.application_name("tokentoss-broker").options(settings);
        let afresh = Arc::new(options.clone());
        let connections = PgPoolOptions::new()
            .acquire_timeout(LOCK_TIMEOUT)
            .max_connections(CONNECTIONS)
            // A probe before each use would double the round trips.
            .test_before_acquire(false)
            .before_acquire(move |connection, known| {
                let afresh = Arc::clone(&afresh);
                Box::pin(async move {
                    if known.idle_for >= ASK_AFTER && !lives(connection).await {
                        // sqlx would wait for the peer to close a dead connection, up to the acquire timeout.
                        *connection = PgConnection::connect_with(&afresh).await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { connections, outbox: Arc::default() })
    }

    pub(in crate::store) async fn close(&self) {
        let _ = tokio::time::timeout(LAST_CALLS, self.connections.close()).await;
    }
}

async fn lives(connection: &mut PgConnection) -> bool {
    matches!(tokio::time::timeout(SIGN_OF_LIFE, connection.ping()).await, Ok(Ok(())))
}
