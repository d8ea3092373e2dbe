//! Time as an argument.

use core::ops::Add;
use core::time::Duration;

/// A wall-clock moment, in milliseconds since the Unix epoch, as the caller's clock shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `milliseconds` after the Unix epoch.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, the unit of JWT claims (RFC 7519 section 2).
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// The same moment by the clock after it was put back from one moment to another.
    #[must_use]
    pub const fn put_back(self, from: Self, to: Self) -> Self {
        Self(self.0.saturating_sub(from.0.saturating_sub(to.0)))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        // Not `as_millis`, whose 128 bits are much code for a browser.
        let millis =
            duration.as_secs().saturating_mul(1000).saturating_add(u64::from(duration.subsec_millis()));
        Self(self.0.saturating_add(millis))
    }
}
