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

use std::borrow::Cow;
use std::error::Error;
use std::iter;
use std::path::Path;

use clap::Subcommand;

use crate::config::Config;
use crate::store::{GrantId, GrantRow, Store, StoreError};

/// Why a command failed.
pub type CommandError = Box<dyn Error + Send + Sync>;

/// The number of rows in one batch.
const BATCH: u32 = 256;

/// What the broker can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a key ring with a fresh key, where the configuration names it.
    ///
    /// The file is for its owner alone, and one that exists is never replaced: what its keys sealed could not be
    /// opened any more. Keep a copy of it where the database's backups are not.
    ///
    /// Example: tokentoss-broker --config /etc/tokentoss-broker/broker.toml init
    Init,
    /// Serve callers, browsers and administrators until a signal ends it.
    ///
    /// Applies pending migrations first. Then prints one line with the addresses of callers and administrators,
    /// and logs to standard error. Callers ask at `listen` (127.0.0.1:8765 where the file does not say),
    /// administrators and probes at `admin_listen` (127.0.0.1:8766): /livez, /readyz, /metrics, /openapi.json.
    ///
    /// SIGTERM and SIGINT end it: it takes no further requests, and gives those that run, and refreshes that have
    /// begun, up to 25 seconds.
    ///
    /// Example: RUST_LOG=info tokentoss-broker --config broker.toml serve
    Serve,
    /// Say everything that stands in the way of serving, all at once, and which migrations are pending.
    ///
    /// Reads the configuration, every secret that it names, rights of files, the database, and what hubs and
    /// clusters say. Sends an empty HEAD request to each provider's token endpoint, which shows whether it is
    /// reached; --offline leaves out what is asked of others. Changes nothing, and may run beside a broker. Exits
    /// with 1 where there is a problem.
    ///
    /// Example: tokentoss-broker --config broker.toml check
    Check(check::Arguments),
    /// List the providers and the clients that are registered with them; no secrets.
    ///
    /// Reads the configuration alone.
    ///
    /// Example: tokentoss-broker clients --json
    Clients(clients::Arguments),
    /// List those who may ask, or write a fresh key for a new one.
    ///
    /// `callers new` writes the key into a file for its owner alone, and prints what to add to the configuration.
    /// It changes no configuration; a broker reads new keys when it is started again.
    ///
    /// Example: tokentoss-broker callers new nightly
    Callers(callers::Arguments),
    /// List grants of all users; no tokens.
    ///
    /// A grant is one account of a user at a provider. `active` grants give tokens; `expired` ones need the user
    /// to sign in again; `error` needs an administrator, and `confirm` may help; `revoked` ones were ended.
    /// Reads alone, and may run beside a broker.
    ///
    /// Example: tokentoss-broker grants --tenant acme --status error
    Grants(grants::Arguments),
    /// Let a grant in `error` be used as it is, after its cause was looked into.
    ///
    /// For a grant whose row is older than the journal knows it, or whose client was refused: the next demand sends
    /// its refresh token again. If that token was used up meanwhile, a provider with reuse detection ends the
    /// grant, and the user signs in again. Writes an audit line.
    ///
    /// Example: tokentoss-broker confirm 0123456789abcdef0123456789abcdef
    Confirm(confirm::Arguments),
    /// End the grants of a user, and have their tokens revoked at the provider.
    ///
    /// The grants end at once, and no token is given any more. Tokens that were given out live on until they
    /// expire, unless the provider ends them with the grant. The running broker sends the revocations, and tries
    /// again for as long as a provider is away. Writes an audit line for each grant.
    ///
    /// Example: tokentoss-broker revoke --tenant acme --user ada --provider google
    Revoke(revoke::Arguments),
    /// Wrap the tenants' data keys anew by the ring's primary key, or give tenants new data keys.
    ///
    /// Runs beside brokers, can be interrupted at any time, and goes on from there when it is started again.
    /// docs/broker/operations.md has the steps in their order.
    ///
    /// Example: tokentoss-broker rekey
    Rekey(rekey::Arguments),
    /// Print the OpenAPI document of the HTTP interface.
    ///
    /// Needs no configuration. The same document is at /openapi.json of the administrators' port.
    ///
    /// Example: tokentoss-broker openapi > openapi.json
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
            Self::Check(arguments) => check::run(&config, arguments).await,
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

/// Opens a database that is this version's; commands migrate nothing.
async fn open(config: &Config) -> Result<Store, CommandError> {
    let store = Store::open(&config.database).await?;
    match store.pending().await? {
        0 => Ok(store),
        count => {
            Err(format!("{count} migrations are pending; start the broker once, which applies them").into())
        }
    }
}

/// A row that this version cannot read.
struct UnreadableRow {
    id: GrantId,
    /// What of it.
    what: Cow<'static, str>,
}

impl UnreadableRow {
    /// What scripts know it by.
    const CODE: &str = "row_unreadable";

    /// How a command ends that met so many of them.
    fn end(count: usize) -> Result<(), CommandError> {
        if count == 0 {
            return Ok(());
        }
        let code = Self::CODE;
        Err(format!(
            "{count} grants cannot be read ({code}); if a later version wrote them, use its program, else put their rows back from \
             a backup"
        )
        .into())
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

    /// The next batch; empty at the end. What cannot be read stands in the way of no other.
    async fn next(&mut self) -> Result<Vec<Result<GrantRow, UnreadableRow>>, CommandError> {
        loop {
            let ids = self.store.grants_after(self.filter, self.after, BATCH).await?;
            let Some(last) = ids.last() else { return Ok(Vec::new()) };
            self.after = Some(*last);
            let mut rows = Vec::new();
            for id in ids {
                match self.store.grant(id).await {
                    Ok(row) => rows.extend(row.map(Ok)),
                    Err(StoreError::Row(what)) => rows.push(Err(UnreadableRow { id, what })),
                    Err(error) => return Err(error.into()),
                }
            }
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
    }
}
