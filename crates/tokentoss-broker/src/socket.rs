//! The Unix socket beside the TCP port, for users of this machine.
//!
//! A lock file beside it says whose it is. The socket is made in a folder that only this process can enter and renamed to its
//! place, so that there is no moment with other rights; the system's creation mask would be the whole process's.

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
/// The longest path, in bytes: what all systems take, less what the name has while it is made.
const PATH_LIMIT: usize = 96;

/// The socket in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocketConfig {
    /// Its path, in a folder where only the broker's user can make files.
    pub path: PathBuf,
    /// Who may connect, as octal rights; who asks is decided by the peer's user all the same.
    #[serde(default = "usual_mode")]
    pub mode: u32,
    /// The tenant of the machine's persons, each of whom asks for the user of its own name; without it only named users ask.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The lowest number of a person; what is below belongs to services.
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

/// A socket that listens. Its file goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) listener: UnixListener,
    pub(crate) place: Place,
}

/// Where a socket is, as long as it is this process's.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// Device and number of the file.
    identity: (u64, u64),
    /// Held until the end.
    _lock: File,
}

impl SocketConfig {
    /// What is wrong with these settings on this machine.
    ///
    /// # Errors
    /// The first thing that is.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |setting: &str, reason: String| {
            Err(ConfigError::Setting { setting: format!("socket.{setting}"), reason: reason.into() })
        };
        if !MODES.contains(&self.mode) {
            return wrong("mode", "must be 0o600, 0o660 or 0o666".to_owned());
        }
        if !self.path.is_absolute() || self.path.file_name().is_none() {
            return wrong("path", "must be an absolute file path".to_owned());
        }
        if self.path.as_os_str().len() > PATH_LIMIT {
            return wrong("path", format!("must be at most {PATH_LIMIT} bytes long"));
        }
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let shown = folder.display();
        let Ok(found) = fs::metadata(folder) else {
            return wrong("path", format!("{shown} does not exist; systemd makes it by RuntimeDirectory="));
        };
        // Whoever can make files there could put a socket of its own in this one's place.
        let owner = found.uid();
        let is_ours = owner == 0 || owner == nix::unistd::geteuid().as_raw();
        if !found.is_dir() || !is_ours || found.permissions().mode() & WRITABLE != 0 {
            return wrong(
                "path",
                format!("{shown} must be a folder in which only the broker's user can make files"),
            );
        }
        match fs::symlink_metadata(&self.path) {
            Ok(there) if !there.file_type().is_socket() => wrong("path", Reason::Other.to_string()),
            _ => Ok(()),
        }
    }
}

impl Socket {
    /// Listens.
    ///
    /// # Errors
    /// What stands in the way, such as a process that listens there already.
    pub(crate) fn listen(config: &SocketConfig) -> Result<Self, SocketError> {
        let made = Self::make(config);
        made.map_err(|reason| SocketError { path: config.path.clone(), reason })
    }

    fn make(config: &SocketConfig) -> Result<Self, Reason> {
        let path = &config.path;
        // Of two that start at once, one finds it locked, so that neither removes what the other has just made.
        let lock = beside(path, ".lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(lock)?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => Reason::Taken,
            fs::TryLockError::Error(error) => Reason::System(error),
        })?;
        vacant(path)?;
        let making = beside(path, ".new");
        let made = making.join("s");
        // What a process left that ended in the middle of this.
        let _ = fs::remove_file(&made);
        let _ = fs::remove_dir(&making);
        DirBuilder::new().mode(0o700).create(&making)?;
        let listener = StdListener::bind(&made)?;
        fs::set_permissions(&made, Permissions::from_mode(config.mode))?;
        let identity = identity(&made)?;
        fs::rename(&made, path)?;
        let place = Place { path: path.clone(), identity, _lock: lock };
        fs::remove_dir(&making)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener: UnixListener::from_std(listener)?, place })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Somebody may have put another file there.
        if identity(&self.path).is_ok_and(|there| there == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// That nobody listens there: nothing is there, or a socket that a process left behind.
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
