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

use super::{AllowedProviders, Caller, NAME_LIMIT, Turned, name_in, names_nobody};
use crate::config::{Config, ConfigError};
use crate::source::Source;

/// How long a hub's word counts: a token that the hub revokes works here as long.
const KNOWN_FOR: Duration = Duration::from_secs(60);
/// How long a refused token is not asked for again.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);
/// How long a hub may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Tokens of a hub that are remembered.
const REMEMBERED: u64 = 10_000;
/// Requests to a hub at once: a flood of unknown tokens must not fall on the hub.
const AT_ONCE: usize = 16;
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
    /// Each of them lets a token reach the broker's service.
    scopes: [String; 2],
    service: String,
    http: Client,
    words: Cache<[u8; 32], Word>,
    turns: Arc<Semaphore>,
}

/// What a hub said of a token.
#[derive(Clone, Debug)]
enum Word {
    /// It is this user's.
    User(String),
    /// It is nobody's, or does not reach this far.
    Nobody,
}

/// The hub gave no answer that can be read.
#[derive(Clone, Copy, Debug)]
struct Away;

/// The part of the hub's answer that counts; JupyterHub's `GET /user` sends more.
#[derive(Deserialize)]
struct Model {
    kind: String,
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
}

/// How long each word counts.
struct Life;

impl Expiry<[u8; 32], Word> for Life {
    fn expire_after_create(&self, _: &[u8; 32], word: &Word, _: Instant) -> Option<Duration> {
        Some(match word {
            Word::User(_) => KNOWN_FOR,
            Word::Nobody => UNKNOWN_FOR,
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

    /// The user whose token this is.
    pub(super) async fn identify(&self, token: &str, headers: &HeaderMap) -> Result<Caller, Turned> {
        // A token is shown to its own hub alone, so several hubs are told apart by the caller.
        let hub = if headers.contains_key(HUB_HEADER) {
            self.0.get(&name_in(headers, HUB_HEADER).map_err(|_| Turned::Unauthenticated)?)
        } else {
            self.0.values().next().filter(|_| self.0.len() == 1)
        };
        let hub = hub.filter(|_| token.len() <= TOKEN_LIMIT).ok_or(Turned::Unauthenticated)?;
        let user = hub.user_of(token).await?;
        names_nobody(headers)?;
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
    /// What is wrong with it.
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
        // Another library may have installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .user_agent(concat!("tokentoss-broker/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| wrong("api_url", "the HTTP client cannot be made"))?;
        Ok(Self {
            name: name.to_owned(),
            user_url,
            scopes: ["access:services".to_owned(), format!("access:services!service={service}")],
            service: service.to_owned(),
            http,
            words: Cache::builder().max_capacity(REMEMBERED).expire_after(Life).build(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    async fn user_of(&self, token: &str) -> Result<String, Turned> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        // One request, however many ask at once; that the hub is away is not remembered.
        match self.words.try_get_with(hash, self.ask(token)).await {
            Ok(Word::User(user)) => Ok(user),
            Ok(Word::Nobody) => Err(Turned::Unauthenticated),
            Err(_) => Err(Turned::HubUnavailable),
        }
    }

    async fn ask(&self, token: &str) -> Result<Word, Away> {
        let Some(model) = self.model_of(token).await? else { return Ok(Word::Nobody) };
        let is_name =
            (1..=NAME_LIMIT).contains(&model.name.len()) && !model.name.chars().any(char::is_control);
        // A service of the hub has no accounts of its own, and may not speak for users.
        let is_user = model.kind == "user" && is_name;
        let reaches_us = model.scopes.iter().any(|scope| self.scopes.contains(scope));
        Ok(if is_user && reaches_us { Word::User(model.name) } else { Word::Nobody })
    }

    /// What the hub knows of a token; nothing if the hub refuses it.
    async fn model_of(&self, token: &str) -> Result<Option<Model>, Away> {
        let _turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await.map_err(|_| Away)?;
        let mut value = HeaderValue::from_str(&format!("token {token}")).map_err(|_| Away)?;
        value.set_sensitive(true);
        let call = self.http.get(self.user_url.clone()).header(header::AUTHORIZATION, value);
        let mut response = call.send().await.map_err(|_| self.away("no answer"))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Ok(None),
            _ => return Err(self.away("an answer of another status")),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| self.away("half an answer"))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_LIMIT {
                return Err(self.away("an answer that is too long"));
            }
        }
        serde_json::from_slice(&body).map(Some).map_err(|_| self.away("an answer that is none"))
    }

    fn away(&self, what: &str) -> Away {
        tracing::warn!(hub = self.name, what, "a JupyterHub cannot be asked");
        Away
    }

    /// Whether the hub answers, and whether it knows this as the token of the broker's service.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub async fn check(&self, service_token: Option<&str>) -> Result<(), String> {
        let Some(token) = service_token else {
            // Any token shows that there is a hub: it is refused as a hub refuses.
            return match self.model_of("none").await {
                Ok(_) => Ok(()),
                Err(Away) => Err(format!("hubs.{}: {} does not answer as a hub", self.name, self.user_url)),
            };
        };
        match self.model_of(token).await {
            Ok(Some(model)) if model.kind == "service" && model.name == self.service => Ok(()),
            Ok(Some(_)) => {
                Err(format!("hubs.{}.service_token: not the token of service {}", self.name, self.service))
            }
            Ok(None) => Err(format!("hubs.{}.service_token: the hub does not know it", self.name)),
            Err(Away) => Err(format!("hubs.{}: {} does not answer as a hub", self.name, self.user_url)),
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("name", &self.name).finish_non_exhaustive()
    }
}
