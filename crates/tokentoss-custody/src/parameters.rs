//! The parameters of the state machine: constants, and values that the server passes.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::handle::{ClientRevision, Version};

/// How long a lease runs.
pub const LEASE: Duration = Duration::from_secs(20);
/// How long all requests under one lease may take together, counted from before the claim was sent.
pub const DEADLINE: Duration = Duration::from_secs(12);
/// The shortest time-out with which a request is still sent.
pub const MIN_REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// How far the clock may lie behind a stored time before it counts as set back.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
/// The remaining lifetime that a token should have for a caller that names none.
pub const DEFAULT_MIN_TTL: Duration = Duration::from_secs(240);
/// The remaining lifetime that such a token has at least while no refresh is possible.
pub const FALLBACK_MIN_TTL: Duration = Duration::from_secs(10);
/// After a renewal, rejecting the new token causes no other renewal for this time.
pub const REJECTION_COOLDOWN: Duration = Duration::from_secs(30);
/// The first pause after a failure; it doubles.
pub const INITIAL_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest of these pauses.
pub const MAX_BACK_OFF: Duration = Duration::from_secs(300);
/// The longest `Retry-After` that is accepted.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// After this number of consecutive `invalid_request` answers, the provider is assumed to have forgotten the
/// grant.
pub const MAX_REFUSALS: u32 = 6;
/// How long a provider's refusal of a scope or audience is remembered.
pub const TARGET_REFUSAL_TTL: Duration = Duration::from_secs(600);
/// The most targets of one grant.
pub const MAX_TARGETS: usize = 32;
/// The longest accepted lifetime of a token.
pub const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What the process knows besides the row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The highest version that the journal says was written; zero if it says nothing. A lower one in the row
    /// means that a failover or a backup restored an old row.
    pub known: Version,
    /// The client's revision.
    pub client_revision: ClientRevision,
}

/// A random number from the caller: 0 means no jitter, [`u16::MAX`] the full jitter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter(pub u16);

impl Jitter {
    /// This share of a duration.
    #[must_use]
    pub fn of(self, whole: Duration) -> Duration {
        whole.mul_f64(f64::from(self.0) / f64::from(u16::MAX))
    }
}

/// The parameters for settling an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleParameters {
    /// After how long without use the provider forgets a refresh token (Box: 60 days).
    pub forgets_after: Duration,
    /// The revision of the client that was used.
    pub client_revision: ClientRevision,
    /// The jitter of schedule and back-off.
    pub jitter: Jitter,
}

/// The duration from an earlier to a later time; zero if it is not later.
pub(crate) fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::from_millis(later.as_millis().saturating_sub(earlier.as_millis()))
}

/// The time that is this duration earlier.
pub(crate) fn before(moment: Timestamp, duration: Duration) -> Timestamp {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(moment.as_millis().saturating_sub(millis))
}

/// Whether the clock was set back since it showed this time.
pub(crate) fn clock_went_back(now: Timestamp, shown: Timestamp) -> bool {
    now + CLOCK_TOLERANCE < shown
}
