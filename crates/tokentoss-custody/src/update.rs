//! The statement that writes a row.

use crate::grant::Grant;
use crate::handle::{Handle, LeaseOwner, Version};

/// What a row must be like to be written.
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

    /// The row's version, whoever holds the lease.
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
    /// What the statement does with a row, and whether it touches it; the SQL must do the same.
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

/// What to write after an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The row.
    Update(Box<Update>),
    /// The user signed out meanwhile: these new tokens go to the revocation queue, and the row stays as it
    /// is.
    Revoke(Vec<Handle>),
    /// Nothing: somebody else has written what matters, and the lease is no longer ours.
    Nothing,
}
