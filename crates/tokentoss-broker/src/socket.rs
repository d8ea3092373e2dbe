//! The Unix socket beside the TCP port, for users of this machine.
//!
//! A lock file beside it marks its owner. The socket is created in a folder that only this process can enter,
//! and then renamed to its path, so that its mode is never wrong; the umask would affect the whole process.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio::net::UnixListener;

use crate::config::ConfigError;

/// Rights to the socket that make sense: its owner's, its group's, everybody's of the machine.
const MODES: [u32; 3] = [0o600, 0o660, 0o666];
/// Rights of group and others to make and remove files in a folder.
const WRITABLE: u32 = 0o022;
/// The longest path, in bytes: the limit of all systems, minus the longer temporary name.
const PATH_LIMIT: usize = 96;

/// The socket in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocketConfig {
    /// Its path, in a folder where only the broker's user can make files.
    pub path: PathBuf,
    /// The mode of the socket, in octal. Callers are identified by the peer's user in any case.
    #[serde(default = "usual_mode")]
    pub mode: u32,
    /// The tenant of the login users of this machine, each of whom acts for the user of the same name.
    /// Without it, only configured users are callers.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The lowest user id of a login user; lower ids belong to services.
    #[serde(default = "usual_first_uid")]
    pub first_uid: u32,
}

/// The socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("socket {path}: {reason}")]
pub struct SocketError {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("another process serves it")]
    Taken,
    #[error("what is there is no socket; remove it, or choose another path")]
    Other,
    #[error("{0}")]
    System(#[from] io::Error),
}

/// A listening socket. Its file is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) listener: UnixListener,
    pub(crate) file: SocketFile,
}

/// The file of a socket that this process owns.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Device and inode of the file.
    identity: (u64, u64),
    /// Held until the end.
    _lock: File,
}

/// Who can create files in a folder, and so could replace the broker's socket.
enum FolderWriters {
    /// The folder does not exist.
    Nobody,
    /// This user, and root.
    Owner(u32),
    /// Others too.
    Others,
}

impl SocketConfig {
    /// Checks these settings on this machine, for a broker that runs as the user of this process.
    ///
    /// # Errors
    /// The first error.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_for(nix::unistd::geteuid().as_raw())
    }

    /// The same check before the broker runs. Root may check for a service that systemd starts as another
    /// user, with a folder that exists only while the service runs; the returned note names what could not be
    /// checked.
    ///
    /// # Errors
    /// As [`SocketConfig::check`].
    pub fn check_before_start(&self) -> Result<Option<String>, ConfigError> {
        self.check_before_start_as(nix::unistd::geteuid().as_raw())
    }

    fn check_for(&self, user: u32) -> Result<(), ConfigError> {
        self.check_settings()?;
        let shown = self.folder().display();
        match folder_writers(self.folder()) {
            FolderWriters::Owner(owner) if owner == 0 || owner == user => self.check_file(),
            FolderWriters::Nobody => {
                wrong("path", format!("{shown} does not exist; systemd makes it by RuntimeDirectory="))
            }
            FolderWriters::Owner(_) | FolderWriters::Others => wrong(
                "path",
                format!("{shown} must be a folder in which only the broker's user can make files"),
            ),
        }
    }

    fn check_before_start_as(&self, user: u32) -> Result<Option<String>, ConfigError> {
        self.check_settings()?;
        let shown = self.folder().display();
        match (folder_writers(self.folder()), self.folder().strip_prefix("/run")) {
            (FolderWriters::Nobody, Ok(name)) if user == 0 => {
                let name = name.display();
                Ok(Some(format!(
                    "socket.path: {shown} does not exist now; a service needs RuntimeDirectory={name}, by which systemd makes it"
                )))
            }
            (FolderWriters::Owner(owner), _) if user == 0 && owner != 0 => self.check_file().map(|()| {
                Some(format!(
                    "socket.path: {shown} is for a broker that runs as user {owner}, to whom it belongs"
                ))
            }),
            _ => self.check_for(user).map(|()| None),
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    fn check_settings(&self) -> Result<(), ConfigError> {
        if !MODES.contains(&self.mode) {
            return wrong("mode", "must be 0o600, 0o660 or 0o666".to_owned());
        }
        if !self.path.is_absolute() || self.path.file_name().is_none() {
            return wrong("path", "must be an absolute file path".to_owned());
        }
        if self.path.as_os_str().len() > PATH_LIMIT {
            return wrong("path", format!("must be at most {PATH_LIMIT} bytes long"));
        }
        Ok(())
    }

    fn check_file(&self) -> Result<(), ConfigError> {
        match fs::symlink_metadata(&self.path) {
            Ok(there) if !there.file_type().is_socket() => wrong("path", Reason::Other.to_string()),
            _ => Ok(()),
        }
    }
}

fn wrong<T>(setting: &str, reason: String) -> Result<T, ConfigError> {
    Err(ConfigError::Setting { setting: format!("socket.{setting}"), reason: reason.into() })
}

fn folder_writers(folder: &Path) -> FolderWriters {
    match fs::metadata(folder) {
        Err(_) => FolderWriters::Nobody,
        Ok(found) if found.is_dir() && found.permissions().mode() & WRITABLE == 0 => {
            FolderWriters::Owner(found.uid())
        }
        Ok(_) => FolderWriters::Others,
    }
}

impl Socket {
    /// Listens.
    ///
    /// # Errors
    /// The socket cannot be created, for example because another process listens there.
    pub(crate) fn listen(config: &SocketConfig) -> Result<Self, SocketError> {
        let made = Self::make(config);
        made.map_err(|reason| SocketError { path: config.path.clone(), reason })
    }

    fn make(config: &SocketConfig) -> Result<Self, Reason> {
        let path = &config.path;
        // The lock prevents that two starting processes remove each other's socket.
        let lock = beside(path, ".lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(lock)?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => Reason::Taken,
            fs::TryLockError::Error(error) => Reason::System(error),
        })?;
        vacant(path)?;
        let making = beside(path, ".new");
        let made = making.join("s");
        // Left over from a process that was killed here.
        let _ = fs::remove_file(&made);
        let _ = fs::remove_dir(&making);
        DirBuilder::new().mode(0o700).create(&making)?;
        let listener = StdListener::bind(&made)?;
        fs::set_permissions(&made, Permissions::from_mode(config.mode))?;
        let identity = identity(&made)?;
        fs::rename(&made, path)?;
        let file = SocketFile { path: path.clone(), identity, _lock: lock };
        fs::remove_dir(&making)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener: UnixListener::from_std(listener)?, file })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // The file may have been replaced.
        if identity(&self.path).is_ok_and(|there| there == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Checks that no process listens there: there is no file, or a socket of an ended process.
fn vacant(path: &Path) -> Result<(), Reason> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(there) if !there.file_type().is_socket() => return Err(Reason::Other),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        _ => Err(Reason::Taken),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let there = fs::symlink_metadata(path)?;
    Ok((there.dev(), there.ino()))
}

/// The same path with a longer name.
fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    PathBuf::from(name)
}

const fn usual_mode() -> u32 {
    0o600
}

const fn usual_first_uid() -> u32 {
    1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: PathBuf) -> SocketConfig {
        SocketConfig { path, mode: usual_mode(), tenant: None, first_uid: usual_first_uid() }
    }

    #[test]
    fn root_checks_for_a_broker_of_another_user() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        // Another user owns the folder, whichever user runs the tests.
        let owner = 54_321;
        let _ = std::os::unix::fs::chown(folder, Some(owner), None);
        let owner = fs::metadata(folder).expect("a folder").uid();
        let socket = at(folder.join("broker.sock"));
        assert!(socket.check_for(owner).is_ok());
        assert!(socket.check_for(owner + 1).is_err() && socket.check_for(0).is_err(), "serving is strict");
        assert!(socket.check_before_start_as(owner + 1).is_err());
        assert!(socket.check_before_start_as(owner).is_ok_and(|note| note.is_none()));
        let note = socket.check_before_start_as(0).expect("nothing wrong").expect("a note");
        assert!(note.ends_with(&format!("is for a broker that runs as user {owner}, to whom it belongs")));
        fs::set_permissions(folder, Permissions::from_mode(0o775)).expect("changed");
        assert!(socket.check_before_start_as(0).is_err(), "others could make files there");
    }

    #[test]
    fn root_accepts_a_folder_that_systemd_creates() {
        let socket = at("/run/tokentoss-that-nobody-makes/broker.sock".into());
        assert!(socket.check_for(0).is_err() && socket.check_before_start_as(1).is_err());
        let note = socket.check_before_start_as(0).expect("nothing wrong").expect("a note");
        assert!(note.contains("a service needs RuntimeDirectory=tokentoss-that-nobody-makes,"), "{note}");
        assert!(
            at("/nowhere/broker.sock".into()).check_before_start_as(0).is_err(),
            "systemd makes none there"
        );
    }
}
