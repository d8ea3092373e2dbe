//! `revoke`: ends the grants of a user.

use clap::Args;
use tokentoss_custody::{Revoker, sign_out};

use super::{BATCH, CommandError, open};
use crate::config::Config;
use crate::store::GrantFilter;

/// Whose grants end.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The user within the tenant.
    #[arg(long)]
    user: String,
    /// Only those at this provider.
    #[arg(long)]
    provider: Option<String>,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), CommandError> {
    let store = open(config).await?;
    let filter = GrantFilter {
        tenant: Some(arguments.tenant.clone()),
        user: Some(arguments.user.clone()),
        provider: arguments.provider.clone(),
        status: None,
    };
    let (mut after, mut count, mut left) = (None, 0, Vec::new());
    loop {
        let ids = store.grants_after(&filter, after, BATCH).await?;
        let Some(last) = ids.last() else { break };
        after = Some(*last);
        for id in ids {
            match store.change(id, |row| sign_out(&row.grant, Revoker::Admin)).await {
                Ok(None) => {}
                Ok(Some(row)) => {
                    count += 1;
                    tracing::info!(
                        target: "audit",
                        action = "revoke",
                        tenant = row.tenant,
                        user = row.user,
                        provider = row.provider,
                        grant = %row.id,
                        "an administrator ended a grant"
                    );
                }
                // The others are not to live on for it.
                Err(error) if error.is_unreadable_row() => left.push(format!("{id} ({error})")),
                Err(error) => return Err(error.into()),
            }
        }
    }
    println!("{count} grants ended; a running broker revokes their tokens at the provider");
    store.close().await;
    if left.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} grants were not ended, because this version cannot read their rows: {}. Run this command of the version that wrote \
         them, or have the user disconnect the account",
        left.len(),
        left.join(", ")
    )
    .into())
}
