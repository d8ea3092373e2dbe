//! Kernels on a JupyterHub, which show the token that the hub gave them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, header};
use moka::Expiry;
use moka::future::Cache;
use reqwest::{Client, StatusCode, Url, redirect};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::{AllowedProviders, AuthError, Caller, NAME_LIMIT, name_in, reject_naming_headers};
use crate::config::{Config, ConfigError};
use crate::source::Source;

/// How long a hub's answer is cached: a token that the hub revokes is accepted here for as long.
const KNOWN_TTL: Duration = Duration::from_secs(60);
/// How long a refused token is cached as unknown.
const UNKNOWN_TTL: Duration = Duration::from_secs(5);
/// The time limit for one request to a hub.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The most cached tokens of a hub.
const CACHE_CAPACITY: u64 = 10_000;
/// The most concurrent requests to a hub, which protects it from a flood of unknown tokens.
const MAX_CONCURRENT: usize = 16;
/// The longest token that a hub is asked about, in bytes.
const TOKEN_LIMIT: usize = 1024;
/// The longest answer, in bytes: the scopes of an administrator of many users are long.
const ANSWER_LIMIT: usize = 1024 * 1024;
/// Names the hub, where several are configured.
const HUB_HEADER: &str = "x-tokentoss-hub";

/// A JupyterHub in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubConfig {
    /// The address of its REST interface, such as `https://hub.example/hub/api`.
    pub api_url: String,
    /// The token of the broker's own service; `check` asks the hub with it whose token it is.
    pub service_token: Option<Source>,
    /// Allows plain HTTP to another machine, where the network between the two is trusted.
    #[serde(default)]
    pub plain_http: bool,
}

/// A JupyterHub that can be asked.
pub struct Hub {
    name: String,
    user_url: Url,
    /// A token needs one of these scopes to reach the broker's service.
    scopes: [String; 2],
    service: String,
    http: Client,
    owners: Cache<[u8; 32], TokenOwner>,
    permits: Arc<Semaphore>,
}

/// The owner of a token, as the hub answered.
#[derive(Clone, Debug)]
enum TokenOwner {
    /// This user.
    User(String),
    /// The hub does not know the token, or the token lacks the scope for this service.
    Unknown,
}

/// The hub did not answer, or its answer could not be parsed.
#[derive(Clone, Copy, Debug)]
struct HubUnavailable;

/// The members of JupyterHub's user model (`GET /user`) that are used here.
#[derive(Deserialize)]
struct UserModel {
    kind: String,
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
}

/// How long each answer is cached.
struct OwnerLifetime;

impl Expiry<[u8; 32], TokenOwner> for OwnerLifetime {
    fn expire_after_create(&self, _: &[u8; 32], owner: &TokenOwner, _: Instant) -> Option<Duration> {
        Some(match owner {
            TokenOwner::User(_) => KNOWN_TTL,
            TokenOwner::Unknown => UNKNOWN_TTL,
        })
    }
}

/// All hubs of the configuration.
#[derive(Debug)]
pub(super) struct Hubs(BTreeMap<String, Hub>);

impl Hubs {
    pub(super) fn of(config: &Config) -> Result<Self, ConfigError> {
        let hubs = config.hubs.iter();
        let hubs = hubs.map(|(name, hub)| Ok((name.clone(), Hub::of(name, hub, &config.service)?)));
        hubs.collect::<Result<_, _>>().map(Self)
    }

    /// The caller that a hub's token identifies.
    pub(super) async fn identify(&self, token: &str, headers: &HeaderMap) -> Result<Caller, AuthError> {
        // A token is sent only to its own hub, so with several hubs the caller must name one.
        let hub = if headers.contains_key(HUB_HEADER) {
            self.0.get(&name_in(headers, HUB_HEADER).map_err(|_| AuthError::Unauthenticated)?)
        } else {
            self.0.values().next().filter(|_| self.0.len() == 1)
        };
        let hub = hub.filter(|_| token.len() <= TOKEN_LIMIT).ok_or(AuthError::Unauthenticated)?;
        let user = hub.user_of(token).await?;
        reject_naming_headers(headers)?;
        Ok(Caller {
            name: format!("hub {}", hub.name),
            tenant: hub.name.clone(),
            user,
            providers: AllowedProviders::All,
        })
    }
}

impl Hub {
    /// Reads one hub of the configuration; `service` is the broker's name among the hub's services.
    ///
    /// # Errors
    /// [`ConfigError`] with the cause.
    pub fn of(name: &str, config: &HubConfig, service: &str) -> Result<Self, ConfigError> {
        let wrong = |setting: &str, reason: &'static str| ConfigError::Setting {
            setting: format!("hubs.{name}.{setting}"),
            reason: reason.into(),
        };
        if !super::is_name(name) {
            return Err(wrong("api_url", "the hub's name must have 1 to 256 visible ASCII characters"));
        }
        let mut user_url = Url::parse(&config.api_url).map_err(|_| {
            wrong("api_url", "is not a valid URL; use the hub's API URL, which ends with /hub/api")
        })?;
        let is_here = matches!(user_url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let is_safe =
            user_url.scheme() == "https" || (user_url.scheme() == "http" && (is_here || config.plain_http));
        if !is_safe {
            return Err(wrong(
                "api_url",
                "must be an https URL; plain_http = true accepts http where the network is trusted",
            ));
        }
        let has_user = !user_url.username().is_empty() || user_url.password().is_some();
        if user_url.query().is_some() || user_url.fragment().is_some() || has_user {
            return Err(wrong(
                "api_url",
                "must have no user, query or fragment; use the hub's API URL, which ends with /hub/api",
            ));
        }
        user_url
            .path_segments_mut()
            .map_err(|()| {
                wrong("api_url", "is not a valid URL; use the hub's API URL, which ends with /hub/api")
            })?
            .pop_if_empty()
            .push("user");
        // Fails harmlessly if a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(REQUEST_TIMEOUT)
            .user_agent(concat!("tokentoss-broker/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| wrong("api_url", "the HTTP client cannot be made"))?;
        Ok(Self {
            name: name.to_owned(),
            user_url,
            scopes: ["access:services".to_owned(), format!("access:services!service={service}")],
            service: service.to_owned(),
            http,
            owners: Cache::builder().max_capacity(CACHE_CAPACITY).expire_after(OwnerLifetime).build(),
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT)),
        })
    }

    async fn user_of(&self, token: &str) -> Result<String, AuthError> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        // One request for all concurrent callers; an unavailable hub is not cached.
        match self.owners.try_get_with(hash, self.look_up_owner(token)).await {
            Ok(TokenOwner::User(user)) => Ok(user),
            Ok(TokenOwner::Unknown) => Err(AuthError::Unauthenticated),
            Err(_) => Err(AuthError::HubUnavailable),
        }
    }

    async fn look_up_owner(&self, token: &str) -> Result<TokenOwner, HubUnavailable> {
        let Some(model) = self.fetch_user_model(token).await? else { return Ok(TokenOwner::Unknown) };
        let is_name =
            (1..=NAME_LIMIT).contains(&model.name.len()) && !model.name.chars().any(char::is_control);
        // A service of the hub has no accounts of its own, and may not act for users.
        let is_user = model.kind == "user" && is_name;
        let reaches_us = model.scopes.iter().any(|scope| self.scopes.contains(scope));
        Ok(if is_user && reaches_us { TokenOwner::User(model.name) } else { TokenOwner::Unknown })
    }

    /// Asks the hub for the user model of a token; none if the hub refuses the token.
    async fn fetch_user_model(&self, token: &str) -> Result<Option<UserModel>, HubUnavailable> {
        let _permit = tokio::time::timeout(REQUEST_TIMEOUT, self.permits.acquire())
            .await
            .map_err(|_| HubUnavailable)?;
        let mut value = HeaderValue::from_str(&format!("token {token}")).map_err(|_| HubUnavailable)?;
        value.set_sensitive(true);
        let call = self.http.get(self.user_url.clone()).header(header::AUTHORIZATION, value);
        let mut response = call.send().await.map_err(|_| self.unavailable("no answer"))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Ok(None),
            _ => return Err(self.unavailable("an answer with an unexpected status")),
        }
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|_| self.unavailable("an incomplete answer"))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_LIMIT {
                return Err(self.unavailable("an answer that is too long"));
            }
        }
        serde_json::from_slice(&body)
            .map(Some)
            .map_err(|_| self.unavailable("an answer that is not a user model"))
    }

    fn unavailable(&self, what: &str) -> HubUnavailable {
        tracing::warn!(hub = self.name, what, "a JupyterHub cannot be asked");
        HubUnavailable
    }

    /// Checks that the hub answers, and that this is the token of the broker's service.
    ///
    /// # Errors
    /// A text that names the cause.
    pub async fn check(&self, service_token: Option<&str>) -> Result<(), String> {
        let Some(token) = service_token else {
            // Any invalid token shows whether there is a hub: a hub refuses it with 401 or 403.
            return match self.fetch_user_model("none").await {
                Ok(_) => Ok(()),
                Err(HubUnavailable) => {
                    Err(format!("hubs.{}: {} does not answer as a hub", self.name, self.user_url))
                }
            };
        };
        match self.fetch_user_model(token).await {
            Ok(Some(model)) if model.kind == "service" && model.name == self.service => Ok(()),
            Ok(Some(_)) => {
                Err(format!("hubs.{}.service_token: not the token of service {}", self.name, self.service))
            }
            Ok(None) => Err(format!("hubs.{}.service_token: the hub does not know it", self.name)),
            Err(HubUnavailable) => {
                Err(format!("hubs.{}: {} does not answer as a hub", self.name, self.user_url))
            }
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("name", &self.name).finish_non_exhaustive()
    }
}
