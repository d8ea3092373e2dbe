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

use super::caller_policy::CallerPolicy;
use super::{AllowedProviders, AuthError, Caller, Peer, is_name, reject_naming_headers};
use crate::config::{Config, ConfigError};

/// The time limit for one lookup in the user directory.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// The most concurrent lookups: a directory that does not answer blocks one thread for each.
const MAX_CONCURRENT: usize = 16;
/// How long a name is cached.
const CACHE_TTL: Duration = Duration::from_secs(60);
/// The most cached user ids, with and without a name.
const CACHE_CAPACITY: u64 = 10_000;
/// User ids that systemd allocates while a service runs (`DynamicUser=`).
const DYNAMIC_USERS: std::ops::RangeInclusive<u32> = 61_184..=65_519;
/// Overflow user ids, which stand for users of other namespaces, and invalid ones.
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
    /// The users that the configuration names, by user id.
    configured: BTreeMap<u32, CallerPolicy>,
    /// All login users that the configuration does not name.
    login_users: Option<LoginUsers>,
}

/// The login users of this machine: each acts for the user of the same name.
struct LoginUsers {
    tenant: String,
    first_uid: u32,
    names: Cache<u32, Option<String>>,
    directory: UserDirectory,
    permits: Arc<Semaphore>,
    timeout: Duration,
}

/// Looks up the name that belongs to one user id alone in the system's user directory; this may block.
type UserDirectory = fn(u32) -> Result<Option<String>, Errno>;

impl fmt::Debug for LoginUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginUsers").field("tenant", &self.tenant).finish_non_exhaustive()
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
                Ok(None) => {
                    return Err(
                        "this machine has no user of this name; use an existing name, such as \"alice\", or a user id",
                    );
                }
                Err(_) => return Err("the system's directory of users does not answer"),
            },
        };
        if NOBODY.contains(&uid) {
            return Err(
                "this id stands for users of other namespaces, and so for anybody; use the id or name of one user, such as \"alice\"",
            );
        }
        Ok(uid)
    }
}

impl UnixUsers {
    /// Reads the users of the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid entry.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        let mut configured: BTreeMap<u32, CallerPolicy> = BTreeMap::new();
        for (name, caller) in &config.callers {
            let Some(user) = &caller.unix_user else { continue };
            let uid = uid_of(config, name, user)?;
            if configured.insert(uid, caller.policy(name)?).is_some() {
                return Err(wrong(name, "another caller is the same user"));
            }
        }
        let socket = config.socket.as_ref();
        let login_users = socket.and_then(|socket| Some((socket.tenant.clone()?, socket.first_uid)));
        let login_users =
            login_users.map(|(tenant, first_uid)| LoginUsers::of(tenant, first_uid)).transpose()?;
        Ok(Self { configured, login_users })
    }

    /// All errors, not only the first. Errors in a caller's tenants are reported by [`super::InternalKeys`].
    #[must_use]
    pub fn problems(config: &Config) -> Vec<ConfigError> {
        let users = config.callers.iter().filter_map(|(name, caller)| {
            caller.unix_user.as_ref().and_then(|user| uid_of(config, name, user).err())
        });
        let mut problems: Vec<_> = users.collect();
        let can_be_read = config.callers.iter().all(|(name, caller)| caller.policy(name).is_ok());
        if problems.is_empty() && can_be_read {
            problems.extend(Self::of(config).err());
        }
        problems
    }

    /// The caller that the peer's user id identifies.
    pub(super) async fn identify(&self, peer: Peer, headers: &HeaderMap) -> Result<Caller, AuthError> {
        let uid = peer.uid.ok_or(AuthError::Unauthenticated)?;
        if let Some(policy) = self.configured.get(&uid) {
            return policy.caller(headers);
        }
        let login_users = self.login_users.as_ref().ok_or(AuthError::Unauthenticated)?;
        let user = login_users.name_of(uid).await?.ok_or(AuthError::Unauthenticated)?;
        reject_naming_headers(headers)?;
        Ok(Caller {
            name: format!("unix user {uid}"),
            tenant: login_users.tenant.clone(),
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

impl LoginUsers {
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
        let names = Cache::builder().max_capacity(CACHE_CAPACITY).time_to_live(CACHE_TTL).build();
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
        Ok(Self { tenant, first_uid, names, directory: system_user_name, permits, timeout: LOOKUP_TIMEOUT })
    }

    /// The name of a login user; none for root, for services, and for user ids without a name.
    async fn name_of(&self, uid: u32) -> Result<Option<String>, AuthError> {
        if uid < self.first_uid || DYNAMIC_USERS.contains(&uid) || NOBODY.contains(&uid) {
            return Ok(None);
        }
        self.names.try_get_with(uid, self.look_up(uid)).await.map_err(|_| AuthError::DirectoryUnavailable)
    }

    /// Asks the user directory. A failure is not cached.
    async fn look_up(&self, uid: u32) -> Result<Option<String>, ()> {
        let (directory, permits) = (self.directory, Arc::clone(&self.permits));
        let asked = async move {
            let permit = permits.acquire_owned().await.map_err(|_| Errno::EAGAIN)?;
            let asking = tokio::task::spawn_blocking(move || {
                let name = directory(uid);
                drop(permit);
                name
            });
            asking.await.map_err(|_| Errno::EAGAIN)?
        };
        let found = tokio::time::timeout(self.timeout, asked).await.unwrap_or(Err(Errno::ETIMEDOUT));
        found.map_err(|error| tracing::warn!(uid, %error, "the system's directory of users does not answer"))
    }
}

/// The name of a user id in the system's own user directory.
fn system_user_name(uid: u32) -> Result<Option<String>, Errno> {
    let Some(user) = User::from_uid(Uid::from_raw(uid))? else { return Ok(None) };
    // The name must belong to this id alone: two ids with one name would share their accounts.
    let is_the_one = User::from_name(&user.name)?.is_some_and(|back| back.uid == user.uid);
    Ok(Some(user.name).filter(|name| is_the_one && is_name(name)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn login_users(directory: UserDirectory) -> LoginUsers {
        let timeout = Duration::from_millis(20);
        LoginUsers { directory, timeout, ..LoginUsers::of("machine".into(), 1000).expect("login users") }
    }

    #[tokio::test]
    async fn an_unavailable_directory_is_no_refusal() {
        static IS_AWAY: AtomicBool = AtomicBool::new(true);
        let login_users = login_users(|_| match IS_AWAY.load(Ordering::SeqCst) {
            true => Err(Errno::EIO),
            false => Ok(Some("ada".into())),
        });
        assert_eq!(login_users.name_of(1000).await, Err(AuthError::DirectoryUnavailable));
        assert_eq!(login_users.name_of(999).await, Ok(None), "services are known without it");
        IS_AWAY.store(false, Ordering::SeqCst);
        assert_eq!(login_users.name_of(1000).await, Ok(Some("ada".into())), "that it was away is forgotten");
        IS_AWAY.store(true, Ordering::SeqCst);
        assert_eq!(login_users.name_of(1000).await, Ok(Some("ada".into())), "names are remembered");
    }

    #[tokio::test]
    async fn a_directory_that_hangs_blocks_few_threads() {
        static IS_OPEN: AtomicBool = AtomicBool::new(false);
        let login_users = login_users(|_| {
            while !IS_OPEN.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(None)
        });
        for uid in 1000..1020 {
            assert_eq!(login_users.name_of(uid).await, Err(AuthError::DirectoryUnavailable));
        }
        assert_eq!(login_users.permits.available_permits(), 0, "the number of concurrent lookups is limited");
        IS_OPEN.store(true, Ordering::SeqCst);
        let _all = login_users.permits.acquire_many(16).await.expect("all permits come back");
    }
}
