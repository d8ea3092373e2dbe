//! The stages of a data key: next, sealing, former, removed.

use std::time::Duration;

use super::{Tenants, Work};
use crate::commands::CommandError;
use crate::keys::{DataKeyEntry, DataKeySet, Key, Role};

/// How long a former key is kept at least; no broker seals with it for that long.
const KEPT_FORMER: Duration = Duration::from_secs(3600);

impl Work {
    /// Gives every tenant a new data key, and reseals its cells. An interrupted renewal of a tenant is
    /// continued.
    pub(super) async fn renew(&self, settle: Duration) -> Result<(), CommandError> {
        let now = self.store.now().await?.as_millis();
        let mut count = 0;
        let mut tenants = Tenants::of(self);
        while let Some((tenant, row)) = tenants.next().await? {
            let set = self.opened(&tenant, &row)?;
            let is_interrupted =
                set.with_role(Role::Next).is_some() || self.has_cells_of_former(&tenant, &set).await?;
            if !is_interrupted {
                self.change(&tenant, |set| add_next(set, now), |_| true).await?;
            }
            count += 1;
        }
        println!("{count} tenants have a fresh data key; running brokers learn of it");
        tokio::time::sleep(settle).await;
        let now = self.store.now().await?.as_millis();
        let mut tenants = Tenants::of(self);
        while let Some((tenant, _)) = tenants.next().await? {
            self.change(&tenant, |set| promote(set, now), |_| true).await?;
        }
        println!("the fresh data keys seal; running brokers end what they began with the former ones");
        tokio::time::sleep(settle).await;
        let began = tokio::time::Instant::now();
        let resealed = self.reseal().await?;
        println!("{resealed} cells sealed anew in {} ms", began.elapsed().as_millis());
        Ok(())
    }

    /// Removes former keys that are old enough and have no cells.
    pub(super) async fn forget(&self) -> Result<u64, CommandError> {
        let now = self.store.now().await?.as_millis();
        let oldest = now.saturating_sub(u64::try_from(KEPT_FORMER.as_millis()).unwrap_or(u64::MAX));
        let mut count = 0;
        let mut tenants = Tenants::of(self);
        while let Some((tenant, row)) = tenants.next().await? {
            let set = self.opened(&tenant, &row)?;
            if self.has_cells_of_former(&tenant, &set).await? {
                continue;
            }
            let is_old = |member: &DataKeyEntry| member.role == Role::Former && member.since <= oldest;
            let drop_old = |set: &mut DataKeySet| {
                let before = set.0.len();
                set.0.retain(|member| !is_old(member));
                set.0.len() < before
            };
            count += u64::from(self.change(&tenant, drop_old, |_| true).await?);
        }
        Ok(count)
    }
}

fn add_next(set: &mut DataKeySet, now: u64) -> bool {
    if set.with_role(Role::Next).is_some() {
        return false;
    }
    set.0.push(DataKeyEntry { key: Key::generate(), role: Role::Next, since: now });
    true
}

/// Makes the next key the sealing one.
fn promote(set: &mut DataKeySet, now: u64) -> bool {
    if set.with_role(Role::Next).is_none() {
        return false;
    }
    for member in &mut set.0 {
        let role = match member.role {
            Role::Next => Role::Seals,
            Role::Seals | Role::Former => Role::Former,
        };
        if role != member.role {
            (member.role, member.since) = (role, now);
        }
    }
    true
}
