//! Revocations at providers that the configuration does not have any more.
//!
//! Without the provider's address and client nothing can be sent. So that nobody keeps a token for ever that nobody will revoke, it
//! is deleted after thirty days: long enough for an administrator to see the mistake and to put the provider back. Until then
//! each look puts it off, so that the queues of the other providers do not go through it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::revocations::give_up;
use crate::refresh::Custodian;
use crate::store::{Revocation, StoreError};

/// Between two looks; a provider that is put back has its tokens revoked as soon.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// The same after the database did not answer.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How many are read at once.
const AT_ONCE: usize = 256;
/// After so long without the provider a revocation is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30 * 86_400);

pub(super) async fn run(custodian: Arc<Custodian>) {
    let mut told = BTreeSet::new();
    loop {
        let looked = custodian.ending.run_until_cancelled(look(&custodian, &mut told)).await;
        let pause = match looked {
            None => return,
            Some(Ok(())) => LOOK_EVERY,
            Some(Err(error)) => {
                tracing::warn!(%error, "the revocations of providers that are not configured cannot be read");
                LOOK_AGAIN
            }
        };
        if custodian.ending.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

/// Looks once; `told` are the providers of which the log says it already.
async fn look(custodian: &Custodian, told: &mut BTreeSet<String>) -> Result<(), StoreError> {
    for (provider, waiting) in custodian.store.waiting_revocations().await? {
        if custodian.provider(&provider).is_some() {
            continue;
        }
        if told.insert(provider.clone()) {
            tracing::warn!(
                code = "provider_unconfigured",
                provider,
                waiting,
                "revocations wait for a provider that the configuration does not have; put it back within thirty days, or \
                 end these sign-ins at the provider"
            );
        }
        loop {
            let taken = custodian.store.take_revocations(&provider, AT_ONCE, LOOK_EVERY).await?;
            for revocation in &taken {
                look_at(custodian, revocation).await?;
            }
            if taken.len() < AT_ONCE {
                break;
            }
        }
    }
    Ok(())
}

async fn look_at(custodian: &Custodian, revocation: &Revocation) -> Result<(), StoreError> {
    if revocation.is_connected_again {
        // To be revoked no more, wherever the provider is.
        return custodian.store.end_revocation(revocation.cell).await;
    }
    if revocation.age > GIVE_UP_AFTER {
        return give_up(custodian, revocation, "provider_unconfigured").await;
    }
    Ok(())
}
