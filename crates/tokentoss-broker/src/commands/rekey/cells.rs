//! Resealing cells with the current data key.

use tokio::time::Instant;

use super::{Tenants, Work};
use crate::commands::{BATCH, CommandError};
use crate::keys::{CellAad, DataKeyEntry, DataKeySet, Role, is_sealed_by, open_cell, seal_cell};
use crate::store::{GrantCell, GrantFilter, GrantId, ResealedCell};

impl Work {
    /// Reseals cells of other keys; a cell that was deleted or changed meanwhile is skipped.
    pub(super) async fn reseal(&self) -> Result<u64, CommandError> {
        let mut count = 0;
        let mut tenants = Tenants::of(self);
        while let Some((tenant, row)) = tenants.next().await? {
            let key = self.opened(&tenant, &row)?.key()?;
            let mut grants = Grants::of(self, &tenant);
            let mut began = Instant::now();
            while let Some(batch) = grants.next().await? {
                let mut changes = Vec::new();
                for GrantCell { grant, cell, sealed: old } in self.store.cells_of(&batch).await? {
                    if is_sealed_by(&key, &old) {
                        continue;
                    }
                    let aad = CellAad { tenant: &tenant, grant, cell };
                    // A cell that no key opens is left as it is; the broker reports it when it is used.
                    let Ok(secret) = open_cell(&key, &aad, &old) else {
                        tracing::warn!(%grant, "a cell cannot be opened by any key");
                        continue;
                    };
                    let new = seal_cell(&key, &aad, &secret);
                    changes.push(ResealedCell { cell, old, new });
                }
                if !changes.is_empty() {
                    count += self.store.reseal(&changes).await?;
                }
                // A pause after each batch leaves the database to the brokers for almost half of the time.
                tokio::time::sleep(began.elapsed() / 4 * 3).await;
                began = Instant::now();
            }
        }
        Ok(count)
    }

    /// Whether a former key of a tenant still has cells.
    pub(super) async fn has_cells_of_former(
        &self,
        tenant: &str,
        set: &DataKeySet,
    ) -> Result<bool, CommandError> {
        let is_former = |member: &&DataKeyEntry| member.role == Role::Former;
        let former: Vec<&DataKeyEntry> = set.0.iter().filter(is_former).collect();
        if former.is_empty() {
            return Ok(false);
        }
        let mut grants = Grants::of(self, tenant);
        while let Some(batch) = grants.next().await? {
            let cells = self.store.cells_of(&batch).await?;
            let seals_it =
                |cell: &GrantCell| former.iter().any(|member| is_sealed_by(&member.key, &cell.sealed));
            if cells.iter().any(seals_it) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The grants of a tenant, in batches.
struct Grants<'a> {
    work: &'a Work,
    filter: GrantFilter,
    after: Option<GrantId>,
}

impl<'a> Grants<'a> {
    fn of(work: &'a Work, tenant: &str) -> Self {
        let filter = GrantFilter { tenant: Some(tenant.to_owned()), ..GrantFilter::default() };
        Self { work, filter, after: None }
    }

    async fn next(&mut self) -> Result<Option<Vec<GrantId>>, CommandError> {
        let batch = self.work.store.grants_after(&self.filter, self.after, BATCH).await?;
        self.after = batch.last().copied().or(self.after);
        Ok(Some(batch).filter(|batch| !batch.is_empty()))
    }
}
