//! What to do about a demand.

use tokentoss_core::Timestamp;

use crate::claim::Claim;
use crate::problem::Refusal;
use crate::update::Update;

/// The next thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Give out the access token in this place of [`Grant::tokens`](crate::Grant::tokens).
    Serve {
        /// The place.
        slot: usize,
        /// Whether it has less life than wanted, because no refresh is possible now.
        is_last_resort: bool,
    },
    /// Claim the lease; the one who gets it refreshes, the others read the row and decide again.
    Refresh(Claim),
    /// Wait for news of the row, until this moment at the latest, then read it and decide again.
    Wait {
        /// The moment.
        until: Timestamp,
    },
    /// Write this, read the row and decide again.
    Correct(Box<Update>),
    /// Say no.
    Refuse(Refusal),
    /// For the scheduler: nothing to do before this moment; none if only a sign-in or an administrator can
    /// help.
    Rest {
        /// The moment.
        until: Option<Timestamp>,
    },
}
