//! The load of `npm run bench`: a provider, grants, and callers that take the time. Each command prints one line of JSON.
//!
//! It is a crate of its own, because programs in the broker's crate are linked with what its tests switch on.

mod callers;
mod each;
mod fill;
mod herd;
mod latencies;
mod provider;
mod steady;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Why there is no figure.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Puts load on brokers.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a token endpoint that rotates refresh tokens and counts requests, until the process is ended.
    Provider,
    /// Connect accounts, by the broker's own code.
    Fill(fill::Arguments),
    /// Have many callers ask for one user's token at the same time.
    Herd(herd::Arguments),
    /// Ask once for the token of each of many users.
    Each(each::Arguments),
    /// Ask at a steady rate, whatever the answers take.
    Steady(steady::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Provider => provider::run().await,
        Command::Fill(arguments) => fill::run(&arguments).await,
        Command::Herd(arguments) => herd::run(arguments).await,
        Command::Each(arguments) => each::run(arguments).await,
        Command::Steady(arguments) => steady::run(arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tokentoss-load: {error}");
            ExitCode::FAILURE
        }
    }
}
