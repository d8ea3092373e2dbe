//! The deposit of a code that a notebook page sealed to this broker, and the kernel forwards.

use std::sync::Arc;

use tokentoss_core::deposit::Deposit;
use tokentoss_core::sealing::KeyPair;
use tokentoss_core::{base64url, ticket};
use tracing::Instrument;

use super::confirm::UNCONFIRMED;
use super::exchange::Redeemable;
use super::{SignInStatus, SignIns, WORKING, Way, scopes_in};
use crate::callers::Caller;
use crate::problem::Problem;
use crate::refresh::CustodianError;
use crate::store::{Authorization, AuthorizationChange, Stage};

impl SignIns {
    /// Redeems a deposit, once. It comes from the kernel of the user who started the sign-in, so no
    /// confirmation is needed.
    ///
    /// # Errors
    /// It was not sealed for this sign-in, or the sign-in is not this user's or has ended.
    pub async fn deposit(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        sealed: &str,
    ) -> Result<SignInStatus, Problem> {
        let row = self.own(caller, id).await?;
        if row.way != Way::Deposit {
            return Err(Problem::way_unavailable());
        }
        if row.stage != Stage::Pending || row.expires_at <= row.now {
            return Err(Problem::authorization_expired());
        }
        // Opened before anything is consumed, so that an invalid deposit changes nothing.
        let redeemable = self.opened(&row, sealed).await?.ok_or_else(Problem::invalid_request)?;
        let change = AuthorizationChange {
            from: vec![Stage::Pending],
            to: Some(Stage::Redeeming),
            ends_in: Some(WORKING),
            ..AuthorizationChange::default()
        };
        let sign_ins = Arc::clone(self);
        // In a task, because a cancelled request has consumed the code too.
        let task = self.custodian.tasks.spawn(
            async move {
                let store = &sign_ins.custodian.store;
                let taken =
                    store.change_authorization(row.id, &change).await.map_err(CustodianError::from)?;
                taken.ok_or_else(Problem::authorization_expired)?;
                if let Err(problem) = sign_ins.take_deposit(&row, &redeemable).await {
                    sign_ins.interrupt(&row, &UNCONFIRMED, &problem).await;
                }
                Ok::<_, Problem>(())
            }
            .in_current_span(),
        );
        task.await.map_err(|_| Problem::storage_unavailable())??;
        self.view(caller, id).await
    }

    async fn opened(&self, row: &Authorization, sealed: &str) -> Result<Option<Redeemable>, Problem> {
        let (_, settings) = self.provider(&row.provider)?;
        let private = self.open(row, "deposit key").await?;
        let bytes = base64url::decode(private.expose()).and_then(|bytes| bytes.try_into().ok());
        let pair = bytes.as_ref().and_then(KeyPair::from_private_key).ok_or_else(Problem::key_unavailable)?;
        let (client_id, issuer) = (settings.client.client_id(), settings.client.provider().issuer());
        let deposit = Deposit::open(&pair, &row.id.to_string(), client_id, issuer, sealed);
        Ok(deposit.map(|deposit| Redeemable {
            nonce: ticket::nonce_for(&row.nonce, &deposit.salt),
            code: deposit.code,
            verifier: deposit.verifier,
            redirect_uri: deposit.redirect_uri,
        }))
    }

    async fn take_deposit(&self, row: &Authorization, redeemable: &Redeemable) -> Result<(), Problem> {
        let (provider, settings) = self.provider(&row.provider)?;
        let scopes: Vec<String> = scopes_in(&row.scopes).map(str::to_owned).collect();
        let client = settings.client_for(&scopes, None).ok_or_else(Problem::authorization_expired)?;
        match self.redeem(provider, settings, &client, redeemable).await {
            Ok(mut redeemed) => self.connect_unconfirmed(row, &mut redeemed).await.map(drop),
            Err(failure) => self.write_failure(row, &[Stage::Redeeming], &failure).await,
        }
    }
}
