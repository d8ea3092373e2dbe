//! The row that all replicas share, with the conditions of the SQL statements and nothing more.

use tokentoss_core::Timestamp;
use tokentoss_custody::{Claim, Grant, Handle, HeldLease, LeaseOwner, Update, Version};

/// A database with one row.
#[derive(Debug)]
pub struct Store {
    row: Grant,
    history: Vec<Grant>,
    /// Until when it is down, in true milliseconds.
    pub down_until: u64,
    /// The revocation queue.
    pub queue: Vec<Handle>,
}

impl Store {
    /// A database with this row.
    #[must_use]
    pub fn new(row: Grant) -> Self {
        Self { row, history: Vec::new(), down_until: 0, queue: Vec::new() }
    }

    /// Reads the row; none while the database is down.
    #[must_use]
    pub fn read(&self, now: u64) -> Option<&Grant> {
        (now >= self.down_until).then_some(&self.row)
    }

    /// The row, whatever the database's state: for the checks only.
    #[must_use]
    pub fn row(&self) -> &Grant {
        &self.row
    }

    /// Runs the claim.
    pub fn claim(&mut self, clock: Timestamp, claim: &Claim, owner: LeaseOwner) -> Option<HeldLease> {
        claim.apply(clock, owner, &mut self.row)
    }

    /// Runs an update and returns the version written.
    pub fn update(&mut self, update: &Update) -> Option<Version> {
        let before = self.row.clone();
        update.apply(&mut self.row).then(|| {
            self.history.push(before);
            self.queue.extend(&update.revoke);
            self.row.version
        })
    }

    /// Notes that a caller got a token.
    pub fn used(&mut self, clock: Timestamp) {
        self.row.used_at = clock;
    }

    /// Loses the latest so many writes.
    pub fn fail_over(&mut self, writes: usize) {
        for _ in 0..writes {
            if let Some(row) = self.history.pop() {
                self.row = row;
            }
        }
    }
}
