//! One replica: its task, its journal on disk, and the steps between which it can crash.

use tokentoss_custody::{
    Attempt, AttemptReport, Claim, ClientRevision, LeaseOwner, Outcome, Update, Version,
};

/// What the task of a replica does next.
#[derive(Debug)]
pub enum Task {
    /// Run the claim.
    Claim(Claim),
    /// Check what is left of the lease, and send.
    Begin(Attempt),
    /// Wait for the answer to the request of this number.
    Await(Attempt, u64),
    /// Look at an answer.
    Answered(Attempt, Outcome),
    /// Read the row and settle.
    Settlement(Entry),
    /// Write what was settled, if the row is still the same.
    Commit(Entry, Box<Update>),
}

/// A line of the journal: an answer that is not in the database yet.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The report.
    pub report: AttemptReport,
    /// When the claim was sent, in true milliseconds; only the process that sent it knows.
    pub began: Option<u64>,
}

/// A process.
#[derive(Debug, Default)]
pub struct Replica {
    /// Raised by each crash, so that what belongs to an earlier life is ignored.
    pub life: u64,
    /// Whether it runs.
    pub is_up: bool,
    /// Its refresh, of which there is one at a time.
    pub task: Option<Task>,
    /// When the claim of its task was sent, in true milliseconds.
    pub began: u64,
    /// The client's revision when its task began.
    pub revision: ClientRevision,
    /// The client's secrets then.
    pub secrets: Vec<u64>,
    /// When its scheduler looks next, in true milliseconds.
    pub ticks_at: u64,
    /// On disk: answers that are not in the database yet.
    pub journal: Vec<Entry>,
    /// On disk: the highest version that it has written.
    pub known: Version,
}

impl Replica {
    /// A replica that runs.
    #[must_use]
    pub fn new() -> Self {
        Self { is_up: true, ..Self::default() }
    }

    /// Loses everything that is not on disk.
    pub fn crash(&mut self) {
        self.life += 1;
        self.is_up = false;
        self.task = None;
    }

    /// Remembers on disk what was written.
    pub fn wrote(&mut self, version: Version) {
        self.known = self.known.max(version);
    }

    /// Takes a journal's line out, because it is settled.
    pub fn settled(&mut self, owner: LeaseOwner) {
        self.journal.retain(|entry| entry.report.held.owner != owner);
    }
}
