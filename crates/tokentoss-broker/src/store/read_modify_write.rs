//! Writing a row that others may write meanwhile: read, change, and again where somebody was faster.

use tokentoss_custody::Update;

use super::{GrantId, GrantRow, Store, StoreError};

/// More tries than a race between people and one lease's holder needs.
const TRIES: usize = 64;

impl Store {
    /// Changes a grant, whoever writes its row meanwhile; the row as it was before, or none where it is not there or `change`
    /// finds nothing to do.
    ///
    /// # Errors
    /// That the database does not answer, or [`StoreError::Contended`].
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
