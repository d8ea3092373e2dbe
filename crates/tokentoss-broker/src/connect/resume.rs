//! Going on with a sign-in whose process ended, or stood still, while it connected the account.
//!
//! Its tokens are kept until the account is connected, so any broker with the tenant's key can finish it once its time is over.

use std::sync::Arc;
use std::time::Duration;

use super::{SignIns, WORKING};
use crate::problem::Problem;
use crate::refresh::{Connected, CustodianError};
use crate::store::{AuthorizationId, Stage, StoreError};

/// How often the database is asked for such sign-ins.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How many are looked at in one round.
const AT_ONCE: i64 = 256;

impl SignIns {
    /// Resumes what was interrupted, until the process is about to end.
    pub(crate) async fn resume_until_ending(self: Arc<Self>) {
        let ending = &self.custodian.ending;
        while ending.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            if let Err(error) = self.resume_interrupted().await {
                tracing::warn!(%error, "interrupted sign-ins cannot be read");
            }
        }
    }

    /// Resumes the sign-ins that were interrupted.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn resume_interrupted(&self) -> Result<(), StoreError> {
        for id in self.custodian.store.interrupted_authorizations(AT_ONCE).await? {
            match self.resume(id).await {
                Ok(()) => {}
                // Not again before its time is over once more; another broker may do better.
                Err(failed) => tracing::warn!(authorization = %id, %failed, "a sign-in is not resumed yet"),
            }
        }
        Ok(())
    }

    async fn resume(&self, id: AuthorizationId) -> Result<(), CustodianError> {
        let store = &self.custodian.store;
        let Some(row) = store.authorization(id).await? else { return Ok(()) };
        // Before it is taken: without the key or the provider nothing comes of it here, and perhaps elsewhere.
        self.custodian.data_key(&row.tenant).await?;
        if self.provider(&row.provider).is_err() || !store.resume_authorization(id, WORKING).await? {
            return Ok(());
        }
        match self.connect_kept(&row, true).await {
            Ok(Connected::Written(_) | Connected::Newer(_)) => {
                tracing::warn!(authorization = %id, "an interrupted sign-in was resumed");
                Ok(())
            }
            Ok(Connected::SignedOut) | Err(CustodianError::Store(StoreError::SignInOver)) => Ok(()),
            Err(CustodianError::Store(error)) if !error.is_about_values() => Err(error.into()),
            Err(failed) => {
                self.interrupt(&row, &[Stage::Connecting], &Problem::from(failed)).await;
                Ok(())
            }
        }
    }
}
