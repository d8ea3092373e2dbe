//! From a token request to a token: one task for each grant refreshes, and all other callers wait for its
//! result.

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

pub use connect::{Connected, Ending, GrantBefore, SignedIn};
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
use tokentoss_custody::{Context, Credential, Handle, MinTtl, Refusal, Target, TokenHash, forget_access};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cache::{Cache, PendingRead};
use crate::config::Provider;
use crate::events::EventBus;
use crate::journal::Journal;
use crate::keys::{CellAad, Column, DataKeyCache, Key, KeyRing, Unreadable, open_cell};
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

/// The time limit for a caller's request.
const CALLER_TIMEOUT: Duration = Duration::from_secs(15);

/// A caller's request for a token.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// The provider's name.
    pub provider: String,
    /// Which token is wanted, besides the access token.
    pub credential: Credential,
    /// The account, if several are connected.
    pub account: Option<String>,
    /// The scopes and the audience.
    pub target: Target,
    /// The remaining lifetime that the token must have.
    pub min_ttl: MinTtl,
    /// The hash of a token that a resource refused.
    pub rejected: Option<TokenHash>,
}

/// A token that is issued to a caller.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The access token.
    pub access: Secret,
    /// The remaining lifetime; none if it is unknown.
    pub life: Option<Duration>,
    /// The database's time when it was issued.
    pub now: Timestamp,
    /// The scopes that it has.
    pub scopes: String,
    /// The ID token and its expiry, if it was requested.
    pub id_token: Option<(Secret, Timestamp)>,
    /// The row that it came from.
    pub row: Arc<GrantRow>,
}

/// Why the custodian cannot serve a request.
#[derive(Debug, thiserror::Error)]
pub enum CustodianError {
    /// The state machine refuses the request.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// No such account is connected.
    #[error("no such account is connected")]
    NotConnected,
    /// Callers may not ask for tokens for this audience.
    #[error("tokens for this audience may not be asked for")]
    AudienceForbidden,
    /// Several accounts are connected, and the request names none.
    #[error("several accounts are connected")]
    Ambiguous,
    /// Sealed data cannot be opened.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refreshes grants and issues tokens.
pub struct Custodian {
    /// The database.
    pub store: Store,
    /// The tasks that outlive their requests.
    pub tasks: TaskTracker,
    /// Cancelled when the process is about to end.
    pub ending: CancellationToken,
    /// Notified when a token is added to the revocation queue.
    pub revocations: Notify,
    /// The listeners to account events.
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
    /// Creates a custodian for a store and the configured providers.
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

    /// The provider of a row's tokens; none if its name now belongs to another issuer, which must not get
    /// them.
    #[must_use]
    pub fn provider_of(&self, row: &GrantRow) -> Option<&Provider> {
        self.provider(&row.provider).filter(|provider| provider.is_of(&row.issuer))
    }

    /// A user's accounts at a provider, the latest connection first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn accounts(
        &self,
        tenant: &str,
        user: &str,
        provider: &str,
    ) -> Result<Vec<Account>, StoreError> {
        let Some(known) = self.provider(provider) else { return Ok(Vec::new()) };
        self.store.accounts(tenant, user, provider, known.issuer()).await
    }

    /// The key ring.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The HTTP client for providers.
    #[must_use]
    pub const fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The journal of answers that wait for the database.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The names of all providers.
    pub fn provider_names(&self) -> impl Iterator<Item = &str> {
        self.providers.keys().map(String::as_str)
    }

    /// A tenant's data key; created for a new tenant.
    ///
    /// # Errors
    /// It cannot be opened, or the database does not answer.
    pub async fn data_key(&self, tenant: &str) -> Result<Key, CustodianError> {
        match self.data_keys.get(tenant) {
            Some(key) => Ok(key),
            None => self.read_data_key(tenant).await,
        }
    }

    /// Reads the data key from the database, without the cache.
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

    /// Issues a token to a user.
    ///
    /// # Errors
    /// [`CustodianError`].
    pub async fn token(
        self: &Arc<Self>,
        tenant: &str,
        user: &str,
        request: &TokenRequest,
    ) -> Result<IssuedToken, CustodianError> {
        let known = self.providers.get(&request.provider).ok_or(CustodianError::NotConnected)?;
        // Each audience is one more token to refresh, so only configured ones are allowed.
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
        // First, because nearly all requests are served from the cache.
        let kept = self.cached_token(id, provider_user, request);
        metrics::looked_up(kept.is_some());
        if let Some(issued) = kept {
            return Ok(issued);
        }
        // Boxed, which keeps the future of calls that find a cached value small.
        Box::pin(self.flights.of(id).obtain(&mut WaitingCaller::of(self, id, provider_user, request))).await
    }

    /// Issues the token in this slot; none if its cell cannot be opened and the row no longer references it.
    async fn serve(
        &self,
        row: &Arc<GrantRow>,
        slot: usize,
        credential: Credential,
        now: Timestamp,
        read: PendingRead,
    ) -> Result<Option<IssuedToken>, CustodianError> {
        let Some(slot) = row.grant.tokens.get(slot) else { return Ok(None) };
        let Some(access) = slot.access.clone() else { return Ok(None) };
        match self.open(row, access.handle, Column::access_token(&slot.target)).await? {
            Some(token) => {
                self.uses.note(row.id, now);
                self.cache.keep_token(read, row, access.handle.cell, &token);
                let id_token = match row.grant.id_token.filter(|_| credential == Credential::IdToken) {
                    Some(id_token) => {
                        let opened = self.open(row, id_token.handle, Column::id_token()).await?;
                        let Some(opened) = opened else {
                            // A concurrent renewal deleted the cell; otherwise it is damaged.
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

    /// Opens the token of a row that stands in this column; none if its cell does not exist, if no key of the tenant opens it, be
    /// it whose broker it may, or if it is another token than the row says.
    ///
    /// # Errors
    /// This broker's ring does not open the tenant's keys, so the cell may still be good; or the database
    /// does not answer.
    async fn open(
        &self,
        row: &GrantRow,
        handle: Handle,
        column: Column,
    ) -> Result<Option<Secret>, CustodianError> {
        let key = self.data_key(&row.tenant).await?;
        let cell = handle.cell;
        let Some(sealed) = self.store.cell(cell).await? else { return Ok(None) };
        let aad = CellAad { account: row.account(), grant: row.id, cell, column };
        let opened = match open_cell(&key, &aad, &sealed) {
            Ok(secret) => Some(secret),
            // The cell may be sealed with a newer data key than the cached one.
            Err(Unreadable) => open_cell(&self.read_data_key(&row.tenant).await?, &aad, &sealed).ok(),
        };
        // The layout before is bound to no column.
        let opened = opened.filter(|secret| hash_of(secret) == handle.hash);
        if opened.is_none() {
            tracing::warn!(grant = %row.id, "a sealed token does not open in the column that names it");
        }
        Ok(opened)
    }

    fn context(&self, row: &GrantRow) -> Result<Context, CustodianError> {
        let provider = self.provider_of(row).ok_or(CustodianError::NotConnected)?;
        Ok(Context { known: self.journal.highest_version(row.id), client_revision: provider.client_revision })
    }
}
