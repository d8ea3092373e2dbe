//! Read-modify-write of a row under optimistic concurrency: after a conflict, the row is read and changed
//! again.

use tokentoss_custody::Update;

use super::{GrantId, GrantRow, Store, StoreError};

/// The most attempts; a race between users and one holder of a lease needs fewer.
const TRIES: usize = 64;

impl Store {
    /// Changes a grant, and tries again after each conflict. Returns the row before the change; none if it
    /// does not exist or `change` returns nothing.
    ///
    /// # Errors
    /// The database does not answer, or [`StoreError::Contended`].
    pub async fn change(
        &self,
        id: GrantId,
        change: impl Fn(&GrantRow) -> Option<Update> + Send + Sync,
    ) -> Result<Option<GrantRow>, StoreError> {
        for _ in 0..TRIES {
            let Some(row) = self.grant(id).await? else { return Ok(None) };
            let Some(update) = change(&row) else { return Ok(None) };
            if self.update(id, &update, &[]).await? {
                return Ok(Some(row));
            }
        }
        Err(StoreError::Contended)
    }
}
