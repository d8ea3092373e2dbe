//! Refreshes by the scheduler.

use std::sync::Arc;
use std::time::Instant;

use tokentoss_custody::{Decision, Demand, LeaseOwner, decide};
use tokio::sync::Semaphore;

use super::claimed_grant::ClaimedGrant;
use super::{Custodian, CustodianError};
use crate::clock;
use crate::metrics;
use crate::random;
use crate::store::{DueGrant, DueQuery, GrantRow};

impl Custodian {
    /// Claims due grants of a provider, as many as there are free permits, and refreshes each in a task.
    /// Returns whether more may be due.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn refresh_due(
        self: &Arc<Self>,
        provider: &str,
        room: &Arc<Semaphore>,
    ) -> Result<bool, CustodianError> {
        let Some(known) = self.providers.get(provider) else { return Ok(false) };
        let (now, started) = (Instant::now(), clock::elapsed());
        // A lease runs from its claim, so only grants with a free permit are claimed.
        let most = self.health.allowance(provider, room.available_permits(), now);
        if most == 0 {
            return Ok(false);
        }
        let choose = |row: &GrantRow| match self.decide_for_scheduler(row)? {
            Decision::Refresh(claim) => Some((claim, LeaseOwner(random::number()))),
            _ => None,
        };
        // Another broker may be able to open the data keys of these tenants.
        let closed = self.data_keys.unreadable_tenants();
        let asked = DueQuery {
            provider,
            issuer: known.issuer(),
            revision: known.client_revision,
            closed: &closed,
            unreadable_grants: &self.unreadable_grants,
        };
        let due = self.store.claim_due(&asked, most, &choose).await?;
        let is_full = due.len() == most;
        if !due.is_empty() {
            self.health.sent(provider, now);
        }
        for DueGrant { row, held } in due {
            let Some(held) = held else {
                if let Some(Decision::Correct(update)) = self.decide_for_scheduler(&row) {
                    // On failure, the grant is still due.
                    if let Ok(true) = self.store.update(row.id, &update, &[]).await {
                        metrics::changed(provider, row.grant.status, update.after.status);
                    }
                }
                continue;
            };
            metrics::claimed(provider, "scheduler", held.claim.is_repeated);
            let Ok(slot) = Arc::clone(room).try_acquire_owned() else { continue };
            let custodian = Arc::clone(self);
            self.tasks.spawn(async move {
                let flight = custodian.flights.of(row.id);
                // Callers wait for this refresh if it gets the permit. The lease alone is enough to refresh.
                let permit = flight.try_permit();
                custodian.refresh(&ClaimedGrant::new(row, held, started, started)).await;
                drop((permit, slot));
                // Also if another task has the permit.
                flight.notify();
            });
        }
        Ok(is_full)
    }

    fn decide_for_scheduler(&self, row: &GrantRow) -> Option<Decision> {
        let context = self.context(row).ok()?;
        Some(decide(row.now, &row.grant, &Demand::for_scheduler(), &context))
    }
}
