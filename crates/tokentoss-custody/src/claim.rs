//! The claim of a lease: the right to refresh, and the intent to send a token.

use tokentoss_core::Timestamp;

use crate::grant::{Grant, Intent, Lease};
use crate::handle::{Handle, LeaseOwner, Version};
use crate::parameters::LEASE;
use crate::scopes::Target;

/// The statement that takes the lease and writes the intent.
///
/// ```sql
/// UPDATE grants
///    SET lease_owner = :owner, lease_until = :now + 20000, attempt_hash = :hash, attempt_at = :at
///  WHERE id = :id AND version = :version AND (lease_owner IS NULL OR lease_until <= :now)
/// ```
///
/// It does not change the version, so that a late answer of the previous holder can still be recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The version that was read.
    pub version: Version,
    /// The requested target.
    pub target: Target,
    /// The refresh token to send.
    pub refresh: Handle,
    /// The intent to write. For a token that may have been sent before, it keeps the earlier time.
    pub intent: Intent,
    /// The time of the decision by the database's clock.
    pub at: Timestamp,
    /// Whether the answer to an earlier attempt with this token is unknown.
    pub is_repeated: bool,
}

/// A successful claim, with its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLease {
    /// The claim.
    pub claim: Claim,
    /// The holder.
    pub owner: LeaseOwner,
}

impl Claim {
    /// A claim for a target; none without a refresh token.
    pub(crate) fn new(now: Timestamp, grant: &Grant, target: Target) -> Option<Self> {
        let refresh = grant.refresh?;
        let before = grant.intent.filter(|intent| intent.hash == refresh.hash);
        let at = before.map_or(now, |intent| intent.at.min(now));
        let intent = Intent { hash: refresh.hash, at };
        Some(Self { version: grant.version, target, refresh, intent, at: now, is_repeated: before.is_some() })
    }

    /// Does what the SQL statement does: changes the row if the condition holds.
    ///
    /// `now` is the database's clock as the statement runs.
    #[must_use]
    pub fn apply(&self, now: Timestamp, owner: LeaseOwner, row: &mut Grant) -> Option<HeldLease> {
        let is_free = row.lease.is_none_or(|lease| lease.until <= now);
        (row.version == self.version && is_free).then(|| {
            row.lease = Some(Lease { owner, until: now + LEASE });
            row.intent = Some(self.intent);
            HeldLease { claim: self.clone(), owner }
        })
    }
}
