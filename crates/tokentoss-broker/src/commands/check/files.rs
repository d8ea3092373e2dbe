//! `check` of the mode of a file.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// The mode bits of group and others.
const OTHERS: u32 = 0o077;
/// The mode bit for reading by the group.
const GROUP_READS: u32 = 0o040;

/// The problem of a file that other users may read; unreadable files are reported elsewhere.
pub(super) fn mode_problem(setting: &str, path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    let mode = metadata.permissions().mode() & 0o777;
    let shown = path.display();
    // A volume of Kubernetes belongs to root, and the broker reads it through its group.
    let by_group = metadata.uid() == 0 && !rustix::process::geteuid().is_root();
    let allowed = if by_group { GROUP_READS } else { 0 };
    (mode & OTHERS & !allowed != 0).then(|| {
        format!("{setting}: {shown} has mode {mode:o}, so that others can use it; chmod 600 {shown}")
    })
}
