//! A crash leaves nothing of the memory behind.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::provider::Provider;
use crate::running::Home;

/// A user without rights, as whom a process runs where this one runs as root.
pub(crate) const NOBODY: u32 = 65_534;

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").expect("an entry").uid() == 0
}

/// Who owns the memory of a process, as the system sees it: root where it is not to be dumped.
fn owner_of_memory(child: &Child) -> u32 {
    let path = format!("/proc/{}/mem", child.id().expect("it runs"));
    std::fs::metadata(path).expect("an entry").uid()
}

pub(crate) fn give_away(folder: &Path) {
    chown(folder, Some(NOBODY), Some(NOBODY)).expect("given away");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        chown(entry.expect("an entry").path(), Some(NOBODY), Some(NOBODY)).expect("given away");
    }
}

fn start(program: &mut Command) -> Child {
    if is_root() {
        program.uid(NOBODY).gid(NOBODY);
    }
    program.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().expect("it starts")
}

#[tokio::test]
async fn core_dumps_are_disabled_by_limit_and_for_handlers() {
    let home = Home::new(&Provider::start().await);
    let (config, program) = (home.configuration(""), home.path().join("program"));
    // Where others may read it.
    std::fs::copy(env!("CARGO_BIN_EXE_tokentoss-broker"), &program).expect("copied");
    if is_root() {
        give_away(home.path());
    }
    let mut shell = Command::new("sh");
    // As generous as a system can be.
    shell.arg("-c").arg("ulimit -c unlimited; exec \"$@\"").arg("sh");
    let mut broker = start(shell.arg(&program).arg("--config").arg(&config).arg("serve"));
    let mut lines = BufReader::new(broker.stdout.take().expect("a pipe")).lines();
    assert!(lines.next_line().await.expect("text").expect("a line").contains("callers"));

    let limits = std::fs::read_to_string(format!("/proc/{}/limits", broker.id().expect("it runs")));
    let limits = limits.expect("an entry");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..], ["0", "0", "bytes"]);

    let other = start(Command::new("sleep").arg("60"));
    assert_eq!(owner_of_memory(&broker), 0);
    assert_ne!(owner_of_memory(&other), 0, "a process that can be dumped shows the difference");

    let id = broker.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-ABRT", &id]).status().await.expect("it runs").success());
    let status = broker.wait().await.expect("an end");
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
}
