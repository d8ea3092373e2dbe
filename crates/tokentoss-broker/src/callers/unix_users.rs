//! Users of this machine, who connect to the broker's Unix socket and need no key.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::http::HeaderMap;
use moka::future::Cache;
use nix::unistd::{Uid, User};
use serde::Deserialize;

use super::asker::Asker;
use super::{Caller, Peer, Turned, is_name, names_nobody};
use crate::config::{Config, ConfigError};

/// How long a name counts before the system is asked again.
const KNOWN_FOR: Duration = Duration::from_secs(60);
/// Names that are remembered, and those that are none.
const REMEMBERED: u64 = 10_000;
/// Users that systemd makes for the time of a service (`DynamicUser=`).
const OF_SERVICES: std::ops::RangeInclusive<u32> = 61_184..=65_519;
/// What the kernel shows in place of a user of another namespace, and what stands for none.
const NOBODY: [u32; 4] = [65_534, 65_535, u32::MAX - 1, u32::MAX];

/// A user of this machine: a name or a number.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum UnixUser {
    /// The number.
    Uid(u32),
    /// The name, whose number is looked up when the broker starts.
    Name(String),
}

/// The users of this machine who may ask.
#[derive(Debug)]
pub struct UnixUsers {
    /// Those of the configuration, by their numbers.
    named: BTreeMap<u32, Asker>,
    /// All persons that the configuration does not name.
    persons: Option<Persons>,
}

/// The persons of this machine: each asks for the user of its own name.
struct Persons {
    tenant: String,
    first_uid: u32,
    names: Cache<u32, Option<String>>,
}

impl fmt::Debug for Persons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Persons").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl fmt::Display for UnixUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(f, "{uid}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl UnixUser {
    fn uid(&self) -> Result<u32, &'static str> {
        let uid = match self {
            Self::Uid(uid) => *uid,
            Self::Name(name) => match User::from_name(name) {
                Ok(Some(user)) => user.uid.as_raw(),
                _ => return Err("this machine has no user of this name"),
            },
        };
        if NOBODY.contains(&uid) {
            return Err("this stands for users of other namespaces, and so for anybody");
        }
        Ok(uid)
    }
}

impl UnixUsers {
    /// Reads the users of the configuration.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let mut named: BTreeMap<u32, Asker> = BTreeMap::new();
        for (name, caller) in &config.callers {
            let Some(user) = &caller.unix_user else { continue };
            let uid = uid_of(config, name, user)?;
            if named.insert(uid, caller.asker(name)?).is_some() {
                return Err(wrong(name, "another caller is the same user"));
            }
        }
        let socket = config.socket.as_ref();
        let persons = socket.and_then(|socket| Some((socket.tenant.clone()?, socket.first_uid)));
        let persons = persons.map(|(tenant, first_uid)| Persons::of(tenant, first_uid)).transpose()?;
        Ok(Self { named, persons })
    }

    /// All that is wrong, not only what stands first. What is wrong with a caller's tenants is [`super::InternalKeys`]' to say.
    #[must_use]
    pub fn problems(config: &Config) -> Vec<ConfigError> {
        let users = config.callers.iter().filter_map(|(name, caller)| {
            caller.unix_user.as_ref().and_then(|user| uid_of(config, name, user).err())
        });
        let mut problems: Vec<_> = users.collect();
        let can_be_read = config.callers.iter().all(|(name, caller)| caller.asker(name).is_ok());
        if problems.is_empty() && can_be_read {
            problems.extend(Self::of(config).err());
        }
        problems
    }

    /// Whose process this is.
    pub(super) async fn identify(&self, peer: Peer, headers: &HeaderMap) -> Result<Caller, Turned> {
        let uid = peer.uid.ok_or(Turned::Unauthenticated)?;
        if let Some(asker) = self.named.get(&uid) {
            return asker.caller(headers);
        }
        let persons = self.persons.as_ref().ok_or(Turned::Unauthenticated)?;
        let user = persons.name_of(uid).await.ok_or(Turned::Unauthenticated)?;
        names_nobody(headers)?;
        Ok(Caller { name: format!("unix user {uid}"), tenant: persons.tenant.clone(), user })
    }
}

fn wrong(caller: &str, reason: &'static str) -> ConfigError {
    ConfigError::Setting { setting: format!("callers.{caller}.unix_user"), reason: reason.into() }
}

fn uid_of(config: &Config, caller: &str, user: &UnixUser) -> Result<u32, ConfigError> {
    if config.socket.is_none() {
        return Err(wrong(caller, "users of this machine connect to a socket; set [socket] path"));
    }
    user.uid().map_err(|reason| wrong(caller, reason))
}

impl Persons {
    fn of(tenant: String, first_uid: u32) -> Result<Self, ConfigError> {
        let wrong = |setting: &str, reason: &'static str| ConfigError::Setting {
            setting: format!("socket.{setting}"),
            reason: reason.into(),
        };
        if !is_name(&tenant) {
            return Err(wrong("tenant", "1 to 256 visible ASCII characters"));
        }
        if first_uid == 0 {
            return Err(wrong("first_uid", "root is no person; name it as unix_user of a caller"));
        }
        let names = Cache::builder().max_capacity(REMEMBERED).time_to_live(KNOWN_FOR).build();
        Ok(Self { tenant, first_uid, names })
    }

    /// The name of a person; none for root, for services, and for numbers without a name.
    async fn name_of(&self, uid: u32) -> Option<String> {
        if uid < self.first_uid || OF_SERVICES.contains(&uid) || NOBODY.contains(&uid) {
            return None;
        }
        self.names.try_get_with(uid, look_up(uid)).await.ok().flatten()
    }
}

/// The name that the system's directory of users has for a number. That it cannot be asked is not remembered.
async fn look_up(uid: u32) -> Result<Option<String>, ()> {
    // Directories on the network may take their time.
    let found = tokio::task::spawn_blocking(move || User::from_uid(Uid::from_raw(uid))).await;
    let user = found.map_err(|_| ())?.map_err(|error| {
        tracing::warn!(uid, %error, "the system's directory of users does not answer");
    })?;
    let Some(user) = user else { return Ok(None) };
    // The name must be of this number alone: two numbers of one name would share their accounts.
    let back = tokio::task::spawn_blocking({
        let name = user.name.clone();
        move || User::from_name(&name)
    });
    let is_the_one =
        back.await.map_err(|_| ())?.is_ok_and(|back| back.is_some_and(|back| back.uid == user.uid));
    Ok(Some(user.name).filter(|name| is_the_one && is_name(name)))
}
