//! The connections to Postgres of one process, but for the one that listens.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};

use super::notifications::Outbox;
use crate::store::{LOCK_TIMEOUT, StoreError, address};

/// So many; with the one that listens they are 16.
const CONNECTIONS: u32 = 15;
/// After so long without a word from its process, a transaction of Postgres ends: longer than anybody waits for an answer.
const ABANDONED: Duration = Duration::from_secs(15);
/// A connection that was used so lately is believed to live.
const ASK_AFTER: Duration = Duration::from_secs(1);
/// Another one has so long to say that it does.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long calls that still run may keep the connections from being closed.
const LAST_CALLS: Duration = Duration::from_secs(2);

/// The connections, and what is still to be sent through one of them.
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
            // SQLite's patience with other writers, for locks that somebody else holds.
            ("lock_timeout", LOCK_TIMEOUT.as_millis().to_string()),
            // A machine that lost its power keeps no locks.
            ("idle_in_transaction_session_timeout", ABANDONED.as_millis().to_string()),
            ("tcp_user_timeout", ABANDONED.as_millis().to_string()),
        ];
        let options = options.application_name("tokentoss-broker").options(settings);
        let afresh = Arc::new(options.clone());
        let connections = PgPoolOptions::new()
            .acquire_timeout(LOCK_TIMEOUT)
            .max_connections(CONNECTIONS)
            // To ask each time whether a connection still lives would double the ways to the server.
            .test_before_acquire(false)
            .before_acquire(move |connection, known| {
                let afresh = Arc::clone(&afresh);
                Box::pin(async move {
                    if known.idle_for >= ASK_AFTER && !lives(connection).await {
                        // sqlx would wait for the other end to close it, as long as a caller waits for a connection.
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
