//! The way to a server, which can be closed.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::running::Home;

/// A port that leads to another one while it is open.
pub(super) struct Gate {
    pub(super) address: SocketAddr,
    to: SocketAddr,
    open: Option<JoinHandle<()>>,
    stalling: watch::Sender<()>,
}

impl Gate {
    pub(super) async fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stalling, stalled) = watch::channel(());
        Self { address, to, open: Some(tokio::spawn(lead(listener, to, stalled))), stalling }
    }

    /// Refuses whoever comes, and cuts off whoever is there.
    pub(super) async fn close(&mut self) {
        let open = self.open.take().expect("it is open");
        open.abort();
        let _ = open.await;
    }

    /// From now on nothing passes on the connections that there are, as where the other end is gone without a word.
    pub(super) fn stall(&self) {
        self.stalling.send_replace(());
    }

    pub(super) async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the same port");
        self.open = Some(tokio::spawn(lead(listener, self.to, self.stalling.subscribe())));
    }
}

async fn lead(listener: TcpListener, to: SocketAddr, stalled: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        let mut stalled = stalled.clone();
        stalled.mark_unchanged();
        connections.spawn(async move {
            let Ok(mut far) = TcpStream::connect(to).await else { return };
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => return,
                _ = stalled.changed() => {}
            }
            // Both ends stay open.
            std::future::pending::<()>().await;
        });
    }
}

/// A home on Postgres, if there is one for tests, with a gate on the way.
pub(super) async fn gated() -> Option<(Home, Gate)> {
    let mut home = Home::on_postgres().await?;
    let address = home.database();
    let (_, rest) = address.split_once('@').expect("a user");
    let (host, name) = rest.split_once('/').expect("a name");
    let gate = Gate::to(host.parse().expect("an address")).await;
    home.set_database(&format!("postgres://postgres@{}/{name}", gate.address));
    Some((home, gate))
}
