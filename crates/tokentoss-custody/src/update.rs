//! The statement that writes a row.

use crate::grant::Grant;
use crate::handle::{Handle, LeaseOwner, Version};

/// The condition for a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// `version = :version`.
    pub version: Version,
    /// `lease_owner IS NOT DISTINCT FROM :owner`; none where the lease does not matter.
    pub owner: Option<Option<LeaseOwner>>,
}

impl Guard {
    /// The row exactly as it was read, with its lease.
    #[must_use]
    pub fn of(grant: &Grant) -> Self {
        Self { version: grant.version, owner: Some(grant.lease.map(|lease| lease.owner)) }
    }

    /// Only the version of the row, and any holder of the lease.
    #[must_use]
    pub const fn of_version(version: Version) -> Self {
        Self { version, owner: None }
    }
}

/// One transaction: the row becomes `after` if the guard holds, and `revoke` goes to the revocation queue.
///
/// All columns are set except `used_at`. Cells of tokens that are new in `after` are written with it, those
/// of tokens that are gone are deleted. If no row matches, nothing is written: read the row again and decide
/// or settle again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The condition.
    pub guard: Guard,
    /// The row afterwards.
    pub after: Grant,
    /// Tokens to be revoked at the provider.
    pub revoke: Vec<Handle>,
}

impl Update {
    /// Does what the SQL statement does; false if the guard does not hold.
    #[must_use]
    pub fn apply(&self, row: &mut Grant) -> bool {
        let owner = row.lease.map(|lease| lease.owner);
        let holds = row.version == self.guard.version && self.guard.owner.is_none_or(|guard| guard == owner);
        if holds {
            let used_at = row.used_at;
            row.clone_from(&self.after);
            row.used_at = used_at;
        }
        holds
    }
}

/// What to write after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The row.
    Update(Box<Update>),
    /// The user signed out meanwhile: add these new tokens to the revocation queue, and leave the row as it
    /// is.
    Revoke(Vec<Handle>),
    /// Nothing: another process has written the row, and holds the lease.
    Nothing,
}
