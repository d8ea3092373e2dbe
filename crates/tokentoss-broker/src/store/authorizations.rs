//! Sign-ins that have begun: what can be done with their rows.

use tokentoss_core::Timestamp;

use super::{Authorization, AuthorizationChange, AuthorizationId, Backend, Store, StoreError};

/// How long a sign-in that ended can still be asked for, in milliseconds.
const DATA_KEY_CACHE_TTL: u64 = 60 * 60 * 1000;

impl Store {
    /// Adds a sign-in that ends in so many milliseconds; tells when that is.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn add_authorization(
        &self,
        new: &Authorization,
        ends_in: u64,
    ) -> Result<Timestamp, StoreError> {
        either!(self, backend => backend.add_authorization(new, ends_in).await)
    }

    /// A sign-in, be it over or not.
    ///
    /// # Errors
    /// That the database does not answer, or [`StoreError::Row`].
    pub async fn authorization(&self, id: AuthorizationId) -> Result<Option<Authorization>, StoreError> {
        either!(self, backend => backend.authorization(id).await)
    }

    /// Changes a sign-in that has not ended; the row as it was before, or none where it is not as the change expects.
    ///
    /// # Errors
    /// As [`Store::authorization`].
    pub async fn change_authorization(
        &self,
        id: AuthorizationId,
        change: &AuthorizationChange,
    ) -> Result<Option<Authorization>, StoreError> {
        either!(self, backend => backend.change_authorization(id, change).await)
    }

    /// Takes one of the tries to confirm a sign-in; how many are left after it, or none where there was none to take.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn take_try(&self, id: AuthorizationId, most: i64) -> Result<Option<i64>, StoreError> {
        either!(self, backend => backend.take_try(id, most).await)
    }

    /// Drops a sign-in.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn drop_authorization(&self, id: AuthorizationId) -> Result<(), StoreError> {
        either!(self, backend => backend.drop_authorization(id).await)
    }

    /// Drops the secrets of what has ended, and after an hour the rest.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn forget_authorizations(&self) -> Result<(), StoreError> {
        either!(self, backend => backend.forget_authorizations(DATA_KEY_CACHE_TTL).await)
    }

    /// Drops what a user has begun beyond so many.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn sweep_authorizations(&self, tenant: &str, user: &str, most: i64) -> Result<(), StoreError> {
        either!(self, backend => backend.sweep_authorizations(tenant, user, most).await)
    }
}
