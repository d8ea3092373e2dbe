//! Signing out of a grant without reading more of its row than whose it is.

use tokentoss_custody::Revoker;

use super::{Backend, GrantId, ProviderUser, Store, StoreError};

/// Whose a grant is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantOwner {
    /// Tenant, user and provider.
    pub provider_user: ProviderUser,
    /// The issuer that the tokens are of.
    pub issuer: String,
    /// Whether it was ended on purpose.
    pub is_ended: bool,
}

impl Store {
    /// Whose a grant is, also where its row cannot be read.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn owner(&self, id: GrantId) -> Result<Option<GrantOwner>, StoreError> {
        either!(self, backend => backend.owner(id).await)
    }

    /// Ends a grant whose row cannot be read, whoever refreshes it now; false if it has ended. What it named is deleted, and its
    /// refresh token goes to the revocation queue, or else its access tokens, where `revoke` says so.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn end_unread(&self, id: GrantId, by: Revoker, revoke: bool) -> Result<bool, StoreError> {
        let write = self.notifier.begin();
        write.end(either!(self, backend => backend.end_unread(id, by, revoke, &self.notifier).await))
    }
}
