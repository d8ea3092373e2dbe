//! The back-off after failures, in columns that survive a restart.

use std::time::Duration;

use tokentoss_core::Timestamp;

use crate::outcome::Failure;
use crate::parameters::{INITIAL_BACK_OFF, Jitter, MAX_BACK_OFF, MAX_RETRY_AFTER, clock_went_back};

/// The state of the back-off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackOff {
    /// Failures since the last success.
    pub failures: u32,
    /// The latest failure.
    pub failure: Option<Failure>,
    /// The time of that failure, and the time before which nothing is sent.
    pub pause: Option<(Timestamp, Timestamp)>,
}

impl BackOff {
    /// The state after one more failure; a longer `Retry-After` of the provider counts.
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

    /// The time before which nothing is sent; none if it has passed, or if the clock was set back since the
    /// failure.
    #[must_use]
    pub fn next_attempt_at(&self, now: Timestamp) -> Option<Timestamp> {
        let (failed_at, until) = self.pause?;
        (until > now && !clock_went_back(now, failed_at)).then_some(until)
    }
}
