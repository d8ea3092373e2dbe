//! A caller whose token is not kept: it reads the row, and refreshes or waits.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokentoss_core::Timestamp;
use tokentoss_custody::{Asker, Claim, Decision, Demand, Held, LeaseOwner, Problem, Refusal, decide};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::claimed::Claimed;
use super::single_flight::{Observation, RefreshPermit, TokenWaiter};
use super::{Ask, CALLERS_PATIENCE, Custodian, Failed, Given};
use crate::cache::Reading;
use crate::clock;
use crate::metrics;
use crate::random;
use crate::store::{GrantId, GrantRow, Place, StoreError};

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

/// A row, and what the database's clock shows.
struct Seen {
    row: Arc<GrantRow>,
    now: Timestamp,
    reading: Reading,
}

impl Waiting<'_> {
    /// The row as of a moment or later; while this process refreshes it, a kept one says all that there is to know.
    async fn see(&self, moment: Duration) -> Result<Seen, Failed> {
        let custodian = self.custodian;
        let reading = custodian.cache.begin(self.place);
        let is_running = || custodian.flights.known(self.id).is_some_and(|flight| flight.is_running());
        if let Some(kept) = custodian.cache.row(self.id)
            && kept.row().is_of(self.place)
            && (kept.at() >= moment || is_running())
        {
            let reading = reading.as_of(kept.at());
            return Ok(Seen { row: Arc::clone(kept.row()), now: kept.now(), reading });
        }
        let row = custodian.store.grant(self.id).await?.filter(|row| row.is_of(self.place));
        let row = Arc::new(row.ok_or(Failed::NotConnected)?);
        custodian.cache.keep_row(reading, &row);
        Ok(Seen { now: row.now, row, reading })
    }
}

impl TokenWaiter for Waiting<'_> {
    type Given = Given;
    type Claim = (Claim, Arc<GrantRow>, Reading);
    type Failed = Failed;

    async fn look(&mut self) -> Result<Observation<Given, Self::Claim>, Failed> {
        let (custodian, ask) = (self.custodian, self.ask);
        if let Some(given) = custodian.kept_token(self.id, self.place, ask) {
            return Ok(Observation::Ready(given));
        }
        let asked_at = clock::elapsed();
        let _turn = custodian.readers_of_rows.turn(&self.id).await;
        if let Some(given) = custodian.kept_token(self.id, self.place, ask) {
            return Ok(Observation::Ready(given));
        }
        let Seen { row, now, reading } = self.see(asked_at).await?;
        let context = custodian.context(&row)?;
        let gives_up_at = *self.gives_up_at.get_or_insert(now + CALLERS_PATIENCE);
        let demand = Demand {
            asker: Asker::Caller { gives_up_at },
            credential: ask.credential,
            target: ask.target.clone(),
            min_ttl: ask.min_ttl,
            rejected: ask.rejected,
        };
        match decide(now, &row.grant, &demand, &context) {
            Decision::Serve { slot, .. } => {
                let given = custodian.serve(&row, slot, ask.credential, now, reading).await?;
                Ok(given.map_or(Observation::Retry, Observation::Ready))
            }
            Decision::Refuse(refusal) => Err(Failed::Refused(refusal)),
            Decision::Correct(update) => {
                if custodian.store.update(self.id, &update, &[]).await? {
                    metrics::changed(&row.provider, row.grant.status, update.after.status);
                }
                Ok(Observation::Retry)
            }
            Decision::Refresh(claim) => {
                // Without the tenant's key nothing is claimed: another broker may have it.
                custodian.data_key(&row.tenant).await?;
                Ok(Observation::Refresh((claim, row, reading)))
            }
            // The scheduler alone is sent to rest.
            Decision::Wait { until } | Decision::Rest { until: Some(until) } => {
                let left = Duration::from_millis(until.as_millis().saturating_sub(now.as_millis()));
                Ok(Observation::Wait(left.min(CALLERS_PATIENCE)))
            }
            Decision::Rest { until: None } => Err(Failed::NotConnected),
        }
    }

    async fn start_refresh(
        &self,
        (claim, row, reading): Self::Claim,
        permit: RefreshPermit,
    ) -> Result<bool, Failed> {
        let (custodian, id, place) = (Arc::clone(self.custodian), self.id, self.place.clone());
        let (owner, started) = (LeaseOwner(random::number()), clock::elapsed());
        let (claimed, answer) = oneshot::channel();
        // A caller who leaves while the lease is taken must not leave a lease that nobody uses.
        self.custodian.tasks.spawn(
            async move {
                let has_lease = custodian.store.claim(id, &claim, owner).await;
                let is_ours = matches!(has_lease, Ok(true));
                // The caller may have left.
                let _ = claimed.send(has_lease);
                if is_ours {
                    metrics::claimed(&place.provider, "caller", claim.is_repeated);
                    let held = Held { claim, owner };
                    let claimed = Claimed::new(Arc::unwrap_or_clone(row), held, started, reading.at());
                    custodian.keep_written(custodian.refresh(&claimed).await, id, &place).await;
                }
                drop(permit);
            }
            .in_current_span(),
        );
        Ok(answer.await.unwrap_or(Ok(false))?)
    }

    fn remaining_wait(&self) -> Result<Duration, Failed> {
        let left = CALLERS_PATIENCE.saturating_sub(self.began.elapsed());
        let busy = || Refusal { problem: Problem::RefreshBusy, cause: None, retry_after: Some(ASK_AGAIN) };
        if left.is_zero() { Err(Failed::Refused(busy())) } else { Ok(left) }
    }

    async fn pause(&self, news: impl Future<Output = ()> + Send, longest: Duration) {
        let _ = tokio::time::timeout(longest.max(Duration::from_millis(1)), news).await;
    }

    fn too_many_attempts(&self) -> Failed {
        StoreError::Contended.into()
    }
}
