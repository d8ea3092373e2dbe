//! The times at which grants were last used. They are collected in memory and written in batches, so that no
//! caller waits.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokentoss_core::Timestamp;

use super::Custodian;
use crate::store::GrantId;

/// The interval between two batches. Uses since the last batch are lost if the process is killed.
pub const WRITE_USES_EVERY: Duration = Duration::from_secs(30);
/// The most grants of one transaction, which limits how long its locks are held.
const BATCH: usize = 500;

/// The latest use of each grant since the previous batch.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<HashMap<GrantId, Timestamp>>);

impl Uses {
    /// Records that a caller got a token at this time of the database's clock.
    pub(super) fn note(&self, id: GrantId, at: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = uses.entry(id).or_insert(at);
        *latest = at.max(*latest);
    }

    fn take(&self) -> Vec<(GrantId, Timestamp)> {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut *uses).into_iter().collect()
    }
}

impl Custodian {
    /// Writes the recorded uses. A batch that fails is recorded again.
    pub async fn write_uses(&self) {
        let mut uses = self.uses.take();
        // Sorted, so that two processes do not deadlock.
        uses.sort_unstable_by_key(|(id, _)| id.0);
        for batch in uses.chunks(BATCH) {
            if let Err(error) = self.store.note_uses(batch).await {
                tracing::info!(grants = batch.len(), %error, "the times of use are not written yet");
                batch.iter().for_each(|(id, at)| self.uses.note(*id, *at));
            }
        }
    }
}
