//! The feed of changes that other processes write.

use std::sync::Arc;

use super::StoreError;
use super::backend::{Listener, Received};
use super::change_events::{ChangeNotifier, StoreEvent};

/// A subscription to the changes of other processes. Changes between its start and [`ChangeFeed::run`] are
/// not lost.
pub struct ChangeFeed {
    pub(super) listener: Listener,
    pub(super) notifier: Arc<ChangeNotifier>,
}

impl ChangeFeed {
    /// Delivers changes to the watcher until the connection fails.
    ///
    /// # Errors
    /// The connection to the database failed.
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
