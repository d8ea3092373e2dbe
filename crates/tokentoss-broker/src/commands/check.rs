//! `check`: reports all problems that prevent serving.

mod database;
mod files;
mod providers;

use std::path::Path;

use clap::Args;
use rustix::fs::{Access, access};

use self::files::mode_problem;
use super::CommandError;
use crate::callers::{Cluster, Hub, InternalKeys, UnixUsers};
use crate::config::{Config, ranges};
use crate::connect::Origins;
use crate::server::{ServerError, key_ring};
use crate::socket::SocketConfig;
use crate::source::Source;
use crate::through::Through;

/// What to leave out.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Ask no provider, no hub and no cluster; the database is looked at all the same.
    #[arg(long)]
    offline: bool,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), CommandError> {
    let mut problems = Vec::new();
    let ring = key_ring(&config.key_ring).map_err(|error| match error {
        // The error names the setting itself.
        ServerError::Config(error) => error.to_string(),
        error => format!("key_ring: {error}"),
    });
    problems.extend(ring.as_ref().err().cloned());
    let mut providers = Vec::new();
    for (name, provider) in &config.providers {
        match provider.open(name) {
            Ok(provider) => providers.push(provider),
            Err(error) => problems.push(error.to_string()),
        }
    }
    problems.extend(InternalKeys::problems(config).iter().map(ToString::to_string));
    match config.socket.as_ref().map(SocketConfig::check_before_start) {
        Some(Ok(Some(note))) => println!("note: {note}"),
        Some(Err(error)) => problems.push(error.to_string()),
        Some(Ok(None)) | None => {}
    }
    problems.extend(UnixUsers::problems(config).iter().map(ToString::to_string));
    problems.extend(Origins::of(config).err().map(|error| error.to_string()));
    problems.extend(journal_problem(config));
    problems.extend(Through::problems(config).iter().map(ToString::to_string));
    problems.extend(ranges::problems(config).iter().map(ToString::to_string));
    for (setting, source) in sources(config) {
        // systemd protects credentials with ACLs, which the mode does not show.
        let Source::File(path) = source else { continue };
        problems.extend(mode_problem(&setting, path));
    }
    database::check(config, ring.as_ref().ok(), &mut problems).await;
    if !arguments.offline {
        self::providers::check(&providers, &mut problems).await;
    }
    hubs(config, arguments, &mut problems).await;
    clusters(config, arguments, &mut problems).await;
    println!(
        "{} providers, {} callers, {} hubs, {} clusters",
        config.providers.len(),
        config.callers.len(),
        config.hubs.len(),
        config.clusters.len()
    );
    for problem in &problems {
        println!("problem: {problem}");
    }
    match problems.len() {
        0 => {
            println!("nothing stands in the way");
            Ok(())
        }
        count => Err(format!("{count} problems").into()),
    }
}

/// Every secret that the configuration names.
fn sources(config: &Config) -> Vec<(String, &Source)> {
    let mut sources = vec![("key_ring".to_owned(), &config.key_ring)];
    for (name, provider) in &config.providers {
        let setting = format!("providers.{name}.client_secrets");
        sources.extend(provider.client_secrets.iter().map(|source| (setting.clone(), source)));
    }
    for (name, caller) in &config.callers {
        let setting = format!("callers.{name}.keys");
        sources.extend(caller.keys.iter().map(|source| (setting.clone(), source)));
    }
    for (name, hub) in &config.hubs {
        let setting = format!("hubs.{name}.service_token");
        sources.extend(hub.service_token.iter().map(|source| (setting.clone(), source)));
    }
    for (name, cluster) in &config.clusters {
        let setting = format!("clusters.{name}.jwks_token");
        // The kubelet sets the mode of projected files, which only this pod can see.
        let token = cluster.jwks_token.iter().filter(|source| !is_projected(source));
        sources.extend(token.map(|source| (setting.clone(), source)));
    }
    sources
}

/// Whether the kubelet projected this file.
fn is_projected(source: &Source) -> bool {
    matches!(source, Source::File(path) if path.starts_with("/var/run/secrets") || path.starts_with("/run/secrets"))
}

/// Why the journal's folder cannot be used. Nothing is created or locked, because a broker may be using it.
fn journal_problem(config: &Config) -> Option<String> {
    let journal = config.journal.as_deref()?;
    // Serving creates missing folders of the path.
    let there = journal.ancestors().find(|folder| folder.symlink_metadata().is_ok());
    let folder = there.unwrap_or(Path::new("."));
    let shown = folder.display();
    if !folder.is_dir() {
        return Some(format!("journal: {shown} is no folder"));
    }
    if let Err(error) = access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        return Some(format!("journal: {shown} cannot be used: {error}"));
    }
    if folder != journal {
        return None;
    }
    let files = [("lock", Access::WRITE_OK), ("versions", Access::READ_OK)];
    files.into_iter().map(|(name, how)| (journal.join(name), how)).find_map(|(file, how)| {
        let found = match file.symlink_metadata() {
            Err(_) => return None,
            Ok(_) if !file.is_file() => "it is no file".to_owned(),
            Ok(_) => access(&file, how).err()?.to_string(),
        };
        Some(format!("journal: {} cannot be used: {found}", file.display()))
    })
}

async fn hubs(config: &Config, arguments: &Arguments, problems: &mut Vec<String>) {
    for (name, hub_config) in &config.hubs {
        let hub = match Hub::of(name, hub_config, &config.service) {
            Ok(hub) => hub,
            Err(error) => {
                problems.push(error.to_string());
                continue;
            }
        };
        let setting = format!("hubs.{name}.service_token");
        let token = hub_config.service_token.as_ref().map(|source| source.secret(&setting));
        let token = match token.transpose() {
            Ok(token) => token,
            Err(error) => {
                problems.push(error.to_string());
                continue;
            }
        };
        if arguments.offline {
            continue;
        }
        problems.extend(hub.check(token.as_ref().map(tokentoss_core::Secret::expose)).await.err());
    }
}

async fn clusters(config: &Config, arguments: &Arguments, problems: &mut Vec<String>) {
    for (name, cluster_config) in &config.clusters {
        match Cluster::of(name, cluster_config) {
            Ok(_) if arguments.offline => {}
            Ok(cluster) => problems.extend(cluster.check().await.err()),
            Err(error) => problems.push(error.to_string()),
        }
    }
}
