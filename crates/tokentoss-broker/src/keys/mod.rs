//! The key ring, which the administrator keeps, and the data key that each tenant has.
//!
//! A data key seals the cells of one tenant. It stands in the database, wrapped by a key of the ring, so that a new key for
//! the ring means to wrap data keys anew, and no cell is touched.

mod cell;
mod ring;

pub use cell::{AuthorizationPlace, CellPlace, Place, Unreadable, open_cell, seal_cell};
pub use ring::{KeyRing, RingError};

use std::fmt;

use zeroize::Zeroizing;

use crate::random;

/// A key of XChaCha20-Poly1305. It leaves memory when it is dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A fresh key.
    #[must_use]
    pub fn generate() -> Self {
        Self(Zeroizing::new(random::bytes()))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
