//! `serve`: until a signal ends it.

use super::CommandError;
use crate::config::Config;
use crate::server::Server;

pub(super) async fn run(config: &Config) -> Result<(), CommandError> {
    let server = Server::build(config).await?;
    let (callers, admin) = (server.address()?, server.admin_address()?);
    let socket = config.socket.as_ref().map(|socket| format!(" socket {}", socket.path.display()));
    println!("callers http://{callers} administrators http://{admin}{}", socket.unwrap_or_default());
    server.run(signalled()).await;
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
