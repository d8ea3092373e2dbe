//! Administration: listing the grants of all users, and replacing the keys of tenants.

use tokentoss_custody::{CellId, Target};

use super::{AccountKey, Backend, GrantId, Store, StoreError};

/// A filter for grants; an empty filter matches all.
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

/// A sealed cell what names it.
#[derive(Debug)]
pub struct GrantCell {
    /// The tenant.
    pub tenant: String,
    /// The user within the tenant.
    pub user: String,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The issuer that the token is of.
    pub issuer: String,
    /// The provider's identifier of the user.
    pub subject: String,
    /// The grant.
    pub grant: GrantId,
    /// What names it in the row.
    pub named_as: NamedAs,
    /// The cell.
    pub cell: CellId,
    /// Its bytes.
    pub sealed: Vec<u8>,
}

/// A replacement of names a cell. The first one counts of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedAs {
    /// The grant's refresh token.
    RefreshToken,
    /// The grant's ID token.
    IdToken,
    /// The grant's access token for this target.
    AccessToken(Target),
    /// Nothing in the row: it waits to be revoked.
    Nothing,
}

impl GrantCell {
    /// The account that the token is of.
    #[must_use]
    pub fn account(&self) -> AccountKey<'_> {
        let Self { tenant, user, provider, issuer, subject, .. } = self;
        AccountKey { tenant, user, provider, issuer, subject }
    }
}

/// What a cell's bytes, which applies only while the cell still has the old bytes.
#[derive(Debug)]
pub struct ResealedCell {
    /// The cell.
    pub cell: CellId,
    /// The old bytes, as they were read.
    pub old: Vec<u8>,
    /// The new bytes.
    pub new: Vec<u8>,
}

impl Store {
    /// The grants that match a filter and whose identifiers come after this one, in ascending order.
    ///
    /// # Errors
    /// The database does not answer.
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
    /// The database does not answer.
    pub async fn tenants_after(&self, after: &str, limit: u32) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        either!(self, backend => backend.tenants_after(after, limit).await)
    }

    /// Replaces a tenant's wrapped data keys if they are still these (compare-and-swap); false after a
    /// conflict.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn replace_data_key(&self, tenant: &str, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        either!(self, backend => backend.replace_data_key(tenant, old, new).await)
    }

    /// All cells of grants.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn cells_of(&self, grants: &[GrantId]) -> Result<Vec<GrantCell>, StoreError> {
        either!(self, backend => backend.cells_of(grants).await)
    }

    /// Replaces the bytes of cells that still have their old bytes; returns the number of replaced cells.
    ///
    /// # Errors
    /// The database does not answer. None is replaced then.
    pub async fn reseal(&self, seals: &[ResealedCell]) -> Result<u64, StoreError> {
        either!(self, backend => backend.reseal(seals).await)
    }
}
