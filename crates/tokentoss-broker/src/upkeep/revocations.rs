//! Works off the queue of tokens that are to be revoked at their providers.
//!
//! A revocation that fails waits in its row, half a minute first and an hour at most. After seven days it is given up: the
//! token's cell is deleted like that of a revoked one, and a line in the audit says so. A token that cannot be opened here waits
//! for as long as it takes: another broker may have its key, or the administrator find it. What is of a provider that the
//! configuration does not have is looked after by [`super::unconfigured`].

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokentoss_custody::Jitter;
use tokio::task::JoinSet;

use crate::random;
use crate::refresh::{Custodian, Revoked};
use crate::store::{Revocation, StoreError};

/// How many of one provider are worked on at once.
const AT_ONCE: usize = 8;
/// Nobody else takes one for so long: more than its requests take.
const HOLD: Duration = Duration::from_secs(120);
/// How often the queue is looked at without a sign-out in this process.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The first pause after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that the provider did not ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// The longest pause that the provider can ask for.
const LONGEST_WISH: Duration = Duration::from_secs(86_400);
/// After so long without success a revocation is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// Works for one provider, so that one that does not answer holds up nobody else's tokens.
pub(super) async fn run(custodian: Arc<Custodian>, provider: String) {
    // What is cut off at the end comes back when its hold is over, and to revoke twice does no harm.
    let mut working = JoinSet::new();
    loop {
        // Before the queue is read, so that no news is missed.
        let mut news = pin!(custodian.revocations.notified());
        news.as_mut().enable();
        let room = AT_ONCE.saturating_sub(working.len());
        let taking = custodian.store.take_revocations(&provider, room, HOLD);
        let taken = match custodian.ending.run_until_cancelled(taking).await {
            None => return,
            Some(Ok(taken)) => taken,
            Some(Err(error)) => {
                tracing::warn!(provider, %error, "the revocation queue cannot be read");
                Vec::new()
            }
        };
        let is_full = taken.len() == room;
        for revocation in taken {
            working.spawn(work(Arc::clone(&custodian), revocation));
        }
        let pause = async {
            if is_full {
                // Until there is a place for the next one.
                working.join_next().await;
            } else {
                let _ = tokio::time::timeout(LOOK_EVERY, news).await;
            }
        };
        if custodian.ending.run_until_cancelled(pause).await.is_none() {
            return;
        }
        while working.try_join_next().is_some() {}
    }
}

async fn work(custodian: Arc<Custodian>, revocation: Revocation) {
    if let Err(error) = work_on(&custodian, &revocation).await {
        tracing::warn!(grant = %revocation.grant, %error, "a revocation is not written down");
    }
}

async fn work_on(custodian: &Custodian, revocation: &Revocation) -> Result<(), StoreError> {
    let (wished, was_asked) = match custodian.revoke(revocation).await {
        Ok(Revoked::Done | Revoked::Dropped) => return custodian.store.end_revocation(revocation.cell).await,
        Ok(Revoked::NotYet(wished)) => (wished, true),
        Err(failed) => {
            tracing::warn!(grant = %revocation.grant, %failed, "a token cannot be revoked");
            (None, false)
        }
    };
    if was_asked && revocation.age > GIVE_UP_AFTER {
        return give_up(custodian, revocation, "provider_unavailable").await;
    }
    custodian.store.revocation_failed(revocation.cell, pause(revocation.failures, wished)).await
}

/// Deletes a token that was not revoked.
pub(super) async fn give_up(
    custodian: &Custodian,
    revocation: &Revocation,
    cause: &'static str,
) -> Result<(), StoreError> {
    custodian.store.end_revocation(revocation.cell).await?;
    tracing::error!(
        target: "audit",
        action = "revocation_given_up",
        cause,
        tenant = revocation.tenant,
        user = revocation.user,
        provider = revocation.provider,
        grant = %revocation.grant,
        days = revocation.age.as_secs() / 86_400,
        "a token was not revoked in time; it is deleted here, and may live on at its provider: end it there"
    );
    Ok(())
}

fn pause(failures: u32, wished: Option<Duration>) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(LONGEST_PAUSE);
    let spread = doubled.saturating_sub(Jitter(u16::from_be_bytes(random::bytes())).of(doubled / 4));
    spread.max(wished.unwrap_or_default().min(LONGEST_WISH))
}
