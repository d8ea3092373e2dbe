//! The file of a SQLite database, which only its owner may read.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sqlx::sqlite::SqliteConnectOptions;

/// Serialises creation of the file: closing any handle of a file ends all POSIX locks of this process on it.
static MAKING: Mutex<()> = Mutex::new(());

/// Whether the database of an address is in memory.
pub(super) fn is_in_memory(address: &str) -> bool {
    address.contains(":memory:") || address.contains("mode=memory")
}

/// The file that an address names; none for other databases.
#[must_use]
pub fn sqlite_file(address: &str) -> Option<PathBuf> {
    if !address.starts_with("sqlite:") || is_in_memory(address) {
        return None;
    }
    let options: SqliteConnectOptions = address.parse().ok()?;
    Some(options.get_filename().to_owned())
}

/// Creates the file, empty and with mode 0600, if it does not exist. SQLite copies the mode to its journal
/// files.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let _turn = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}
