//! A row under this process's lease. Until the lease ends, only a sign-in, a sign-out or an administrator can
//! change the row, and the guard of the next write detects that.

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
    /// The start of the lease by this machine's clock, taken before the claim was sent.
    started: Duration,
    /// The time of the read by this machine's clock, taken before the row was read.
    read_at: Duration,
}

/// A row that this process wrote, with its new access token.
pub(super) struct WrittenGrant {
    /// The read that began before the write.
    pub read: PendingRead,
    /// The row as it was written, with the database's time at `read`.
    pub row: GrantRow,
    /// The new access token, and its cell.
    pub access: (CellId, Secret),
}

impl ClaimedGrant {
    /// A row that was read before the claim, by this machine's clock at `read_at` or later.
    pub(super) fn new(mut row: GrantRow, held: HeldLease, started: Duration, read_at: Duration) -> Self {
        // The SQL statement changed the row in the same way. If the row differed, the guard of the next write
        // fails.
        let _ = held.claim.apply(row.now, held.owner, &mut row.grant);
        Self { row, held, started, read_at }
    }

    /// The time since the claim, including time in which the machine was suspended.
    pub(super) fn held_for(&self) -> Duration {
        clock::elapsed().saturating_sub(self.started)
    }

    /// The row with the current time, unless another process has written it.
    pub(super) fn now(&self) -> GrantRow {
        GrantRow { now: self.time_at(clock::elapsed()), ..self.row.clone() }
    }

    /// The row after a write.
    pub(super) fn after(&self, grant: Grant, read: PendingRead) -> GrantRow {
        GrantRow { now: self.time_at(read.at()), grant, ..self.row.clone() }
    }

    /// The user and the provider of the row.
    pub(super) fn provider_user(&self) -> ProviderUser {
        let GrantRow { tenant, user, provider, .. } = &self.row;
        ProviderUser { tenant: tenant.clone(), user: user.clone(), provider: provider.clone() }
    }

    /// The database's time at a time of this machine's clock, or slightly later.
    fn time_at(&self, at: Duration) -> Timestamp {
        self.row.now + at.saturating_sub(self.read_at)
    }
}
