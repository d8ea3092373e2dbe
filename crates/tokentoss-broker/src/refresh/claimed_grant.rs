//! A row under this process's lease, as the claim left it: nobody else changes it until the lease ends, but for a sign-in, a
//! sign-out or an administrator, which the guard of the next write notices.

use std::time::Duration;

use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::{CellId, Grant, HeldLease};

use crate::cache::PendingRead;
use crate::clock;
use crate::store::{GrantRow, ProviderUser};

/// The row with its lease.
pub(super) struct ClaimedGrant {
    /// The row with the lease and the intent in it.
    pub row: GrantRow,
    /// The lease.
    pub held: HeldLease,
    /// From when the lease is counted, by this machine's clock: before it was taken.
    started: Duration,
    /// By this machine's clock, before the row was read.
    read_at: Duration,
}

/// A row that this process wrote, with the token that came into it.
pub(super) struct WrittenGrant {
    /// Begun before the write.
    pub read: PendingRead,
    /// The row as it was written, with the database's clock at `reading`.
    pub row: GrantRow,
    /// The new access token, and its cell.
    pub access: (CellId, Secret),
}

impl ClaimedGrant {
    /// A row that was read before the claim, by this machine's clock at `read_at` or later.
    pub(super) fn new(mut row: GrantRow, held: HeldLease, started: Duration, read_at: Duration) -> Self {
        // The statement did the same to the row in the database. Where that was another one, the next write notices.
        let _ = held.claim.apply(row.now, held.owner, &mut row.grant);
        Self { row, held, started, read_at }
    }

    /// How long ago the claim was, also while the machine slept.
    pub(super) fn held_for(&self) -> Duration {
        clock::elapsed().saturating_sub(self.started)
    }

    /// The row as it is now, unless somebody else has written it.
    pub(super) fn now(&self) -> GrantRow {
        GrantRow { now: self.time_at(clock::elapsed()), ..self.row.clone() }
    }

    /// The same after a write.
    pub(super) fn after(&self, grant: Grant, read: PendingRead) -> GrantRow {
        GrantRow { now: self.time_at(read.at()), grant, ..self.row.clone() }
    }

    /// Whose row it is.
    pub(super) fn provider_user(&self) -> ProviderUser {
        let GrantRow { tenant, user, provider, .. } = &self.row;
        ProviderUser { tenant: tenant.clone(), user: user.clone(), provider: provider.clone() }
    }

    /// What the database's clock shows at a moment of this machine's, or a little more.
    fn time_at(&self, at: Duration) -> Timestamp {
        self.row.now + at.saturating_sub(self.read_at)
    }
}
