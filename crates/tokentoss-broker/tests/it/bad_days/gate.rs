//! The way to a server, which can be closed.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A port that leads to another one while it is open.
pub(super) struct Gate {
    pub(super) address: SocketAddr,
    to: SocketAddr,
    open: Option<JoinHandle<()>>,
}

impl Gate {
    pub(super) async fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        Self { address, to, open: Some(tokio::spawn(lead(listener, to))) }
    }

    /// Refuses whoever comes, and cuts off whoever is there.
    pub(super) async fn close(&mut self) {
        let open = self.open.take().expect("it is open");
        open.abort();
        let _ = open.await;
    }

    pub(super) async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the same port");
        self.open = Some(tokio::spawn(lead(listener, self.to)));
    }
}

async fn lead(listener: TcpListener, to: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        connections.spawn(async move {
            if let Ok(mut far) = TcpStream::connect(to).await {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
