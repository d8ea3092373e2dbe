//! Start and end of the server.

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

/// How long requests and refreshes may take to end: longer than a lease's requests, and their writing.
const DRAIN: Duration = Duration::from_secs(25);
/// How long the last times of use may take to be written.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// Why the server does not run.
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
    /// Reads everything, brings the database up to date and listens.
    ///
    /// # Errors
    /// What stands in the way. Without a key ring that opens, nothing is started.
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
        // Before anybody is served, so that nobody misses anything from then on; the HTTP client takes as long to be made.
        let listening = AbortOnDropHandle::new(tokio::spawn({
            let store = store.clone();
            async move { store.listen().await }
        }));
        let journal = Journal::open(config.journal.as_deref())?;
        let custodian = Custodian::new(store, ring, providers, Upstream::new()?, journal);
        let feed = listening.await.map_err(|_| StoreError::Late)??;
        custodian.replay().await?;
        let sign_ins = Arc::new(SignIns::new(config, Arc::clone(&custodian))?);
        let app = App { custodian, sign_ins, callers: Arc::new(callers), through: Arc::new(through) };
        let (callers, admin) = (listen(config.listen).await?, listen(config.admin_listen).await?);
        let socket = config.socket.as_ref().map(Socket::listen).transpose()?;
        Ok(Self { app, feed, callers, admin, socket })
    }

    /// Where callers connect.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.callers.local_addr()
    }

    /// Where administrators connect.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn admin_address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.admin.local_addr()
    }

    /// Has calls for callers resolve names in another way than the system does.
    ///
    /// # Errors
    /// What is wrong with the configuration of these calls.
    pub fn resolve_by(&mut self, config: &Config, lookup: &Lookup) -> Result<(), ServerError> {
        self.app.through = Arc::new(Through::of(config, lookup)?);
        Ok(())
    }

    /// The part that refreshes and keeps.
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
        end.await;
        stop.cancel();
        // Whoever comes now finds nobody, or who serves next.
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
