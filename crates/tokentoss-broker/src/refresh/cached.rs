//! Step 0: a token that is kept, with life enough for this caller, costs no I/O and no decryption.

use std::sync::Arc;
use std::time::Duration;

use tokentoss_custody::{Access, Asker, Credential, Decision, Demand, Target, decide};

use super::claimed::Written;
use super::{Ask, Custodian, Failed, Given};
use crate::clock;
use crate::keys::Column;
use crate::store::{Account, Change, GrantId, GrantRow, Place};

impl Custodian {
    /// A kept token that serves this demand. Whatever is not kept, or needs more thought, is read from the database.
    pub(super) fn kept_token(&self, id: GrantId, place: &Place, ask: &Ask) -> Option<Given> {
        // A list of accounts that somebody changed may name a grant of somebody else.
        let kept = self.cache.row(id).filter(|kept| kept.row().is_of(place))?;
        let (row, now) = (kept.row(), kept.now());
        let demand = Demand {
            // Nobody waits for anything here.
            asker: Asker::Caller { gives_up_at: now },
            credential: ask.credential,
            target: ask.target.clone(),
            min_ttl: ask.min_ttl,
            rejected: ask.rejected,
        };
        let context = self.context(row).ok()?;
        let Decision::Serve { slot, is_last_resort: false } = decide(now, &row.grant, &demand, &context)
        else {
            return None;
        };
        let access = row.grant.tokens.get(slot)?.access.as_ref()?;
        let token = kept.token(access.handle.cell)?.clone();
        let id_token = match row.grant.id_token.filter(|_| ask.credential == Credential::IdToken) {
            Some(id_token) => Some((kept.token(id_token.handle.cell)?.clone(), id_token.expires_at)),
            None => None,
        };
        self.uses.note(id, now);
        Some(Given { id_token, ..given(row, access, token, now) })
    }

    /// The one account that is meant.
    pub(super) async fn account(&self, place: &Place, name: Option<&str>) -> Result<GrantId, Failed> {
        // A kept list that does not name exactly one may be too old to.
        if let Some(Ok(id)) = self.cache.accounts(place).map(|accounts| one_of(&accounts, name)) {
            return Ok(id);
        }
        // Boxed, so that the calls that need none of it do not carry its room about.
        Box::pin(self.read_account(place, name)).await
    }

    async fn read_account(&self, place: &Place, name: Option<&str>) -> Result<GrantId, Failed> {
        let asked_at = clock::elapsed();
        let _turn = self.readers_of_lists.turn(place).await;
        if let Some(accounts) = self.cache.accounts_since(place, asked_at) {
            return one_of(&accounts, name);
        }
        let reading = self.cache.begin(place);
        let accounts = self.accounts(&place.tenant, &place.user, &place.provider).await?;
        self.cache.keep_accounts(reading, place, &accounts);
        one_of(&accounts, name)
    }

    /// Frees the memory of kept tokens that are over, and the database's of old news and of sign-ins that nobody confirmed.
    pub async fn tidy(&self) {
        self.cache.tidy();
        self.data_keys.tidy();
        crate::metrics::tidy();
        if let Err(error) = self.store.forget_news().await {
            tracing::debug!(%error, "old news are not deleted yet");
        }
        if let Err(error) = self.store.forget_authorizations().await {
            tracing::warn!(%error, "sign-ins that ended are not deleted yet");
        }
    }

    /// Keeps what a refresh of this process wrote, or else what the row has now.
    pub(super) async fn keep_written(&self, written: Option<Written>, id: GrantId, place: &Place) {
        let is_kept = written.is_some_and(|Written { reading, row, access: (cell, token) }| {
            self.cache.keep_written(reading, &Arc::new(row), cell, &token)
        });
        if !is_kept {
            // If this fails, whoever waits reads it.
            let _ = self.keep_renewed(id, place).await;
        }
    }

    /// Keeps the main token of a row that was renewed, so that those who wait for it need not all read it.
    pub(super) async fn keep_renewed(&self, id: GrantId, place: &Place) -> Result<(), Failed> {
        let reading = self.cache.begin(place);
        let Some(row) = self.store.grant(id).await?.map(Arc::new) else { return Ok(()) };
        if let Some(access) = row.grant.main() {
            let column = Column::access_token(&Target::default());
            if let Some(token) = self.open(&row, access.handle, column).await? {
                self.cache.keep_token(reading, &row, access.handle.cell, &token);
            }
        }
        Ok(())
    }

    /// Has those who wait for another process see what it wrote, with one read for all of them.
    pub(super) fn pass_on(self: &Arc<Self>, change: &Change) {
        // Whoever refreshes in this process tells by itself.
        let Some(flight) = self.flights.known(change.grant).filter(|flight| !flight.is_running()) else {
            return;
        };
        let (custodian, change) = (Arc::clone(self), change.clone());
        self.tasks.spawn(async move {
            // If this fails, whoever waits reads it.
            let _ = custodian.keep_renewed(change.grant, &change.place).await;
            flight.tell();
        });
    }
}

fn one_of(accounts: &[Account], name: Option<&str>) -> Result<GrantId, Failed> {
    let mut meant = accounts.iter().filter(|account| name.is_none_or(|name| account.goes_by(name)));
    match (meant.next(), meant.next()) {
        (Some(account), None) => Ok(account.id),
        (Some(_), Some(_)) => Err(Failed::Ambiguous),
        (None, _) => Err(Failed::NotConnected),
    }
}

/// The answer to a demand.
pub(super) fn given(
    row: &Arc<GrantRow>,
    access: &Access,
    token: tokentoss_core::Secret,
    now: tokentoss_core::Timestamp,
) -> Given {
    let life = row.grant.ttl(access, now);
    Given {
        access: token,
        life: Some(life).filter(|life| *life < Duration::MAX),
        now,
        scopes: access.scopes.to_list(),
        id_token: None,
        row: Arc::clone(row),
    }
}
