//! The command line of the broker.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokentoss_broker::config::Config;
use tokentoss_broker::keys::KeyRing;
use tokentoss_broker::server::{Server, key_ring};
use tokentoss_broker::store::Store;
use tracing_subscriber::EnvFilter;

/// Keeps refresh tokens and client secrets out of notebooks, and gives out tokens that die soon.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file.
    #[arg(long, global = true, env = "TOKENTOSS_BROKER_CONFIG", default_value = "broker.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a key ring with a fresh key, where the configuration names it.
    Init,
    /// Serve until a signal ends it.
    Serve,
    /// Say what stands in the way of serving, and which migrations are pending.
    Check,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tokentoss-broker: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::read(&arguments.config)?;
    match arguments.command {
        Command::Init => Ok(init(&config.key_ring)?),
        Command::Serve => serve(&config).await,
        Command::Check => check(&config).await,
    }
}

fn init(path: &Path) -> io::Result<()> {
    // Never over an old one: what it sealed could not be opened any more.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(KeyRing::generate("first").as_bytes())?;
    file.sync_all()?;
    println!("wrote {}; keep a copy where the database's backups are not", path.display());
    Ok(())
}

async fn check(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    key_ring(&config.key_ring)?;
    let providers = config.providers()?;
    let store = Store::open(&config.database).await?;
    println!("{} providers; {} migrations pending", providers.len(), store.pending().await?);
    Ok(())
}

async fn serve(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(io::stderr).init();
    let server = Server::build(config).await?;
    println!("callers http://{} administrators http://{}", server.address()?, server.admin_address()?);
    server.run(signalled()).await?;
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
