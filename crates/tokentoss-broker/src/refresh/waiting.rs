//! A caller whose token is not kept: it reads the row, and refreshes or waits.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokentoss_core::Timestamp;
use tokentoss_custody::{Asker, Claim, Decision, Demand, Held, LeaseOwner, Problem, Refusal, decide};
use tokio::sync::oneshot;

use super::flights::{Look, Passenger, Turn};
use super::{Ask, CALLERS_PATIENCE, Custodian, Failed, Given};
use crate::metrics;
use crate::random;
use crate::store::{GrantId, Place, StoreError};

/// After how long somebody may ask again who was not served in time.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The caller.
pub(super) struct Waiting<'a> {
    custodian: &'a Arc<Custodian>,
    id: GrantId,
    place: &'a Place,
    ask: &'a Ask,
    began: Instant,
    /// By the database's clock.
    gives_up_at: Option<Timestamp>,
}

impl<'a> Waiting<'a> {
    pub(super) fn of(custodian: &'a Arc<Custodian>, id: GrantId, place: &'a Place, ask: &'a Ask) -> Self {
        Self { custodian, id, place, ask, began: Instant::now(), gives_up_at: None }
    }
}

impl Passenger for Waiting<'_> {
    type Given = Given;
    type Claim = Claim;
    type Failed = Failed;

    async fn look(&mut self) -> Result<Look<Given, Claim>, Failed> {
        let (custodian, ask) = (self.custodian, self.ask);
        if let Some(given) = custodian.kept_token(self.id, ask) {
            return Ok(Look::Is(given));
        }
        let reading = custodian.cache.begin(self.place);
        let row = Arc::new(custodian.store.grant(self.id).await?.ok_or(Failed::NotConnected)?);
        let context = custodian.context(&row)?;
        let gives_up_at = *self.gives_up_at.get_or_insert(row.now + CALLERS_PATIENCE);
        let demand = Demand {
            asker: Asker::Caller { gives_up_at },
            credential: ask.credential,
            target: ask.target.clone(),
            min_ttl: ask.min_ttl,
            rejected: ask.rejected,
        };
        match decide(row.now, &row.grant, &demand, &context) {
            Decision::Serve { slot, .. } => {
                let given = custodian.serve(&row, slot, ask.credential, reading).await?;
                Ok(given.map_or(Look::Again, Look::Is))
            }
            Decision::Refuse(refusal) => Err(Failed::Refused(refusal)),
            Decision::Correct(update) => {
                custodian.store.update(self.id, &update, &[]).await?;
                Ok(Look::Again)
            }
            Decision::Refresh(claim) => {
                // Without the tenant's key nothing is claimed: another broker may have it.
                custodian.data_key(&row.tenant).await?;
                Ok(Look::Refresh(claim))
            }
            // The scheduler alone is sent to rest.
            Decision::Wait { until } | Decision::Rest { until: Some(until) } => {
                let left = Duration::from_millis(until.as_millis().saturating_sub(row.now.as_millis()));
                Ok(Look::Wait(left.min(CALLERS_PATIENCE)))
            }
            Decision::Rest { until: None } => Err(Failed::NotConnected),
        }
    }

    async fn take_off(&self, claim: Claim, turn: Turn) -> Result<bool, Failed> {
        let (custodian, id, place) = (Arc::clone(self.custodian), self.id, self.place.clone());
        let (owner, started) = (LeaseOwner(random::number()), Instant::now());
        let (claimed, answer) = oneshot::channel();
        // A caller who leaves while the lease is taken must not leave a lease that nobody uses.
        self.custodian.tasks.spawn(async move {
            let has_lease = custodian.store.claim(id, &claim, owner).await;
            let is_ours = matches!(has_lease, Ok(true));
            // The caller may have left.
            let _ = claimed.send(has_lease);
            if is_ours {
                metrics::claimed(&place.provider, "caller", claim.is_repeated);
                custodian.refresh(id, Held { claim, owner }, started).await;
                // If this fails, whoever waits reads it.
                let _ = custodian.keep_renewed(id, &place).await;
            }
            drop(turn);
        });
        Ok(answer.await.unwrap_or(Ok(false))?)
    }

    fn patience(&self) -> Result<Duration, Failed> {
        let left = CALLERS_PATIENCE.saturating_sub(self.began.elapsed());
        let busy = || Refusal { problem: Problem::RefreshBusy, cause: None, retry_after: Some(ASK_AGAIN) };
        if left.is_zero() { Err(Failed::Refused(busy())) } else { Ok(left) }
    }

    async fn pause(&self, news: impl Future<Output = ()> + Send, longest: Duration) {
        let _ = tokio::time::timeout(longest.max(Duration::from_millis(1)), news).await;
    }

    fn lost(&self) -> Failed {
        StoreError::Row("a grant that comes to no decision").into()
    }
}
