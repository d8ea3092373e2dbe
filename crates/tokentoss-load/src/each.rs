//! The token of each of many users, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use serde_json::json;
use tokio::task::JoinSet;

use crate::Failure;
use crate::callers::{Brokers, Callers};
use crate::latencies::quantile;

/// The users.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    brokers: Brokers,
    /// How many users.
    #[arg(long)]
    users: usize,
    /// How many callers ask at once.
    #[arg(long, default_value_t = 64)]
    at_once: usize,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let callers = Arc::new(Callers::of(arguments.brokers)?);
    let next = Arc::new(AtomicUsize::new(0));
    let (users, mut asking) = (arguments.users, JoinSet::new());
    let began = Instant::now();
    for _ in 0..arguments.at_once {
        let (callers, next) = (Arc::clone(&callers), Arc::clone(&next));
        asking.spawn(async move {
            let mut took = Vec::new();
            loop {
                let user = next.fetch_add(1, Ordering::Relaxed);
                if user >= users {
                    return Ok::<_, Failure>(took);
                }
                took.push(callers.token(user, user).await?.took);
            }
        });
    }
    let mut took = Vec::new();
    while let Some(caller) = asking.join_next().await {
        took.extend(caller??);
    }
    let seconds = began.elapsed().as_secs_f64();
    let p99 = quantile(&mut took, 990);
    println!("{}", json!({"answers": took.len(), "seconds": seconds, "p99_ms": p99}));
    Ok(())
}
