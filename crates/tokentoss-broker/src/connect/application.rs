//! Sign-ins at an application's own address. The application authenticates its users, so no confirmation is
//! needed.

use std::sync::Arc;

use tokentoss_core::endpoint::EndpointUrl;
use tracing::Instrument;

use super::confirm::UNCONFIRMED;
use super::{Failure, ProviderRedirect, SignIns, UNDER_WAY, Way};
use crate::callers::Caller;
use crate::problem::Problem;
use crate::refresh::CustodianError;
use crate::store::{Authorization, Stage};

impl SignIns {
    /// Sends the caller's user to a provider.
    ///
    /// # Errors
    /// `way_unavailable` where the caller has no `public_url`, or the provider no sign-in by pages.
    pub async fn log_in(&self, caller: &Caller, provider: &str) -> Result<ProviderRedirect, Problem> {
        caller.may_ask_for(provider)?;
        let (_, settings) = self.provider(provider)?;
        let redirect_uri = self.redirect_uri_of(caller, provider)?;
        if settings.way != Way::Page {
            return Err(Problem::way_unavailable());
        }
        let (tenant, user) = (caller.tenant.clone(), caller.user.clone());
        let scopes = settings.client.scope();
        let row = Authorization::new(tenant, user, provider.to_owned(), Way::Page, scopes);
        self.custodian.data_key(&row.tenant).await?;
        self.sweep(&row).await?;
        self.custodian.store.add_authorization(&row, UNDER_WAY).await.map_err(CustodianError::from)?;
        self.begin_authorization(&row, &redirect_uri, false).await
    }

    /// Handles the provider's answer for the caller's user, and connects the account. Returns its name, or
    /// why the sign-in failed.
    ///
    /// # Errors
    /// `state_mismatch` for an answer that belongs to another user or browser, or to no sign-in.
    pub async fn log_in_returned(
        self: &Arc<Self>,
        caller: &Caller,
        provider: &str,
        query: &str,
        cookie: Option<&str>,
    ) -> Result<Result<String, Failure>, Problem> {
        caller.may_ask_for(provider)?;
        self.provider(provider)?;
        let redirect_uri = self.redirect_uri_of(caller, provider)?;
        let id = self.named_by(query).ok_or_else(Problem::state_mismatch)?;
        let row = self.custodian.store.authorization(id).await.map_err(CustodianError::from)?;
        let is_same = |row: &Authorization| {
            caller.owns(&row.tenant, &row.user, &row.provider) && row.provider == provider
        };
        // Checked before the state is consumed, so that another user cannot use it up.
        if !row.as_ref().is_some_and(is_same) {
            return Err(Problem::state_mismatch());
        }
        let (sign_ins, query, cookie) = (Arc::clone(self), query.to_owned(), cookie.map(str::to_owned));
        let task = self.custodian.tasks.spawn(
            async move {
                let row = sign_ins.consume_state(&query, cookie.as_deref()).await?;
                Ok(match sign_ins.connected_by(&row, &query, redirect_uri).await {
                    Ok(outcome) => outcome,
                    Err(problem) => Err(sign_ins.interrupt(&row, &UNCONFIRMED, &problem).await),
                })
            }
            .in_current_span(),
        );
        task.await.map_err(|_| Problem::storage_unavailable())?
    }

    async fn connected_by(
        &self,
        row: &Authorization,
        query: &str,
        redirect_uri: EndpointUrl,
    ) -> Result<Result<String, Failure>, Problem> {
        match self.redeem_answer(row, query, redirect_uri).await? {
            Ok(mut redeemed) => Ok(match self.connect_unconfirmed(row, &mut redeemed).await? {
                true => Ok(redeemed.label().to_owned()),
                false => Err(Failure::INTERRUPTED),
            }),
            Err(failure) => {
                self.write_failure(row, &[Stage::Redeeming], &failure).await?;
                Ok(Err(failure))
            }
        }
    }

    fn redirect_uri_of(&self, caller: &Caller, provider: &str) -> Result<EndpointUrl, Problem> {
        let origin = self.applications.get(&caller.name).ok_or_else(Problem::way_unavailable)?;
        EndpointUrl::parse(&format!("{origin}/auth/{provider}/callback"))
            .map_err(|_| Problem::way_unavailable())
    }
}
