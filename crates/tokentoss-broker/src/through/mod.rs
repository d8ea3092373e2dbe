//! Calls for a caller: the broker adds the token, and the caller never sees it.
//!
//! 1. [`target`]: parses the target of the call, and refuses ambiguous ones.
//! 2. [`allow`]: the allow rules of the administrator; everything else is refused.
//! 3. [`call_limits`]: the rate and the concurrency of calls for each user.
//! 4. [`headers`]: the headers that are removed, in both directions.
//! 5. [`framing`]: the lengths of bodies.
//! 6. [`body`]: bodies are streamed, with a size limit and an idle time-out.
//! 7. [`addresses`]: resolves names; only checked addresses are connected to.
//! 8. [`call`]: the call itself.

mod addresses;
mod allow;
mod body;
mod call;
mod call_limits;
mod framing;
mod headers;
mod target;

pub use addresses::{Lookup, is_public};
pub use allow::{AllowConfig, Credential};
pub(crate) use headers::marks;
pub use target::Target;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use reqwest::{Client, redirect};
use serde::Deserialize;

use crate::callers::Caller;
use crate::config::{Config, ConfigError};
use crate::problem::Problem;
use addresses::Resolver;
use allow::AllowRule;
use call_limits::{CallLimiter, CallPermit};

/// Limits of calls made for callers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The longest body of a request, in bytes.
    pub request_bytes: u64,
    /// The longest body of an answer, in bytes.
    pub response_bytes: u64,
    /// Calls of one user at once.
    pub at_once: usize,
    /// Calls of one user in a minute.
    pub per_minute: u32,
    /// The time limit to connect, in seconds.
    pub connect_seconds: u64,
    /// The time limit for the response headers, in seconds after the last byte of the request.
    pub answer_seconds: u64,
    /// The idle time-out of a body, in seconds.
    pub idle_seconds: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            request_bytes: 32 * 1024 * 1024,
            response_bytes: 512 * 1024 * 1024,
            at_once: 8,
            per_minute: 600,
            connect_seconds: 5,
            answer_seconds: 60,
            idle_seconds: 30,
        }
    }
}

/// Makes calls.
pub struct Through {
    rules: BTreeMap<String, Vec<AllowRule>>,
    /// Connects only to public addresses.
    public: Client,
    /// Also connects to private addresses, for rules with `private = true`.
    private: Client,
    call_limiter: CallLimiter,
    /// The headers with which callers name tenants and users.
    naming: Vec<String>,
    limits: LimitsConfig,
}

impl Through {
    /// Reads the allow rules of the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid rule.
    pub fn of(config: &Config, lookup: &Lookup) -> Result<Self, ConfigError> {
        let limits = config.through.clone();
        let mut rules = BTreeMap::new();
        for (name, provider) in &config.providers {
            let mut read = Vec::new();
            for (index, allow) in provider.through.iter().enumerate() {
                read.push(AllowRule::of(&format!("providers.{name}.through[{index}]"), allow)?);
            }
            rules.insert(name.clone(), read);
        }
        let client = |allows_private| {
            // Fails harmlessly if a provider is installed already.
            let _ = rustls::crypto::ring::default_provider().install_default();
            Client::builder()
                .redirect(redirect::Policy::none())
                // A proxy would resolve names itself.
                .no_proxy()
                .referer(false)
                .connect_timeout(Duration::from_secs(limits.connect_seconds))
                .dns_resolver(Resolver::new(lookup.clone(), allows_private))
                .build()
                .map_err(|_| ConfigError::Setting {
                    setting: "through".to_owned(),
                    reason: "the HTTP client cannot be made".into(),
                })
        };
        let callers = config.callers.values();
        let naming = callers.flat_map(|caller| [&caller.tenant_header, &caller.user_header]);
        Ok(Self {
            rules,
            public: client(false)?,
            private: client(true)?,
            call_limiter: CallLimiter::of(&limits),
            naming: naming.map(|name| name.to_ascii_lowercase()).collect(),
            limits,
        })
    }

    /// All errors in the rules, not only the first.
    #[must_use]
    pub fn problems(config: &Config) -> Vec<ConfigError> {
        let mut problems = Vec::new();
        for (name, provider) in &config.providers {
            for (index, allow) in provider.through.iter().enumerate() {
                problems.extend(AllowRule::of(&format!("providers.{name}.through[{index}]"), allow).err());
            }
        }
        problems
    }

    /// Acquires a permit for one call of this user.
    pub(crate) fn permit(&self, caller: &Caller) -> Result<CallPermit, Problem> {
        self.call_limiter.acquire(caller)
    }

    /// The rule that allows a call.
    fn rule(
        &self,
        provider: &str,
        method: &Method,
        target: &Target,
        credential: Option<Credential>,
    ) -> Option<&AllowRule> {
        self.rules.get(provider)?.iter().find(|rule| rule.allows(method, target, credential))
    }

    fn client(&self, rule: &AllowRule) -> &Client {
        if rule.is_private() { &self.private } else { &self.public }
    }
}
