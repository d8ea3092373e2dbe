//! The commands, one file each. Results go to standard output, logs and audit lines to standard error.

mod callers;
mod check;
mod clients;
mod confirm;
mod grants;
mod init;
mod log;
mod memory;
mod openapi;
mod rekey;
mod revoke;
mod serve;

use std::error::Error;
use std::iter;
use std::path::Path;

use clap::Subcommand;

use crate::config::Config;
use crate::store::{GrantId, GrantRow, Store};

/// Why a command failed.
pub type CommandError = Box<dyn Error + Send + Sync>;

/// The number of rows in one batch.
const BATCH: u32 = 256;

/// What the broker can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a key ring with a fresh key, where the configuration names it.
    Init,
    /// Serve until a signal ends it.
    Serve,
    /// Say everything that stands in the way of serving, all at once, and which migrations are pending.
    Check,
    /// List the providers and the clients that are registered with them; no secrets.
    Clients(clients::Arguments),
    /// List those who may ask, or write a fresh key for a new one.
    Callers(callers::Arguments),
    /// List grants of all users; no tokens.
    Grants(grants::Arguments),
    /// Let a grant in `error` be used as it is, after its cause was looked into.
    Confirm(confirm::Arguments),
    /// End the grants of a user, and have their tokens revoked at the provider.
    Revoke(revoke::Arguments),
    /// Wrap the tenants' data keys anew by the ring's primary key, or give tenants new data keys.
    Rekey(rekey::Arguments),
    /// Print the OpenAPI document of the HTTP interface.
    Openapi,
}

impl Command {
    /// Runs the command; `config` is the path of the configuration file.
    ///
    /// # Errors
    /// The cause, as a text for people.
    pub async fn run(&self, config: &Path) -> Result<(), CommandError> {
        log::start(if matches!(self, Self::Serve) { "info" } else { "audit=info,warn" });
        if let Self::Openapi = self {
            openapi::run();
            return Ok(());
        }
        memory::keep_private();
        let path = config;
        let config = Config::read(path)?;
        match self {
            Self::Init => init::run(&config),
            Self::Serve => serve::run(&config).await,
            Self::Check => check::run(&config).await,
            Self::Clients(arguments) => clients::run(&config, arguments),
            Self::Callers(arguments) => callers::run(&config, path, arguments),
            Self::Grants(arguments) => grants::run(&config, arguments).await,
            Self::Confirm(arguments) => confirm::run(&config, arguments).await,
            Self::Revoke(arguments) => revoke::run(&config, arguments).await,
            Self::Rekey(arguments) => rekey::run(&config, arguments).await,
            Self::Openapi => Ok(()),
        }
    }
}

/// An error with its causes.
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(error.source(), |&cause| cause.source());
    iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}

/// Opens a database with this version's schema; commands do not migrate.
async fn open(config: &Config) -> Result<Store, CommandError> {
    let store = Store::open(&config.database).await?;
    match store.pending().await? {
        0 => Ok(store),
        count => {
            Err(format!("{count} migrations are pending; start the broker once, which applies them").into())
        }
    }
}

/// The rows that match a filter, in batches.
struct Rows<'a> {
    store: &'a Store,
    filter: &'a crate::store::GrantFilter,
    after: Option<GrantId>,
}

impl<'a> Rows<'a> {
    fn of(store: &'a Store, filter: &'a crate::store::GrantFilter) -> Self {
        Self { store, filter, after: None }
    }

    /// The next batch; empty at the end.
    async fn next(&mut self) -> Result<Vec<GrantRow>, CommandError> {
        loop {
            let ids = self.store.grants_after(self.filter, self.after, BATCH).await?;
            let Some(last) = ids.last() else { return Ok(Vec::new()) };
            self.after = Some(*last);
            let mut rows = Vec::new();
            for id in ids {
                rows.extend(self.store.grant(id).await?);
            }
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
    }
}
