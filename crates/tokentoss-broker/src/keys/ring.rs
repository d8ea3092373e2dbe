//! The key ring: named keys. The primary key wraps new data keys; the others only unwrap.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tokentoss_core::Secret;
use zeroize::Zeroizing;

use super::cell::{decrypt, encrypt};
use super::set::wrapped_keys;
use super::{DataKeySet, Key, Unreadable};
use crate::store::AuthorizationId;

/// The first byte of a wrapped data key: the layout. The length of the key's name follows.
const LAYOUT: u8 = 1;
/// The associated data of a state.
const STATE: &[u8] = b"tokentoss/state/1";
/// The length of a sealed state, in bytes: nonce, identifier and tag.
const STATE_LENGTH: usize = 24 + 16 + 16;
/// The longest name of a key, in bytes.
const NAME_LIMIT: usize = 64;
/// The longest name that is shown in errors, in bytes: a longer one may be a misplaced key.
const SHOWN_LIMIT: usize = 32;

/// What is wrong with a key ring.
#[derive(thiserror::Error, PartialEq, Eq)]
pub enum RingError {
    /// The file is malformed. The message contains nothing of the file.
    #[error("the key ring is no TOML with `primary` and `keys`")]
    Malformed,
    /// A key that cannot be used.
    #[error("the key{} of the key ring is not 32 bytes in base64url", shown(.0))]
    Key(String),
    /// A name that cannot be stored.
    #[error("a name in the key ring is empty or longer than 64 bytes")]
    Name,
    /// There is no primary key.
    #[error("the key ring has no key{}, which it names as primary", shown(.0))]
    Primary(String),
}

impl fmt::Debug for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RingError({self})")
    }
}

/// The name for an error message, with a leading space.
fn shown(name: &str) -> String {
    if name.len() > SHOWN_LIMIT { " of a name that is not shown".to_owned() } else { format!(" `{name}`") }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    primary: String,
    keys: BTreeMap<String, String>,
}

/// The ring.
#[derive(Debug)]
pub struct KeyRing {
    primary: String,
    keys: BTreeMap<String, Key>,
}

impl KeyRing {
    /// Reads a key ring.
    ///
    /// # Errors
    /// [`RingError`].
    pub fn read(text: &str) -> Result<Self, RingError> {
        // The parser's own message can quote a key.
        let File { primary, keys } = toml::from_str(text).map_err(|_| RingError::Malformed)?;
        let mut read = BTreeMap::new();
        for (name, written) in keys {
            let written = Zeroizing::new(written);
            if name.is_empty() || name.len() > NAME_LIMIT {
                return Err(RingError::Name);
            }
            let bytes = URL_SAFE_NO_PAD.decode(written.as_bytes()).map(Zeroizing::new);
            let key = bytes.ok().and_then(|bytes| Key::from_bytes(&bytes));
            read.insert(name.clone(), key.ok_or(RingError::Key(name))?);
        }
        if !read.contains_key(&primary) {
            return Err(RingError::Primary(primary));
        }
        Ok(Self { primary, keys: read })
    }

    /// The text of a new ring with one fresh key of this name.
    #[must_use]
    pub fn generate(name: &str) -> Zeroizing<String> {
        let key = Zeroizing::new(URL_SAFE_NO_PAD.encode(Key::generate().bytes()));
        Zeroizing::new(format!("primary = {name:?}\n\n[keys]\n{name:?} = {:?}\n", key.as_str()))
    }

    /// A random state for an authorization request (RFC 6749 section 4.1.1). It is sealed by this ring, so
    /// that a forged one is refused without a database query.
    #[must_use]
    pub fn new_state(&self, authorization: AuthorizationId) -> Secret {
        let sealed = self.keys.get(&self.primary).map(|key| encrypt(key, STATE, &authorization.0));
        Secret::new(URL_SAFE_NO_PAD.encode(sealed.unwrap_or_default()))
    }

    /// The sign-in of a state that any key of the ring sealed.
    #[must_use]
    pub fn open_state(&self, state: &str) -> Option<AuthorizationId> {
        let sealed = URL_SAFE_NO_PAD.decode(state).ok().filter(|sealed| sealed.len() == STATE_LENGTH)?;
        let opened = self.keys.values().find_map(|key| decrypt(key, STATE, &sealed).ok())?;
        opened.as_slice().try_into().ok().map(AuthorizationId)
    }

    /// Wraps a tenant's data key with the primary key.
    #[must_use]
    pub fn wrap(&self, data_key: &Key, tenant: &str) -> Vec<u8> {
        self.seal(data_key.bytes(), &associated(tenant))
    }

    /// Seals bytes with the primary key and this associated data.
    pub(crate) fn seal(&self, plaintext: &[u8], associated: &[u8]) -> Vec<u8> {
        #[expect(clippy::indexing_slicing, reason = "the primary key was looked for when the ring was read")]
        let key = &self.keys[&self.primary];
        #[expect(clippy::cast_possible_truncation, reason = "names have 64 bytes at most")]
        let mut wrapped = vec![LAYOUT, self.primary.len() as u8];
        wrapped.extend_from_slice(self.primary.as_bytes());
        wrapped.extend_from_slice(&encrypt(key, associated, plaintext));
        wrapped
    }

    /// Unwraps the data keys of a tenant's row: the key that seals, with the others for opening.
    ///
    /// # Errors
    /// [`Unreadable`] when a key that wrapped them is not in the ring, or when these are not the tenant's
    /// data keys.
    pub fn unwrap(&self, row: &[u8], tenant: &str) -> Result<Key, Unreadable> {
        DataKeySet::open(self, row, tenant)?.key()
    }

    /// Opens bytes that any key of the ring sealed.
    pub(crate) fn open(&self, sealed: &[u8], associated: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let (name, sealed) = split(sealed).ok_or(Unreadable)?;
        decrypt(self.keys.get(name).ok_or(Unreadable)?, associated, sealed)
    }

    /// Unwraps one data key with the key of the ring that wrapped it.
    pub(super) fn unwrap_one(&self, wrapped: &[u8], tenant: &str) -> Result<Key, Unreadable> {
        Key::from_bytes(&self.open(wrapped, &associated(tenant))?).ok_or(Unreadable)
    }

    /// Whether all data keys of a tenant's row are wrapped by the primary key.
    #[must_use]
    pub fn is_current(&self, row: &[u8]) -> bool {
        let is_primary = |wrapped: &[u8]| split(wrapped).is_some_and(|(name, _)| name == self.primary);
        wrapped_keys(row).is_some_and(|keys| keys.into_iter().all(is_primary))
    }
}

/// The name of the key, and what it sealed.
fn split(wrapped: &[u8]) -> Option<(&str, &[u8])> {
    let (head, rest) = wrapped.split_first_chunk::<2>()?;
    let (name, sealed) = rest.split_at_checked(usize::from(head[1]))?;
    (head[0] == LAYOUT).then_some((std::str::from_utf8(name).ok()?, sealed))
}

fn associated(tenant: &str) -> Vec<u8> {
    [b"tokentoss/data-key/1\0", tenant.as_bytes()].concat()
}
