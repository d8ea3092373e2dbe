//! `check` of the database: whether it can be used, whether others can read it, which migrations are pending, and which tokens
//! wait to be revoked.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::files::mode_problem;
use crate::commands::with_causes;
use crate::config::Config;
use crate::store::{Store, StoreError, sqlite_file};

pub(super) async fn check(config: &Config, problems: &mut Vec<String>) {
    if let Some(file) = sqlite_file(&config.database) {
        if let Some(problem) = place_problem(&file) {
            return problems.push(problem);
        }
        // Opening it would make a new one.
        if !file.exists() {
            return println!("the database is new; serve makes it");
        }
        problems.extend(files_of(&file).iter().filter_map(|file| mode_problem("database", file)));
    }
    let store = match Store::open(&config.database).await {
        Ok(store) => store,
        Err(error) => return problems.push(format!("database: {}", with_causes(&error))),
    };
    if let Err(error) = look_into(&store, config).await {
        problems.push(format!("database: {}", with_causes(&error)));
    }
    store.close().await;
}

async fn look_into(store: &Store, config: &Config) -> Result<(), StoreError> {
    match store.pending().await? {
        0 => println!("the schema is this version's"),
        count => {
            println!("{count} migrations pending; serve applies them");
            return Ok(());
        }
    }
    for (provider, count) in store.waiting_revocations().await? {
        if config.providers.contains_key(&provider) {
            println!("{count} revocations wait for {provider}");
        } else {
            // Somebody's name of once, and nothing that is in the way of serving.
            let provider = provider.escape_debug();
            println!(
                "note: {count} revocations wait for {provider}, which is not configured (provider_unconfigured); put it back \
                 within thirty days, or these tokens are deleted here and not revoked"
            );
        }
    }
    Ok(())
}

/// Why SQLite cannot write to the file, or not make it and those beside it.
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

/// The file, and those that SQLite keeps beside it.
fn files_of(file: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    })
}
