//! The schedule: when a grant is refreshed in advance.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::grant::Grant;
use crate::handle::ClientRevision;
use crate::parameters::{Jitter, MAX_RETRY_AFTER, between};

/// Two columns, of which [`Grant::due_at`] takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// For a grant that was used since its renewal: at two thirds of the lifetime of the main token, or up to
    /// a tenth earlier.
    pub refresh_at: Timestamp,
    /// For an idle one: at two thirds of the time after which its refresh token expires, or up to a tenth
    /// earlier.
    pub keep_alive_at: Timestamp,
}

impl Schedule {
    /// The schedule after a renewal.
    #[must_use]
    pub fn after(renewed_at: Timestamp, life: Duration, forgets_after: Duration, jitter: Jitter) -> Self {
        let at = |whole: Duration| renewed_at + (whole / 3 * 2).saturating_sub(jitter.of(whole / 10));
        Self { refresh_at: at(life.min(forgets_after)), keep_alive_at: at(forgets_after) }
    }
}

impl Grant {
    /// When the scheduler should refresh the grant; none if only a sign-in or an administrator can help.
    ///
    /// An attempt without a known answer is repeated at once, because the next refresh token may be waiting
    /// at a provider that gives it out again only for some seconds.
    #[must_use]
    pub fn due_at(&self, now: Timestamp, revision: ClientRevision) -> Option<Timestamp> {
        let refresh = self.refresh.filter(|_| self.status.allows_refresh(revision))?;
        let interrupted = self.intent.is_some_and(|intent| intent.hash == refresh.hash);
        let base = match () {
            () if interrupted => Timestamp::from_millis(0),
            () if self.used_at >= self.renewed_at => self.schedule.refresh_at,
            () => self.schedule.keep_alive_at,
        };
        let lease = self.lease.map(|lease| lease.until);
        let times = [self.back_off.next_attempt_at(now), lease];
        Some(times.into_iter().flatten().fold(base, Timestamp::max))
    }

    /// How long the scheduler may wait before it checks this grant again. It is limited, because the clock
    /// may have been wrong.
    #[must_use]
    pub fn rest(&self, now: Timestamp, revision: ClientRevision) -> Duration {
        self.due_at(now, revision).map_or(MAX_RETRY_AFTER, |due| between(now, due).min(MAX_RETRY_AFTER))
    }
}
