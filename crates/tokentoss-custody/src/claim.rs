//! The lease: who refreshes, and what was meant to be sent.

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
/// It leaves the version alone, so that a late answer of the holder before can still be recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The version that was read.
    pub version: Version,
    /// What to ask for.
    pub target: Target,
    /// The refresh token to send.
    pub refresh: Handle,
    /// What is written as the intent: for a token that may have been sent before, the time of that.
    pub intent: Intent,
    /// When it was decided, by the database's clock.
    pub at: Timestamp,
    /// Whether an earlier attempt with this token had no known answer.
    pub is_repeated: bool,
}

/// A claim that was granted to somebody.
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

    /// What the statement does with a row, and whether it touches it; the SQL must do the same.
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
