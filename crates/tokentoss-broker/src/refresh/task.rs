//! What the holder of a lease does, whether or not anybody still waits for it.

use std::mem;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokentoss_core::Secret;
use tokentoss_custody::renewal::{Reading, Tokens};
use tokentoss_custody::{
    Attempt, Handle, Held, Jitter, LEASE, Outcome, Renewed, Report, Step, Terms, TokenHash, Write, settle,
};

use super::connect::Sealing;
use super::{Custodian, Failed};
use crate::config::Provider;
use crate::keys::Key;
use crate::random;
use crate::store::{GrantId, GrantRow, NewCell};

/// How long to go on writing what a provider answered while the database is away.
const WRITING: Duration = Duration::from_secs(60);
/// Between two tries to write.
const WRITE_AGAIN: Duration = Duration::from_millis(250);

/// What is known while a lease is held.
struct Flown<'a> {
    row: GrantRow,
    provider: &'a Provider,
    key: Option<Key>,
    refresh: Option<Secret>,
    cells: Vec<NewCell>,
}

impl Custodian {
    /// Refreshes under a lease, and writes what came of it before anybody gets it.
    pub(super) async fn refresh(&self, id: GrantId, held: Held, started: Instant) {
        let flown = match self.prepare(id, &held).await {
            Ok(flown) => flown,
            Err(failed) => {
                // The lease ends by itself, and nothing was sent.
                tracing::warn!(grant = %id, %failed, "a refresh could not begin");
                return;
            }
        };
        let Some(mut flown) = flown else { return };
        let mut attempt = Attempt::new(held, flown.provider.client_secrets.len().max(1));
        let mut step = match flown.refresh {
            Some(_) => attempt.begin(started.elapsed()),
            None => attempt.answered(started.elapsed(), Outcome::CellUnreadable),
        };
        loop {
            match step {
                Step::Send { secret, timeout } => {
                    let outcome = self.send(&mut flown, &attempt, secret, timeout).await;
                    step = attempt.answered(started.elapsed(), outcome);
                }
                Step::Settle(report) => {
                    self.write(id, &report, &flown.cells, flown.provider).await;
                    return;
                }
            }
        }
    }

    async fn prepare(&self, id: GrantId, held: &Held) -> Result<Option<Flown<'_>>, Failed> {
        let Some(row) = self.store.grant(id).await? else { return Ok(None) };
        let provider = self.providers.get(&row.provider).ok_or(Failed::NotConnected)?;
        let (key, refresh) = match self.data_key(&row.tenant).await {
            Ok(key) => match self.open(&row, held.claim.refresh.cell).await {
                Ok(refresh) => (Some(key), Some(refresh)),
                Err(Failed::Unreadable(_)) => (Some(key), None),
                Err(failed) => return Err(failed),
            },
            Err(Failed::Unreadable(_)) => (None, None),
            Err(failed) => return Err(failed),
        };
        Ok(Some(Flown { row, provider, key, refresh, cells: Vec::new() }))
    }

    async fn send(
        &self,
        flown: &mut Flown<'_>,
        attempt: &Attempt,
        secret: usize,
        timeout: Duration,
    ) -> Outcome {
        let (Some(refresh), Some(_)) = (&flown.refresh, &flown.key) else { return Outcome::CellUnreadable };
        let target = &attempt.held().claim.target;
        match self.upstream.refresh(flown.provider, secret, refresh, target, timeout).await {
            Reading::Tokens(tokens) => {
                flown.seal_all(&tokens).map_or(Outcome::CellUnreadable, Outcome::Renewed)
            }
            Reading::RotatedOnly(refresh) => {
                flown.seal(&refresh).map_or(Outcome::CellUnreadable, Outcome::RotatedOnly)
            }
            Reading::Outcome(outcome) => outcome,
        }
    }

    /// Writes a report, however often the row changes meanwhile.
    async fn write(&self, id: GrantId, report: &Report, cells: &[NewCell], provider: &Provider) {
        let began = Instant::now();
        loop {
            match self.try_write(id, report, cells, provider).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(failed) if began.elapsed() < WRITING.max(LEASE) => {
                    tracing::warn!(grant = %id, %failed, "the outcome of a refresh is not written yet");
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
                Err(failed) => {
                    tracing::error!(grant = %id, %failed, "the outcome of a refresh is lost");
                    return;
                }
            }
        }
    }

    /// Writes a report to the row as it is now; false if somebody else was faster.
    async fn try_write(
        &self,
        id: GrantId,
        report: &Report,
        cells: &[NewCell],
        provider: &Provider,
    ) -> Result<bool, Failed> {
        let Some(row) = self.store.grant(id).await? else { return Ok(true) };
        let terms = Terms {
            forgets_after: provider.forgets_after,
            client_revision: provider.client_revision,
            jitter: Jitter(u16::from_be_bytes(random::bytes())),
        };
        match settle(row.now, &row.grant, report, &terms) {
            Write::Update(update) => Ok(self.store.update(id, &update, cells).await?),
            Write::Revoke(tokens) => {
                self.store.queue_revocations(id, &tokens, cells).await?;
                Ok(true)
            }
            Write::Nothing => Ok(true),
        }
    }
}

impl Flown<'_> {
    /// Seals a token; the one that was sent keeps its cell.
    fn seal(&mut self, token: &Secret) -> Option<Handle> {
        let key = self.key.as_ref()?;
        let hash = hash_of(token);
        if let Some(refresh) = self.row.grant.refresh.filter(|refresh| refresh.hash == hash) {
            return Some(refresh);
        }
        let mut sealing =
            Sealing { key, tenant: &self.row.tenant, grant: self.row.id, cells: mem::take(&mut self.cells) };
        let handle = sealing.seal(token);
        self.cells = sealing.cells;
        Some(handle)
    }

    fn seal_all(&mut self, tokens: &Tokens) -> Option<Renewed> {
        Some(Renewed {
            access: self.seal(&tokens.access)?,
            refresh: match &tokens.refresh {
                Some(refresh) => Some(self.seal(refresh)?),
                None => None,
            },
            id_token: None,
            expires_in: tokens.expires_in,
            scopes: tokens.scopes.clone(),
        })
    }
}

/// The hash by which the machine knows a token.
pub(crate) fn hash_of(token: &Secret) -> TokenHash {
    TokenHash(Sha256::digest(token.expose().as_bytes()).into())
}
