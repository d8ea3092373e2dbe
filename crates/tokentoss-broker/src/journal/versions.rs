//! The highest version of each row: lines of 32 bytes, appended, and written anew when most of them are old.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokentoss_custody::Version;

use super::folder::{new_file, write_whole};
use crate::store::GrantId;

/// Identifier, version, and the beginning of the hash of both.
const LINE: usize = 32;
/// The file is written anew when it has so many lines more than twice the rows.
const SPARE: usize = 10_000;

/// The versions.
#[derive(Debug)]
pub(super) struct Versions {
    known: HashMap<GrantId, Version>,
    file: Option<(PathBuf, File)>,
    lines: usize,
}

impl Versions {
    pub(super) fn open(path: Option<PathBuf>) -> io::Result<Self> {
        let mut known = HashMap::new();
        let Some(path) = path else { return Ok(Self { known, file: None, lines: 0 }) };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            bytes => bytes?,
        };
        for (id, version) in bytes.chunks(LINE).filter_map(read) {
            let highest = known.entry(id).or_insert(version);
            *highest = version.max(*highest);
        }
        let file = append_to(&path, &known)?;
        let lines = known.len();
        Ok(Self { known, file: Some((path, file)), lines })
    }

    pub(super) fn of(&self, id: GrantId) -> Version {
        self.known.get(&id).copied().unwrap_or_default()
    }

    pub(super) fn remember(&mut self, id: GrantId, version: Version) -> io::Result<()> {
        let highest = self.known.entry(id).or_default();
        if version <= *highest {
            return Ok(());
        }
        *highest = version;
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        if let Err(error) = file.write_all(&line(id, version)) {
            // Half a line would hide those behind it, so that the next one writes the file anew.
            self.lines = usize::MAX;
            return Err(error);
        }
        self.lines = self.lines.saturating_add(1);
        if self.lines > self.known.len().saturating_mul(2).saturating_add(SPARE) {
            *file = append_to(path, &self.known)?;
            self.lines = self.known.len();
        }
        Ok(())
    }
}

/// Writes the file anew, and opens it for more.
fn append_to(path: &Path, known: &HashMap<GrantId, Version>) -> io::Result<File> {
    let bytes: Vec<u8> = known.iter().flat_map(|(id, version)| line(*id, *version)).collect();
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    write_whole(folder, "versions", &bytes)?;
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

/// None for a line that was cut off; what follows on it is out of step and is not read either.
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
