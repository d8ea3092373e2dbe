//! The process at the other end of the broker's Unix socket.

use tokio::net::UnixStream;

/// The peer's credentials, which the operating system reports (`SO_PEERCRED`, `getpeereid`). Only the server
/// of the Unix socket creates them; no part of a request can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The effective user id at the time of the connection; none if the system did not report it.
    pub(super) uid: Option<u32>,
}

impl Peer {
    /// Asks the operating system.
    pub(crate) fn of(stream: &UnixStream) -> Self {
        let uid = match stream.peer_cred() {
            Ok(credentials) => Some(credentials.uid()),
            Err(error) => {
                tracing::warn!(%error, "the system does not say who connected");
                None
            }
        };
        Self { uid }
    }
}
