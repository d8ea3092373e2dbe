//! What a finished sign-in leaves behind.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::renewal::Tokens;
use tokentoss_custody::{
    CellId, Grant, Handle, IdToken, Jitter, Renewed, Scopes, SettleParameters, SignIn, Status, Target,
    connect, reconnect,
};

use super::task::hash_of;
use super::{Custodian, CustodianError};
use crate::keys::{CellAad, Column, Key, seal_cell};
use crate::random;
use crate::store::{AccountKey, AuthorizationId, GrantId, NewCell, NewGrant, StoreError};

/// How long an access token is believed to live whose provider does not tell.
const ASSUMED_LIFE: Duration = Duration::from_secs(3600);
/// More tries than a race between two sign-ins needs.
const TRIES: usize = 16;

/// Who signed in, and where.
#[derive(Clone, Debug)]
pub struct SignedIn<'a> {
    /// The account.
    pub account: AccountKey<'a>,
    /// The e-mail address, for display.
    pub email: Option<&'a str>,
    /// The scopes that were asked for.
    pub requested: Scopes,
    /// When the ID token ends, which was checked; it is not kept where this is none.
    pub id_token_expires_at: Option<Timestamp>,
}

/// What was known of an account before somebody signed in to it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct GrantBefore {
    /// The version of its row; none where there was no row.
    version: Option<u64>,
    /// When it was connected, in milliseconds since 1970.
    connected_at: u64,
}

/// The sign-in that a connection ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ending {
    /// Its row, which is done with the transaction that writes the grant.
    pub sign_in: Option<AuthorizationId>,
    /// The account before, where the sign-in is resumed: what the user did since then counts more than its tokens.
    pub resumed: Option<GrantBefore>,
}

/// What became of the tokens of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connected {
    /// The grant has them.
    Written(GrantId),
    /// The user signed in again since, and that grant's tokens are newer.
    Newer(GrantId),
    /// The user signed out since; the tokens wait to be revoked.
    SignedOut,
}

impl GrantBefore {
    fn of(grant: &Grant) -> Self {
        Self { version: Some(grant.version.0), connected_at: grant.connected_at.as_millis() }
    }

    /// What the user did to the account since; nothing where they only used it.
    fn since(&self, id: GrantId, grant: &Grant) -> Option<Connected> {
        let now = Self::of(grant);
        match grant.status {
            Status::Revoked(_) => (now.version != self.version).then_some(Connected::SignedOut),
            _ => {
                let is_newer = self.version.is_none() || now.connected_at != self.connected_at;
                is_newer.then_some(Connected::Newer(id))
            }
        }
    }
}

impl Custodian {
    /// Keeps the tokens of a sign-in; those of an earlier one of the same account are dropped.
    ///
    /// # Errors
    /// That they cannot be sealed or written.
    pub async fn connect(
        self: &Arc<Self>,
        who: &SignedIn<'_>,
        tokens: &Tokens,
    ) -> Result<GrantId, CustodianError> {
        match self.connect_ending(who, tokens, Ending::default()).await? {
            Connected::Written(id) | Connected::Newer(id) => Ok(id),
            Connected::SignedOut => Err(CustodianError::NotConnected),
        }
    }

    /// What is known of an account now.
    ///
    /// # Errors
    /// As [`crate::store::Store::grant`].
    pub async fn grant_before(&self, account: &AccountKey<'_>) -> Result<GrantBefore, CustodianError> {
        let Some(id) = self.store.grant_of(account).await? else { return Ok(GrantBefore::default()) };
        let row = self.store.grant(id).await?;
        Ok(row.map(|row| GrantBefore::of(&row.grant)).unwrap_or_default())
    }

    /// The same as [`Custodian::connect`] for a sign-in with a row.
    ///
    /// # Errors
    /// As there, and [`StoreError::SignInOver`].
    pub async fn connect_ending(
        self: &Arc<Self>,
        who: &SignedIn<'_>,
        tokens: &Tokens,
        ending: Ending,
    ) -> Result<Connected, CustodianError> {
        let provider = self.providers.get(who.account.provider).ok_or(CustodianError::NotConnected)?;
        let key = self.data_key(who.account.tenant).await?;
        let terms = SettleParameters {
            forgets_after: provider.forgets_after,
            client_revision: provider.client_revision,
            jitter: Jitter(u16::from_be_bytes(random::bytes())),
        };
        for _ in 0..TRIES {
            let known = self.store.grant_of(&who.account).await?;
            let id = known.unwrap_or_else(GrantId::generate);
            let mut sealing = TokenSealer { key: &key, account: who.account, grant: id, cells: Vec::new() };
            let sealed = sealing.seal_all(tokens, who.id_token_expires_at);
            let scopes = provider.own_scopes(tokens.scopes.as_ref());
            let sign_in = SignIn {
                tokens: Renewed { scopes, ..sealed },
                requested: provider.scope_names.own(&who.requested).into_owned(),
                assumed_life: ASSUMED_LIFE,
            };
            let is_written = if known.is_some() {
                let Some(row) = self.store.grant(id).await? else { continue };
                match ending.resumed.and_then(|before| before.since(id, &row.grant)) {
                    None => {}
                    Some(Connected::SignedOut) => {
                        let access = vec![sign_in.tokens.access];
                        let handles = sign_in.tokens.refresh.map_or(access, |refresh| vec![refresh]);
                        self.store.queue_revocations(id, &handles, &sealing.cells).await?;
                        self.revocations.notify_waiters();
                        return Ok(Connected::SignedOut);
                    }
                    Some(since) => return Ok(since),
                }
                let update =
                    reconnect(row.now, &row.grant, &sign_in, self.journal.highest_version(id), &terms);
                self.store.sign_in_again(id, &update, who.email, ending.sign_in, &sealing.cells).await?
            } else {
                let grant =
                    connect(self.store.now().await?, &sign_in, self.journal.highest_version(id), &terms);
                let new = NewGrant {
                    id,
                    tenant: who.account.tenant.to_owned(),
                    user: who.account.user.to_owned(),
                    provider: who.account.provider.to_owned(),
                    issuer: who.account.issuer.to_owned(),
                    subject: who.account.subject.to_owned(),
                    email: who.email.map(str::to_owned),
                    grant,
                    sign_in: ending.sign_in,
                };
                self.store.add_grant(&new, &sealing.cells).await?
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
                return Ok(Connected::Written(id));
            }
        }
        Err(StoreError::Contended.into())
    }
}

/// Seals the tokens of one grant.
pub(super) struct TokenSealer<'a> {
    pub(super) key: &'a Key,
    pub(super) account: AccountKey<'a>,
    pub(super) grant: GrantId,
    pub(super) cells: Vec<NewCell>,
}

impl TokenSealer<'_> {
    pub(super) fn seal(&mut self, column: Column, token: &Secret) -> Handle {
        let cell = CellId(random::number());
        let place = CellAad { account: self.account, grant: self.grant, cell, column };
        self.cells.push(NewCell { id: cell, sealed: seal_cell(self.key, &place, token) });
        Handle { hash: hash_of(token), cell }
    }

    fn seal_all(&mut self, tokens: &Tokens, id_token_expires_at: Option<Timestamp>) -> Renewed {
        Renewed {
            access: self.seal(Column::access_token(&Target::default()), &tokens.access),
            refresh: tokens.refresh.as_ref().map(|refresh| self.seal(Column::refresh_token(), refresh)),
            id_token: tokens.id_token.as_ref().zip(id_token_expires_at).map(|(token, expires_at)| IdToken {
                handle: self.seal(Column::id_token(), token),
                expires_at,
            }),
            expires_in: tokens.expires_in,
            scopes: tokens.scopes.clone(),
        }
    }
}
