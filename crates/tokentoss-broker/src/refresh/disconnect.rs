//! Disconnecting an account.

use std::sync::Arc;

use tokentoss_custody::{Revoker, sign_out};
use tracing::Instrument;

use super::{Custodian, CustodianError};
use crate::metrics;
use crate::store::{GrantId, ProviderUser, StoreError};

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
        let task = self.tasks.spawn(async move { custodian.end(id, by, revoke).await }.in_current_span());
        task.await.map_err(|_| StoreError::Late)?
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
        let ended = match ended.await {
            Ok(row) => {
                row.map(|row| ProviderUser { tenant: row.tenant, user: row.user, provider: row.provider })
            }
            // Nobody has to keep a connection because this version cannot read it.
            Err(error) if error.is_unreadable_row() => {
                tracing::error!(grant = %id, %error, "a grant is ended without being read");
                let owner = self.store.owner(id).await?;
                let is_written = self.store.end_unread(id, by, revoke).await?;
                owner.filter(|_| is_written).map(|owner| owner.provider_user)
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(row) = ended {
            metrics::ended(&row.provider, "user");
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
