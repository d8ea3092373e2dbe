//! Storing the tokens of a finished sign-in.

use std::sync::Arc;
use std::time::Duration;

use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::renewal::Tokens;
use tokentoss_custody::{
    CellId, Handle, IdToken, Jitter, Renewed, Scopes, SettleParameters, SignIn, connect, reconnect,
};

use super::task::hash_of;
use super::{Custodian, CustodianError};
use crate::keys::{CellAad, Key, seal_cell};
use crate::random;
use crate::store::{AccountKey, GrantId, NewCell, NewGrant, StoreError};

/// The assumed lifetime of an access token without `expires_in`.
const ASSUMED_LIFE: Duration = Duration::from_secs(3600);
/// The most attempts; a race between two sign-ins needs fewer.
const TRIES: usize = 16;

/// The account and the scopes of a finished sign-in.
#[derive(Clone, Debug)]
pub struct SignedIn<'a> {
    /// The account.
    pub account: AccountKey<'a>,
    /// The e-mail address, for display.
    pub email: Option<&'a str>,
    /// The requested scopes.
    pub requested: Scopes,
    /// The expiry of the verified ID token; without it the ID token is not stored.
    pub id_token_expires_at: Option<Timestamp>,
}

impl Custodian {
    /// Stores the tokens of a sign-in. They replace those of an earlier sign-in of the same account.
    ///
    /// # Errors
    /// They cannot be sealed or written.
    pub async fn connect(
        self: &Arc<Self>,
        who: &SignedIn<'_>,
        tokens: &Tokens,
    ) -> Result<GrantId, CustodianError> {
        let provider = self.providers.get(who.account.provider).ok_or(CustodianError::NotConnected)?;
        let key = self.data_key(who.account.tenant).await?;
        let parameters = SettleParameters {
            forgets_after: provider.forgets_after,
            client_revision: provider.client_revision,
            jitter: Jitter(u16::from_be_bytes(random::bytes())),
        };
        for _ in 0..TRIES {
            let known = self.store.grant_of(&who.account).await?;
            let id = known.unwrap_or_else(GrantId::generate);
            let mut sealer =
                TokenSealer { key: &key, tenant: who.account.tenant, grant: id, cells: Vec::new() };
            let sealed = sealer.seal_all(tokens, who.id_token_expires_at);
            let scopes = provider.own_scopes(tokens.scopes.as_ref());
            let sign_in = SignIn {
                tokens: Renewed { scopes, ..sealed },
                requested: provider.scope_names.own(&who.requested).into_owned(),
                assumed_life: ASSUMED_LIFE,
            };
            let is_written = if known.is_some() {
                let Some(row) = self.store.grant(id).await? else { continue };
                let update =
                    reconnect(row.now, &row.grant, &sign_in, self.journal.highest_version(id), &parameters);
                self.store.sign_in_again(id, &update, who.email, &sealer.cells).await?
            } else {
                let grant =
                    connect(self.store.now().await?, &sign_in, self.journal.highest_version(id), &parameters);
                let new = NewGrant {
                    id,
                    tenant: who.account.tenant.to_owned(),
                    user: who.account.user.to_owned(),
                    provider: who.account.provider.to_owned(),
                    issuer: who.account.issuer.to_owned(),
                    subject: who.account.subject.to_owned(),
                    email: who.email.map(str::to_owned),
                    grant,
                };
                self.store.add_grant(&new, &sealer.cells).await?
            };
            if is_written {
                tracing::info!(
                    target: "audit",
                    action = "connect",
                    tenant = who.account.tenant,
                    user = who.account.user,
                    provider = who.account.provider,
                    grant = %id,
                    "an account was connected"
                );
                self.flights.of(id).notify();
                return Ok(id);
            }
        }
        Err(StoreError::Contended.into())
    }
}

/// Seals the tokens of one grant.
pub(super) struct TokenSealer<'a> {
    pub(super) key: &'a Key,
    pub(super) tenant: &'a str,
    pub(super) grant: GrantId,
    pub(super) cells: Vec<NewCell>,
}

impl TokenSealer<'_> {
    pub(super) fn seal(&mut self, token: &Secret) -> Handle {
        let cell = CellId(random::number());
        let aad = CellAad { tenant: self.tenant, grant: self.grant, cell };
        self.cells.push(NewCell { id: cell, sealed: seal_cell(self.key, &aad, token) });
        Handle { hash: hash_of(token), cell }
    }

    fn seal_all(&mut self, tokens: &Tokens, id_token_expires_at: Option<Timestamp>) -> Renewed {
        Renewed {
            access: self.seal(&tokens.access),
            refresh: tokens.refresh.as_ref().map(|refresh| self.seal(refresh)),
            id_token: tokens
                .id_token
                .as_ref()
                .zip(id_token_expires_at)
                .map(|(token, expires_at)| IdToken { handle: self.seal(token), expires_at }),
            expires_in: tokens.expires_in,
            scopes: tokens.scopes.clone(),
        }
    }
}
