//! The numbers of custody, and what the surroundings tell about one grant.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::handle::{ClientRevision, Version};

/// How long a lease runs.
pub const LEASE: Duration = Duration::from_secs(20);
/// How long all requests under one lease may take together, counted from before the claim was sent.
pub const DEADLINE: Duration = Duration::from_secs(12);
/// The shortest time-out with which a request is still sent.
pub const MIN_REQUEST_TIMEOUT: Duration = Duration::from_secs(1);
/// How far the clock may lie behind a time that it wrote itself before it counts as put back.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
/// The life that a token should have left for a caller who names none.
pub const DEFAULT_MIN_TTL: Duration = Duration::from_secs(240);
/// The life that such a caller's token has at least while no refresh is possible.
pub const FALLBACK_MIN_TTL: Duration = Duration::from_secs(10);
/// How long after a renewal the same caller cannot cause the next one by refusing its token.
pub const REJECTION_COOLDOWN: Duration = Duration::from_secs(30);
/// The first pause after a failure; it doubles.
pub const INITIAL_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest of these pauses.
pub const MAX_BACK_OFF: Duration = Duration::from_secs(300);
/// The longest pause that a provider can ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// So many attempts in a row that the provider calls malformed mean that it has forgotten the grant.
pub const MAX_REFUSALS: u32 = 6;
/// How long a provider's refusal of a scope or audience is remembered.
pub const TARGET_REFUSAL_TTL: Duration = Duration::from_secs(600);
/// The most targets of which one grant keeps a token or a refusal.
pub const MAX_TARGETS: usize = 32;
/// The longest lifetime that is believed.
pub const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What the process knows beside the row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The highest version that the journal says was written; zero if it says nothing. A lower one in the row
    /// means that a failover or a backup revived an old row.
    pub known: Version,
    /// The client's revision.
    pub client_revision: ClientRevision,
}

/// A random number that the caller draws: 0 means no spread, [`u16::MAX`] the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter(pub u16);

impl Jitter {
    /// This share of a duration.
    #[must_use]
    pub fn of(self, whole: Duration) -> Duration {
        whole.mul_f64(f64::from(self.0) / f64::from(u16::MAX))
    }
}

/// What settling needs to know of provider and client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleParameters {
    /// After how long without use the provider forgets a refresh token (Box: 60 days).
    pub forgets_after: Duration,
    /// The revision of the client that was used.
    pub client_revision: ClientRevision,
    /// Spreads schedule and back-off.
    pub jitter: Jitter,
}

/// The time from one moment to a later one; zero if it is not later.
pub(crate) fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::from_millis(later.as_millis().saturating_sub(earlier.as_millis()))
}

/// The moment that lies so long before.
pub(crate) fn before(moment: Timestamp, duration: Duration) -> Timestamp {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(moment.as_millis().saturating_sub(millis))
}

/// Whether the clock has been put back since it showed a moment.
pub(crate) fn clock_went_back(now: Timestamp, shown: Timestamp) -> bool {
    now + CLOCK_TOLERANCE < shown
}
