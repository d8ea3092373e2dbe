//! Writing the outcome of a refresh: into the row, or into the journal while the database is unavailable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokentoss_custody::{Grant, Jitter, LEASE, SettleParameters, Settlement, settle};

use super::claimed_grant::ClaimedGrant;
use super::{Custodian, CustodianError};
use crate::journal::{Answer, JournalEntry, JournalError};
use crate::metrics;
use crate::random;
use crate::store::{GrantRow, StoreError};

/// How long the write of an outcome without tokens is retried. Its loss is harmless.
const WRITING: Duration = Duration::from_secs(60);
/// The most attempts to write an answer of the journal against concurrent writes.
const TRIES: usize = 64;
/// The first pause between two attempts to write; it doubles.
const WRITE_AGAIN: Duration = Duration::from_millis(250);
/// The longest pause, so that the answer is written before another process takes over the lease.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// After this time without an answer of the database, the journal is written.
const JOURNAL_AFTER: Duration = Duration::from_millis(250);

/// The result of one attempt to write.
enum WriteAttempt {
    /// The row has changed since it was read.
    Conflict,
    /// The row was written like this.
    Wrote(Box<Grant>),
    /// There was nothing to write.
    Nothing,
}

impl Custodian {
    /// Writes an answer, and retries after conflicts and while the database is unavailable. Returns the row
    /// as it was written, if it was unchanged since the claim.
    pub(super) async fn write(&self, answer: Answer, claimed: &ClaimedGrant) -> Option<Grant> {
        let answer = Arc::new(answer);
        let (began, grant) = (Instant::now(), answer.grant);
        let has_tokens = Answer::has_tokens(&answer.report.outcome);
        let (mut entry, mut pause) = (None, WRITE_AGAIN);
        let (mut known, mut after) = (Some(claimed.now()), None);
        failpoint!("before_write");
        loop {
            let is_first = known.is_some();
            let write = self.try_write(&answer, known.take(), Some(claimed));
            tokio::pin!(write);
            let written = match tokio::time::timeout(JOURNAL_AFTER, &mut write).await {
                Ok(written) => written,
                Err(_) if has_tokens && entry.is_none() => {
                    let (written, keeping) = tokio::join!(&mut write, self.append_to_journal(&answer));
                    entry = keeping;
                    written
                }
                Err(_) => write.await,
            };
            match written {
                Ok(WriteAttempt::Wrote(grant)) => {
                    after = is_first.then_some(*grant);
                    break;
                }
                Ok(WriteAttempt::Nothing) => break,
                Ok(WriteAttempt::Conflict) => continue,
                Err(CustodianError::Store(refused)) if refused.is_about_values() => {
                    tracing::error!(%grant, failed = %refused, "the outcome of a refresh cannot be written");
                    if has_tokens && entry.is_none() {
                        self.append_to_journal(&answer).await;
                    }
                    // An answer in the journal stays there for an administrator.
                    return None;
                }
                Err(failed) if !has_tokens && began.elapsed() >= WRITING.max(LEASE) => {
                    tracing::error!(%grant, %failed, "the outcome of a refresh is not written");
                    break;
                }
                Err(failed) => tracing::warn!(%grant, %failed, "the outcome of a refresh is not written yet"),
            }
            if has_tokens && entry.is_none() {
                entry = self.append_to_journal(&answer).await;
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        failpoint!("after_write");
        if let Some(entry) = entry {
            self.journal.remove(entry);
        }
        after
    }

    /// Writes the answers that an earlier process left in the journal; to be called before requests are
    /// served.
    ///
    /// # Errors
    /// The journal cannot be read, or the database is unavailable.
    pub async fn replay(&self) -> Result<(), ReplayError> {
        for (entry, answer) in self.journal.entries(&self.ring)? {
            if !self.providers.contains_key(&answer.provider) {
                let provider = &answer.provider;
                tracing::error!(grant = %answer.grant, provider, "an answer of an unknown provider is left in the journal");
                continue;
            }
            match self.write_soon(&answer).await {
                Ok(()) => {}
                Err(CustodianError::Store(refused)) if refused.is_about_values() => {
                    tracing::error!(grant = %answer.grant, failed = %refused, "an answer of the journal cannot be written, and stays there");
                    continue;
                }
                Err(failed) => return Err(failed.into()),
            }
            failpoint!("replayed");
            self.journal.remove(entry);
            tracing::warn!(grant = %answer.grant, "an answer was written from the journal");
        }
        Ok(())
    }

    /// Writes an answer, with a limited number of attempts after conflicts.
    async fn write_soon(&self, answer: &Answer) -> Result<(), CustodianError> {
        for _ in 0..TRIES {
            if !matches!(self.try_write(answer, None, None).await?, WriteAttempt::Conflict) {
                return Ok(());
            }
        }
        Err(StoreError::Contended.into())
    }

    async fn append_to_journal(&self, answer: &Arc<Answer>) -> Option<JournalEntry> {
        let (journal, ring, answer) = (Arc::clone(&self.journal), Arc::clone(&self.ring), Arc::clone(answer));
        // It blocks on the disk.
        let keeping = tokio::task::spawn_blocking(move || {
            let grant = answer.grant;
            let entry = journal.append(&ring, &answer);
            entry
                .inspect_err(|error| tracing::error!(%grant, %error, "an answer is not in the journal yet"))
                .ok()
        });
        let entry = keeping.await.ok().flatten();
        failpoint!("in_journal");
        entry
    }

    /// Writes an answer to a known row, or to the current one. The lease is this process's, or an earlier
    /// process's.
    async fn try_write(
        &self,
        answer: &Answer,
        known: Option<GrantRow>,
        claimed: Option<&ClaimedGrant>,
    ) -> Result<WriteAttempt, CustodianError> {
        let provider = self.providers.get(&answer.provider).ok_or(CustodianError::NotConnected)?;
        let row = match known {
            Some(row) => Some(row),
            None => self.store.grant(answer.grant).await?,
        };
        let Some(row) = row else { return Ok(WriteAttempt::Nothing) };
        let parameters = SettleParameters {
            forgets_after: provider.forgets_after,
            client_revision: provider.client_revision,
            jitter: Jitter(u16::from_be_bytes(random::bytes())),
        };
        let age = claimed.map_or_else(|| answer.age(row.now), ClaimedGrant::held_for);
        match settle(row.now, age, &row.grant, &answer.report, &parameters) {
            Settlement::Update(update) => {
                let is_written = self.store.update(answer.grant, &update, &answer.cells).await?;
                if is_written {
                    metrics::changed(&provider.name, row.grant.status, update.after.status);
                }
                Ok(if is_written {
                    WriteAttempt::Wrote(Box::new(update.after))
                } else {
                    WriteAttempt::Conflict
                })
            }
            Settlement::Revoke(tokens) => {
                self.store.queue_revocations(answer.grant, &tokens, &answer.cells).await?;
                self.revocations.notify_waiters();
                Ok(WriteAttempt::Nothing)
            }
            Settlement::Nothing => Ok(WriteAttempt::Nothing),
        }
    }
}

/// Why the journal could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An answer of it cannot be written.
    #[error("an answer of the journal cannot be written: {0}")]
    Settlement(#[from] CustodianError),
}
