//! The decision about a demand.

use tokentoss_core::Timestamp;

use crate::claim::Claim;
use crate::problem::Refusal;
use crate::update::Update;

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Issue the access token in this slot of [`Grant::tokens`](crate::Grant::tokens).
    Serve {
        /// The index of the slot.
        slot: usize,
        /// Whether it has less remaining lifetime than wanted, because no refresh is possible now.
        is_last_resort: bool,
    },
    /// Claim the lease. The process that gets it refreshes; the others read the row and decide again.
    Refresh(Claim),
    /// Wait for a notification about the row, until this time at the latest, then read it and decide again.
    Wait {
        /// The time, by the database's clock.
        until: Timestamp,
    },
    /// Write this correction, read the row and decide again.
    Correct(Box<Update>),
    /// Refuse the demand.
    Refuse(Refusal),
    /// For the scheduler: nothing to do before this time; none if only a sign-in or an administrator can
    /// help.
    Rest {
        /// The time, by the database's clock.
        until: Option<Timestamp>,
    },
}
