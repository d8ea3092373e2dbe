//! Pods of a Kubernetes cluster, which show a projected service-account token.
//!
//! The cluster is not asked whether a token is valid: it is verified with the keys that the cluster
//! publishes, so it is accepted until it expires.

mod jwks_cache;
mod key_set;
mod rules;
mod token;

pub use rules::ServiceAccountConfig;

use std::path::PathBuf;
use std::sync::Arc;

use axum::http::HeaderMap;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jwks_cache::{FETCH_TIMEOUT, JwksCache, JwksSource};
use key_set::KeySet;
use reqwest::{Certificate, Client, redirect};
use rules::Rules;
use serde::Deserialize;
use token::{ExpectedClaims, UnverifiedToken, is_jws};
use tokentoss_core::Timestamp;
use tokentoss_core::endpoint::EndpointUrl;

use super::{AuthError, Caller};
use crate::clock::elapsed;
use crate::config::{Config, ConfigError};
use crate::source::Source;

/// A cluster in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// The issuer of its tokens: the value of the API server's `--service-account-issuer`.
    pub issuer: String,
    /// The audience for which pods have their token projected.
    pub audience: String,
    /// A file with its public keys.
    #[serde(default)]
    pub jwks: Option<PathBuf>,
    /// The address of its public keys.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// A file with the certificates of the authorities that this address may have its own from, beside the
    /// system's.
    #[serde(default)]
    pub ca_certificates: Option<PathBuf>,
    /// The bearer token that this address requires.
    #[serde(default)]
    pub jwks_token: Option<Source>,
    /// Who may ask.
    #[serde(default)]
    pub service_accounts: Vec<ServiceAccountConfig>,
}

/// A cluster whose tokens can be verified.
#[derive(Debug)]
pub struct Cluster {
    name: String,
    issuer: String,
    audience: String,
    keys: Arc<JwksCache>,
    rules: Rules,
}

/// All clusters of the configuration.
#[derive(Debug)]
pub(super) struct Clusters(Vec<Cluster>);

impl Clusters {
    pub(super) fn of(config: &Config) -> Result<Self, ConfigError> {
        let clusters = config.clusters.iter().map(|(name, cluster)| Cluster::of(name, cluster));
        clusters.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a token can only be a cluster's, so that no hub is sent it.
    pub(super) fn accepts(&self, token: &str) -> bool {
        !self.0.is_empty() && is_jws(token)
    }

    /// The caller that a service-account token identifies.
    pub(super) async fn identify(
        &self,
        token: &str,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Caller, AuthError> {
        let token = &UnverifiedToken::read(token).ok_or(AuthError::Unauthenticated)?;
        // Many clusters have the same issuer: the default of Kubernetes.
        let clusters = || self.0.iter().filter(|cluster| cluster.issuer == token.issuer());
        let verified = |cluster: &Cluster, keys: &KeySet| {
            let (issuer, audience) = (&cluster.issuer, &cluster.audience);
            let account = token.verify(&ExpectedClaims { issuer, audience, keys, now })?;
            Some(cluster.rules.caller(&cluster.name, account, headers))
        };
        // First the clusters with fresh keys, so that an unavailable one delays only its own callers.
        for cluster in clusters() {
            let keys = cluster.keys.fresh_key_set(token.key_id());
            if let Some(caller) = keys.and_then(|keys| verified(cluster, &keys)) {
                return caller;
            }
        }
        let mut refusal = AuthError::Unauthenticated;
        let mut asked: FuturesUnordered<_> = clusters()
            .map(|cluster| async move { (cluster, cluster.keys.key_set_for(token.key_id()).await) })
            .collect();
        while let Some((cluster, keys)) = asked.next().await {
            match keys {
                Ok(keys) => {
                    if let Some(caller) = verified(cluster, &keys) {
                        return caller;
                    }
                }
                Err(_) => refusal = AuthError::ClusterUnavailable,
            }
        }
        Err(refusal)
    }
}

impl Cluster {
    /// Reads one cluster of the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] with the cause.
    pub fn of(name: &str, config: &ClusterConfig) -> Result<Self, ConfigError> {
        let wrong = |setting: &str, reason: &'static str| ConfigError::Setting {
            setting: format!("clusters.{name}.{setting}"),
            reason: reason.into(),
        };
        let is_text = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_text(&config.issuer) {
            return Err(wrong(
                "issuer",
                "is missing or has spaces; set it to the value of the API server's --service-account-issuer",
            ));
        }
        if !is_text(&config.audience) {
            return Err(wrong(
                "audience",
                "is missing or has spaces; set it to the audience of the pods' projected tokens",
            ));
        }
        if config.audience == config.issuer {
            // Tokens for the API server are in every pod, and live for a year.
            return Err(wrong("audience", "must not be the issuer; choose an audience for the broker alone"));
        }
        let source = match (&config.jwks, &config.jwks_url) {
            (Some(path), None) => {
                if config.ca_certificates.is_some() || config.jwks_token.is_some() {
                    return Err(wrong("jwks", "is a file; remove `ca_certificates` and `jwks_token`"));
                }
                JwksSource::File(path.clone())
            }
            (None, Some(url)) => {
                if EndpointUrl::parse(url).is_err() {
                    return Err(wrong("jwks_url", "must be an https URL, or an http URL on this machine"));
                }
                let http = config.client().map_err(|reason| wrong("ca_certificates", reason))?;
                JwksSource::Url { http, url: url.clone(), token: config.jwks_token.clone() }
            }
            _ => return Err(wrong("jwks", "set either `jwks` or `jwks_url`, and not both")),
        };
        let rules =
            Rules::of(name, &config.service_accounts).map_err(|(setting, reason)| wrong(&setting, reason))?;
        Ok(Self {
            name: name.to_owned(),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            keys: JwksCache::new(name, source, elapsed),
            rules,
        })
    }

    /// Checks that its keys can be fetched.
    ///
    /// # Errors
    /// A text that names the cause.
    pub async fn check(&self) -> Result<(), String> {
        self.keys
            .read()
            .await
            .map(drop)
            .map_err(|what| format!("clusters.{}: its keys cannot be read: {what}", self.name))
    }
}

impl ClusterConfig {
    fn client(&self) -> Result<Client, &'static str> {
        // Fails harmlessly if a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(FETCH_TIMEOUT)
            .user_agent(concat!("tokentoss-broker/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &self.ca_certificates {
            let text = std::fs::read(path).map_err(|_| "the file cannot be read")?;
            let certificates =
                Certificate::from_pem_bundle(&text).map_err(|_| "the file has no certificates")?;
            if certificates.is_empty() {
                return Err("the file has no certificates");
            }
            client = client.tls_certs_merge(certificates);
        }
        client.build().map_err(|_| "the HTTP client cannot be made")
    }
}
