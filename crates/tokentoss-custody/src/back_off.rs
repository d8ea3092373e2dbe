//! Pauses after failures, as columns that survive a restart.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::outcome::Failure;
use crate::parameters::{INITIAL_BACK_OFF, Jitter, MAX_BACK_OFF, MAX_RETRY_AFTER, clock_went_back};

/// The state of the pauses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackOff {
    /// Failures since the last success.
    pub failures: u32,
    /// The latest failure.
    pub failure: Option<Failure>,
    /// When that was, and before when nothing is sent.
    pub pause: Option<(Timestamp, Timestamp)>,
}

impl BackOff {
    /// The pause after one more failure; the provider's own wish counts if it is longer.
    #[must_use]
    pub fn failed(
        self,
        now: Timestamp,
        failure: Failure,
        retry_after: Option<Duration>,
        jitter: Jitter,
    ) -> Self {
        let doubled = INITIAL_BACK_OFF.saturating_mul(2_u32.saturating_pow(self.failures.min(16)));
        let pause = doubled.min(MAX_BACK_OFF);
        let spread = pause.saturating_sub(jitter.of(pause / 4));
        let wished = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        Self {
            failures: self.failures.saturating_add(1),
            failure: Some(failure),
            pause: Some((now, now + spread.max(wished))),
        }
    }

    /// Before when nothing is sent; none if that is over, or if the clock was put back since, because nobody
    /// knows then.
    #[must_use]
    pub fn next_attempt_at(&self, now: Timestamp) -> Option<Timestamp> {
        let (failed_at, until) = self.pause?;
        (until > now && !clock_went_back(now, failed_at)).then_some(until)
    }
}
