//! Operations on the rows of started sign-ins.

use tokentoss_core::Timestamp;

use super::{Authorization, AuthorizationChange, AuthorizationId, Backend, Store, StoreError};

/// How long an ended sign-in can still be read, in milliseconds.
const ENDED_READABLE_FOR: u64 = 60 * 60 * 1000;
/// How long after its time a sign-in whose account was being connected can be resumed, in milliseconds.
pub(crate) const RESUMABLE_FOR: u64 = 30 * 60 * 1000;

impl Store {
    /// Adds a sign-in with this time to live in milliseconds; returns its expiry.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn add_authorization(
        &self,
        new: &Authorization,
        ends_in: u64,
    ) -> Result<Timestamp, StoreError> {
        either!(self, backend => backend.add_authorization(new, ends_in).await)
    }

    /// A sign-in, active or expired.
    ///
    /// # Errors
    /// The database does not answer, or [`StoreError::Row`].
    pub async fn authorization(&self, id: AuthorizationId) -> Result<Option<Authorization>, StoreError> {
        either!(self, backend => backend.authorization(id).await)
    }

    /// Changes a sign-in that has not ended. Returns the row before the change; none if it is not as the
    /// change expects.
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

    /// Uses one attempt to confirm a sign-in. Returns the remaining attempts; none if there was none left.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn take_try(&self, id: AuthorizationId, most: i64) -> Result<Option<i64>, StoreError> {
        either!(self, backend => backend.take_try(id, most).await)
    }

    /// Deletes a sign-in.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn drop_authorization(&self, id: AuthorizationId) -> Result<(), StoreError> {
        either!(self, backend => backend.drop_authorization(id).await)
    }

    /// Deletes the secrets of ended sign-ins, and their rows after an hour.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_authorizations(&self) -> Result<(), StoreError> {
        either!(self, backend => backend.forget_authorizations(ENDED_READABLE_FOR, RESUMABLE_FOR).await)
    }

    /// Sign-ins whose process ended, or did not come to an end in time, while it connected the account.
    ///
    /// # Errors
    /// As [`Store::authorization`].
    pub async fn interrupted_authorizations(&self, most: i64) -> Result<Vec<AuthorizationId>, StoreError> {
        either!(self, backend => backend.interrupted_authorizations(RESUMABLE_FOR, most).await)
    }

    /// Takes such a sign-in for so many milliseconds; true for one of those who try.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn resume_authorization(&self, id: AuthorizationId, ends_in: u64) -> Result<bool, StoreError> {
        either!(self, backend => backend.resume_authorization(id, ends_in).await)
    }

    /// Deletes the oldest sign-ins of a user beyond this number.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sweep_authorizations(&self, tenant: &str, user: &str, most: i64) -> Result<(), StoreError> {
        either!(self, backend => backend.sweep_authorizations(tenant, user, most).await)
    }
}
