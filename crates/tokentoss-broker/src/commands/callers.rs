//! `callers`: lists callers, and creates keys.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::CommandError;
use crate::config::Config;
use crate::random;

/// The arguments: list callers, or add one.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a fresh key into a file that only its owner can read, and show what the configuration needs.
    New {
        /// The caller's name in the configuration: letters, digits, `-` and `_`.
        name: String,
        /// The file; `<name>.key` beside the configuration where it is missing. It must not exist yet.
        #[arg(long)]
        file: Option<PathBuf>,
    },
}

pub(super) fn run(config: &Config, path: &Path, arguments: &Arguments) -> Result<(), CommandError> {
    match &arguments.action {
        None => list(config),
        Some(Action::New { name, file }) => {
            let beside = path.parent().unwrap_or(Path::new(""));
            let file = file.clone().unwrap_or_else(|| beside.join(format!("{name}.key")));
            // Relative paths depend on the working directory of the broker.
            let file = std::path::absolute(file)?;
            return make(config, name, &file);
        }
    }
    Ok(())
}

fn list(config: &Config) {
    for (name, caller) in &config.callers {
        let for_whom = match (&caller.tenant, &caller.user) {
            (Some(tenant), Some(user)) => format!("user {user} of tenant {tenant}"),
            _ if caller.tenants.is_empty() => "users of all tenants".to_owned(),
            _ => format!("users of tenants {}", caller.tenants.join(", ")),
        };
        let at = match caller.providers.as_slice() {
            [] => String::new(),
            names => format!("  at {} alone", names.join(", ")),
        };
        let user = caller.unix_user.as_ref().map(|user| format!("  user {user} of this machine"));
        println!("{name}  {} keys{}  asks for {for_whom}{at}", caller.keys.len(), user.unwrap_or_default());
    }
    if let Some((socket, tenant)) = config.socket.as_ref().and_then(|s| Some((s, s.tenant.as_ref()?))) {
        let (path, first) = (socket.path.display(), socket.first_uid);
        println!(
            "socket {path}  users of this machine from {first}  each asks for its name in tenant {tenant}"
        );
    }
    for (name, hub) in &config.hubs {
        println!("hub {name}  tokens of {}  asks for each user of tenant {name}", hub.api_url);
    }
    for (name, cluster) in &config.clusters {
        for account in &cluster.service_accounts {
            let who = format!("{}/{}", account.namespace, account.name.as_deref().unwrap_or("*"));
            let for_whom = match (&account.tenant, &account.user) {
                (Some(tenant), Some(user)) => format!("user {user} of tenant {tenant}"),
                (Some(tenant), None) => format!("its namespace and name in tenant {tenant}"),
                _ if account.tenants.is_empty() => "users of all tenants".to_owned(),
                _ => format!("users of tenants {}", account.tenants.join(", ")),
            };
            println!("cluster {name}  service account {who}  asks for {for_whom}");
        }
    }
}

fn make(config: &Config, name: &str, file: &Path) -> Result<(), CommandError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_plain) {
        return Err("a caller's name consists of letters, digits, `-` and `_`".into());
    }
    let key = Zeroizing::new(random::bytes::<32>());
    let text = Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode(key.as_slice())));
    write_secret(file, &text)?;
    tracing::info!(target: "audit", action = "caller_key", caller = name, "wrote a fresh key");
    println!("wrote {}", file.display());
    if config.callers.contains_key(name) {
        println!(
            "add it to `keys` of [callers.{name}] beside the old one, and take that away when it is not used any more"
        );
    } else {
        println!("[callers.{name}]\nkeys = [{:?}]", file.display().to_string());
    }
    Ok(())
}

/// Writes a new file with mode 0600.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), CommandError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| format!("{}: {error}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
