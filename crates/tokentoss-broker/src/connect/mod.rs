//! Signing in: from a caller's request to a connected account.
//!
//! A sign-in belongs to the caller's user from its start. The person who comes back from the provider may be
//! another one, who was sent the address. So the tokens wait, sealed, until the notebook page that opened the
//! popup confirms the sign-in, or the user types the confirmation from the broker's page into the widget, or,
//! with an application's own pages, the same user requests the callback.

mod application;
mod begin;
mod callback;
mod confirm;
mod cookie;
mod deposit;
mod exchange;
mod failure;
mod origins;
mod resume;
mod settings;
mod start;
mod status;
mod watchers;

pub use begin::{DepositParameters, NextStep, SignInRequest, StartedSignIn};
pub use callback::{CallbackResult, PendingAccount};
pub use cookie::BrowserCookie;
use cookie::cookie_name;
pub use failure::Failure;
pub use origins::{Origins, SharedTenants};
pub use settings::{IdentitySource, SignInConfig, SignInSettings, Way};
pub use start::{ConsentPrompt, ProviderRedirect};
pub use status::SignInStatus;
use watchers::SignInWatchers;

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokentoss_core::Secret;
use tokentoss_core::endpoint::EndpointUrl;

use crate::callers::Caller;
use crate::config::{Config, ConfigError, Provider};
use crate::keys::{AuthorizationAad, open_cell, seal_cell};
use crate::problem::Problem;
use crate::refresh::{Custodian, CustodianError};
use crate::store::{Authorization, AuthorizationId};

/// The time to live of an unused sign-in address, in milliseconds. The address is not a secret, so the time
/// may be long.
const UNUSED: u64 = 60 * 60 * 1000;
/// The time limit for the broker to redeem a code, or to connect an account, in milliseconds: longer than all
/// its requests. A sign-in that takes longer was interrupted.
const WORKING: u64 = 90 * 1000;
/// The time limit at the provider's pages, in milliseconds; codes and states should not live longer.
const UNDER_WAY: u64 = 10 * 60 * 1000;

/// The most open sign-ins of one user; each widget has one.
const MOST: i64 = 64;

/// Runs sign-ins.
pub struct SignIns {
    custodian: Arc<Custodian>,
    /// The origin at which browsers reach this broker.
    public_origin: Option<String>,
    pages: Vec<String>,
    shared: SharedTenants,
    /// The origins of applications, by the names of the callers.
    applications: BTreeMap<String, String>,
    watchers: SignInWatchers,
}

impl SignIns {
    /// Creates it with the pages and origins of the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for an invalid address.
    pub fn new(config: &Config, custodian: Arc<Custodian>) -> Result<Self, ConfigError> {
        let Origins { public_origin, pages, shared, applications } = Origins::of(config)?;
        Ok(Self {
            custodian,
            public_origin,
            pages,
            shared,
            applications,
            watchers: SignInWatchers::default(),
        })
    }

    /// The name of the cookie for a sign-in by the broker's pages. A cookie with another name was not set by
    /// this broker.
    #[must_use]
    pub fn cookie_name(&self, id: AuthorizationId) -> Option<String> {
        Some(cookie_name(id, self.public_origin.as_deref()?))
    }

    /// The name of the cookie for a sign-in by an application's pages.
    #[must_use]
    pub fn cookie_name_of(&self, caller: &Caller, id: AuthorizationId) -> Option<String> {
        Some(cookie_name(id, self.applications.get(&caller.name)?))
    }

    /// The redirect URI (RFC 6749 section 3.1.2).
    fn redirect_uri(&self) -> Option<EndpointUrl> {
        EndpointUrl::parse(&format!("{}/callback", self.public_origin.as_deref()?)).ok()
    }

    /// The origin at which browsers reach this broker.
    #[must_use]
    pub fn public_origin(&self) -> Option<&str> {
        self.public_origin.as_deref()
    }

    /// Whether a notebook page of this origin may begin a sign-in for a user of this tenant.
    fn allows(&self, page_origin: &str, tenant: &str) -> bool {
        let is_local = |origin: &str| EndpointUrl::parse(origin).is_ok_and(|url| url.is_loopback());
        self.pages.iter().any(|page| page == page_origin)
            // With a broker on this machine for one user, local pages belong to that user.
            || (self.public_origin.as_deref().is_some_and(is_local)
                && is_local(page_origin)
                && !self.shared.contains(tenant))
    }

    /// The provider of this name, with its sign-in settings.
    fn provider(&self, name: &str) -> Result<(&Provider, &SignInSettings), Problem> {
        let provider = self.custodian.provider(name).ok_or_else(Problem::not_found)?;
        let settings = provider.sign_in.as_ref().ok_or_else(Problem::way_unavailable)?;
        Ok((provider, settings))
    }

    /// A sign-in of the caller's user; a sign-in of another user gets the same error as an unknown one.
    async fn own(&self, caller: &Caller, id: &str) -> Result<Authorization, Problem> {
        let id = AuthorizationId::read(id).ok_or_else(Problem::authorization_unknown)?;
        let found = self.custodian.store.authorization(id).await.map_err(CustodianError::from)?;
        found
            .filter(|row| caller.owns(&row.tenant, &row.user, &row.provider))
            .ok_or_else(Problem::authorization_unknown)
    }

    async fn seal(
        &self,
        row: &Authorization,
        what: &'static str,
        secret: &Secret,
    ) -> Result<Vec<u8>, CustodianError> {
        let key = self.custodian.data_key(&row.tenant).await?;
        Ok(seal_cell(&key, &aad(row, what), secret))
    }

    async fn open(&self, row: &Authorization, what: &'static str) -> Result<Secret, CustodianError> {
        let key = self.custodian.data_key(&row.tenant).await?;
        let sealed = row.sealed.as_deref().ok_or(crate::keys::Unreadable)?;
        Ok(open_cell(&key, &aad(row, what), sealed)?)
    }

    /// Deletes the oldest sign-ins of a user above the limit.
    async fn sweep(&self, new: &Authorization) -> Result<(), CustodianError> {
        Ok(self.custodian.store.sweep_authorizations(&new.tenant, &new.user, MOST - 1).await?)
    }
}

fn aad<'a>(row: &'a Authorization, what: &'static str) -> AuthorizationAad<'a> {
    let Authorization { tenant, user, provider, id, .. } = row;
    AuthorizationAad { tenant, user, provider, authorization: *id, what }
}

/// The scopes of a space-separated list; the list of a provider without scopes is empty.
pub(crate) fn scopes_in(list: &str) -> impl Iterator<Item = &str> {
    list.split(' ').filter(|scope| !scope.is_empty())
}

fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
