//! The data keys of one tenant, as its row holds them: one key seals, the others only open.
//!
//! A new key passes three stages, so that no broker gets a cell that it cannot open: it is `Next` until every
//! broker has read it, then it `Seals`, and the previous key is `Former` until no cell uses it.

use zeroize::Zeroizing;

use super::{Key, KeyRing, Unreadable};

/// The first byte of a row with several keys; the row of one key begins with the layout of a wrapped key.
pub(super) const LAYOUT: u8 = 2;

/// What a data key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It seals new cells.
    Seals = 0,
    /// It will seal new cells.
    Next = 1,
    /// It only opens cells that it has sealed.
    Former = 2,
}

/// A data key with its role.
#[derive(Clone, Debug)]
pub struct DataKeyEntry {
    /// The key.
    pub key: Key,
    /// Its role.
    pub role: Role,
    /// The time since which it has this role, in milliseconds since 1970 by the database's clock.
    pub since: u64,
}

/// All data keys of a tenant.
#[derive(Clone, Debug)]
pub struct DataKeySet(pub Vec<DataKeyEntry>);

impl DataKeySet {
    /// Opens the keys of a tenant's row.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn open(ring: &KeyRing, row: &[u8], tenant: &str) -> Result<Self, Unreadable> {
        let Some((&LAYOUT, mut rest)) = row.split_first() else {
            let key = ring.unwrap_one(row, tenant)?;
            return Ok(Self(vec![DataKeyEntry { key, role: Role::Seals, since: 0 }]));
        };
        let mut members = Vec::new();
        while !rest.is_empty() {
            let ((head, wrapped), after) = next(rest).ok_or(Unreadable)?;
            let role = match head.0 {
                0 => Role::Seals,
                1 => Role::Next,
                2 => Role::Former,
                _ => return Err(Unreadable),
            };
            members.push(DataKeyEntry { key: ring.unwrap_one(wrapped, tenant)?, role, since: head.1 });
            rest = after;
        }
        Ok(Self(members))
    }

    /// The row with all keys wrapped by the ring's primary key.
    #[must_use]
    pub fn close(&self, ring: &KeyRing, tenant: &str) -> Vec<u8> {
        let mut row = vec![LAYOUT];
        for member in &self.0 {
            let wrapped = ring.wrap(&member.key, tenant);
            row.push(member.role as u8);
            row.extend_from_slice(&member.since.to_be_bytes());
            row.extend_from_slice(&u16::try_from(wrapped.len()).unwrap_or(u16::MAX).to_be_bytes());
            row.extend_from_slice(&wrapped);
        }
        row
    }

    /// The key that seals, with the other keys for opening.
    ///
    /// # Errors
    /// [`Unreadable`] if no key seals.
    pub fn key(self) -> Result<Key, Unreadable> {
        let (mut seals, others): (Vec<_>, Vec<_>) =
            self.0.into_iter().partition(|member| member.role == Role::Seals);
        let key = seals.pop().filter(|_| seals.is_empty()).ok_or(Unreadable)?.key;
        Ok(key.with_others(others.into_iter().map(|member| member.key).collect()))
    }

    /// The first key with this role.
    #[must_use]
    pub fn with_role(&self, role: Role) -> Option<&DataKeyEntry> {
        self.0.iter().find(|member| member.role == role)
    }
}

/// The wrapped keys of a row, without opening them; none if it is malformed.
pub(super) fn wrapped_keys(row: &[u8]) -> Option<Vec<&[u8]>> {
    let Some((&LAYOUT, mut rest)) = row.split_first() else { return Some(vec![row]) };
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let ((_, wrapped), after) = next(rest)?;
        keys.push(wrapped);
        rest = after;
    }
    Some(keys)
}

/// One key as it stands in a row: role and time, then the wrapped key.
type Written<'a> = ((u8, u64), &'a [u8]);

/// The first key, and what follows it.
fn next(row: &[u8]) -> Option<(Written<'_>, &[u8])> {
    let (role, row) = row.split_first()?;
    let (since, row) = row.split_first_chunk::<8>()?;
    let (length, row) = row.split_first_chunk::<2>()?;
    let (wrapped, after) = row.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((((*role, u64::from_be_bytes(*since)), wrapped), after))
}

/// The bytes of a key that are hashed for its name.
pub(super) fn named(key: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([b"tokentoss/key-name/1\0".as_slice(), key].concat())
}
