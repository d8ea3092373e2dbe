//! `confirm`: lets a grant in `error` be used as it is.

use clap::Args;

use super::{CommandError, open};
use crate::config::Config;
use crate::store::{GrantId, Store};

/// Which grant.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Its identifier, as `grants` lists it.
    grant: String,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), CommandError> {
    let id =
        GrantId::read(&arguments.grant).ok_or("this is no identifier of a grant; `grants` lists them")?;
    let store = open(config).await?;
    let result = confirm(&store, id).await;
    store.close().await;
    result
}

/// Confirms a grant, whoever writes its row meanwhile.
async fn confirm(store: &Store, id: GrantId) -> Result<(), CommandError> {
    loop {
        let row = store.grant(id).await?.ok_or("no grant has this identifier; `grants` lists them")?;
        let status = row.grant.status;
        let Some(update) = tokentoss_custody::confirm(&row.grant) else {
            let message = format!("the grant is {}, and only one in `error` can be confirmed", status.name());
            return Err(message.into());
        };
        if store.update(id, &update, &[]).await? {
            tracing::info!(
                target: "audit",
                action = "confirm",
                tenant = row.tenant,
                user = row.user,
                provider = row.provider,
                grant = %id,
                cause = status.cause(),
                "an administrator confirmed a grant"
            );
            println!("confirmed; the next demand refreshes it");
            return Ok(());
        }
    }
}
