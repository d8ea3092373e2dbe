//! The callback: the provider redirects the user back.

use std::sync::Arc;

use tokentoss_core::authorization_response::{Refusal, VerifiedCode, verify};
use tokentoss_core::endpoint::EndpointUrl;
use tokentoss_core::pkce::CodeVerifier;
use tokentoss_core::{Error, ErrorCode, Secret};
use tracing::Instrument;

use super::confirm::new_confirmation;
use super::exchange::{Redeemable, RedeemedTokens};
use super::{Failure, SignIns, UNDER_WAY, WORKING, scopes_in, sha256};
use crate::problem::Problem;
use crate::refresh::CustodianError;
use crate::store::{Authorization, AuthorizationChange, AuthorizationId, Stage};

/// The result of a callback.
pub struct CallbackResult {
    /// The sign-in.
    pub row: Authorization,
    /// The account that waits for a confirmation, or the failure.
    pub outcome: Result<PendingAccount, Failure>,
}

/// An account that is not confirmed yet. The confirmation is a secret that connects it.
pub struct PendingAccount {
    /// The text that the user may have to type into the widget.
    pub confirmation: String,
    /// The e-mail address, or the provider's name of the user.
    pub label: String,
}

impl SignIns {
    /// The sign-in that the state of an answer names. A forged state is refused without a database query.
    #[must_use]
    pub fn named_by(&self, query: &str) -> Option<AuthorizationId> {
        let mut states = url_query(query).filter(|(name, _)| name == "state");
        let (state, more) = (states.next()?.1, states.next());
        self.custodian.ring().open_state(&state).filter(|_| more.is_none())
    }

    /// Handles the answer of a browser with this cookie, and redeems its code. The tokens wait for a
    /// confirmation.
    ///
    /// # Errors
    /// `state_mismatch` for an answer that no sign-in of this browser waits for.
    pub async fn handle_callback(
        self: &Arc<Self>,
        query: &str,
        cookie: Option<&str>,
    ) -> Result<CallbackResult, Problem> {
        let redirect_uri = self.redirect_uri().ok_or_else(Problem::way_unavailable)?;
        let (sign_ins, query, cookie) = (Arc::clone(self), query.to_owned(), cookie.map(str::to_owned));
        // In a task, because a cancelled request has consumed state and code too.
        let task = self.custodian.tasks.spawn(
            async move {
                let row = sign_ins.consume_state(&query, cookie.as_deref()).await?;
                Ok(sign_ins.take(row, &query, redirect_uri).await)
            }
            .in_current_span(),
        );
        task.await.map_err(|_| Problem::storage_unavailable())?
    }

    /// Consumes the state of an answer.
    pub(super) async fn consume_state(
        &self,
        query: &str,
        cookie: Option<&str>,
    ) -> Result<Authorization, Problem> {
        let id = self.named_by(query).ok_or_else(Problem::state_mismatch)?;
        let state = url_query(query).find(|(name, _)| name == "state").map(|(_, state)| state);
        let (Some(state), Some(cookie)) = (state, cookie) else { return Err(Problem::state_mismatch()) };
        let change = AuthorizationChange {
            from: vec![Stage::Pending],
            consumes_state: Some(sha256(&state)),
            cookie: Some(sha256(cookie)),
            to: Some(Stage::Redeeming),
            ends_in: Some(WORKING),
            ..AuthorizationChange::default()
        };
        let before =
            self.custodian.store.change_authorization(id, &change).await.map_err(CustodianError::from)?;
        before.ok_or_else(Problem::state_mismatch)
    }

    async fn take(&self, row: Authorization, query: &str, redirect_uri: EndpointUrl) -> CallbackResult {
        let outcome = match self.pending_account_of(&row, query, redirect_uri).await {
            Ok(outcome) => outcome,
            Err(problem) => Err(self.interrupt(&row, &[Stage::Redeeming], &problem).await),
        };
        self.watchers.notify(row.id);
        CallbackResult { row, outcome }
    }

    async fn pending_account_of(
        &self,
        row: &Authorization,
        query: &str,
        redirect_uri: EndpointUrl,
    ) -> Result<Result<PendingAccount, Failure>, Problem> {
        let mut redeemed = match self.redeem_answer(row, query, redirect_uri).await? {
            Ok(redeemed) => redeemed,
            Err(failure) => {
                self.write_failure(row, &[Stage::Redeeming], &failure).await?;
                return Ok(Err(failure));
            }
        };
        failpoint!("before_keep");
        self.note_before(row, &mut redeemed).await?;
        let confirmation = new_confirmation();
        let change = AuthorizationChange {
            from: vec![Stage::Redeeming],
            to: Some(Stage::Confirm),
            sealed: Some(self.seal_redeemed(row, &redeemed).await?),
            confirmed_by: Some(sha256(&confirmation)),
            ends_in: Some(UNDER_WAY),
            ..AuthorizationChange::default()
        };
        let changed = self.custodian.store.change_authorization(row.id, &change).await;
        changed.map_err(CustodianError::from)?.ok_or_else(Problem::authorization_expired)?;
        Ok(Ok(PendingAccount { confirmation, label: redeemed.label().to_owned() }))
    }

    /// Redeems the code of an answer, after its state was consumed.
    pub(super) async fn redeem_answer(
        &self,
        row: &Authorization,
        query: &str,
        redirect_uri: EndpointUrl,
    ) -> Result<Result<RedeemedTokens, Failure>, Problem> {
        let (provider, settings) = self.provider(&row.provider)?;
        let scopes: Vec<String> = scopes_in(&row.scopes).map(str::to_owned).collect();
        let client = settings.client_for(&scopes, None).ok_or_else(Problem::authorization_expired)?;
        let code = match self.code_in(query, client.provider()) {
            Ok(code) => code,
            Err(error) => return Ok(Err(error.into())),
        };
        let verifier = CodeVerifier::stored(self.open(row, "verifier").await?);
        let redeemable = Redeemable { code, verifier, redirect_uri, nonce: row.nonce.clone() };
        Ok(self.redeem(provider, settings, &client, &redeemable).await)
    }

    fn code_in(
        &self,
        query: &str,
        provider: &tokentoss_core::provider::Provider,
    ) -> Result<VerifiedCode, Error> {
        let state = url_query(query).find(|(name, _)| name == "state").map(|(_, state)| state);
        let state = Secret::new(state.ok_or(ErrorCode::StateMismatch)?);
        verify(query, &state, provider).map_err(|refusal| match refusal {
            // The state is consumed, so an answer of another issuer ends the sign-in too.
            Refusal::Dropped(error) | Refusal::Ended(error) => error,
        })
    }

    /// Writes that a sign-in failed.
    pub(super) async fn write_failure(
        &self,
        row: &Authorization,
        from: &[Stage],
        failure: &Failure,
    ) -> Result<(), Problem> {
        Ok(self.write_failed(row, from, failure).await?)
    }

    pub(super) async fn write_failed(
        &self,
        row: &Authorization,
        from: &[Stage],
        failure: &Failure,
    ) -> Result<(), CustodianError> {
        let change = AuthorizationChange {
            from: from.to_vec(),
            to: Some(Stage::Failed),
            problem: Some(failure.to_column()),
            ..AuthorizationChange::default()
        };
        self.custodian.store.change_authorization(row.id, &change).await?;
        tracing::info!(authorization = %row.id, code = failure.code(), "a sign-in failed");
        self.watchers.notify(row.id);
        Ok(())
    }

    /// Ends a sign-in that the broker could not complete. If that cannot be written either, the expiry of the
    /// row reports it.
    pub(super) async fn interrupt(&self, row: &Authorization, from: &[Stage], why: &Problem) -> Failure {
        tracing::error!(authorization = %row.id, code = why.code(), "a sign-in was interrupted");
        if let Err(problem) = self.write_failure(row, from, &Failure::INTERRUPTED).await {
            tracing::warn!(authorization = %row.id, code = problem.code(), "that is not written yet");
        }
        Failure::INTERRUPTED
    }
}

fn url_query(query: &str) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned()
}
