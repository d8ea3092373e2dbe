//! `grants`: what is connected, for all users.

use clap::Args;
use serde_json::json;

use super::{CommandError, Rows, UnreadableRow, open};
use crate::config::Config;
use crate::connect::scopes_in;
use crate::store::{GrantFilter, GrantRow};

/// Which grants to list.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only those of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only those of this user.
    #[arg(long)]
    user: Option<String>,
    /// Only those at this provider.
    #[arg(long)]
    provider: Option<String>,
    /// Only those with this status.
    #[arg(long, value_parser = ["active", "expired", "error", "revoked"])]
    status: Option<String>,
    /// One JSON object a line; times in seconds since 1970.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), CommandError> {
    let store = open(config).await?;
    let filter = GrantFilter {
        tenant: arguments.tenant.clone(),
        user: arguments.user.clone(),
        provider: arguments.provider.clone(),
        status: arguments.status.clone(),
    };
    let mut rows = Rows::of(&store, &filter);
    let mut unreadable = 0;
    loop {
        let batch = rows.next().await?;
        if batch.is_empty() {
            break;
        }
        for row in &batch {
            let line = match row {
                Ok(row) if arguments.json => as_json(row),
                Ok(row) => as_text(row),
                Err(row) => {
                    unreadable += 1;
                    not_read(row, arguments.json)
                }
            };
            println!("{line}");
        }
    }
    store.close().await;
    UnreadableRow::end(unreadable)
}

/// The line of a grant that cannot be read.
fn not_read(row: &UnreadableRow, as_json: bool) -> String {
    let (code, what) = (UnreadableRow::CODE, &row.what);
    if as_json {
        let id = row.id.to_string();
        return json!({"id": id, "status": "unreadable", "code": code, "cause": what}).to_string();
    }
    format!("{}  unreadable ({code}): this version does not know {what}", row.id)
}

fn as_json(row: &GrantRow) -> String {
    let grant = &row.grant;
    json!({
        "id": row.id.to_string(), "tenant": row.tenant, "user": row.user, "provider": row.provider,
        "subject": row.subject, "email": row.email, "status": grant.status.name(), "cause": grant.status.cause(),
        "scopes": scopes_in(&grant.consented.to_list()).collect::<Vec<_>>(),
        "version": grant.version.0, "failures": grant.back_off.failures,
        "connected_at": grant.connected_at.as_secs(), "renewed_at": grant.renewed_at.as_secs(),
        "used_at": grant.used_at.as_secs(),
    })
    .to_string()
}

/// One line. Names come from providers and callers, and may not move a terminal's cursor.
fn as_text(row: &GrantRow) -> String {
    let shown = |text: &str| text.escape_debug().to_string();
    let cause = row.grant.status.cause().map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!(
        "{}  {}/{}  {}  {}  {}{cause}",
        row.id,
        shown(&row.tenant),
        shown(&row.user),
        shown(&row.provider),
        shown(row.email.as_deref().unwrap_or(&row.subject)),
        row.grant.status.name()
    )
}
