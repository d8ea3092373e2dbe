//! The key ring, which the administrator keeps, and the data key that each tenant has.
//!
//! A data key seals the cells of one tenant. It stands in the database, wrapped by a key of the ring, so that
//! a new key for the ring means to wrap data keys anew, and no cell is touched. A tenant can get a new data
//! key too, beside the old one.

mod associated_data;
mod cell;
mod data_key_cache;
mod ring;
mod set;

pub use associated_data::{AssociatedData, AuthorizationAad, CellAad, Column};
pub use cell::{Unreadable, column_of, is_sealed_by, open_cell, seal_cell};
pub use data_key_cache::{DATA_KEY_CACHE_TTL, DataKeyCache};
pub use ring::{KeyRing, RingError};
pub use set::{DataKeyEntry, DataKeySet, Role};

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::random;

/// A key of XChaCha20-Poly1305. It leaves memory when it is dropped.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<[u8; 32]>,
    /// Keys that open what this one did not seal.
    others: Vec<Key>,
}

impl Key {
    /// A fresh key.
    #[must_use]
    pub fn generate() -> Self {
        Self { bytes: Zeroizing::new(random::bytes()), others: Vec::new() }
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.try_into().ok().map(Zeroizing::new)?;
        Some(Self { bytes, others: Vec::new() })
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Names the key without telling it: the beginning of a hash.
    #[must_use]
    pub fn name(&self) -> [u8; 8] {
        let hash: [u8; 32] = Sha256::digest(set::named(&self.bytes)).into();
        let [a, b, c, d, e, f, g, h, ..] = hash;
        [a, b, c, d, e, f, g, h]
    }

    fn with_others(self, others: Vec<Self>) -> Self {
        Self { others, ..self }
    }

    /// This key or the other one of this name.
    fn of_name(&self, name: [u8; 8]) -> Option<&Self> {
        std::iter::once(self).chain(&self.others).find(|key| key.name() == name)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
