//! From a demand to a token: one task a grant refreshes, and everybody else waits for its news.

mod cached_tokens;
mod claimed_grant;
mod connect;
mod disconnect;
mod due;
mod health;
#[cfg(test)]
mod interleavings;
mod read_locks;
mod revoke;
mod settle;
mod single_flight;
mod task;
mod upstream;
mod uses;
mod waiting_caller;

pub use connect::SignedIn;
pub use revoke::Revoked;
pub use settle::ReplayError;
pub(crate) use task::hash_of;
pub use upstream::Upstream;
pub use uses::WRITE_USES_EVERY;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::{Context, Credential, MinTtl, Refusal, Target, TokenHash, forget_access};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cache::{Cache, PendingRead};
use crate::config::Provider;
use crate::events::EventBus;
use crate::journal::Journal;
use crate::keys::{CellAad, DataKeyCache, Key, KeyRing, Unreadable, open_cell};
use crate::metrics;
use crate::store::{
    Account, GrantId, GrantRow, ProviderUser, Store, StoreError, StoreEvent, UnreadableGrants,
};
use cached_tokens::issued_token;
use health::Health;
use read_locks::ReadLocks;
use single_flight::SingleFlights;
use uses::Uses;
use waiting_caller::WaitingCaller;

/// How long a caller waits for an answer, whatever it is.
const CALLER_TIMEOUT: Duration = Duration::from_secs(15);

/// What a caller asks for.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// The provider's name.
    pub provider: String,
    /// Which token is wanted, besides the access token.
    pub credential: Credential,
    /// Which account, where several are connected.
    pub account: Option<String>,
    /// For what.
    pub target: Target,
    /// How long the token must live.
    pub min_ttl: MinTtl,
    /// A token that a resource refused.
    pub rejected: Option<TokenHash>,
}

/// What a caller gets.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The access token.
    pub access: Secret,
    /// The life that it has left; none if nobody knows.
    pub life: Option<Duration>,
    /// The database's clock at that moment.
    pub now: Timestamp,
    /// The scopes that it has.
    pub scopes: String,
    /// The ID token and its end, where one was asked for.
    pub id_token: Option<(Secret, Timestamp)>,
    /// The row that it came from.
    pub row: Arc<GrantRow>,
}

/// Why a caller gets nothing.
#[derive(Debug, thiserror::Error)]
pub enum CustodianError {
    /// The machine says no.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// No such account is connected.
    #[error("no such account is connected")]
    NotConnected,
    /// Callers may not ask for tokens for this audience.
    #[error("tokens for this audience may not be asked for")]
    AudienceForbidden,
    /// Several are, and none is named.
    #[error("several accounts are connected")]
    Ambiguous,
    /// Sealed data cannot be opened.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Everything that refreshing needs.
pub struct Custodian {
    /// The database.
    pub store: Store,
    /// The tasks that outlive their requests.
    pub tasks: TaskTracker,
    /// Cancelled when the process is about to end.
    pub ending: CancellationToken,
    /// Told when a token goes into the revocation queue.
    pub revocations: Notify,
    /// Who listens to news.
    pub events: Arc<EventBus>,
    ring: Arc<KeyRing>,
    journal: Arc<Journal>,
    data_keys: DataKeyCache,
    providers: BTreeMap<String, Provider>,
    upstream: Upstream,
    flights: SingleFlights,
    account_list_locks: ReadLocks<ProviderUser>,
    row_locks: ReadLocks<GrantId>,
    uses: Uses,
    cache: Arc<Cache>,
    health: Health,
    unreadable_grants: UnreadableGrants,
}

impl Custodian {
    /// One for a store and the providers of the configuration.
    #[must_use]
    pub fn new(
        store: Store,
        ring: KeyRing,
        providers: BTreeMap<String, Provider>,
        upstream: Upstream,
        journal: Journal,
    ) -> Arc<Self> {
        let cache = Arc::new(Cache::new());
        let journal = Arc::new(journal);
        let events = Arc::new(EventBus::default());
        let (hearing, remembering) = (Arc::clone(&cache), Arc::clone(&journal));
        let telling = Arc::clone(&events);
        let custodian = Arc::new(Self {
            store,
            tasks: TaskTracker::new(),
            ending: CancellationToken::new(),
            revocations: Notify::new(),
            events,
            ring: Arc::new(ring),
            journal,
            data_keys: DataKeyCache::default(),
            providers,
            upstream,
            flights: SingleFlights::default(),
            account_list_locks: ReadLocks::default(),
            row_locks: ReadLocks::default(),
            uses: Uses::default(),
            cache,
            health: Health::default(),
            unreadable_grants: UnreadableGrants::default(),
        });
        let waking = Arc::downgrade(&custodian);
        custodian.store.watch(move |news| {
            hearing.on_event(news);
            telling.on_event(news);
            if let StoreEvent::Changed(change) = news {
                remembering.remember(change.grant, change.version);
                if let Some(custodian) = waking.upgrade() {
                    custodian.share_renewal(change);
                }
            }
        });
        custodian
    }

    /// The provider of a name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.get(name)
    }

    /// The provider that a row's tokens are of; none where another issuer has its name now, which is not to get them.
    #[must_use]
    pub fn provider_of(&self, row: &GrantRow) -> Option<&Provider> {
        self.provider(&row.provider).filter(|provider| provider.is_of(&row.issuer))
    }

    /// What a user has connected at a provider, the account that was connected last first.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn accounts(
        &self,
        tenant: &str,
        user: &str,
        provider: &str,
    ) -> Result<Vec<Account>, StoreError> {
        let Some(known) = self.provider(provider) else { return Ok(Vec::new()) };
        self.store.accounts(tenant, user, provider, known.issuer()).await
    }

    /// The keys of the administrator.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The one who talks to providers.
    #[must_use]
    pub const fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// What waits for the database.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The names of all providers.
    pub fn provider_names(&self) -> impl Iterator<Item = &str> {
        self.providers.keys().map(String::as_str)
    }

    /// A tenant's data key; made when the tenant is new.
    ///
    /// # Errors
    /// That it cannot be opened, or that the database does not answer.
    pub async fn data_key(&self, tenant: &str) -> Result<Key, CustodianError> {
        match self.data_keys.get(tenant) {
            Some(key) => Ok(key),
            None => self.read_data_key(tenant).await,
        }
    }

    /// The same as the row holds it now.
    async fn read_data_key(&self, tenant: &str) -> Result<Key, CustodianError> {
        let read_at = tokio::time::Instant::now();
        let wrapped = match self.store.data_key(tenant).await? {
            Some(wrapped) => wrapped,
            None => self.store.add_tenant(tenant, &self.ring.wrap(&Key::generate(), tenant)).await?,
        };
        let key =
            self.ring.unwrap(&wrapped, tenant).inspect_err(|_| self.data_keys.note_unreadable(tenant))?;
        self.data_keys.keep(tenant, &key, read_at);
        Ok(key)
    }

    /// Gets a token for a user.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn token(
        self: &Arc<Self>,
        tenant: &str,
        user: &str,
        request: &TokenRequest,
    ) -> Result<IssuedToken, CustodianError> {
        let known = self.providers.get(&request.provider).ok_or(CustodianError::NotConnected)?;
        // Each further audience is one more token to refresh, and perhaps one for a service that nobody meant.
        if request.target.audience.as_ref().is_some_and(|audience| !known.audiences.contains(audience)) {
            return Err(CustodianError::AudienceForbidden);
        }
        let (tenant, user, provider) = (tenant.to_owned(), user.to_owned(), request.provider.clone());
        let provider_user = ProviderUser { tenant, user, provider };
        let id = self.account(&provider_user, request.account.as_deref()).await?;
        let request = match known.scope_names.own(&request.target.scopes) {
            Cow::Borrowed(_) => Cow::Borrowed(request),
            Cow::Owned(scopes) => {
                let target = Target { scopes, audience: request.target.audience.clone() };
                Cow::Owned(TokenRequest { target, ..request.clone() })
            }
        };
        self.token_of(id, &provider_user, &request).await
    }

    async fn token_of(
        self: &Arc<Self>,
        id: GrantId,
        provider_user: &ProviderUser,
        request: &TokenRequest,
    ) -> Result<IssuedToken, CustodianError> {
        // Before anything else, because nearly all calls end here.
        let kept = self.cached_token(id, request);
        metrics::looked_up(kept.is_some());
        if let Some(issued) = kept {
            return Ok(issued);
        }
        // Boxed, so that the calls that need none of it do not carry its room about.
        Box::pin(self.flights.of(id).obtain(&mut WaitingCaller::of(self, id, provider_user, request))).await
    }

    /// Opens the token in this place; none if that is not possible and the row no longer names it.
    async fn serve(
        &self,
        row: &Arc<GrantRow>,
        slot: usize,
        credential: Credential,
        now: Timestamp,
        read: PendingRead,
    ) -> Result<Option<IssuedToken>, CustodianError> {
        let Some(access) = row.grant.tokens.get(slot).and_then(|slot| slot.access.clone()) else {
            return Ok(None);
        };
        match self.open(row, access.handle.cell).await? {
            Some(token) => {
                self.uses.note(row.id, now);
                self.cache.keep_token(read, row, access.handle.cell, &token);
                let id_token = match row.grant.id_token.filter(|_| credential == Credential::IdToken) {
                    Some(id_token) => {
                        let Some(opened) = self.open(row, id_token.handle.cell).await? else {
                            // A renewal meanwhile took the cell away; else it is damaged.
                            let current = self.store.grant(row.id).await?;
                            let is_same = current.is_some_and(|now| now.grant.version == row.grant.version);
                            return if is_same { Err(Unreadable.into()) } else { Ok(None) };
                        };
                        self.cache.keep_token(read, row, id_token.handle.cell, &opened);
                        Some((opened, id_token.expires_at))
                    }
                    None => None,
                };
                Ok(Some(IssuedToken { id_token, ..issued_token(row, &access, token, now) }))
            }
            None => {
                let update = forget_access(&row.grant, access.handle.hash);
                if let Some(update) = update {
                    self.store.update(row.id, &update, &[]).await?;
                }
                Ok(None)
            }
        }
    }

    /// Opens a cell of a row; none if it is not there, or if no key of the tenant opens it, be it whose broker it may.
    ///
    /// # Errors
    /// That this broker's ring does not open the tenant's keys, which says nothing of the cell; or that the database does not
    /// answer.
    async fn open(
        &self,
        row: &GrantRow,
        cell: tokentoss_custody::CellId,
    ) -> Result<Option<Secret>, CustodianError> {
        let key = self.data_key(&row.tenant).await?;
        let Some(sealed) = self.store.cell(cell).await? else { return Ok(None) };
        let aad = CellAad { tenant: &row.tenant, grant: row.id, cell };
        if let Ok(secret) = open_cell(&key, &aad, &sealed) {
            return Ok(Some(secret));
        }
        // A data key that is younger than what is kept.
        Ok(open_cell(&self.read_data_key(&row.tenant).await?, &aad, &sealed).ok())
    }

    fn context(&self, row: &GrantRow) -> Result<Context, CustodianError> {
        let provider = self.provider_of(row).ok_or(CustodianError::NotConnected)?;
        Ok(Context { known: self.journal.highest_version(row.id), client_revision: provider.client_revision })
    }
}
