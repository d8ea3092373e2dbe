//! The command line of the broker.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use tokentoss_broker::commands::{Command, with_causes};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Keeps refresh tokens and client secrets out of notebooks, and gives out tokens that die soon.
///
/// To begin: write broker.toml, then `init`, `check`, `serve`. The settings are explained in docs/broker/running.md.
///
/// Each command exits with 0 when it did what it was asked, with 1 when it did not, and with 2 for arguments
/// that make no sense. Results go to standard output, logs and audit lines to standard error as JSON lines.
/// RUST_LOG chooses what is logged, such as RUST_LOG=tokentoss_broker=debug.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file, in TOML.
    #[arg(long, global = true, env = "TOKENTOSS_BROKER_CONFIG", default_value = "broker.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command.run(&arguments.config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tokentoss-broker: {}", with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
