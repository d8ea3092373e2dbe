//! Writing what came of a refresh: into the row, or into the journal while the database is away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokentoss_custody::{Grant, Jitter, LEASE, SettleParameters, Settlement, settle};

use super::claimed_grant::ClaimedGrant;
use super::{Custodian, CustodianError};
use crate::journal::{Answer, JournalEntry, JournalError};
use crate::random;
use crate::store::{GrantRow, StoreError};

/// How long to go on writing an outcome without tokens while the database is away; it is nothing that cannot be found out
/// again.
const WRITING: Duration = Duration::from_secs(60);
/// More tries than others need for their writes while an answer of the journal is written.
const TRIES: usize = 64;
/// The first pause between two tries to write; it doubles.
const WRITE_AGAIN: Duration = Duration::from_millis(250);
/// The longest of these pauses, so that the answer is written before somebody else takes its token up again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A database that took nothing for so long may be away.
const JOURNAL_AFTER: Duration = Duration::from_millis(250);

/// What came of one try to write.
enum WriteAttempt {
    /// The row was another one by then.
    Conflict,
    /// The row is like this now.
    Wrote(Box<Grant>),
    /// There is nothing to write.
    Nothing,
}

impl Custodian {
    /// Writes an answer, however often the row changes meanwhile and however long the database is away; the row as it was
    /// written, if the claimed one was still there.
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
                    // What is in the journal stays there, for an administrator.
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

    /// Writes the answers that an earlier process left in the journal; to be called before anybody is served.
    ///
    /// # Errors
    /// That the journal cannot be read, or that the database is away.
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

    /// Writes a report, whoever writes the row meanwhile, but not for ever.
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
        // It waits for the disk.
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

    /// Writes a report to a row that is known, or as it is now; of this process's lease, or of an earlier one's.
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
    /// What it holds cannot be written.
    #[error("an answer of the journal cannot be written: {0}")]
    Settlement(#[from] CustodianError),
}
