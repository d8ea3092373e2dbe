//! The end of a connection.

use std::sync::Arc;

use tokentoss_custody::{Revoker, sign_out};

use super::{Custodian, CustodianError};
use crate::store::{GrantId, StoreError};

impl Custodian {
    /// Ends a grant, whether or not anybody waits for it: its tokens leave the row, and go to the revocation
    /// queue where `revoke` says so.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn disconnect(
        self: &Arc<Self>,
        id: GrantId,
        by: Revoker,
        revoke: bool,
    ) -> Result<(), CustodianError> {
        let custodian = Arc::clone(self);
        // In a task of its own, so that what was begun ends even if the caller leaves.
        let task = self.tasks.spawn(async move { custodian.end(id, by, revoke).await });
        task.await.map_err(|_| StoreError::Row("a sign-out that did not end"))?
    }

    async fn end(&self, id: GrantId, by: Revoker, revoke: bool) -> Result<(), CustodianError> {
        // Whoever refreshes meanwhile loses.
        let ended = self.store.change(id, |row| {
            let mut update = sign_out(&row.grant, by)?;
            if !revoke {
                update.revoke.clear();
            }
            Some(update)
        });
        if let Some(row) = ended.await? {
            tracing::info!(
                target: "audit",
                action = "disconnect",
                tenant = row.tenant,
                user = row.user,
                provider = row.provider,
                grant = %id,
                "an account was disconnected"
            );
            self.flights.of(id).notify();
            self.revocations.notify_waiters();
        }
        Ok(())
    }
}
