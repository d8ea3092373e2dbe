//! Disconnecting an account.

use std::sync::Arc;

use tokentoss_custody::{Revoker, sign_out};

use super::{Custodian, CustodianError};
use crate::store::{GrantId, StoreError};

impl Custodian {
    /// Ends a grant, even if the caller leaves meanwhile. Its tokens are removed from the row, and added to
    /// the revocation queue if `revoke` is set.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn disconnect(
        self: &Arc<Self>,
        id: GrantId,
        by: Revoker,
        revoke: bool,
    ) -> Result<(), CustodianError> {
        let custodian = Arc::clone(self);
        // In a separate task, so that it completes even if the request is cancelled.
        let task = self.tasks.spawn(async move { custodian.end(id, by, revoke).await });
        task.await.map_err(|_| StoreError::Row("a sign-out that did not end"))?
    }

    async fn end(&self, id: GrantId, by: Revoker, revoke: bool) -> Result<(), CustodianError> {
        // A concurrent refresh loses.
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
