//! `confirm`: lets a grant in `error` be used as it is.

use clap::Args;
use tokentoss_custody::Status;

use super::{CommandError, open};
use crate::config::Config;
use crate::store::{GrantId, Store};

/// The grant to confirm.
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

/// Confirms a grant, and tries again after a conflict.
async fn confirm(store: &Store, id: GrantId) -> Result<(), CommandError> {
    let before = store.change(id, |row| tokentoss_custody::confirm(&row.grant)).await?;
    let Some(row) = before else {
        let row = store.grant(id).await?.ok_or("no grant has this identifier; `grants` lists them")?;
        let status = row.grant.status.name();
        return Err(if matches!(row.grant.status, Status::Error(_)) {
            "the provider has refused this grant's refresh token; its user must sign in again".into()
        } else {
            format!("the grant is `{status}`, and only one in `error` can be confirmed").into()
        });
    };
    tracing::info!(
        target: "audit",
        action = "confirm",
        tenant = row.tenant,
        user = row.user,
        provider = row.provider,
        grant = %id,
        cause = row.grant.status.cause(),
        "an administrator confirmed a grant"
    );
    println!("confirmed; the next demand refreshes it");
    Ok(())
}
