//! `check` of the database: whether it is usable, whether other users can read it, which migrations are
//! pending, and which tokens
//! wait to be revoked.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::files::mode_problem;
use crate::commands::{BATCH, with_causes};
use crate::config::Config;
use crate::keys::{DataKeySet, KeyRing};
use crate::store::{Store, StoreError, sqlite_file};

/// Looks at the database, with the key ring where there is one.
pub(super) async fn check(config: &Config, ring: Option<&KeyRing>, problems: &mut Vec<String>) {
    if let Some(file) = sqlite_file(&config.database) {
        if let Some(problem) = place_problem(&file) {
            return problems.push(problem);
        }
        // Opening it would create the file.
        if !file.exists() {
            return println!("the database is new; serve makes it");
        }
        problems.extend(files_of(&file).iter().filter_map(|file| mode_problem("database", file)));
    }
    let store = match Store::open(&config.database).await {
        Ok(store) => store,
        Err(error) => return problems.push(format!("database: {}", with_causes(&error))),
    };
    match look_into(&store, config, ring).await {
        Ok(problem) => problems.extend(problem),
        Err(error) => problems.push(format!("database: {}", with_causes(&error))),
    }
    match store.lossy_settings().await {
        Ok(settings) => problems.extend(settings.iter().map(|setting| {
            format!(
                "database: {setting} is off, so that a crash of the server loses refresh tokens that providers have replaced; {}",
                help_with(setting)
            )
        })),
        Err(error) => problems.push(format!("database: {}", with_causes(&error))),
    }
    store.close().await;
}

/// Says what is in the database; the answer is what stands in the way.
async fn look_into(
    store: &Store,
    config: &Config,
    ring: Option<&KeyRing>,
) -> Result<Option<String>, StoreError> {
    match store.pending().await? {
        0 => println!("the schema is this version's"),
        count => {
            println!("{count} migrations pending; serve applies them");
            return Ok(None);
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
    match ring {
        Some(ring) => ring_problem(store, ring).await,
        None => Ok(None),
    }
}

/// What to do about a setting of Postgres that is off.
fn help_with(setting: &str) -> &'static str {
    if setting == "synchronous_commit" {
        "ALTER ROLE … SET synchronous_commit = on for the broker's role, and take it out of the address"
    } else {
        "turn it on in postgresql.conf, and reload"
    }
}

/// Whether the ring opens every tenant's data keys.
async fn ring_problem(store: &Store, ring: &KeyRing) -> Result<Option<String>, StoreError> {
    let (mut after, mut count, mut closed) = (String::new(), 0_u64, 0_u64);
    loop {
        let tenants = store.tenants_after(&after, BATCH).await?;
        let Some((last, _)) = tenants.last() else { break };
        after.clone_from(last);
        for (tenant, row) in &tenants {
            count += 1;
            closed += u64::from(DataKeySet::open(ring, row, tenant).and_then(DataKeySet::key).is_err());
        }
    }
    if closed == 0 {
        println!("the key ring opens the data keys of all {count} tenants");
        return Ok(None);
    }
    Ok(Some(format!(
        "key_ring: the data keys of {closed} of {count} tenants do not open; put back the ring of this database, with all its keys"
    )))
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
