//! This machine's clocks: the time that passed on it, also while it slept, and the time of day.
//!
//! The database's clock decides how long a token lives. Between two reads of it, this clock measures the
//! elapsed time. It cannot be set, and it also counts while the machine is suspended, unlike
//! `std::time::Instant` on Linux.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tokentoss_core::Timestamp;

#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
/// On other systems, this clock counts during sleep.
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// The time since some moment before this process began.
pub(crate) fn elapsed() -> Duration {
    let time = clock_gettime(CLOCK);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// The time of day, with which the clocks of providers and clusters are compared.
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap_or_default())
}
