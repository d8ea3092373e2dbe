//! What administrators do: they list grants of all users, and give tenants new keys.

use tokentoss_custody::CellId;

use super::{Backend, GrantId, Store, StoreError};

/// Which grants are meant; all where nothing is named.
#[derive(Clone, Debug, Default)]
pub struct GrantFilter {
    /// The tenant.
    pub tenant: Option<String>,
    /// The user within the tenant.
    pub user: Option<String>,
    /// The provider's name in the configuration.
    pub provider: Option<String>,
    /// The status.
    pub status: Option<String>,
}

/// A sealed cell, and whose it is.
#[derive(Debug)]
pub struct GrantCell {
    /// The grant.
    pub grant: GrantId,
    /// The cell.
    pub cell: CellId,
    /// Its bytes.
    pub sealed: Vec<u8>,
}

/// What a cell shall hold, where it still holds what was read.
#[derive(Debug)]
pub struct ResealedCell {
    /// The cell.
    pub cell: CellId,
    /// What was read.
    pub old: Vec<u8>,
    /// What it shall hold.
    pub new: Vec<u8>,
}

impl Store {
    /// The grants that a filter names and whose identifiers come after this one, in their order.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn grants_after(
        &self,
        filter: &GrantFilter,
        after: Option<GrantId>,
        limit: u32,
    ) -> Result<Vec<GrantId>, StoreError> {
        either!(self, backend => backend.grants_after(filter, after, limit).await)
    }

    /// The tenants whose names come after this one, in their order, with their wrapped data keys.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn tenants_after(&self, after: &str, limit: u32) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        either!(self, backend => backend.tenants_after(after, limit).await)
    }

    /// Replaces a tenant's wrapped data keys where they are still these; false if somebody was faster.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn replace_data_key(&self, tenant: &str, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        either!(self, backend => backend.replace_data_key(tenant, old, new).await)
    }

    /// All cells of grants.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn cells_of(&self, grants: &[GrantId]) -> Result<Vec<GrantCell>, StoreError> {
        either!(self, backend => backend.cells_of(grants).await)
    }

    /// Replaces what cells hold, each where it still holds the first bytes; returns how many did.
    ///
    /// # Errors
    /// That the database does not answer. None is replaced then.
    pub async fn reseal(&self, seals: &[ResealedCell]) -> Result<u64, StoreError> {
        either!(self, backend => backend.reseal(seals).await)
    }
}
