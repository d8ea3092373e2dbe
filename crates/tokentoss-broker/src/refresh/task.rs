//! The refresh under a lease. It goes on even if no caller waits for it any more.

use std::mem;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokentoss_core::id_token::check_renewed;
use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::renewal::{RefreshResult, Tokens};
use tokentoss_custody::{
    Attempt, CellId, Handle, HeldLease, IdToken, Outcome, Renewed, Step, Target, TokenHash, release_lease,
};

use super::claimed_grant::{ClaimedGrant, WrittenGrant};
use super::connect::TokenSealer;
use super::{Custodian, CustodianError};
use crate::config::Provider;
use crate::journal::Answer;
use crate::keys::{Column, Key};
use crate::metrics;
use crate::store::{GrantRow, NewCell};

/// The state of a refresh.
struct RefreshInProgress<'a> {
    row: &'a GrantRow,
    provider: &'a Provider,
    key: Key,
    refresh: Option<Secret>,
    cells: Vec<NewCell>,
    access: Option<(CellId, Secret)>,
}

impl Custodian {
    /// Refreshes under a lease, and writes the outcome before any caller gets the token. Returns the row and
    /// its new token, if this process wrote them.
    pub(super) async fn refresh(&self, claimed: &ClaimedGrant) -> Option<WrittenGrant> {
        failpoint!("after_claim");
        let held = &claimed.held;
        let mut refreshing = match self.prepare(&claimed.row, held).await {
            Ok(refreshing) => refreshing,
            Err(failed) => {
                tracing::warn!(grant = %claimed.row.id, %failed, "a refresh could not begin");
                // Nothing was sent. If this fails too, the lease expires.
                let _ = self.release_lease(&claimed.row, held).await;
                return None;
            }
        };
        let mut attempt = Attempt::new(held.clone(), refreshing.provider.client_secrets.len().max(1));
        let mut step = match refreshing.refresh {
            Some(_) => attempt.begin(claimed.held_for()),
            None => attempt.answered(claimed.held_for(), Outcome::CellUnreadable),
        };
        loop {
            match step {
                Step::Send { secret, timeout } => {
                    let outcome = self.send(&mut refreshing, &attempt, secret, timeout).await;
                    metrics::refreshed(&refreshing.provider.name, &outcome);
                    let was_well = claimed.row.grant.back_off.failures == 0;
                    self.health.note(&refreshing.provider.name, &outcome, was_well, Instant::now());
                    step = attempt.answered(claimed.held_for(), outcome);
                }
                Step::Settle(report) => {
                    let RefreshInProgress { provider, cells, access, .. } = refreshing;
                    let (grant, provider) = (claimed.row.id, provider.name.clone());
                    let read = self.cache.begin(&claimed.provider_user());
                    let answer = Answer { grant, provider, report: *report, cells };
                    let after = self.write(answer, claimed).await?;
                    return Some(WrittenGrant { read, row: claimed.after(after, read), access: access? });
                }
            }
        }
    }

    async fn prepare<'a>(
        &'a self,
        row: &'a GrantRow,
        held: &HeldLease,
    ) -> Result<RefreshInProgress<'a>, CustodianError> {
        let provider = self.provider_of(row).ok_or(CustodianError::NotConnected)?;
        // A data key that cannot be opened is a problem of the key ring, and not of this grant.
        let key = self.data_key(&row.tenant).await?;
        let refresh = self.open(row, held.claim.refresh, Column::refresh_token()).await?;
        Ok(RefreshInProgress { row, provider, key, refresh, cells: Vec::new(), access: None })
    }

    /// Releases the lease, unless the row was written meanwhile.
    async fn release_lease(&self, row: &GrantRow, held: &HeldLease) -> Result<(), CustodianError> {
        if let Some(update) = release_lease(&row.grant, held) {
            self.store.update(row.id, &update, &[]).await?;
        }
        Ok(())
    }

    async fn send(
        &self,
        refreshing: &mut RefreshInProgress<'_>,
        attempt: &Attempt,
        secret: usize,
        timeout: Duration,
    ) -> Outcome {
        let Some(refresh) = &refreshing.refresh else { return Outcome::CellUnreadable };
        let target = &attempt.held().claim.target;
        failpoint!("before_send");
        let result = self.upstream.refresh(refreshing.provider, secret, refresh, target, timeout).await;
        failpoint!("after_answer");
        match result {
            RefreshResult::Tokens(tokens) => Outcome::Renewed(refreshing.seal_all(&tokens, target)),
            RefreshResult::RotatedOnly(refresh) => Outcome::RotatedOnly(refreshing.seal_refresh(&refresh)),
            RefreshResult::Outcome(outcome) => outcome,
        }
    }
}

impl RefreshInProgress<'_> {
    /// Seals a refresh token. The refresh token that was sent keeps its cell.
    fn seal_refresh(&mut self, token: &Secret) -> Handle {
        let hash = hash_of(token);
        let sent = self.row.grant.refresh.filter(|refresh| refresh.hash == hash);
        sent.unwrap_or_else(|| self.seal(Column::refresh_token(), token))
    }

    fn seal(&mut self, column: Column, token: &Secret) -> Handle {
        let mut sealer = TokenSealer {
            key: &self.key,
            account: self.row.account(),
            grant: self.row.id,
            cells: mem::take(&mut self.cells),
        };
        let handle = sealer.seal(column, token);
        self.cells = sealer.cells;
        handle
    }

    /// The expiry of an ID token; none if it is for another user or client, or expired.
    fn end_of(&self, id_token: &Secret) -> Option<Timestamp> {
        let client = &self.provider.sign_in.as_ref()?.client;
        match check_renewed(id_token, client, self.row.now) {
            Ok(identity) if identity.subject == self.row.subject => Some(identity.expires_at),
            Ok(_) => {
                tracing::error!(grant = %self.row.id, "the provider renewed an ID token for somebody else");
                None
            }
            Err(error) => {
                tracing::warn!(grant = %self.row.id, code = error.code().as_str(), "an ID token is of no use");
                None
            }
        }
    }

    fn seal_all(&mut self, tokens: &Tokens, target: &Target) -> Renewed {
        let id_token = tokens.id_token.as_ref().and_then(|token| Some((token, self.end_of(token)?)));
        let access = self.seal(Column::access_token(target), &tokens.access);
        self.access = Some((access.cell, tokens.access.clone()));
        Renewed {
            access,
            refresh: tokens.refresh.as_ref().map(|refresh| self.seal_refresh(refresh)),
            id_token: id_token.map(|(token, expires_at)| IdToken {
                handle: self.seal(Column::id_token(), token),
                expires_at,
            }),
            expires_in: tokens.expires_in,
            scopes: self.provider.own_scopes(tokens.scopes.as_ref()),
        }
    }
}

/// The hash that identifies a token in the state machine.
pub(crate) fn hash_of(token: &Secret) -> TokenHash {
    TokenHash(Sha256::digest(token.expose().as_bytes()).into())
}
