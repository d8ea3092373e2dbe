//! Cached tokens: a cached token with enough remaining lifetime is issued without I/O and decryption.

use std::sync::Arc;
use std::time::Duration;

use tokentoss_custody::{Access, Credential, Decision, Demand, Requester, Target, decide};

use super::claimed_grant::WrittenGrant;
use super::{Custodian, CustodianError, IssuedToken, TokenRequest};
use crate::clock;
use crate::keys::Column;
use crate::store::{Account, Change, GrantId, GrantRow, ProviderUser};

impl Custodian {
    /// A cached token that serves this request; none if the database must be read.
    pub(super) fn cached_token(
        &self,
        id: GrantId,
        provider_user: &ProviderUser,
        request: &TokenRequest,
    ) -> Option<IssuedToken> {
        // A list of accounts that somebody changed may name a grant of somebody else.
        let kept = self.cache.row(id).filter(|kept| kept.row().is_of(provider_user))?;
        let (row, now) = (kept.row(), kept.now());
        let demand = Demand {
            // The cache is consulted without waiting.
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

    /// The account that the request names, or the only one.
    pub(super) async fn account(
        &self,
        provider_user: &ProviderUser,
        name: Option<&str>,
    ) -> Result<GrantId, CustodianError> {
        // A cached list without exactly one match may be outdated.
        if let Some(Ok(id)) = self.cache.accounts(provider_user).map(|accounts| one_of(&accounts, name)) {
            return Ok(id);
        }
        // Boxed, which keeps the future of calls that find a cached value small.
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

    /// Removes expired cache entries, old notifications, and sign-ins that ended without a confirmation.
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

    /// Caches what a refresh of this process wrote; otherwise the current row.
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
            // On failure, each waiting caller reads the row itself.
            let _ = self.cache_renewed(id, provider_user).await;
        }
    }

    /// Caches the main token of a renewed row, so that waiting callers need not all read it.
    pub(super) async fn cache_renewed(
        &self,
        id: GrantId,
        provider_user: &ProviderUser,
    ) -> Result<(), CustodianError> {
        let read = self.cache.begin(provider_user);
        let Some(row) = self.store.grant(id).await?.map(Arc::new) else { return Ok(()) };
        if let Some(access) = row.grant.main() {
            let column = Column::access_token(&Target::default());
            if let Some(token) = self.open(&row, access.handle, column).await? {
                self.cache.keep_token(read, &row, access.handle.cell, &token);
            }
        }
        Ok(())
    }

    /// Serves all callers that wait for a refresh of another process with one read.
    pub(super) fn share_renewal(self: &Arc<Self>, change: &Change) {
        // A refresh in this process notifies by itself.
        let Some(flight) = self.flights.find(change.grant).filter(|flight| !flight.is_running()) else {
            return;
        };
        let (custodian, change) = (Arc::clone(self), change.clone());
        self.tasks.spawn(async move {
            // On failure, each waiting caller reads the row itself.
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

/// The token to issue for this row.
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
