//! Step 0: a token that is kept, with life enough for this caller, costs no I/O and no decryption.

use std::sync::Arc;
use std::time::Duration;

use tokentoss_custody::{Access, Credential, Decision, Demand, Requester, decide};

use super::claimed_grant::WrittenGrant;
use super::{Custodian, CustodianError, IssuedToken, TokenRequest};
use crate::clock;
use crate::store::{Account, Change, GrantId, GrantRow, ProviderUser};

impl Custodian {
    /// A kept token that serves this demand. Whatever is not kept, or needs more thought, is read from the database.
    pub(super) fn cached_token(&self, id: GrantId, request: &TokenRequest) -> Option<IssuedToken> {
        let kept = self.cache.row(id)?;
        let (row, now) = (kept.row(), kept.now());
        let demand = Demand {
            // Nobody waits for anything here.
            requester: Requester::Caller { gives_up_at: now },
            credential: request.credential,
            target: request.target.clone(),
            min_ttl: request.min_ttl,
            rejected: request.rejected,
        };
        let context = self.context(row).ok()?;
        let Decision::Serve { slot, is_last_resort: false } = decide(now, &row.grant, &demand, &context)
        else {
            return None;
        };
        let access = row.grant.tokens.get(slot)?.access.as_ref()?;
        let token = kept.token(access.handle.cell)?.clone();
        let id_token = match row.grant.id_token.filter(|_| request.credential == Credential::IdToken) {
            Some(id_token) => Some((kept.token(id_token.handle.cell)?.clone(), id_token.expires_at)),
            None => None,
        };
        self.uses.note(id, now);
        Some(IssuedToken { id_token, ..issued_token(row, access, token, now) })
    }

    /// The one account that is meant.
    pub(super) async fn account(
        &self,
        provider_user: &ProviderUser,
        name: Option<&str>,
    ) -> Result<GrantId, CustodianError> {
        // A kept list that does not name exactly one may be too old to.
        if let Some(Ok(id)) = self.cache.accounts(provider_user).map(|accounts| one_of(&accounts, name)) {
            return Ok(id);
        }
        // Boxed, so that the calls that need none of it do not carry its room about.
        Box::pin(self.read_account(provider_user, name)).await
    }

    async fn read_account(
        &self,
        provider_user: &ProviderUser,
        name: Option<&str>,
    ) -> Result<GrantId, CustodianError> {
        let asked_at = clock::elapsed();
        let _turn = self.account_list_locks.lock(provider_user).await;
        if let Some(accounts) = self.cache.accounts_since(provider_user, asked_at) {
            return one_of(&accounts, name);
        }
        let read = self.cache.begin(provider_user);
        let accounts =
            self.accounts(&provider_user.tenant, &provider_user.user, &provider_user.provider).await?;
        self.cache.keep_accounts(read, provider_user, &accounts);
        one_of(&accounts, name)
    }

    /// Frees the memory of kept tokens that are over, and the database's of old news and of sign-ins that nobody confirmed.
    pub async fn tidy(&self) {
        self.cache.tidy();
        self.data_keys.tidy();
        crate::metrics::tidy();
        if let Err(error) = self.store.forget_news().await {
            tracing::debug!(%error, "old news are not deleted yet");
        }
        if let Err(error) = self.store.forget_authorizations().await {
            tracing::warn!(%error, "sign-ins that ended are not deleted yet");
        }
    }

    /// Keeps what a refresh of this process wrote, or else what the row has now.
    pub(super) async fn keep_written(
        &self,
        written: Option<WrittenGrant>,
        id: GrantId,
        provider_user: &ProviderUser,
    ) {
        let is_kept = written.is_some_and(|WrittenGrant { read, row, access: (cell, token) }| {
            self.cache.keep_written(read, &Arc::new(row), cell, &token)
        });
        if !is_kept {
            // If this fails, whoever waits reads it.
            let _ = self.cache_renewed(id, provider_user).await;
        }
    }

    /// Keeps the main token of a row that was renewed, so that those who wait for it need not all read it.
    pub(super) async fn cache_renewed(
        &self,
        id: GrantId,
        provider_user: &ProviderUser,
    ) -> Result<(), CustodianError> {
        let read = self.cache.begin(provider_user);
        let Some(row) = self.store.grant(id).await?.map(Arc::new) else { return Ok(()) };
        if let Some(access) = row.grant.main() {
            let cell = access.handle.cell;
            if let Some(token) = self.open(&row, cell).await? {
                self.cache.keep_token(read, &row, cell, &token);
            }
        }
        Ok(())
    }

    /// Has those who wait for another process see what it wrote, with one read for all of them.
    pub(super) fn share_renewal(self: &Arc<Self>, change: &Change) {
        // Whoever refreshes in this process tells by itself.
        let Some(flight) = self.flights.find(change.grant).filter(|flight| !flight.is_running()) else {
            return;
        };
        let (custodian, change) = (Arc::clone(self), change.clone());
        self.tasks.spawn(async move {
            // If this fails, whoever waits reads it.
            let _ = custodian.cache_renewed(change.grant, &change.provider_user).await;
            flight.notify();
        });
    }
}

fn one_of(accounts: &[Account], name: Option<&str>) -> Result<GrantId, CustodianError> {
    let mut meant = accounts.iter().filter(|account| name.is_none_or(|name| account.goes_by(name)));
    match (meant.next(), meant.next()) {
        (Some(account), None) => Ok(account.id),
        (Some(_), Some(_)) => Err(CustodianError::Ambiguous),
        (None, _) => Err(CustodianError::NotConnected),
    }
}

/// The answer to a demand.
pub(super) fn issued_token(
    row: &Arc<GrantRow>,
    access: &Access,
    token: tokentoss_core::Secret,
    now: tokentoss_core::Timestamp,
) -> IssuedToken {
    let life = row.grant.ttl(access, now);
    IssuedToken {
        access: token,
        life: Some(life).filter(|life| *life < Duration::MAX),
        now,
        scopes: access.scopes.to_list(),
        id_token: None,
        row: Arc::clone(row),
    }
}
