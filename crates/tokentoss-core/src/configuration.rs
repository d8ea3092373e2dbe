//! An OAuth client on its way from the page that it is entered in to the kernel that installs it.
//!
//! The message is a list of parts, each behind its length in two bytes, big-endian: `credentials`, client ID, secret
//! and project ID; or `file` and the file's name, with the file's bytes as the rest. The page checks nothing: the kernel
//! reads both with the eyes that it has for files.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode};
use crate::sealing::{Binding, PublicKey, Purpose, push_with_length};

const CREDENTIALS: &str = "credentials";
const FILE: &str = "file";
/// What each part is longer by.
const LENGTH_BYTES: usize = 2;

/// What the user entered.
#[derive(Clone, Copy)]
pub enum Client<'a> {
    /// Typed in.
    Credentials {
        /// The client's identifier.
        client_id: &'a str,
        /// Its secret.
        client_secret: &'a str,
        /// The project that it belongs to; may be empty.
        project_id: &'a str,
    },
    /// A downloaded client_secrets.json.
    File {
        /// The file's name, for messages.
        name: &'a str,
        /// Its content.
        content: &'a [u8],
    },
}

impl Client<'_> {
    /// Seals the client for the kernel whose ticket this is.
    ///
    /// # Errors
    /// `entropy_unavailable` when the generator fails, `sealing_failed` for an unusable key or a part longer than
    /// 65,535 bytes.
    pub fn seal(&self, ticket_id: &str, key: &PublicKey, rng: &mut dyn Entropy) -> Result<String, Error> {
        let message = self.to_message().ok_or(ErrorCode::SealingFailed)?;
        // There is no client or provider yet that the message could be bound to.
        let binding = Binding { ticket_id, client_id: "", issuer: "" };
        key.seal(Purpose::Configuration, binding, &message, rng)
    }

    fn to_message(self) -> Option<Zeroizing<Vec<u8>>> {
        let (parts, rest): (&[&str], &[u8]) = match &self {
            Self::Credentials { client_id, client_secret, project_id } => {
                (&[CREDENTIALS, client_id, client_secret, project_id], &[])
            }
            Self::File { name, content } => (&[FILE, name], content),
        };
        // All the room at once: a vector that grows leaves copies behind that nothing wipes.
        let length = parts
            .iter()
            .fold(rest.len(), |sum, part| sum.saturating_add(part.len()).saturating_add(LENGTH_BYTES));
        let mut message = Zeroizing::new(Vec::with_capacity(length));
        for part in parts {
            push_with_length(&mut message, part.as_bytes())?;
        }
        message.extend_from_slice(rest);
        Some(message)
    }
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials { client_id, .. } => {
                f.debug_struct("Credentials").field("client_id", client_id).finish_non_exhaustive()
            }
            Self::File { name, .. } => f.debug_struct("File").field("name", name).finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn c72_debug_shows_nothing() {
        let credentials = Client::Credentials { client_id: "id", client_secret: "hunter2", project_id: "" };
        let file = Client::File { name: "a.json", content: b"hunter2" };
        assert_eq!(
            format!("{credentials:?} {file:?}"),
            "Credentials { client_id: \"id\", .. } File { name: \"a.json\", .. }"
        );
    }

    #[test]
    fn the_message_never_grows() {
        let file = Client::File { name: "a.json", content: &[7; 3000] };
        let message = file.to_message().expect("a message");
        assert_eq!(message.capacity(), message.len());
        assert!(message.starts_with(b"\0\x04file\0\x06a.json\x07"));
    }

    #[test]
    fn a_part_without_end_is_refused() {
        let name = "x".repeat(70_000);
        assert!(Client::File { name: &name, content: b"" }.to_message().is_none());
    }
}
