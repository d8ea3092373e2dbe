//! Start and shutdown of the server.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::callers::Callers;
use crate::config::{Config, ConfigError, ranges};
use crate::connect::SignIns;
use crate::journal::{Journal, JournalError};
use crate::keys::{KeyRing, RingError};
use crate::metrics;
use crate::refresh::{Custodian, ReplayError, Upstream};
use crate::routes::{self, App};
use crate::serving::{ConnectionLimits, serve};
use crate::socket::{Socket, SocketConfig, SocketError};
use crate::source::Source;
use crate::store::{ChangeFeed, Store, StoreError};
use crate::through::{Lookup, Through};
use crate::upkeep;

/// The time limit for running requests and refreshes at shutdown; longer than the requests and writes under a
/// lease.
const DRAIN: Duration = Duration::from_secs(25);
/// The time limit to write the last times of use.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key ring.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What the journal holds.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// TLS for the providers.
    #[error("the HTTP client cannot be made")]
    Upstream(#[from] reqwest::Error),
    /// An address to listen on.
    #[error("{address} cannot be listened on: {reason}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the operating system says.
        reason: std::io::Error,
    },
    /// The Unix socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

/// A server that listens.
pub struct Server {
    app: App,
    feed: ChangeFeed,
    callers: TcpListener,
    admin: TcpListener,
    socket: Option<Socket>,
}

impl Server {
    /// Reads configuration and secrets, migrates the database, and listens.
    ///
    /// # Errors
    /// [`ServerError`]. Without a readable key ring, nothing is started.
    pub async fn build(config: &Config) -> Result<Self, ServerError> {
        metrics::start();
        if let Some(problem) = ranges::problems(config).into_iter().next() {
            return Err(problem.into());
        }
        let ring = key_ring(&config.key_ring)?;
        let (providers, callers) = (config.providers()?, Callers::of(config)?);
        config.socket.as_ref().map(SocketConfig::check).transpose()?;
        let through = Through::of(config, &Lookup::of_system())?;
        let store = Store::begin(&config.database).await?;
        // Subscribed before requests are served, so that no event is missed; in parallel with the slow
        // creation of the HTTP client.
        let listening = AbortOnDropHandle::new(tokio::spawn({
            let store = store.clone();
            async move { store.listen().await }
        }));
        let journal = Journal::open(config.journal.as_deref())?;
        let custodian = Custodian::new(store, ring, providers, Upstream::new()?, journal);
        // A warning is no reason not to start, so that a failure to ask is none either.
        for setting in custodian.store.lossy_settings().await.unwrap_or_default() {
            tracing::warn!(setting, "Postgres can lose what was committed, and refresh tokens with it");
        }
        let feed = listening.await.map_err(|_| StoreError::Late)??;
        custodian.replay().await?;
        let sign_ins = Arc::new(SignIns::new(config, Arc::clone(&custodian))?);
        let app = App { custodian, sign_ins, callers: Arc::new(callers), through: Arc::new(through) };
        let (callers, admin) = (listen(config.listen).await?, listen(config.admin_listen).await?);
        let socket = config.socket.as_ref().map(Socket::listen).transpose()?;
        Ok(Self { app, feed, callers, admin, socket })
    }

    /// The address for callers.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.callers.local_addr()
    }

    /// The address for administrators.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn admin_address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.admin.local_addr()
    }

    /// Replaces the resolver for calls for callers.
    ///
    /// # Errors
    /// [`ConfigError`] for an invalid allow rule.
    pub fn resolve_by(&mut self, config: &Config, lookup: &Lookup) -> Result<(), ServerError> {
        self.app.through = Arc::new(Through::of(config, lookup)?);
        Ok(())
    }

    /// The custodian, which refreshes and stores tokens.
    #[must_use]
    pub fn custodian(&self) -> Arc<Custodian> {
        Arc::clone(&self.app.custodian)
    }

    /// Serves until `end`, then lets requests and refreshes end.
    pub async fn run(self, end: impl Future<Output = ()>) {
        let stop = CancellationToken::new();
        let (limits, of_admin) = ConnectionLimits::of_system(1 + usize::from(self.socket.is_some()));
        let callers = routes::callers(self.app.clone());
        let (socket, file) = self.socket.map(|socket| (socket.listener, socket.file)).unzip();
        let socket =
            socket.map(|listener| tokio::spawn(serve(listener, callers.clone(), limits, stop.clone())));
        let callers = tokio::spawn(serve(self.callers, callers, limits, stop.clone()));
        let admin = tokio::spawn(serve(self.admin, routes::admin(self.app.clone()), of_admin, stop.clone()));
        let custodian = self.app.custodian;
        upkeep::start(&custodian, self.feed);
        custodian.tasks.spawn(self.app.sign_ins.resume_until_ending());
        end.await;
        stop.cancel();
        // From now on, new clients are refused or reach the next process.
        drop(file);
        custodian.ending.cancel();
        custodian.tasks.close();
        let ended = tokio::time::timeout(DRAIN, async {
            let _ = tokio::join!(callers, admin);
            if let Some(socket) = socket {
                let _ = socket.await;
            }
            custodian.tasks.wait().await;
        });
        if ended.await.is_err() {
            tracing::error!("requests or refreshes were still running at the end");
        }
        let _ = tokio::time::timeout(LAST_WRITES, custodian.write_uses()).await;
        custodian.store.close().await;
    }
}

/// Reads the key ring.
///
/// # Errors
/// What is wrong with it.
pub fn key_ring(source: &Source) -> Result<KeyRing, ServerError> {
    Ok(KeyRing::read(&source.text("key_ring")?)?)
}

async fn listen(address: std::net::SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|reason| ServerError::Listen { address, reason })
}
