//! The files of the journal. They are written atomically, so that a killed process leaves no incomplete file.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Answer, JournalError};
use crate::keys::{KeyRing, Unreadable};
use crate::random;

/// The suffix of the file of an answer.
const ANSWER_SUFFIX: &str = ".answer";
/// The suffix of an incomplete file.
const TEMPORARY_SUFFIX: &str = ".new";

/// The size of a probe in bytes: one block of most disks.
const PROBE_SIZE: usize = 4096;

/// The locked folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The lock file; locked until this value is dropped.
    _lock: File,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let lock = new_file(OpenOptions::new().create(true).truncate(false), &path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(TEMPORARY_SUFFIX) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The path of the file of versions.
    pub(super) fn versions(&self) -> PathBuf {
        self.path.join("versions")
    }

    /// Writes an answer, and syncs it to the disk.
    pub(super) fn write(&self, ring: &KeyRing, answer: &Answer) -> io::Result<String> {
        let name = format!("{:032x}{ANSWER_SUFFIX}", random::number());
        let sealed = ring.seal(&answer.to_bytes(), &associated(&name));
        write_atomically(&self.path, &name, &sealed)?;
        Ok(name)
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    /// Probes whether a file can be written.
    pub(super) fn probe(&self) -> io::Result<()> {
        let path = self.path.join(format!("probe{TEMPORARY_SUFFIX}"));
        let mut file = new_file(OpenOptions::new().create(true).truncate(true), &path)?;
        let written = file.write_all(&[0; PROBE_SIZE]).and_then(|()| file.sync_all());
        // Also if the disk is full.
        fs::remove_file(&path)?;
        written
    }

    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(ANSWER_SUFFIX) {
                names.push(name);
            }
        }
        Ok(names)
    }

    pub(super) fn read(&self, ring: &KeyRing, name: &str) -> Result<Answer, JournalError> {
        let sealed = fs::read(self.path.join(name))?;
        let unreadable = |reason| JournalError::Unreadable { name: name.to_owned(), reason };
        let opened = ring.open(&sealed, &associated(name)).map_err(unreadable)?;
        Answer::from_bytes(&opened).ok_or(unreadable(Unreadable))
    }
}

/// The associated data: binds an answer to its file name, so that files cannot be exchanged.
fn associated(name: &str) -> Vec<u8> {
    [b"tokentoss/journal/1\0".as_slice(), name.as_bytes()].concat()
}

/// Writes a file atomically, by a rename.
pub(super) fn write_atomically(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!("{name}{TEMPORARY_SUFFIX}"));
    let mut file = new_file(OpenOptions::new().create(true).truncate(true), &unfinished)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| fs::rename(&unfinished, folder.join(name))) {
        // Incomplete files must not fill the disk.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    // The rename is durable after the folder is synced.
    File::open(folder)?.sync_all()
}

/// Opens a file with mode 0600.
pub(super) fn new_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.write(true).mode(0o600).open(path)
}
