//! Connected accounts, sealed and written by the broker's own code as a sign-in does it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokentoss_broker::config::Config;
use tokentoss_broker::journal::Journal;
use tokentoss_broker::refresh::{Custodian, SignedIn, Upstream};
use tokentoss_broker::server::key_ring;
use tokentoss_broker::store::{AccountKey, GrantId, Store};
use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::renewal::Tokens;
use tokentoss_custody::{Grant, Guard, Scopes, Update};
use tokio::task::JoinSet;

use crate::Failure;
use crate::callers::user_name;

/// Writers at once: as many as the broker has connections to Postgres.
const AT_ONCE: usize = 16;
/// The life of an access token.
const LIFE: Duration = Duration::from_secs(3600);

/// The accounts.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The broker's configuration file.
    #[arg(long)]
    config: PathBuf,
    /// The tenant of the users.
    #[arg(long)]
    tenant: String,
    /// How many users. The access token of each has ended.
    #[arg(long)]
    users: usize,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::read(&arguments.config)?;
    let (ring, providers) = (key_ring(&config.key_ring)?, config.providers()?);
    let store = Store::begin(&config.database).await?;
    let custodian = Custodian::new(store, ring, providers, Upstream::new()?, Journal::open(None)?);
    let next = Arc::new(AtomicUsize::new(0));
    let (users, mut writing) = (arguments.users, JoinSet::new());
    for _ in 0..AT_ONCE {
        let (custodian, next, tenant) = (Arc::clone(&custodian), Arc::clone(&next), arguments.tenant.clone());
        writing.spawn(async move {
            loop {
                let user = next.fetch_add(1, Ordering::Relaxed);
                if user >= users {
                    return Ok::<_, Failure>(());
                }
                let id = connect(&custodian, &tenant, user).await?;
                make_old(&custodian.store, id).await?;
            }
        });
    }
    while let Some(written) = writing.join_next().await {
        written??;
    }
    custodian.store.close().await;
    println!("{}", json!({"grants": users}));
    Ok(())
}

async fn connect(custodian: &Arc<Custodian>, tenant: &str, user: usize) -> Result<GrantId, Failure> {
    let name = user_name(user);
    let account = AccountKey {
        tenant,
        user: &name,
        provider: "bench",
        issuer: "https://provider.example",
        subject: &name,
    };
    let email = format!("{name}@example.com");
    let who = SignedIn {
        account,
        email: Some(&email),
        requested: Scopes::read("openid email files.read"),
        id_token_expires_at: None,
    };
    let tokens = Tokens {
        // As long as those of large providers are.
        access: Secret::new(format!("access-{tenant}.{user}-{:0>200}", 0)),
        refresh: Some(Secret::new(format!("refresh-{tenant}.{user}-0"))),
        id_token: None,
        expires_in: Some(LIFE),
        scopes: None,
    };
    Ok(custodian.connect(&who, &tokens).await?)
}

/// Has the access token be one of an hour ago. The scheduler's time stays, so that callers alone cause refreshes.
async fn make_old(store: &Store, id: GrantId) -> Result<(), Failure> {
    let row = store.grant(id).await?.ok_or("the grant has gone")?;
    let earlier = |time: Timestamp| Timestamp::from_millis(time.as_millis() - (LIFE.as_secs() + 1) * 1000);
    let mut after = Grant { version: row.grant.version.next(), ..row.grant.clone() };
    for access in after.tokens.iter_mut().filter_map(|slot| slot.access.as_mut()) {
        access.obtained_at = earlier(access.obtained_at);
        access.expires_at = access.expires_at.map(earlier);
    }
    let update = Update { guard: Guard::of(&row.grant), after, revoke: Vec::new() };
    if !store.update(id, &update, &[]).await? {
        return Err("somebody else wrote the grant".into());
    }
    Ok(())
}
