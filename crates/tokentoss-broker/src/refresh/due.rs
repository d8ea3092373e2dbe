//! Refreshes that nobody waits for.

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
    /// Claims what is due at a provider, as far as there is room, and refreshes it in tasks of its own; tells whether
    /// more may be due.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn refresh_due(
        self: &Arc<Self>,
        provider: &str,
        room: &Arc<Semaphore>,
    ) -> Result<bool, CustodianError> {
        let Some(known) = self.providers.get(provider) else { return Ok(false) };
        let (now, started) = (Instant::now(), clock::elapsed());
        // Each lease runs from its claim, so that nothing is claimed that would have to wait for a place.
        let most = self.health.allowance(provider, room.available_permits(), now);
        if most == 0 {
            return Ok(false);
        }
        let choose = |row: &GrantRow| match self.decide_for_scheduler(row)? {
            Decision::Refresh(claim) => Some((claim, LeaseOwner(random::number()))),
            _ => None,
        };
        // Another broker may have the keys of these tenants.
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
                    // Where it fails, the grant is still due.
                    let _ = self.store.update(row.id, &update, &[]).await;
                }
                continue;
            };
            metrics::claimed(provider, "scheduler", held.claim.is_repeated);
            let Ok(slot) = Arc::clone(room).try_acquire_owned() else { continue };
            let custodian = Arc::clone(self);
            self.tasks.spawn(async move {
                let flight = custodian.flights.of(row.id);
                // So that callers wait for this one; it goes on without, because the lease is what counts.
                let permit = flight.try_permit();
                custodian.refresh(&ClaimedGrant::new(row, held, started, started)).await;
                drop((permit, slot));
                // Also where somebody else has the permit.
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
