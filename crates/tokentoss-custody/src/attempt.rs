//! An attempt of the holder of a lease: sequential requests within one deadline.

use std::time::Duration;

use crate::claim::HeldLease;
use crate::outcome::{Failure, Outcome};
use crate::parameters::{DEADLINE, MIN_REQUEST_TIMEOUT};

/// The next step of the holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send the claim's refresh token.
    Send {
        /// Which of the client's secrets to use; 0 for a client without one.
        secret: usize,
        /// The time limit of the request.
        timeout: Duration,
    },
    /// Settle the grant with this.
    Settle(Box<AttemptReport>),
}

/// The report at the end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptReport {
    /// The lease.
    pub held: HeldLease,
    /// The outcome.
    pub outcome: Outcome,
    /// Whether the answer to an earlier request with this token is unknown.
    pub is_uncertain: bool,
}

/// An attempt under one lease.
///
/// The time is measured by a monotonic clock from before the claim was sent, so changes of the wall clock
/// have no effect.
#[derive(Clone, Debug)]
pub struct Attempt {
    held: HeldLease,
    secrets: usize,
    secret: usize,
    is_uncertain: bool,
    was_repeated: bool,
}

impl Attempt {
    /// Creates an attempt for a client with this number of secrets, which are tried in order.
    #[must_use]
    pub fn new(held: HeldLease, secrets: usize) -> Self {
        let is_uncertain = held.claim.is_repeated;
        Self { held, secrets, secret: 0, is_uncertain, was_repeated: false }
    }

    /// The lease of this attempt.
    #[must_use]
    pub const fn held(&self) -> &HeldLease {
        &self.held
    }

    /// The first step.
    #[must_use]
    pub fn begin(&self, elapsed: Duration) -> Step {
        self.send_or(elapsed, Outcome::failed(Failure::NotSent))
    }

    /// The next step after an answer, or after a request without an answer.
    ///
    /// `elapsed` is the time since before the claim was sent. A request that failed before it was sent is
    /// repeated once. So is one whose answer was lost or cannot be read, because many providers return the
    /// same tokens again within a grace period, and one for another target that the provider calls malformed,
    /// because only the second refusal counts for the target.
    #[must_use]
    pub fn answered(&mut self, elapsed: Duration, outcome: Outcome) -> Step {
        if outcome == Outcome::InvalidClient && self.secret.saturating_add(1) < self.secrets {
            self.secret = self.secret.saturating_add(1);
            // Without time to try the next secret, the client is not blamed.
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

    /// Sends if enough time is left until the deadline, which is always before the end of the lease.
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
