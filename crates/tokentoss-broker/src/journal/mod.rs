//! What must not be lost while the database is away, or with it.
//!
//! A folder of this process beside the database, with
//! - one sealed file for each answer of a provider that the database did not take at the first try. It is written and synced
//!   before the next try, and removed when the database has it. A replay of one that was written is harmless: the machine sees
//!   that somebody has written what matters.
//! - `versions`: the highest version of each row that this process wrote or heard of. A row below it was revived by a failover
//!   or a backup, and is not used until somebody confirms it. It is not synced, so that a power cut can lose its latest
//!   lines, and the watch over those rows with them.
//! - `lock`, so that no second process uses the folder.
//!
//! Without a folder the same is kept in memory, and an end of the process loses it.

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

/// How often the folder is tried at most.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// Why there is no journal.
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

/// An answer in the journal; dropping this forgets nothing.
#[derive(Debug)]
pub struct JournalEntry(Option<String>);

impl Journal {
    /// Opens the folder, and makes it if it is not there; in memory alone without one.
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

    /// The highest version of a row that is known.
    pub fn highest_version(&self, id: GrantId) -> Version {
        self.versions.of(id)
    }

    /// Remembers that a version was written.
    pub fn remember(&self, id: GrantId, version: Version) {
        if let Err(error) = self.versions.remember(id, version) {
            tracing::warn!(grant = %id, %error, "a version is not in the journal");
        }
    }

    /// Keeps an answer, on the disk before this returns where there is a folder.
    ///
    /// # Errors
    /// That the disk does not take it; it is still in memory, and may be kept at the next try.
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
            // Another replay does no harm.
            tracing::warn!(name, %error, "an answer stays in the journal");
        }
    }

    /// The answers that an earlier process left.
    ///
    /// # Errors
    /// That the folder cannot be read. What cannot be opened is left where it is, and named in the log.
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

    /// Whether the folder takes files, as of some seconds ago at most; waits for the disk.
    pub fn is_writable(&self) -> bool {
        let Some(folder) = &self.folder else { return true };
        // While somebody else waits for the disk, what was found before counts.
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

    /// How many answers wait for the database.
    pub fn pending_count(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }
}
