//! Sealed cells: one encrypted secret each (XChaCha20-Poly1305), bound to its row by associated data.

use std::str;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use tokentoss_core::Secret;
use tokentoss_custody::CellId;
use zeroize::Zeroizing;

use super::Key;
use crate::random;
use crate::store::{AuthorizationId, GrantId};

const NONCE: usize = 24;
/// The first byte of a cell: the layout. The name of the key follows.
const LAYOUT: u8 = 1;

/// Sealed data that cannot be opened: wrong key, wrong associated data, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data cannot be opened with the keys that are there")]
pub struct Unreadable;

/// The associated data of a token's cell, which prevents that a cell is moved to another row.
#[derive(Clone, Copy, Debug)]
pub struct CellAad<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The grant.
    pub grant: GrantId,
    /// The cell.
    pub cell: CellId,
}

/// The associated data (AAD) of an AEAD encryption.
pub trait AssociatedData {
    /// The bytes; they differ for any two cells.
    fn to_bytes(&self) -> Vec<u8>;
}

impl AssociatedData for CellAad<'_> {
    fn to_bytes(&self) -> Vec<u8> {
        let cell = self.cell.0.to_be_bytes();
        [b"tokentoss/cell/1\0".as_slice(), &self.grant.0, &cell, self.tenant.as_bytes()].concat()
    }
}

/// The associated data of the sealed data of a sign-in.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationAad<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The sign-in.
    pub authorization: AuthorizationId,
    /// The kind of the data, such as `verifier` or `tokens`.
    pub what: &'static str,
}

impl AssociatedData for AuthorizationAad<'_> {
    fn to_bytes(&self) -> Vec<u8> {
        let what = [self.what.as_bytes(), b"\0"].concat();
        let head = b"tokentoss/authorization/1\0".as_slice();
        [head, &what, &self.authorization.0, self.tenant.as_bytes()].concat()
    }
}

/// Seals a secret with its associated data.
#[must_use]
pub fn seal_cell(key: &Key, aad: &impl AssociatedData, secret: &Secret) -> Vec<u8> {
    let sealed = encrypt(key, &aad.to_bytes(), secret.expose().as_bytes());
    [[LAYOUT].as_slice(), &key.name(), &sealed].concat()
}

/// The name of the key that sealed a cell, and the ciphertext.
fn sealed_by(sealed: &[u8]) -> Option<([u8; 8], &[u8])> {
    let (name, ciphertext) = sealed.strip_prefix(&[LAYOUT])?.split_first_chunk::<8>()?;
    Some((*name, ciphertext))
}

/// Whether this key, and no other of its set, sealed a cell.
#[must_use]
pub fn is_sealed_by(key: &Key, sealed: &[u8]) -> bool {
    sealed_by(sealed).is_some_and(|(name, _)| name == key.name())
}

/// Opens a cell.
///
/// # Errors
/// [`Unreadable`].
pub fn open_cell(key: &Key, aad: &impl AssociatedData, sealed: &[u8]) -> Result<Secret, Unreadable> {
    let (name, ciphertext) = sealed_by(sealed).ok_or(Unreadable)?;
    let opened = decrypt(key.of_name(name).ok_or(Unreadable)?, &aad.to_bytes(), ciphertext)?;
    str::from_utf8(&opened).map(|text| Secret::new(text.to_owned())).map_err(|_| Unreadable)
}

/// A random nonce, followed by the ciphertext.
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
