//! The allow rules of an administrator: origins, methods and paths.

use std::net::IpAddr;

use axum::http::Method;
use reqwest::Url;
use serde::Deserialize;

use super::Target;
use super::addresses::{is_private, is_public};
use crate::config::ConfigError;

/// Calls that may be made with a provider's tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowConfig {
    /// The service, such as `https://gmail.googleapis.com`.
    pub origin: String,
    /// The methods.
    pub methods: Vec<String>,
    /// The paths: each one allows itself and what is below it, by whole segments.
    pub paths: Vec<String>,
    /// Which token is sent.
    #[serde(default)]
    pub credential: Credential,
    /// Whether the service may have a private address.
    #[serde(default)]
    pub private: bool,
}

/// Which token is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// The access token.
    #[default]
    AccessToken,
    /// The ID token, as services behind an identity-aware proxy expect.
    IdToken,
}

impl Credential {
    /// The credential with this name in a header.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "access_token" => Some(Self::AccessToken),
            "id_token" => Some(Self::IdToken),
            _ => None,
        }
    }
}

impl From<Credential> for tokentoss_custody::Credential {
    fn from(credential: Credential) -> Self {
        match credential {
            Credential::AccessToken => Self::AccessToken,
            Credential::IdToken => Self::IdToken,
        }
    }
}

/// A checked allow rule.
#[derive(Clone, Debug)]
pub(super) struct AllowRule {
    origin: Url,
    host: String,
    port: u16,
    methods: Vec<Method>,
    paths: Vec<String>,
    credential: Credential,
    private: bool,
}

impl AllowRule {
    /// Checks an entry. `setting` is its name in error messages.
    pub(super) fn of(setting: &str, config: &AllowConfig) -> Result<Self, ConfigError> {
        let wrong = |member: &str, reason: &'static str| ConfigError::Setting {
            setting: format!("{setting}.{member}"),
            reason: reason.into(),
        };
        let no_origin = || {
            wrong(
                "origin",
                "is not an origin; use scheme, host and optional port without a path, \
                 such as \"https://api.example\" or \"https://api.example:8443\"",
            )
        };
        let origin = Url::parse(&config.origin).map_err(|_| no_origin())?;
        let (Some(host), Some(port)) = (origin.host_str(), origin.port_or_known_default()) else {
            return Err(no_origin());
        };
        if origin.origin().ascii_serialization() != config.origin.trim_end_matches('/') {
            return Err(no_origin());
        }
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let is_loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        match origin.scheme() {
            "https" => {}
            "http" if is_loopback && config.private => {}
            _ => {
                return Err(wrong(
                    "origin",
                    "this scheme is not allowed here; use https, such as \"https://api.example\"; \
                     http needs private = true and a host of this machine, such as \"http://127.0.0.1:8080\"",
                ));
            }
        }
        if let Some(address) = address
            && !is_public(address)
            && !(config.private && is_private(address))
        {
            return Err(wrong(
                "origin",
                "this address is not public; use a public host, such as \"https://api.example\", \
                 or set private = true for a private network or this machine",
            ));
        }
        let mut methods = Vec::new();
        for name in &config.methods {
            let method = Method::from_bytes(name.as_bytes()).ok();
            let method = method.filter(|method| *method != Method::CONNECT && *method != Method::TRACE);
            let method = method.filter(|_| name.bytes().all(|byte| byte.is_ascii_uppercase()));
            methods.push(method.ok_or_else(|| {
                wrong(
                    "methods",
                    "a method is not allowed; \
                         use names in capitals except CONNECT and TRACE, such as methods = [\"GET\"]",
                )
            })?);
        }
        let is_path = |path: &String| path.starts_with('/') && !path.contains(['%', '?', '#', '*', '\\']);
        if !config.paths.iter().all(is_path) {
            return Err(wrong(
                "paths",
                "a path has no slash at its start, or has one of % ? # * \\; \
                 use plain prefixes, such as paths = [\"/v1/files\"]",
            ));
        }
        if methods.is_empty() || config.paths.is_empty() {
            return Err(wrong(
                "paths",
                "methods or paths are empty, so that nothing is allowed; \
                 set both, such as methods = [\"GET\"] and paths = [\"/v1/files\"]",
            ));
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            methods,
            paths: config.paths.iter().map(|path| path.trim_end_matches('/').to_owned()).collect(),
            credential: config.credential,
            private: config.private,
            origin,
        })
    }

    /// Whether this rule allows the call. Without a named credential, the rule's own one is used.
    pub(super) fn allows(&self, method: &Method, target: &Target, credential: Option<Credential>) -> bool {
        self.is_host(&target.host)
            && self.methods.contains(method)
            && self.paths.iter().any(|allowed| is_below(&target.path, allowed))
            && credential.is_none_or(|credential| credential == self.credential)
    }

    pub(super) fn credential(&self) -> Credential {
        self.credential
    }

    pub(super) fn is_private(&self) -> bool {
        self.private
    }

    /// The origin, for logs.
    pub(super) fn origin(&self) -> String {
        self.origin.origin().ascii_serialization()
    }

    /// The URL of a call; none if the URL parser changes the path that was checked.
    pub(super) fn url(&self, target: &Target) -> Option<Url> {
        let mut url = self.origin.clone();
        url.set_path(&target.path);
        url.set_query(target.query.as_deref());
        let is_same = url.origin() == self.origin.origin() && url.path() == target.path;
        is_same.then_some(url)
    }

    fn is_host(&self, written: &str) -> bool {
        let with_port = format!("{}:{}", self.host, self.port);
        written == with_port || (self.origin.port().is_none() && written == self.host)
    }
}

/// Whether a path is this one or below it.
fn is_below(path: &str, allowed: &str) -> bool {
    path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
