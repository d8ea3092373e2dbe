//! The journal: answers of providers that the database has not accepted yet, and the highest written
//! versions.
//!
//! It is a folder of this process, with
//! - one sealed file for each answer of a provider that the database did not accept at the first attempt. It is written and
//!   synced before the next attempt, and removed when the database has it. Replaying an answer twice is harmless: the state
//!   machine sees that it is written already.
//! - `versions`: the highest known version of each row. A row with a lower version was restored by a failover or a backup, and
//!   is not used until an administrator confirms it. The file is not synced, so a power cut can lose its latest lines, and with
//!   them the check of those rows.
//! - `lock`, which prevents that a second process uses the folder.
//!
//! Without a folder the journal is in memory, and is lost when the process ends.

mod answer;
mod folder;
mod versions;

pub use answer::Answer;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokentoss_custody::Version;

use crate::keys::{KeyRing, Unreadable};
use crate::store::GrantId;
use folder::Folder;
use versions::Versions;

/// The shortest interval between two probes of the folder.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder cannot be used.
    #[error("the journal's folder cannot be used: {0}")]
    Folder(#[from] std::io::Error),
    /// Another process uses it.
    #[error("another process uses the journal's folder; each needs one of its own")]
    InUse,
    /// An answer cannot be opened.
    #[error("{name} in the journal cannot be opened: {reason}")]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        reason: Unreadable,
    },
}

/// The journal.
#[derive(Debug)]
pub struct Journal {
    folder: Option<Folder>,
    versions: Versions,
    pending: AtomicUsize,
    probed: Mutex<Option<Instant>>,
    is_writable: AtomicBool,
}

/// An answer in the journal. Dropping this value does not remove the answer.
#[derive(Debug)]
pub struct JournalEntry(Option<String>);

impl Journal {
    /// Opens the folder, and creates it if it does not exist; without a path the journal is in memory.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(path: Option<&Path>) -> Result<Self, JournalError> {
        let folder = path.map(Folder::open).transpose()?;
        let versions = Versions::open(folder.as_ref().map(Folder::versions))?;
        Ok(Self {
            folder,
            versions,
            pending: AtomicUsize::new(0),
            probed: Mutex::new(None),
            is_writable: AtomicBool::new(true),
        })
    }

    /// The highest known version of a row.
    pub fn highest_version(&self, id: GrantId) -> Version {
        self.versions.of(id)
    }

    /// Remembers that a version was written.
    pub fn remember(&self, id: GrantId, version: Version) {
        if let Err(error) = self.versions.remember(id, version) {
            tracing::warn!(grant = %id, %error, "a version is not in the journal");
        }
    }

    /// Appends an answer. With a folder, it is on the disk when this returns.
    ///
    /// # Errors
    /// The disk does not accept it. The caller still has the answer, and may try again.
    pub fn append(&self, ring: &KeyRing, answer: &Answer) -> Result<JournalEntry, JournalError> {
        let name = self.folder.as_ref().map(|folder| folder.write(ring, answer)).transpose()?;
        self.pending.fetch_add(1, Ordering::Relaxed);
        Ok(JournalEntry(name))
    }

    /// Removes an answer that the database has.
    pub fn remove(&self, entry: JournalEntry) {
        self.pending.fetch_sub(1, Ordering::Relaxed);
        if let (Some(folder), Some(name)) = (&self.folder, entry.0)
            && let Err(error) = folder.remove(&name)
        {
            // Replaying the answer again is harmless.
            tracing::warn!(name, %error, "an answer stays in the journal");
        }
    }

    /// The answers that an earlier process left.
    ///
    /// # Errors
    /// The folder cannot be read. An answer that cannot be opened stays in the folder, and is logged.
    pub fn entries(&self, ring: &KeyRing) -> Result<Vec<(JournalEntry, Answer)>, JournalError> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let mut left = Vec::new();
        for name in folder.names()? {
            match folder.read(ring, &name) {
                Ok(answer) => left.push((JournalEntry(Some(name)), answer)),
                Err(error) => tracing::error!(%error, "an answer in the journal is not replayed"),
            }
        }
        self.pending.fetch_add(left.len(), Ordering::Relaxed);
        Ok(left)
    }

    /// Whether the folder is writable; the result is a few seconds old at most. Blocks on the disk.
    pub fn is_writable(&self) -> bool {
        let Some(folder) = &self.folder else { return true };
        // While another thread probes the disk, the previous result is used.
        if let Ok(mut probed) = self.probed.try_lock()
            && probed.is_none_or(|at| at.elapsed() >= PROBE_EVERY)
        {
            let probe = folder.probe();
            if let Err(error) = &probe {
                tracing::error!(%error, "the journal's folder takes nothing");
            }
            self.is_writable.store(probe.is_ok(), Ordering::Relaxed);
            *probed = Some(Instant::now());
        }
        self.is_writable.load(Ordering::Relaxed)
    }

    /// The number of answers that wait for the database.
    pub fn pending_count(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }
}
