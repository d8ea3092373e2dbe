//! From a demand to a token: one task a grant refreshes, and everybody else waits for its news.

mod cached;
mod claimed;
mod connect;
mod disconnect;
mod due;
mod health;
#[cfg(test)]
mod interleavings;
mod readers;
mod revoke;
mod settle;
mod single_flight;
mod task;
mod upstream;
mod uses;
mod waiting;

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

use crate::cache::{Cache, Reading};
use crate::config::Provider;
use crate::events::Hub;
use crate::journal::Journal;
use crate::keys::{CellPlace, Column, KeptKeys, Key, KeyRing, Unreadable, open_cell};
use crate::metrics;
use crate::store::{Account, GrantId, GrantRow, LeftAlone, News, Place, Store, StoreError};
use cached::given;
use health::Health;
use readers::Readers;
use single_flight::SingleFlights;
use uses::Uses;
use waiting::Waiting;

/// How long a caller waits for an answer, whatever it is.
const CALLERS_PATIENCE: Duration = Duration::from_secs(15);

/// What a caller asks for.
#[derive(Clone, Debug, Default)]
pub struct Ask {
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
pub struct Given {
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
pub enum Failed {
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
    pub events: Arc<Hub>,
    ring: Arc<KeyRing>,
    journal: Arc<Journal>,
    data_keys: KeptKeys,
    providers: BTreeMap<String, Provider>,
    upstream: Upstream,
    flights: SingleFlights,
    readers_of_lists: Readers<Place>,
    readers_of_rows: Readers<GrantId>,
    uses: Uses,
    cache: Arc<Cache>,
    health: Health,
    left_alone: LeftAlone,
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
        let events = Arc::new(Hub::default());
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
            data_keys: KeptKeys::default(),
            providers,
            upstream,
            flights: SingleFlights::default(),
            readers_of_lists: Readers::default(),
            readers_of_rows: Readers::default(),
            uses: Uses::default(),
            cache,
            health: Health::default(),
            left_alone: LeftAlone::default(),
        });
        let waking = Arc::downgrade(&custodian);
        custodian.store.watch(move |news| {
            hearing.hear(news);
            telling.hear(news);
            if let News::Changed(change) = news {
                remembering.remember(change.grant, change.version);
                if let Some(custodian) = waking.upgrade() {
                    custodian.pass_on(change);
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
    pub async fn data_key(&self, tenant: &str) -> Result<Key, Failed> {
        match self.data_keys.get(tenant) {
            Some(key) => Ok(key),
            None => self.read_data_key(tenant).await,
        }
    }

    /// The same as the row holds it now.
    async fn read_data_key(&self, tenant: &str) -> Result<Key, Failed> {
        let read_at = tokio::time::Instant::now();
        let wrapped = match self.store.data_key(tenant).await? {
            Some(wrapped) => wrapped,
            None => self.store.add_tenant(tenant, &self.ring.wrap(&Key::generate(), tenant)).await?,
        };
        let key = self.ring.unwrap(&wrapped, tenant).inspect_err(|_| self.data_keys.note_closed(tenant))?;
        self.data_keys.keep(tenant, &key, read_at);
        Ok(key)
    }

    /// Gets a token for a user.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn token(self: &Arc<Self>, tenant: &str, user: &str, ask: &Ask) -> Result<Given, Failed> {
        let known = self.providers.get(&ask.provider).ok_or(Failed::NotConnected)?;
        // Each further audience is one more token to refresh, and perhaps one for a service that nobody meant.
        if ask.target.audience.as_ref().is_some_and(|audience| !known.audiences.contains(audience)) {
            return Err(Failed::AudienceForbidden);
        }
        let (tenant, user, provider) = (tenant.to_owned(), user.to_owned(), ask.provider.clone());
        let place = Place { tenant, user, provider };
        let id = self.account(&place, ask.account.as_deref()).await?;
        let ask = match known.scope_names.own(&ask.target.scopes) {
            Cow::Borrowed(_) => Cow::Borrowed(ask),
            Cow::Owned(scopes) => {
                let target = Target { scopes, audience: ask.target.audience.clone() };
                Cow::Owned(Ask { target, ..ask.clone() })
            }
        };
        self.token_of(id, &place, &ask).await
    }

    async fn token_of(self: &Arc<Self>, id: GrantId, place: &Place, ask: &Ask) -> Result<Given, Failed> {
        // Before anything else, because nearly all calls end here.
        let kept = self.kept_token(id, place, ask);
        metrics::looked_up(kept.is_some());
        if let Some(given) = kept {
            return Ok(given);
        }
        // Boxed, so that the calls that need none of it do not carry its room about.
        Box::pin(self.flights.of(id).take(&mut Waiting::of(self, id, place, ask))).await
    }

    /// Opens the token in this place; none if that is not possible and the row no longer names it.
    async fn serve(
        &self,
        row: &Arc<GrantRow>,
        slot: usize,
        credential: Credential,
        now: Timestamp,
        reading: Reading,
    ) -> Result<Option<Given>, Failed> {
        let Some(slot) = row.grant.tokens.get(slot) else { return Ok(None) };
        let Some(access) = slot.access.clone() else { return Ok(None) };
        match self.open(row, access.handle, Column::access_token(&slot.target)).await? {
            Some(token) => {
                self.uses.note(row.id, now);
                self.cache.keep_token(reading, row, access.handle.cell, &token);
                let id_token = match row.grant.id_token.filter(|_| credential == Credential::IdToken) {
                    Some(id_token) => {
                        let opened = self.open(row, id_token.handle, Column::id_token()).await?;
                        let Some(opened) = opened else {
                            // A renewal meanwhile took the cell away; else it is damaged.
                            let current = self.store.grant(row.id).await?;
                            let is_same = current.is_some_and(|now| now.grant.version == row.grant.version);
                            return if is_same { Err(Unreadable.into()) } else { Ok(None) };
                        };
                        self.cache.keep_token(reading, row, id_token.handle.cell, &opened);
                        Some((opened, id_token.expires_at))
                    }
                    None => None,
                };
                Ok(Some(Given { id_token, ..given(row, &access, token, now) }))
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

    /// Opens the token of a row that stands in this column; none if its cell is not there, if no key of the tenant opens it, be
    /// it whose broker it may, or if it is another token than the row says.
    ///
    /// # Errors
    /// That this broker's ring does not open the tenant's keys, which says nothing of the cell; or that the database does not
    /// answer.
    async fn open(&self, row: &GrantRow, handle: Handle, column: Column) -> Result<Option<Secret>, Failed> {
        let key = self.data_key(&row.tenant).await?;
        let cell = handle.cell;
        let Some(sealed) = self.store.cell(cell).await? else { return Ok(None) };
        let place = CellPlace { account: row.account(), grant: row.id, cell, column };
        let opened = match open_cell(&key, &place, &sealed) {
            Ok(secret) => Some(secret),
            // A data key that is younger than what is kept.
            Err(Unreadable) => open_cell(&self.read_data_key(&row.tenant).await?, &place, &sealed).ok(),
        };
        // The layout before is bound to no column.
        let opened = opened.filter(|secret| hash_of(secret) == handle.hash);
        if opened.is_none() {
            tracing::warn!(grant = %row.id, "a sealed token does not open in the column that names it");
        }
        Ok(opened)
    }

    fn context(&self, row: &GrantRow) -> Result<Context, Failed> {
        let provider = self.provider_of(row).ok_or(Failed::NotConnected)?;
        Ok(Context { known: self.journal.known(row.id), client_revision: provider.client_revision })
    }
}
