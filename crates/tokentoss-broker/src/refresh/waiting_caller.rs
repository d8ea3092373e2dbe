//! A caller whose token is not cached: it reads the row, and refreshes or waits.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokentoss_core::Timestamp;
use tokentoss_custody::{
    Claim, Decision, Demand, HeldLease, LeaseOwner, Problem, Refusal, Requester, decide,
};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::claimed_grant::ClaimedGrant;
use super::single_flight::{Observation, RefreshPermit, TokenWaiter};
use super::{CALLER_TIMEOUT, Custodian, CustodianError, IssuedToken, TokenRequest};
use crate::cache::PendingRead;
use crate::clock;
use crate::metrics;
use crate::random;
use crate::store::{GrantId, GrantRow, ProviderUser, StoreError};

/// The `Retry-After` for a caller that was not served in time.
const RETRY_AFTER_TIMEOUT: Duration = Duration::from_secs(1);

/// The caller.
pub(super) struct WaitingCaller<'a> {
    custodian: &'a Arc<Custodian>,
    id: GrantId,
    provider_user: &'a ProviderUser,
    request: &'a TokenRequest,
    began: Instant,
    /// By the database's clock.
    gives_up_at: Option<Timestamp>,
}

impl<'a> WaitingCaller<'a> {
    pub(super) fn of(
        custodian: &'a Arc<Custodian>,
        id: GrantId,
        provider_user: &'a ProviderUser,
        request: &'a TokenRequest,
    ) -> Self {
        Self { custodian, id, provider_user, request, began: Instant::now(), gives_up_at: None }
    }
}

/// A row, and what the database's clock shows.
struct GrantSnapshot {
    row: Arc<GrantRow>,
    now: Timestamp,
    read: PendingRead,
}

impl WaitingCaller<'_> {
    /// The row as of this time or later. While this process refreshes the grant, a cached row is up to date.
    async fn snapshot(&self, moment: Duration) -> Result<GrantSnapshot, CustodianError> {
        let custodian = self.custodian;
        let read = custodian.cache.begin(self.provider_user);
        let is_running = || custodian.flights.find(self.id).is_some_and(|flight| flight.is_running());
        if let Some(kept) = custodian.cache.row(self.id)
            && kept.row().is_of(self.provider_user)
            && (kept.at() >= moment || is_running())
        {
            let read = read.as_of(kept.at());
            return Ok(GrantSnapshot { row: Arc::clone(kept.row()), now: kept.now(), read });
        }
        let row = custodian.store.grant(self.id).await?.filter(|row| row.is_of(self.provider_user));
        let row = Arc::new(row.ok_or(CustodianError::NotConnected)?);
        custodian.cache.keep_row(read, &row);
        Ok(GrantSnapshot { now: row.now, row, read })
    }
}

impl TokenWaiter for WaitingCaller<'_> {
    type Token = IssuedToken;
    type Claim = (Claim, Arc<GrantRow>, PendingRead);
    type Error = CustodianError;

    async fn observe(&mut self) -> Result<Observation<IssuedToken, Self::Claim>, CustodianError> {
        let (custodian, request) = (self.custodian, self.request);
        if let Some(issued) = custodian.cached_token(self.id, self.provider_user, request) {
            return Ok(Observation::Ready(issued));
        }
        let asked_at = clock::elapsed();
        let _turn = custodian.row_locks.lock(&self.id).await;
        if let Some(issued) = custodian.cached_token(self.id, self.provider_user, request) {
            return Ok(Observation::Ready(issued));
        }
        let GrantSnapshot { row, now, read } = self.snapshot(asked_at).await?;
        let context = custodian.context(&row)?;
        let gives_up_at = *self.gives_up_at.get_or_insert(now + CALLER_TIMEOUT);
        let demand = Demand {
            requester: Requester::Caller { gives_up_at },
            credential: request.credential,
            target: request.target.clone(),
            min_ttl: request.min_ttl,
            rejected: request.rejected,
        };
        match decide(now, &row.grant, &demand, &context) {
            Decision::Serve { slot, .. } => {
                let issued = custodian.serve(&row, slot, request.credential, now, read).await?;
                Ok(issued.map_or(Observation::Retry, Observation::Ready))
            }
            Decision::Refuse(refusal) => Err(CustodianError::Refused(refusal)),
            Decision::Correct(update) => {
                if custodian.store.update(self.id, &update, &[]).await? {
                    metrics::changed(&row.provider, row.grant.status, update.after.status);
                }
                Ok(Observation::Retry)
            }
            Decision::Refresh(claim) => {
                // Without the tenant's data key nothing is claimed, because another broker may have the key.
                custodian.data_key(&row.tenant).await?;
                Ok(Observation::Refresh((claim, row, read)))
            }
            // `Rest` is a decision for the scheduler only.
            Decision::Wait { until } | Decision::Rest { until: Some(until) } => {
                let left = Duration::from_millis(until.as_millis().saturating_sub(now.as_millis()));
                Ok(Observation::Wait(left.min(CALLER_TIMEOUT)))
            }
            Decision::Rest { until: None } => Err(CustodianError::NotConnected),
        }
    }

    async fn start_refresh(
        &self,
        (claim, row, read): Self::Claim,
        permit: RefreshPermit,
    ) -> Result<bool, CustodianError> {
        let (custodian, id, provider_user) =
            (Arc::clone(self.custodian), self.id, self.provider_user.clone());
        let (owner, started) = (LeaseOwner(random::number()), clock::elapsed());
        let (claimed, answer) = oneshot::channel();
        // In a task, so that a cancelled request does not leave an unused lease.
        self.custodian.tasks.spawn(
            async move {
                let has_lease = custodian.store.claim(id, &claim, owner).await;
                let is_ours = matches!(has_lease, Ok(true));
                // The request may be cancelled.
                let _ = claimed.send(has_lease);
                if is_ours {
                    metrics::claimed(&provider_user.provider, "caller", claim.is_repeated);
                    let held = HeldLease { claim, owner };
                    let claimed = ClaimedGrant::new(Arc::unwrap_or_clone(row), held, started, read.at());
                    custodian.keep_written(custodian.refresh(&claimed).await, id, &provider_user).await;
                }
                drop(permit);
            }
            .in_current_span(),
        );
        Ok(answer.await.unwrap_or(Ok(false))?)
    }

    fn remaining_wait(&self) -> Result<Duration, CustodianError> {
        let left = CALLER_TIMEOUT.saturating_sub(self.began.elapsed());
        let busy =
            || Refusal { problem: Problem::RefreshBusy, cause: None, retry_after: Some(RETRY_AFTER_TIMEOUT) };
        if left.is_zero() { Err(CustodianError::Refused(busy())) } else { Ok(left) }
    }

    async fn pause(&self, news: impl Future<Output = ()> + Send, longest: Duration) {
        let _ = tokio::time::timeout(longest.max(Duration::from_millis(1)), news).await;
    }

    fn too_many_attempts(&self) -> CustodianError {
        StoreError::Contended.into()
    }
}
