//! What this process has in its memory gets to no disk by a crash.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Has the system write no core dump of this process, and lets no other process of its user read its memory.
pub(super) fn keep_private() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps are not disabled");
    }
    // The limit says nothing to a handler that the system pipes dumps to.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "core dumps are not disabled");
    }
}
