//! Events about written rows, delivered in this process at once and to other processes through the database.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use tokentoss_custody::{ErrorCause, Grant, Status, Version};

use super::{GrantId, NewCell, StoreError};
use crate::random;

/// A user at a provider: the key of a list of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProviderUser {
    /// The tenant.
    pub tenant: String,
    /// The user within the tenant.
    pub user: String,
    /// The provider's name in the configuration.
    pub provider: String,
}

/// The kind of a change, for listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The user signed in.
    Connected,
    /// The provider gave new tokens.
    Renewed,
    /// The user must sign in again.
    SignInNeeded,
    /// The grant was ended by its user or an administrator.
    Disconnected,
    /// Any other change; only caches need it.
    Other,
}

/// A change of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The row.
    pub grant: GrantId,
    /// The tenant, user and provider of the row.
    pub provider_user: ProviderUser,
    /// The version after the write.
    pub version: Version,
    /// The kind of change.
    pub kind: ChangeKind,
}

/// An event of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreEvent {
    /// A row was written.
    Changed(Change),
    /// A write of this process failed, so cached rows may be outdated.
    WriteFailed,
    /// Events may have been missed, so any cached row may be outdated.
    Missed,
}

impl ChangeKind {
    /// The kind of a change that wrote this grant with these new cells.
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

/// A change as it is sent to other processes.
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

/// Notifies the watcher of this process. The random `origin` identifies this process's own messages.
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
    /// Sets the function that receives all events; only the first call has an effect.
    pub(super) fn watch(&self, watcher: Watcher) {
        let _ = self.watcher.set(watcher);
    }

    pub(super) fn tell(&self, news: &StoreEvent) {
        if let Some(watcher) = self.watcher.get() {
            watcher(news);
        }
    }

    /// Begins a write. If its result stays unknown, [`StoreEvent::Missed`] is reported.
    pub(super) fn begin(&self) -> WriteInProgress<'_> {
        WriteInProgress { notifier: self, is_known: false }
    }

    /// The message for other processes; empty if it would be too long.
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

    /// Parses a message; none for a message of this process.
    pub(super) fn read(&self, text: &str) -> Option<StoreEvent> {
        // Also the empty message, which stands for one that was too long.
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

/// A write without a known result: its future may be dropped, or the connection lost.
pub(super) struct WriteInProgress<'a> {
    notifier: &'a ChangeNotifier,
    is_known: bool,
}

impl WriteInProgress<'_> {
    /// Records the result; true if a row was written.
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
