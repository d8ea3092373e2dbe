//! The process at the other end of the broker's Unix socket.

use tokio::net::UnixStream;

/// Who connected, by the operating system's word (`SO_PEERCRED`, `getpeereid`). Only the Unix socket's server makes these, and
/// no part of a request can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The effective user when it connected; none if the system did not say.
    pub(super) uid: Option<u32>,
}

impl Peer {
    /// Asks the system.
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
