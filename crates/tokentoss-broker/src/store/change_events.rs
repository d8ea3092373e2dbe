//! What writes changed, told in this process at once and to other processes by the database.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use tokentoss_custody::{ErrorCause, Grant, Status, Version};

use super::{GrantId, NewCell, StoreError};
use crate::random;

/// Whose accounts at which provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProviderUser {
    /// The tenant.
    pub tenant: String,
    /// The user within the tenant.
    pub user: String,
    /// The provider's name in the configuration.
    pub provider: String,
}

/// What a write means for those who look on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The user signed in.
    Connected,
    /// The provider gave new tokens.
    Renewed,
    /// Only a new sign-in helps.
    SignInNeeded,
    /// The grant was ended on purpose.
    Disconnected,
    /// Nothing that concerns anybody but caches.
    Other,
}

/// A row that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The row.
    pub grant: GrantId,
    /// Whose it is.
    pub provider_user: ProviderUser,
    /// Its version afterwards.
    pub version: Version,
    /// What it means.
    pub kind: ChangeKind,
}

/// News of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreEvent {
    /// A row was written.
    Changed(Change),
    /// A write of this process failed: what is kept may be old.
    WriteFailed,
    /// Anything may have been written that this process did not hear of.
    Missed,
}

impl ChangeKind {
    /// What a row says that was written with these new cells.
    pub(super) fn of(after: &Grant, cells: &[NewCell]) -> Self {
        match after.status {
            Status::Revoked(_) => Self::Disconnected,
            Status::Expired(_) | Status::Error(ErrorCause::RolledBack) => Self::SignInNeeded,
            Status::Active if cells.is_empty() || after.back_off.failures > 0 => Self::Other,
            Status::Active if after.connected_at == after.renewed_at => Self::Connected,
            Status::Active => Self::Renewed,
            Status::Error(_) => Self::Other,
        }
    }
}

/// A change as it travels between processes.
#[derive(Serialize, Deserialize)]
struct Message {
    origin: u64,
    grant: [u8; 16],
    #[serde(rename = "place")]
    provider_user: ProviderUser,
    version: u64,
    kind: ChangeKind,
}

/// The longest message that Postgres takes, in bytes.
const MESSAGE_LIMIT: usize = 7_999;

type Watcher = Box<dyn Fn(&StoreEvent) + Send + Sync>;

/// Who is told what this process writes, and the number by which it knows its own messages again.
pub(super) struct ChangeNotifier {
    watcher: OnceLock<Watcher>,
    origin: u64,
}

impl Default for ChangeNotifier {
    fn default() -> Self {
        Self { watcher: OnceLock::new(), origin: u64::from_be_bytes(random::bytes()) }
    }
}

impl ChangeNotifier {
    /// Has this called for all news from now on; the first one counts.
    pub(super) fn watch(&self, watcher: Watcher) {
        let _ = self.watcher.set(watcher);
    }

    pub(super) fn tell(&self, news: &StoreEvent) {
        if let Some(watcher) = self.watcher.get() {
            watcher(news);
        }
    }

    /// A write that begins: unless it is known how it ended, its end is told as [`News::Lost`].
    pub(super) fn begin(&self) -> WriteInProgress<'_> {
        WriteInProgress { notifier: self, is_known: false }
    }

    /// The message for other processes; an empty one where it would be too long.
    pub(super) fn message(&self, change: &Change) -> String {
        let message = Message {
            origin: self.origin,
            grant: change.grant.0,
            provider_user: change.provider_user.clone(),
            version: change.version.0,
            kind: change.kind,
        };
        let text = serde_json::to_string(&message).unwrap_or_default();
        if text.len() > MESSAGE_LIMIT { String::new() } else { text }
    }

    /// What a message says; none for one of this process.
    pub(super) fn read(&self, text: &str) -> Option<StoreEvent> {
        // As one that would have been too long.
        let Ok(message) = serde_json::from_str::<Message>(text) else { return Some(StoreEvent::Missed) };
        if message.origin == self.origin {
            return None;
        }
        Some(StoreEvent::Changed(Change {
            grant: GrantId(message.grant),
            provider_user: message.provider_user,
            version: Version(message.version),
            kind: message.kind,
        }))
    }
}

/// A write whose end is not known yet, because its future may be dropped or the connection lost.
pub(super) struct WriteInProgress<'a> {
    notifier: &'a ChangeNotifier,
    is_known: bool,
}

impl WriteInProgress<'_> {
    /// It ended like this; tells whether anything was written.
    pub(super) fn end(mut self, written: Result<Option<Change>, StoreError>) -> Result<bool, StoreError> {
        match written {
            Ok(change) => {
                self.is_known = true;
                let is_written = change.is_some();
                change.into_iter().for_each(|change| self.notifier.tell(&StoreEvent::Changed(change)));
                Ok(is_written)
            }
            Err(error) => {
                if error.wrote_nothing() {
                    self.is_known = true;
                    self.notifier.tell(&StoreEvent::WriteFailed);
                }
                Err(error)
            }
        }
    }
}

impl Drop for WriteInProgress<'_> {
    fn drop(&mut self) {
        if !self.is_known {
            self.notifier.tell(&StoreEvent::Missed);
        }
    }
}
