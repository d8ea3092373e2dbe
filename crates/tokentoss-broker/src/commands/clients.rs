//! `clients`: providers and the clients that are registered with them.

use clap::Args;
use serde_json::json;

use super::CommandError;
use crate::config::{AuthenticationKind, Config};

/// How to list.
#[derive(Debug, Args)]
pub struct Arguments {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> Result<(), CommandError> {
    for (name, provider) in &config.providers {
        let authentication = match provider.shown_authentication() {
            AuthenticationKind::Post => "post",
            AuthenticationKind::Basic => "basic",
            AuthenticationKind::None => "none",
        };
        let place = provider.token_endpoint.as_deref().or(provider.preset.as_deref()).unwrap_or_default();
        let secrets = provider.client_secrets.len();
        if arguments.json {
            let line = json!({
                "provider": name, "client_id": provider.client_id, "token_endpoint": provider.token_endpoint, "preset": provider.preset,
                "authentication": authentication, "secrets": secrets, "client_revision": provider.client_revision,
                "through": provider.through.iter().map(|allow| &allow.origin).collect::<Vec<_>>(),
            });
            println!("{line}");
        } else {
            println!(
                "{name}  client {}  at {}  authentication {authentication}, {secrets} secrets, revision {}, {} rules for calls",
                provider.client_id,
                place,
                provider.client_revision,
                provider.through.len()
            );
        }
    }
    Ok(())
}
