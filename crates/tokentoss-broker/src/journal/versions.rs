//! The highest version of each row: an append-only file of 32-byte lines, which is rewritten when most lines
//! are outdated.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use tokentoss_custody::Version;

use super::folder::{new_file, write_atomically};
use crate::store::GrantId;

/// The length of a line in bytes: identifier, version, and a truncated SHA-256 of both.
const LINE: usize = 32;
/// The file is rewritten when it has this many lines more than twice the number of rows.
const SPARE: usize = 10_000;

/// The versions. The map has a separate lock, so that reads do not wait for the disk.
#[derive(Debug)]
pub(super) struct Versions {
    known: Mutex<HashMap<GrantId, Version>>,
    written: Option<Mutex<VersionFile>>,
}

/// The file. The order of its lines does not matter, because the highest version of a row counts.
#[derive(Debug)]
struct VersionFile {
    path: PathBuf,
    file: File,
    lines: usize,
}

impl Versions {
    pub(super) fn open(path: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self { known: Mutex::default(), written: None }) };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            bytes => bytes?,
        };
        let mut known = HashMap::new();
        for (id, version) in bytes.chunks(LINE).filter_map(read) {
            let highest = known.entry(id).or_insert(version);
            *highest = version.max(*highest);
        }
        let file = append_to(&path, &known)?;
        let lines = known.len();
        let written = Some(Mutex::new(VersionFile { path, file, lines }));
        Ok(Self { known: Mutex::new(known), written })
    }

    pub(super) fn of(&self, id: GrantId) -> Version {
        lock(&self.known).get(&id).copied().unwrap_or_default()
    }

    pub(super) fn remember(&self, id: GrantId, version: Version) -> io::Result<()> {
        if !self.is_news(id, version) {
            return Ok(());
        }
        let Some(written) = &self.written else { return Ok(()) };
        let mut written = lock(written);
        if let Err(error) = written.file.write_all(&line(id, version)) {
            // An incomplete line would hide the lines after it, so the next write rewrites the file.
            written.lines = usize::MAX;
            return Err(error);
        }
        written.lines = written.lines.saturating_add(1);
        let rows = lock(&self.known).len();
        if written.lines > rows.saturating_mul(2).saturating_add(SPARE) {
            // Versions that are added meanwhile are appended to the new file.
            let known = lock(&self.known).clone();
            written.file = append_to(&written.path, &known)?;
            written.lines = known.len();
        }
        Ok(())
    }

    fn is_news(&self, id: GrantId, version: Version) -> bool {
        let mut known = lock(&self.known);
        let highest = known.entry(id).or_default();
        let is_news = version > *highest;
        *highest = version.max(*highest);
        is_news
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rewrites the file, and opens it to append.
fn append_to(path: &Path, known: &HashMap<GrantId, Version>) -> io::Result<File> {
    let bytes: Vec<u8> = known.iter().flat_map(|(id, version)| line(*id, *version)).collect();
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    write_atomically(folder, "versions", &bytes)?;
    new_file(OpenOptions::new().append(true), path)
}

fn line(id: GrantId, version: Version) -> [u8; LINE] {
    let mut line = [0; LINE];
    let (body, sum) = line.split_at_mut(24);
    let (head, tail) = body.split_at_mut(16);
    head.copy_from_slice(&id.0);
    tail.copy_from_slice(&version.0.to_be_bytes());
    sum.copy_from_slice(&sum_of(body));
    line
}

/// Parses a line; none for an incomplete one. The lines after it are misaligned and are not read either.
fn read(bytes: &[u8]) -> Option<(GrantId, Version)> {
    let (body, sum) = bytes.split_at_checked(24)?;
    let (id, version) = body.split_first_chunk::<16>()?;
    (sum == sum_of(body)).then_some((GrantId(*id), Version(u64::from_be_bytes(version.try_into().ok()?))))
}

fn sum_of(body: &[u8]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(body).into();
    let mut sum = [0; 8];
    sum.iter_mut().zip(digest).for_each(|(sum, byte)| *sum = byte);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_do_not_wait_for_the_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let versions = Versions::open(Some(folder.path().join("versions"))).expect("a file");
        let id = GrantId([1; 16]);
        // As while another thread waits for the disk.
        let written = lock(versions.written.as_ref().expect("a file"));
        std::thread::scope(|scope| {
            let remembering = scope.spawn(|| versions.remember(id, Version(7)));
            while versions.of(id) != Version(7) {
                std::thread::yield_now();
            }
            assert!(!remembering.is_finished());
            drop(written);
            remembering.join().expect("no panic").expect("written");
        });
        drop(versions);
        let again = Versions::open(Some(folder.path().join("versions"))).expect("a file");
        assert_eq!(again.of(id), Version(7));
    }

    #[test]
    fn a_rewritten_file_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("versions");
        let versions = Versions::open(Some(path.clone())).expect("a file");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let versions = &versions;
                scope.spawn(move || {
                    for version in 1..=4000 {
                        versions.remember(GrantId([thread; 16]), Version(version)).expect("written");
                    }
                });
            }
        });
        let most = (2 * 4 + SPARE + 4) * LINE;
        assert!(fs::metadata(&path).expect("a file").len() <= most as u64, "it was written anew");
        let again = Versions::open(Some(path)).expect("a file");
        assert!((0..4).all(|thread| again.of(GrantId([thread; 16])) == Version(4000)));
    }
}
