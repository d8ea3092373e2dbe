//! `serve`: until a signal ends it.

use tokio::signal::unix::{SignalKind, signal};

use super::CommandError;
use crate::config::Config;
use crate::server::Server;

pub(super) async fn run(config: &Config) -> Result<(), CommandError> {
    let server = Server::build(config).await?;
    let (callers, admin) = (server.address()?, server.admin_address()?);
    let socket = config.socket.as_ref().map(|socket| format!(" socket {}", socket.path.display()));
    // Whoever reads the line may send one.
    let ended = signals()?;
    println!("callers http://{callers} administrators http://{admin}{}", socket.unwrap_or_default());
    server.run(ended).await;
    Ok(())
}

/// Takes SIGINT and SIGTERM over at once; the future ends with the first of them.
fn signals() -> std::io::Result<impl Future<Output = ()>> {
    let [mut interrupt, mut terminate] = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
