//! The clock and the one timer of a flow.

use gloo_timers::callback::Timeout;
use tokentoss_core::Timestamp;

/// The browser's wall clock.
#[expect(clippy::disallowed_methods, reason = "this is the one place where time enters")]
pub(crate) fn now() -> Timestamp {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and far below 2^53"
    )]
    Timestamp::from_millis(js_sys::Date::now() as u64)
}

/// The longest wait that browsers keep, in milliseconds: a longer one fires at once.
const LONGEST_WAIT: u32 = i32::MAX as u32;

/// A timer that is cancelled when dropped.
#[derive(Debug)]
pub(crate) struct Timer {
    due: Timestamp,
    _timeout: Timeout,
}

impl Timer {
    pub(crate) fn new(due: Timestamp, on_due: impl FnOnce() + 'static) -> Self {
        let wait = due.as_millis().saturating_sub(now().as_millis());
        // One that fires early is set anew.
        let wait = u32::try_from(wait).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        Self { due, _timeout: Timeout::new(wait, on_due) }
    }

    pub(crate) fn due(&self) -> Timestamp {
        self.due
    }
}
