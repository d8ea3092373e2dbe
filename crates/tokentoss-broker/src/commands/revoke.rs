//! `revoke`: ends the grants of a user.

use clap::Args;
use tokentoss_custody::{Revoker, sign_out};

use super::{CommandError, Rows, UnreadableRow, open};
use crate::config::Config;
use crate::store::GrantFilter;

/// The arguments: whose grants to end.
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
    let mut rows = Rows::of(&store, &filter);
    let (mut count, mut unreadable) = (0, 0);
    loop {
        let batch = rows.next().await?;
        if batch.is_empty() {
            break;
        }
        for row in batch {
            let row = match row {
                Ok(row) => row,
                Err(UnreadableRow { id, what }) => {
                    unreadable += 1;
                    let code = UnreadableRow::CODE;
                    println!("{id}  not ended ({code}): this version does not know {what}");
                    continue;
                }
            };
            let ended = store.change(row.id, |row| sign_out(&row.grant, Revoker::Admin)).await?;
            if ended.is_some() {
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
        }
    }
    println!("{count} grants ended; a running broker revokes their tokens at the provider");
    store.close().await;
    UnreadableRow::end(unreadable)
}
