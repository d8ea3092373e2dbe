//! What other processes write, as it arrives.

use std::sync::Arc;

use super::StoreError;
use super::backend::{Arrived, Listener};
use super::news::{News, Telling};

/// A listener to what other processes write. Nothing that comes after its beginning is lost before it runs.
pub struct Following {
    pub(super) listener: Listener,
    pub(super) telling: Arc<Telling>,
}

impl Following {
    /// Tells the watcher what arrives, until the database is away.
    ///
    /// # Errors
    /// That it is away.
    pub async fn run(&mut self) -> Result<(), StoreError> {
        loop {
            match self.listener.next().await? {
                Arrived::Lost => self.telling.tell(&News::Lost),
                Arrived::Messages(messages) => {
                    let news = messages.iter().filter_map(|message| self.telling.read(message));
                    news.for_each(|news| self.telling.tell(&news));
                }
            }
        }
    }

    /// Closes its connection, and waits until it is closed.
    pub async fn close(self) {
        self.listener.close().await;
    }
}
