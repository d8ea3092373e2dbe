//! Callers with an API key: servers, which name tenant and user in headers, and machines of one person.

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::caller_policy::CallerPolicy;
use super::{AuthError, Caller};
use crate::config::{CallerConfig, Config, ConfigError};

/// The shortest key, in characters.
const SHORTEST_KEY: usize = 32;

/// All callers that have an API key.
#[derive(Debug)]
pub struct InternalKeys(Vec<Holder>);

/// A caller with an API key.
pub(super) struct Holder {
    name: String,
    /// SHA-256 of each key.
    keys: Vec<[u8; 32]>,
    policy: CallerPolicy,
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Holder").field("name", &self.name).finish_non_exhaustive()
    }
}

impl InternalKeys {
    /// Reads the keys of the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid key.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let mut holders: Vec<Holder> = Vec::new();
        for (name, caller) in &config.callers {
            if caller.providers.iter().any(|provider| !config.providers.contains_key(provider)) {
                let setting = format!("callers.{name}.providers");
                return Err(ConfigError::Setting {
                    setting,
                    reason: "one of them has no section [providers.…]; correct its name".into(),
                });
            }
            let holder = Holder::of(name, caller)?;
            if holders.iter().any(|other| other.keys.iter().any(|key| holder.keys.contains(key))) {
                let setting = format!("callers.{name}.keys");
                return Err(ConfigError::Setting {
                    setting,
                    reason: "another caller has the same key".into(),
                });
            }
            holders.push(holder);
        }
        Ok(Self(holders))
    }

    /// All errors in the keys of the configuration, not only the first.
    #[must_use]
    pub fn problems(config: &Config) -> Vec<ConfigError> {
        let each = config.callers.iter().filter_map(|(name, caller)| Holder::of(name, caller).err());
        let mut problems: Vec<_> = each.collect();
        if problems.is_empty() {
            problems.extend(Self::of(config).err());
        }
        problems
    }

    /// The caller that has this key. All keys are compared in constant time.
    pub(super) fn find_by_key(&self, key: &str) -> Option<&Holder> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        // All keys are compared, so that the duration reveals nothing.
        let mut found = None;
        for holder in &self.0 {
            for known in &holder.keys {
                if bool::from(known.ct_eq(&hash)) {
                    found = Some(holder);
                }
            }
        }
        found
    }
}

impl Holder {
    fn of(name: &str, config: &CallerConfig) -> Result<Self, ConfigError> {
        let wrong = |setting: &str, reason: &'static str| ConfigError::Setting {
            setting: format!("callers.{name}.{setting}"),
            reason: reason.into(),
        };
        // A caller that is identified by its Unix user needs no key.
        let needed = usize::from(config.unix_user.is_none());
        if !(needed..=2).contains(&config.keys.len()) {
            return Err(wrong("keys", "must hold one key, or two while one replaces the other"));
        }
        let setting = format!("callers.{name}.keys");
        let mut keys = Vec::new();
        for source in &config.keys {
            let key = source.secret(&setting)?;
            if key.expose().len() < SHORTEST_KEY {
                return Err(wrong(
                    "keys",
                    "each key must have at least 32 characters, because a shorter one can be guessed",
                ));
            }
            keys.push(Sha256::digest(key.expose().as_bytes()).into());
        }
        let policy = config.policy(name)?;
        Ok(Self { name: name.to_owned(), keys, policy })
    }

    /// The caller with the tenant and user of a request with these headers.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Caller, AuthError> {
        self.policy.caller(headers)
    }
}
