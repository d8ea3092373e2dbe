//! Resealing cells with the current data key.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{Tenants, Work};
use crate::commands::{BATCH, CommandError};
use crate::keys::{
    CellAad, Column, DataKeyEntry, DataKeySet, Role, column_of, is_sealed_by, open_cell, seal_cell,
};
use crate::store::{GrantCell, GrantFilter, GrantId, NamedAs, ResealedCell};

impl Work {
    /// Reseals cells of other keys sealed, and what is in the layout before; a cell that was deleted or changed meanwhile is skipped.
    pub(super) async fn reseal(&self) -> Result<u64, CommandError> {
        let mut count = 0;
        let mut tenants = Tenants::of(self);
        while let Some((tenant, row)) = tenants.next().await? {
            let key = self.opened(&tenant, &row)?.key()?;
            let mut grants = Grants::of(self, &tenant);
            let mut began = Instant::now();
            while let Some(batch) = grants.next().await? {
                // Each cell once, also if several tokens name it.
                let mut changes = BTreeMap::new();
                for cell in self.store.cells_of(&batch).await? {
                    let column = column_of(&cell.sealed);
                    if (column.is_some() && is_sealed_by(&key, &cell.sealed))
                        || changes.contains_key(&cell.cell.0)
                    {
                        continue;
                    }
                    // Only the layout before does not say what it was sealed for.
                    let column = column.unwrap_or_else(|| column_by_name(&cell.named_as));
                    let aad = CellAad { account: cell.account(), grant: cell.grant, cell: cell.cell, column };
                    // A cell that no key opens is left as it is; the broker reports it when it is used.
                    let Ok(secret) = open_cell(&key, &aad, &cell.sealed) else {
                        tracing::warn!(grant = %cell.grant, "a cell cannot be opened by any key");
                        continue;
                    };
                    let new = seal_cell(&key, &aad, &secret);
                    changes.insert(cell.cell.0, ResealedCell { cell: cell.cell, old: cell.sealed, new });
                }
                let changes: Vec<ResealedCell> = changes.into_values().collect();
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

/// The column that a row says a cell is for. What nothing names is only sent to be revoked, so that any column does.
fn column_by_name(named_as: &NamedAs) -> Column {
    match named_as {
        NamedAs::RefreshToken | NamedAs::Nothing => Column::refresh_token(),
        NamedAs::IdToken => Column::id_token(),
        NamedAs::AccessToken(target) => Column::access_token(target),
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
