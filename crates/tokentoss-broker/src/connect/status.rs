//! The status of a sign-in, for the caller that started it.

use std::time::Duration;

use tokentoss_core::Timestamp;
use tokio::time::Instant;

use super::{Failure, SignIns, Way};
use crate::callers::Caller;
use crate::problem::Problem;
use crate::refresh::CustodianError;
use crate::store::{Authorization, AuthorizationId, GrantRow, RESUMABLE_FOR, Stage};

/// The interval at which the row is polled for changes of other processes.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The status of a sign-in.
#[derive(Debug)]
pub struct SignInStatus {
    /// The identifier.
    pub id: String,
    /// `pending`, `confirm`, `done`, `failed` or `expired`.
    pub status: &'static str,
    /// The time at which it expires.
    pub expires_at: Timestamp,
    /// The account, once it is connected.
    pub account: Option<GrantRow>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

impl SignIns {
    /// The status of a sign-in.
    ///
    /// # Errors
    /// The sign-in is not this user's, or the database does not answer.
    pub async fn view(&self, caller: &Caller, id: &str) -> Result<SignInStatus, Problem> {
        let row = self.own(caller, id).await?;
        self.view_of(row).await
    }

    /// The status as soon as it differs from the known one, or after this time.
    ///
    /// # Errors
    /// As [`SignIns::view`].
    pub async fn wait(
        &self,
        caller: &Caller,
        id: &str,
        known: &str,
        longest: Duration,
    ) -> Result<SignInStatus, Problem> {
        let until = Instant::now() + longest;
        let watcher = self.watchers.of(AuthorizationId::read(id).ok_or_else(Problem::authorization_unknown)?);
        loop {
            // Before the row is read, so that no notification is missed.
            let news = watcher.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let row = self.own(caller, id).await?;
            let status = status_of(&row);
            let is_over = matches!(status, "done" | "failed" | "expired");
            let left = until.saturating_duration_since(Instant::now());
            if status != known || is_over || left.is_zero() {
                return self.view_of(row).await;
            }
            let pause = match row.expires_at.as_millis().saturating_sub(row.now.as_millis()) {
                // It waits for somebody to resume it.
                0 => left.min(LOOK_AGAIN),
                ends_in => left.min(LOOK_AGAIN).min(Duration::from_millis(ends_in)),
            };
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep(pause) => {}
                // A shutdown ends the wait.
                () = self.custodian.ending.cancelled() => return self.view_of(row).await,
            }
        }
    }

    async fn view_of(&self, row: Authorization) -> Result<SignInStatus, Problem> {
        let account = match row.grant {
            Some(grant) => self.custodian.store.grant(grant).await.map_err(CustodianError::from)?,
            None => None,
        };
        Ok(SignInStatus {
            id: row.id.to_string(),
            status: status_of(&row),
            expires_at: row.expires_at,
            account,
            failure: match row.problem.as_deref() {
                Some(problem) => Some(Failure::of_column(problem)),
                None => is_interrupted(&row).then_some(Failure::INTERRUPTED),
            },
        })
    }
}

/// Whether the process that worked on a sign-in ended, or could not write the went, and nobody resumes it any more.
fn is_interrupted(row: &Authorization) -> bool {
    let over_for = row.now.as_millis().checked_sub(row.expires_at.as_millis());
    match row.stage {
        Stage::Redeeming => over_for.is_some(),
        Stage::Connecting => over_for.is_some_and(|over_for| over_for >= RESUMABLE_FOR),
        _ => false,
    }
}

fn status_of(row: &Authorization) -> &'static str {
    match row.stage {
        Stage::Done => "done",
        Stage::Failed => "failed",
        _ if is_interrupted(row) => "failed",
        // A deposit needs no confirmation.
        Stage::Connecting if row.way == Way::Deposit => "pending",
        Stage::Connecting => "confirm",
        _ if row.expires_at <= row.now => "expired",
        Stage::Confirm => "confirm",
        Stage::Pending | Stage::Redeeming => "pending",
    }
}
