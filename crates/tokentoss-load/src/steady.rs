//! Callers that come at a steady rate. A caller's time begins when it should have come, so that a stall is not overlooked.

use std::io::{self, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Failure;
use crate::callers::{Brokers, Callers};
use crate::latencies::quantile;

/// How often callers are sent off.
const TICK: Duration = Duration::from_millis(2);

/// Connections at most. Waiting for one of them counts as well.
const CONNECTIONS: usize = 64;

/// Callers of the beginning are not counted: they open the connections.
const WARMING: Duration = Duration::from_secs(1);

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
}

/// Prints a line when callers begin to count, and what they took once the standard input has ended.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let callers = Arc::new(Callers::of(arguments.brokers)?);
    let (users, gap) = (arguments.users.max(1), Duration::from_secs(1) / arguments.rate.max(1));
    let mut asking = JoinSet::new();
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let counted_from = Instant::now() + WARMING;
    let (mut due, mut number, mut is_counting) = (Instant::now(), 0, false);
    let mut took = Vec::new();
    let mut end = end_of_input();
    loop {
        tokio::select! {
            _ = &mut end => break,
            _ = ticks.tick() => {}
            Some(answer) = asking.join_next() => {
                let (came, lasted): (Instant, Duration) = answer??;
                took.extend((came >= counted_from).then_some(lasted));
                continue;
            }
        }
        while due <= Instant::now() {
            let (callers, connections, came) = (Arc::clone(&callers), Arc::clone(&connections), due);
            asking.spawn(async move {
                let _connection = connections.acquire().await?;
                callers.token(number, number % users).await?;
                Ok::<_, Failure>((came, came.elapsed()))
            });
            due += gap;
            number += 1;
        }
        if !is_counting && due >= counted_from {
            is_counting = true;
            println!("{}", json!({"counting": true}));
        }
    }
    while let Some(answer) = asking.join_next().await {
        let (came, lasted) = answer??;
        took.extend((came >= counted_from).then_some(lasted));
    }
    let (median, p99) = (quantile(&mut took, 500), quantile(&mut took, 990));
    println!("{}", json!({"answers": took.len(), "median_ms": median, "p99_ms": p99}));
    Ok(())
}

fn end_of_input() -> oneshot::Receiver<()> {
    let (ended, end) = oneshot::channel();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    end
}
