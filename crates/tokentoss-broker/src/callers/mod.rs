//! Who asks. Whoever is unknown gets one answer, whatever was wrong.

mod allowed_providers;
mod asker;
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

use asker::{Asker, Terms};
use clusters::Clusters;

use axum::http::{HeaderMap, header};
use hubs::Hubs;

use crate::clock::now;
use crate::config::{CallerConfig, Config, ConfigError};

/// The longest name of a tenant or user, in bytes.
const NAME_LIMIT: usize = 256;
/// The longest key or token of a caller, in bytes; those of clusters are the longest.
const TOKEN_LIMIT: usize = 8192;

/// What nobody may send for whom somebody else says who it is: a hub, or the operating system.
const NAMING_HEADERS: [&str; 2] = ["x-tokentoss-tenant", "x-tokentoss-user"];

/// Somebody whose requests are answered.
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
    pub fn may_ask_for(&self, provider: &str) -> Result<(), Turned> {
        if self.providers.contain(provider) { Ok(()) } else { Err(Turned::Forbidden) }
    }
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// The key is missing or unknown.
    Unauthenticated,
    /// The key is known, but not for this tenant or provider.
    Forbidden,
    /// The headers that name tenant and user are missing or malformed, or name what the key decides.
    Malformed,
    /// The JupyterHub that would know does not answer.
    HubUnavailable,
    /// The keys of the cluster that would know cannot be read.
    ClusterUnavailable,
    /// The system's directory of users that would know does not answer.
    DirectoryUnavailable,
}

/// Everybody who may ask.
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
    /// What is wrong with one of them.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            keys: InternalKeys::of(config)?,
            clusters: Clusters::of(config)?,
            hubs: Hubs::of(config)?,
            unix_users: UnixUsers::of(config)?,
        })
    }

    /// Who asks with these headers; `peer` is the process at the other end of the broker's Unix socket, and none of a request
    /// that came by TCP.
    ///
    /// # Errors
    /// Why nobody does.
    pub async fn identify(&self, headers: &HeaderMap, peer: Option<Peer>) -> Result<Caller, Turned> {
        if let Some(peer) = peer
            && !headers.contains_key(header::AUTHORIZATION)
        {
            return Box::pin(self.unix_users.identify(peer, headers)).await;
        }
        let token = bearer(headers).ok_or(Turned::Unauthenticated)?;
        if let Some(holder) = self.keys.holder_of(token) {
            return holder.caller(headers);
        }
        if self.clusters.claim(token) {
            return Box::pin(self.clusters.identify(token, headers, now())).await;
        }
        // Boxed like the others: those with a key of their own should not carry its room about.
        Box::pin(self.hubs.identify(token, headers)).await
    }
}

impl CallerConfig {
    /// For whom the caller of this name asks.
    fn asker(&self, name: &str) -> Result<Asker, ConfigError> {
        let terms = Terms {
            tenant: self.tenant.as_deref(),
            user: self.user.as_deref(),
            tenants: &self.tenants,
            providers: AllowedProviders::named(&self.providers),
            tenant_header: &self.tenant_header,
            user_header: &self.user_header,
        };
        Asker::of(name.to_owned(), &terms).map_err(|(setting, reason)| ConfigError::Setting {
            setting: format!("callers.{name}.{setting}"),
            reason: reason.into(),
        })
    }
}

/// The one bearer token.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let is_token = (1..=TOKEN_LIMIT).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && is_token).then_some(token)
}

/// A name from a header, of which there must be one.
fn name_in(headers: &HeaderMap, header: &str) -> Result<String, Turned> {
    let mut values = headers.get_all(header).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Turned::Malformed) };
    let name = value.to_str().unwrap_or_default();
    if is_name(name) { Ok(name.to_owned()) } else { Err(Turned::Malformed) }
}

/// Whether a request leaves it to others for whom it asks.
fn names_nobody(headers: &HeaderMap) -> Result<(), Turned> {
    if NAMING_HEADERS.iter().any(|name| headers.contains_key(*name)) {
        return Err(Turned::Malformed);
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    (1..=NAME_LIMIT).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}
