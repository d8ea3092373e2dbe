//! Many callers that need one user's token at the same time.

use std::collections::HashSet;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::task::JoinSet;

use crate::Failure;
use crate::callers::{Brokers, Callers};
use crate::latencies::quantile;

/// The herd.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    brokers: Brokers,
    /// The user.
    #[arg(long)]
    user: usize,
    /// How many callers.
    #[arg(long)]
    callers: usize,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let callers = Arc::new(Callers::of(arguments.brokers)?);
    let mut asking = JoinSet::new();
    for number in 0..arguments.callers {
        let callers = Arc::clone(&callers);
        asking.spawn(async move { callers.token(number, arguments.user).await });
    }
    let (mut took, mut tokens) = (Vec::new(), HashSet::new());
    while let Some(answer) = asking.join_next().await {
        let answer = answer??;
        took.push(answer.took);
        tokens.insert(answer.access_token);
    }
    let (median, p99) = (quantile(&mut took, 500), quantile(&mut took, 990));
    println!("{}", json!({"tokens": tokens.len(), "median_ms": median, "p99_ms": p99}));
    Ok(())
}
