//! Sealed cells: one secret each, bound to its place.

use std::str;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use tokentoss_core::Secret;
use zeroize::Zeroizing;

use super::{AssociatedData, Column, Key};
use crate::random;

const NONCE: usize = 24;
/// What a cell begins with: the layout, then the name of the key and the column.
const LAYOUT: u8 = 2;
/// The layout before, which is opened and not made any more: it names no column, and is bound to tenant, grant and cell alone.
const LAYOUT_BEFORE: u8 = 1;

/// Something sealed that cannot be opened: another key, another place, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data cannot be opened with the keys that are there")]
pub struct Unreadable;

/// Seals a secret for its place.
#[must_use]
pub fn seal_cell(key: &Key, place: &impl AssociatedData, secret: &Secret) -> Vec<u8> {
    let sealed = encrypt(key, &place.associated(), secret.expose().as_bytes());
    [[LAYOUT].as_slice(), &key.name(), &place.column().0, &sealed].concat()
}

/// What a cell is made of.
struct Parts<'a> {
    /// The name of the key that sealed it.
    key: [u8; 8],
    /// The column that it says to be sealed for; none in the layout before.
    column: Option<Column>,
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Option<Self> {
        let (layout, rest) = sealed.split_first()?;
        let (key, rest) = rest.split_first_chunk::<8>()?;
        match *layout {
            LAYOUT => {
                let (column, ciphertext) = rest.split_first_chunk::<16>()?;
                Some(Self { key: *key, column: Some(Column(*column)), ciphertext })
            }
            LAYOUT_BEFORE => Some(Self { key: *key, column: None, ciphertext: rest }),
            _ => None,
        }
    }
}

/// Whether this very key sealed a cell.
#[must_use]
pub fn is_sealed_by(key: &Key, sealed: &[u8]) -> bool {
    Parts::of(sealed).is_some_and(|parts| parts.key == key.name())
}

/// The column that a cell says to be sealed for, which is true if it opens; none in the layout before.
#[must_use]
pub fn column_of(sealed: &[u8]) -> Option<Column> {
    Parts::of(sealed)?.column
}

/// Opens a cell.
///
/// # Errors
/// [`Unreadable`].
pub fn open_cell(key: &Key, place: &impl AssociatedData, sealed: &[u8]) -> Result<Secret, Unreadable> {
    let parts = Parts::of(sealed).ok_or(Unreadable)?;
    let associated = match parts.column {
        Some(column) if column == place.column() => place.associated(),
        Some(_) => return Err(Unreadable),
        None => place.associated_before().ok_or(Unreadable)?,
    };
    let opened = decrypt(key.of_name(parts.key).ok_or(Unreadable)?, &associated, parts.ciphertext)?;
    str::from_utf8(&opened).map(|text| Secret::new(text.to_owned())).map_err(|_| Unreadable)
}

/// A random nonce, and the ciphertext behind it.
pub(super) fn encrypt(key: &Key, associated: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let nonce = random::bytes::<NONCE>();
    let payload = Payload { msg: plaintext, aad: associated };
    #[expect(clippy::expect_used, reason = "the cipher fails for texts of 256 GiB only")]
    let ciphertext = cipher(key).encrypt(&nonce.into(), payload).expect("a text of usual length");
    [nonce.as_slice(), &ciphertext].concat()
}

pub(super) fn decrypt(key: &Key, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>().ok_or(Unreadable)?;
    let payload = Payload { msg: ciphertext, aad: associated };
    cipher(key).decrypt(&(*nonce).into(), payload).map(Zeroizing::new).map_err(|_| Unreadable)
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key.bytes()).into())
}
