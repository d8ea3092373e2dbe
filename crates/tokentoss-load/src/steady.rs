//! Callers that come at a steady rate. A caller's time begins when it should have come, so that a stall is not overlooked.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Failure;
use crate::callers::{Brokers, Callers};
use crate::latencies::quantile;

/// How often callers are sent off.
const TICK: Duration = Duration::from_millis(2);

/// The rate.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    brokers: Brokers,
    /// How many users are asked for in turn.
    #[arg(long)]
    users: usize,
    /// Callers in a second.
    #[arg(long)]
    rate: u32,
    /// For how many seconds.
    #[arg(long)]
    seconds: f64,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let callers = Arc::new(Callers::of(arguments.brokers)?);
    let (users, gap) = (arguments.users.max(1), Duration::from_secs(1) / arguments.rate.max(1));
    let mut asking = JoinSet::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(arguments.seconds);
    let (mut due, mut number) = (began, 0);
    while due < end {
        ticks.tick().await;
        while due <= Instant::now() && due < end {
            let (callers, came) = (Arc::clone(&callers), due);
            asking.spawn(async move {
                callers.token(number, number % users).await?;
                Ok::<_, Failure>(came.elapsed())
            });
            due += gap;
            number += 1;
        }
    }
    let mut took = Vec::new();
    while let Some(answer) = asking.join_next().await {
        took.push(answer??);
    }
    let (median, p99) = (quantile(&mut took, 500), quantile(&mut took, 990));
    println!("{}", json!({"answers": took.len(), "median_ms": median, "p99_ms": p99}));
    Ok(())
}
