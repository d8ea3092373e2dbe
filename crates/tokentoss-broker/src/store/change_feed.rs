//! What other processes write, as it arrives.

use std::sync::Arc;

use super::StoreError;
use super::backend::{Listener, Received};
use super::change_events::{ChangeNotifier, StoreEvent};

/// A listener to what other processes write. Nothing that comes after its beginning is lost before it runs.
pub struct ChangeFeed {
    pub(super) listener: Listener,
    pub(super) notifier: Arc<ChangeNotifier>,
}

impl ChangeFeed {
    /// Tells the watcher what arrives, until the database is away.
    ///
    /// # Errors
    /// That it is away.
    pub async fn run(&mut self) -> Result<(), StoreError> {
        loop {
            match self.listener.next().await? {
                Received::Missed => self.notifier.tell(&StoreEvent::Missed),
                Received::Messages(messages) => {
                    let news = messages.iter().filter_map(|message| self.notifier.read(message));
                    news.for_each(|news| self.notifier.tell(&news));
                }
            }
        }
    }

    /// Closes its connection, and waits until it is closed.
    pub async fn close(self) {
        self.listener.close().await;
    }
}
