//! Prevents that secrets in memory are written to disk by a crash.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Disables core dumps of this process, and access to its memory by other processes of the same user.
pub(super) fn keep_private() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps are not disabled");
    }
    // The limit does not apply to a handler that core dumps are piped to.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "core dumps are not disabled");
    }
}
