//! Servers with a key of their own, which name tenant and user in headers.

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Caller, Turned};
use crate::config::{CallerConfig, Config, ConfigError, secret_of};

/// The longest name of a tenant or user, in bytes.
const NAME_LIMIT: usize = 256;
/// The shortest key, in characters.
const SHORTEST_KEY: usize = 32;

/// Every server that has a key.
#[derive(Debug)]
pub struct InternalKeys(Vec<Holder>);

struct Holder {
    name: String,
    /// SHA-256 of each key.
    keys: Vec<[u8; 32]>,
    tenants: Vec<String>,
    tenant_header: String,
    user_header: String,
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
    /// What is wrong with one of them.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let holders = config.callers.iter().map(|(name, caller)| Holder::of(name, caller));
        holders.collect::<Result<_, _>>().map(Self)
    }

    /// Who asks with these headers.
    ///
    /// # Errors
    /// Why nobody does.
    pub fn identify(&self, headers: &HeaderMap) -> Result<Caller, Turned> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = given.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Turned::Unauthenticated)?;
        let hash: [u8; 32] = Sha256::digest(key.trim().as_bytes()).into();
        // All are compared, so that the time tells nothing.
        let mut found = None;
        for holder in &self.0 {
            for known in &holder.keys {
                if bool::from(known.ct_eq(&hash)) {
                    found = Some(holder);
                }
            }
        }
        let holder = found.ok_or(Turned::Unauthenticated)?;
        let tenant = name_in(headers, &holder.tenant_header)?;
        let user = name_in(headers, &holder.user_header)?;
        if !holder.tenants.is_empty() && !holder.tenants.contains(&tenant) {
            return Err(Turned::Forbidden);
        }
        Ok(Caller { name: holder.name.clone(), tenant, user })
    }
}

impl Holder {
    fn of(name: &str, config: &CallerConfig) -> Result<Self, ConfigError> {
        let wrong = |reason: &'static str| ConfigError::Setting {
            setting: format!("callers.{name}.keys"),
            reason: reason.into(),
        };
        if config.keys.is_empty() || config.keys.len() > 2 {
            return Err(wrong("one key, or two while one replaces the other"));
        }
        let mut keys = Vec::new();
        for path in &config.keys {
            let key = secret_of(path)?;
            if key.expose().len() < SHORTEST_KEY {
                return Err(wrong("a key of fewer than 32 characters can be guessed"));
            }
            keys.push(Sha256::digest(key.expose().as_bytes()).into());
        }
        Ok(Self {
            name: name.to_owned(),
            keys,
            tenants: config.tenants.clone(),
            tenant_header: config.tenant_header.to_ascii_lowercase(),
            user_header: config.user_header.to_ascii_lowercase(),
        })
    }
}

/// A name from a header, of which there must be one.
fn name_in(headers: &HeaderMap, header: &str) -> Result<String, Turned> {
    let mut values = headers.get_all(header).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Turned::Malformed) };
    let name = value.to_str().unwrap_or_default();
    let is_name = (1..=NAME_LIMIT).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_name { Ok(name.to_owned()) } else { Err(Turned::Malformed) }
}
