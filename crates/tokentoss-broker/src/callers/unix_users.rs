//! Users of this machine, who connect to the broker's Unix socket and need no key.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use moka::future::Cache;
use nix::errno::Errno;
use nix::unistd::{Uid, User};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::asker::Asker;
use super::{AllowedProviders, Caller, Peer, Turned, is_name, names_nobody};
use crate::config::{Config, ConfigError};

/// How long the directory may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Questions to the directory at once: one that does not answer keeps a thread for each.
const AT_ONCE: usize = 16;
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
    directory: Directory,
    turns: Arc<Semaphore>,
    patience: Duration,
}

/// The name that belongs to a number alone, by the system's directory of users, which may take its time.
type Directory = fn(u32) -> Result<Option<String>, Errno>;

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
                Ok(None) => return Err("this machine has no user of this name"),
                Err(_) => return Err("the system's directory of users does not answer"),
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
        let user = persons.name_of(uid).await?.ok_or(Turned::Unauthenticated)?;
        names_nobody(headers)?;
        Ok(Caller {
            name: format!("unix user {uid}"),
            tenant: persons.tenant.clone(),
            user,
            providers: AllowedProviders::All,
        })
    }
}

fn wrong(caller: &str, reason: &'static str) -> ConfigError {
    ConfigError::Setting { setting: format!("callers.{caller}.unix_user"), reason: reason.into() }
}

fn uid_of(config: &Config, caller: &str, user: &UnixUser) -> Result<u32, ConfigError> {
    if config.socket.is_none() {
        return Err(wrong(
            caller,
            "needs a socket, to which users of this machine connect; set [socket] path",
        ));
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
            return Err(wrong("tenant", "must have 1 to 256 visible ASCII characters"));
        }
        if first_uid == 0 {
            return Err(wrong("first_uid", "must not be 0; name root as unix_user of a caller"));
        }
        let names = Cache::builder().max_capacity(REMEMBERED).time_to_live(KNOWN_FOR).build();
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { tenant, first_uid, names, directory: of_system, turns, patience: PATIENCE })
    }

    /// The name of a person; none for root, for services, and for numbers without a name.
    async fn name_of(&self, uid: u32) -> Result<Option<String>, Turned> {
        if uid < self.first_uid || OF_SERVICES.contains(&uid) || NOBODY.contains(&uid) {
            return Ok(None);
        }
        self.names.try_get_with(uid, self.look_up(uid)).await.map_err(|_| Turned::DirectoryUnavailable)
    }

    /// Asks the directory. That it does not answer is not remembered.
    async fn look_up(&self, uid: u32) -> Result<Option<String>, ()> {
        let (directory, turns) = (self.directory, Arc::clone(&self.turns));
        let asked = async move {
            let turn = turns.acquire_owned().await.map_err(|_| Errno::EAGAIN)?;
            let asking = tokio::task::spawn_blocking(move || {
                let name = directory(uid);
                drop(turn);
                name
            });
            asking.await.map_err(|_| Errno::EAGAIN)?
        };
        let found = tokio::time::timeout(self.patience, asked).await.unwrap_or(Err(Errno::ETIMEDOUT));
        found.map_err(|error| tracing::warn!(uid, %error, "the system's directory of users does not answer"))
    }
}

/// The system's own.
fn of_system(uid: u32) -> Result<Option<String>, Errno> {
    let Some(user) = User::from_uid(Uid::from_raw(uid))? else { return Ok(None) };
    // The name must be of this number alone: two numbers of one name would share their accounts.
    let is_the_one = User::from_name(&user.name)?.is_some_and(|back| back.uid == user.uid);
    Ok(Some(user.name).filter(|name| is_the_one && is_name(name)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn persons(directory: Directory) -> Persons {
        let patience = Duration::from_millis(20);
        Persons { directory, patience, ..Persons::of("machine".into(), 1000).expect("persons") }
    }

    #[tokio::test]
    async fn a_directory_that_is_away_is_no_refusal() {
        static IS_AWAY: AtomicBool = AtomicBool::new(true);
        let persons = persons(|_| match IS_AWAY.load(Ordering::SeqCst) {
            true => Err(Errno::EIO),
            false => Ok(Some("ada".into())),
        });
        assert_eq!(persons.name_of(1000).await, Err(Turned::DirectoryUnavailable));
        assert_eq!(persons.name_of(999).await, Ok(None), "services are known without it");
        IS_AWAY.store(false, Ordering::SeqCst);
        assert_eq!(persons.name_of(1000).await, Ok(Some("ada".into())), "that it was away is forgotten");
        IS_AWAY.store(true, Ordering::SeqCst);
        assert_eq!(persons.name_of(1000).await, Ok(Some("ada".into())), "names are remembered");
    }

    #[tokio::test]
    async fn a_directory_that_hangs_keeps_few_threads() {
        static IS_OPEN: AtomicBool = AtomicBool::new(false);
        let persons = persons(|_| {
            while !IS_OPEN.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(None)
        });
        for uid in 1000..1020 {
            assert_eq!(persons.name_of(uid).await, Err(Turned::DirectoryUnavailable));
        }
        assert_eq!(persons.turns.available_permits(), 0, "no more than so many are asked at once");
        IS_OPEN.store(true, Ordering::SeqCst);
        let _all = persons.turns.acquire_many(16).await.expect("all turns come back");
    }
}
