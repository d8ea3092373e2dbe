//! The event bus: delivers account events to the listeners of a user.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::store::{Change, ChangeKind, GrantId, StoreEvent};

/// The queue length of one listener. A listener that exceeds it is disconnected, and reads its accounts again
/// when it reconnects.
const QUEUE: usize = 64;
/// The most listeners of one user.
const LISTENERS: usize = 16;

/// An event for a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `renewed`, `sign_in_needed`, `connected` or `disconnected`.
    pub name: &'static str,
    /// The account.
    pub account: GrantId,
    /// The provider's name in the configuration.
    pub provider: String,
    /// The row's version.
    pub version: u64,
}

type Listeners = Vec<Sender<Event>>;

/// The listeners, by tenant and user.
#[derive(Debug, Default)]
pub struct EventBus(Mutex<HashMap<(String, String), Listeners>>);

impl EventBus {
    /// Subscribes to the events of one user; none if that user has too many listeners.
    #[must_use]
    pub fn listen(&self, tenant: &str, user: &str) -> Option<Receiver<Event>> {
        let mut hub = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Users without listeners are removed when a listener is added.
        hub.retain(|_, listeners| {
            listeners.retain(|listener| !listener.is_closed());
            !listeners.is_empty()
        });
        let listeners = hub.entry((tenant.to_owned(), user.to_owned())).or_default();
        if listeners.len() >= LISTENERS {
            return None;
        }
        let (sender, receiver) = channel(QUEUE);
        listeners.push(sender);
        Some(receiver)
    }

    /// Delivers an event of the store to its listeners.
    pub(crate) fn on_event(&self, event: &StoreEvent) {
        let mut hub = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let change = match event {
            StoreEvent::Changed(change) => change,
            StoreEvent::WriteFailed => return,
            StoreEvent::Missed => {
                // Disconnected listeners read their accounts again when they reconnect.
                hub.clear();
                return;
            }
        };
        let Some(event) = Event::of(change) else { return };
        let provider_user = &change.provider_user;
        let Some(listeners) = hub.get_mut(&(provider_user.tenant.clone(), provider_user.user.clone())) else {
            return;
        };
        // A full queue ends with what is in it.
        listeners.retain(|listener| listener.try_send(event.clone()).is_ok());
    }

    /// The number of listeners.
    #[must_use]
    pub fn count(&self) -> usize {
        let hub = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hub.values().flatten().filter(|listener| !listener.is_closed()).count()
    }
}

impl Event {
    fn of(change: &Change) -> Option<Self> {
        let name = match change.kind {
            ChangeKind::Connected => "connected",
            ChangeKind::Renewed => "renewed",
            ChangeKind::SignInNeeded => "sign_in_needed",
            ChangeKind::Disconnected => "disconnected",
            ChangeKind::Other => return None,
        };
        let (account, provider) = (change.grant, change.provider_user.provider.clone());
        Some(Self { name, account, provider, version: change.version.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ProviderUser;
    use tokentoss_custody::Version;

    fn change(user: &str, version: u64, kind: ChangeKind) -> StoreEvent {
        let provider_user =
            ProviderUser { tenant: "acme".into(), user: user.into(), provider: "example".into() };
        StoreEvent::Changed(Change {
            grant: GrantId([1; 16]),
            provider_user,
            version: Version(version),
            kind,
        })
    }

    #[test]
    fn a_slow_listener_is_cut_off_and_no_other() {
        let hub = EventBus::default();
        let (mut slow, mut quick) =
            (hub.listen("acme", "ada").expect("room"), hub.listen("acme", "ada").expect("room"));
        let total = 2 * QUEUE as u64;
        for version in 0..total {
            hub.on_event(&change("ada", version, ChangeKind::Renewed));
            assert_eq!(quick.try_recv().expect("news").version, version);
        }
        for version in 0..QUEUE as u64 {
            assert_eq!(slow.try_recv().expect("what waited").version, version);
        }
        assert_eq!(slow.try_recv(), Err(tokio::sync::mpsc::error::TryRecvError::Disconnected));
        assert_eq!(hub.count(), 1);
    }

    #[test]
    fn lost_news_cut_everybody_off_and_an_unsure_write_nobody() {
        let hub = EventBus::default();
        let mut listener = hub.listen("acme", "ada").expect("room");
        hub.on_event(&change("ada", 1, ChangeKind::Renewed));
        hub.on_event(&StoreEvent::WriteFailed);
        assert_eq!(hub.count(), 1);
        hub.on_event(&StoreEvent::Missed);
        assert_eq!(listener.try_recv().expect("what came before").version, 1);
        assert_eq!(listener.try_recv(), Err(tokio::sync::mpsc::error::TryRecvError::Disconnected));
        assert_eq!(hub.count(), 0);
    }

    #[test]
    fn nobody_hears_of_others_and_nobody_listens_too_often() {
        let hub = EventBus::default();
        let mut other_tenant = hub.listen("other", "ada").expect("room");
        let mut listeners: Vec<_> =
            (0..LISTENERS).map(|_| hub.listen("acme", "ada").expect("room")).collect();
        assert!(hub.listen("acme", "ada").is_none());
        assert!(hub.listen("acme", "grace").is_some());
        hub.on_event(&change("ada", 1, ChangeKind::Other));
        hub.on_event(&change("grace", 1, ChangeKind::Renewed));
        assert!(other_tenant.try_recv().is_err() && listeners[0].try_recv().is_err());
        listeners.pop();
        assert!(hub.listen("acme", "ada").is_some(), "one has left");
    }
}
