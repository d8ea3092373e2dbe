//! Authentication of callers. An unknown caller always gets the same answer, whatever the cause.

mod allowed_providers;
mod caller_policy;
mod clusters;
mod hubs;
mod internal_key;
mod peer;
mod unix_users;

pub use allowed_providers::AllowedProviders;
pub use clusters::{Cluster, ClusterConfig, ServiceAccountConfig};
pub use hubs::{Hub, HubConfig};
pub use internal_key::InternalKeys;
pub use peer::Peer;
pub use unix_users::{UnixUser, UnixUsers};

use caller_policy::{CallerPolicy, PolicySettings};
use clusters::Clusters;

use axum::http::{HeaderMap, header};
use hubs::Hubs;

use crate::clock::now;
use crate::config::{CallerConfig, Config, ConfigError};

/// The longest name of a tenant or user, in bytes.
const NAME_LIMIT: usize = 256;
/// The longest key or token of a caller, in bytes; those of clusters are the longest.
const TOKEN_LIMIT: usize = 8192;

/// Headers that a caller may not send whose user a hub or the operating system reports.
const NAMING_HEADERS: [&str; 2] = ["x-tokentoss-tenant", "x-tokentoss-user"];

/// An authenticated caller, with the tenant and user that its request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller's name in the configuration.
    pub name: String,
    /// The tenant of the request.
    pub tenant: String,
    /// The user of the request, within the tenant.
    pub user: String,
    /// The providers that it may ask for.
    pub providers: AllowedProviders,
}

impl Caller {
    /// Goes on for a provider that the caller may ask for.
    ///
    /// # Errors
    /// That it may not.
    pub fn may_ask_for(&self, provider: &str) -> Result<(), AuthError> {
        if self.providers.contain(provider) { Ok(()) } else { Err(AuthError::Forbidden) }
    }

    /// Whether a row of this tenant, user and provider is the caller's to see and to end.
    #[must_use]
    pub fn owns(&self, tenant: &str, user: &str, provider: &str) -> bool {
        self.tenant == tenant && self.user == user && self.providers.contain(provider)
    }
}

/// Why a caller is not authenticated or not authorized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// The key is missing or unknown.
    Unauthenticated,
    /// The key is known, but not for this tenant or provider.
    Forbidden,
    /// The headers that name tenant and user are missing or malformed, or name what the key decides.
    Malformed,
    /// The JupyterHub that issued the token does not answer.
    HubUnavailable,
    /// The public keys of the cluster cannot be fetched.
    ClusterUnavailable,
    /// The system's user directory does not answer.
    DirectoryUnavailable,
}

/// All configured callers.
#[derive(Debug)]
pub struct Callers {
    keys: InternalKeys,
    clusters: Clusters,
    hubs: Hubs,
    unix_users: UnixUsers,
}

impl Callers {
    /// Reads the callers of the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid entry.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            keys: InternalKeys::of(config)?,
            clusters: Clusters::of(config)?,
            hubs: Hubs::of(config)?,
            unix_users: UnixUsers::of(config)?,
        })
    }

    /// Authenticates a request by its headers. `peer` is the process at the other end of the broker's Unix
    /// socket; none for a request over TCP.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn identify(&self, headers: &HeaderMap, peer: Option<Peer>) -> Result<Caller, AuthError> {
        if let Some(peer) = peer
            && !headers.contains_key(header::AUTHORIZATION)
        {
            return Box::pin(self.unix_users.identify(peer, headers)).await;
        }
        let token = bearer(headers).ok_or(AuthError::Unauthenticated)?;
        if let Some(holder) = self.keys.find_by_key(token) {
            return holder.caller(headers);
        }
        if self.clusters.accepts(token) {
            return Box::pin(self.clusters.identify(token, headers, now())).await;
        }
        // Boxed like the others, which keeps this future small for callers with a key.
        Box::pin(self.hubs.identify(token, headers)).await
    }
}

impl CallerConfig {
    /// The policy of the caller of this name.
    fn policy(&self, name: &str) -> Result<CallerPolicy, ConfigError> {
        let settings = PolicySettings {
            tenant: self.tenant.as_deref(),
            user: self.user.as_deref(),
            tenants: &self.tenants,
            providers: AllowedProviders::named(&self.providers),
            tenant_header: &self.tenant_header,
            user_header: &self.user_header,
        };
        CallerPolicy::of(name.to_owned(), &settings).map_err(|(setting, reason)| ConfigError::Setting {
            setting: format!("callers.{name}.{setting}"),
            reason: reason.into(),
        })
    }
}

/// The bearer token of the request; none if there is not exactly one (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let is_token = (1..=TOKEN_LIMIT).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && is_token).then_some(token)
}

/// The name in a header, which must occur exactly once.
fn name_in(headers: &HeaderMap, header: &str) -> Result<String, AuthError> {
    let mut values = headers.get_all(header).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(AuthError::Malformed) };
    let name = value.to_str().unwrap_or_default();
    if is_name(name) { Ok(name.to_owned()) } else { Err(AuthError::Malformed) }
}

/// Refuses requests that name a tenant or user in headers.
fn reject_naming_headers(headers: &HeaderMap) -> Result<(), AuthError> {
    if NAMING_HEADERS.iter().any(|name| headers.contains_key(*name)) {
        return Err(AuthError::Malformed);
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    (1..=NAME_LIMIT).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}
