//! `check` of the database: whether it is usable, whether other users can read it, and which migrations are
//! pending.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::files::mode_problem;
use crate::commands::with_causes;
use crate::store::{Store, sqlite_file};

pub(super) async fn check(address: &str, problems: &mut Vec<String>) {
    if let Some(file) = sqlite_file(address) {
        if let Some(problem) = place_problem(&file) {
            return problems.push(problem);
        }
        // Opening it would create the file.
        if !file.exists() {
            return println!("the database is new; serve makes it");
        }
        problems.extend(files_of(&file).iter().filter_map(|file| mode_problem("database", file)));
    }
    let store = match Store::open(address).await {
        Ok(store) => store,
        Err(error) => return problems.push(format!("database: {}", with_causes(&error))),
    };
    match store.pending().await {
        Ok(0) => println!("the schema is this version's"),
        Ok(count) => println!("{count} migrations pending; serve applies them"),
        Err(error) => problems.push(format!("database: {}", with_causes(&error))),
    }
    store.close().await;
}

/// Why SQLite cannot write to the file, or cannot create it and its journal files.
fn place_problem(file: &Path) -> Option<String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Some(format!(
            "database: the folder of {} does not exist; systemd makes it by StateDirectory= when the service starts",
            file.display()
        ));
    }
    let places = [(folder, Access::WRITE_OK | Access::EXEC_OK), (file, Access::READ_OK | Access::WRITE_OK)];
    let mut there = places.into_iter().filter(|(place, _)| place.exists());
    there.find_map(|(place, how)| {
        let error = access(place, how).err()?;
        Some(format!("database: {} cannot be used: {error}", place.display()))
    })
}

/// The database file and the journal files of SQLite.
fn files_of(file: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    })
}
