//! Signing in: from a caller's request to a connected account.
//!
//! A sign-in belongs to the caller's user from its first moment. Whoever comes back from the provider is not yet known to be
//! that user: somebody may have been sent the address. So the tokens wait, sealed, until the notebook page that opened the
//! popup says that it is there, or the user types what the broker's page shows into the widget, or, with an application's own
//! pages, until the same user asks for the callback.

mod application;
mod begin;
mod callback;
mod confirm;
mod cookie;
mod deposit;
mod exchange;
mod failure;
mod origins;
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

/// How long somebody may take to follow the address, in milliseconds. It gives nobody anything, so it may be long.
const UNUSED: u64 = 60 * 60 * 1000;
/// How long the broker itself may take to redeem a code, or to connect an account, in milliseconds: longer than the requests of
/// all its tries. A sign-in that stands there longer was interrupted.
const WORKING: u64 = 90 * 1000;
/// How long the provider's pages may take, in milliseconds; codes and states should not live longer.
const UNDER_WAY: u64 = 10 * 60 * 1000;

/// Sign-ins of one user that are kept at most: widgets, each with one.
const MOST: i64 = 64;

/// Everything that signing in needs.
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
    /// For the pages and origins of the configuration.
    ///
    /// # Errors
    /// What is wrong with an address.
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

    /// The name that the cookie of a sign-in by the broker's pages has. A cookie of any other name is somebody else's work.
    #[must_use]
    pub fn cookie_name(&self, id: AuthorizationId) -> Option<String> {
        Some(cookie_name(id, self.public_origin.as_deref()?))
    }

    /// The same for a sign-in by an application's pages.
    #[must_use]
    pub fn cookie_name_of(&self, caller: &Caller, id: AuthorizationId) -> Option<String> {
        Some(cookie_name(id, self.applications.get(&caller.name)?))
    }

    /// Where the provider sends users back to.
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
            // Pages of this machine are this user's own where the broker is on it as well, and nobody else.
            || (self.public_origin.as_deref().is_some_and(is_local)
                && is_local(page_origin)
                && !self.shared.contains(tenant))
    }

    /// The provider of a name, with how users sign in.
    fn provider(&self, name: &str) -> Result<(&Provider, &SignInSettings), Problem> {
        let provider = self.custodian.provider(name).ok_or_else(Problem::not_found)?;
        let settings = provider.sign_in.as_ref().ok_or_else(Problem::way_unavailable)?;
        Ok((provider, settings))
    }

    /// A caller's own sign-in; somebody else's answers like one that is not there.
    async fn own(&self, caller: &Caller, id: &str) -> Result<Authorization, Problem> {
        let id = AuthorizationId::read(id).ok_or_else(Problem::authorization_unknown)?;
        let found = self.custodian.store.authorization(id).await.map_err(CustodianError::from)?;
        found
            .filter(|row| row.tenant == caller.tenant && row.user == caller.user)
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

    /// Makes room for one more sign-in of a user.
    async fn sweep(&self, new: &Authorization) -> Result<(), CustodianError> {
        Ok(self.custodian.store.sweep_authorizations(&new.tenant, &new.user, MOST - 1).await?)
    }
}

fn aad<'a>(row: &'a Authorization, what: &'static str) -> AuthorizationAad<'a> {
    AuthorizationAad { tenant: &row.tenant, authorization: row.id, what }
}

/// The scopes of a list that is separated by spaces; a provider without scopes has an empty one.
pub(crate) fn scopes_in(list: &str) -> impl Iterator<Item = &str> {
    list.split(' ').filter(|scope| !scope.is_empty())
}

fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
