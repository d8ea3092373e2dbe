//! What the holder of a lease does: one request after another, never two at once, within one deadline.

use std::time::Duration;

use crate::claim::HeldLease;
use crate::outcome::{Failure, Outcome};
use crate::parameters::{DEADLINE, MIN_REQUEST_TIMEOUT};

/// The next thing for the holder to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send the claim's refresh token.
    Send {
        /// Which of the client's secrets to use; 0 for a client without one.
        secret: usize,
        /// After how long to give up.
        timeout: Duration,
    },
    /// Settle the grant with this.
    Settle(Box<AttemptReport>),
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptReport {
    /// Under which lease.
    pub held: HeldLease,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether an answer to an earlier request with this token is unknown.
    pub is_uncertain: bool,
}

/// An attempt under one lease.
///
/// Its time is measured by a monotonic clock from before the claim was sent, so that no change of the wall
/// clock matters.
#[derive(Clone, Debug)]
pub struct Attempt {
    held: HeldLease,
    secrets: usize,
    secret: usize,
    is_uncertain: bool,
    was_repeated: bool,
}

impl Attempt {
    /// An attempt of a client with so many secrets, in the order in which they are tried.
    #[must_use]
    pub fn new(held: HeldLease, secrets: usize) -> Self {
        let is_uncertain = held.claim.is_repeated;
        Self { held, secrets, secret: 0, is_uncertain, was_repeated: false }
    }

    /// Under which lease.
    #[must_use]
    pub const fn held(&self) -> &HeldLease {
        &self.held
    }

    /// What to do first.
    #[must_use]
    pub fn begin(&self, elapsed: Duration) -> Step {
        self.send_or(elapsed, Outcome::failed(Failure::NotSent))
    }

    /// What to do after an answer, or after there was none.
    ///
    /// `elapsed` is the time since before the claim was sent. A request that failed before anything was sent
    /// is made again once; so is one whose answer was lost or cannot be read, because within its grace a
    /// provider gives the same again, and one for another target that the provider calls malformed, because
    /// only the second time says something of the target.
    #[must_use]
    pub fn answered(&mut self, elapsed: Duration, outcome: Outcome) -> Step {
        if outcome == Outcome::InvalidClient && self.secret.saturating_add(1) < self.secrets {
            self.secret = self.secret.saturating_add(1);
            // Without time for the next secret nothing is known about it.
            return self.send_or(elapsed, Outcome::failed(Failure::NotSent));
        }
        if let Outcome::Failed { failure, .. } = outcome {
            self.is_uncertain |= failure.may_have_consumed_token();
            let is_repeatable = match failure {
                Failure::NotSent | Failure::AnswerLost | Failure::Unreadable => true,
                Failure::RequestRefused => !self.held.claim.target.is_main(),
                _ => false,
            };
            if is_repeatable && !self.was_repeated {
                self.was_repeated = true;
                return self.send_or(elapsed, outcome);
            }
        }
        self.settle(outcome)
    }

    /// Sends while enough of the deadline is left, which always ends before the lease.
    fn send_or(&self, elapsed: Duration, otherwise: Outcome) -> Step {
        let timeout = DEADLINE.saturating_sub(elapsed);
        if timeout < MIN_REQUEST_TIMEOUT {
            return self.settle(otherwise);
        }
        Step::Send { secret: self.secret, timeout }
    }

    fn settle(&self, outcome: Outcome) -> Step {
        Step::Settle(Box::new(AttemptReport {
            held: self.held.clone(),
            outcome,
            is_uncertain: self.is_uncertain,
        }))
    }
}
