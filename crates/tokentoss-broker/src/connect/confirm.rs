//! Somebody confirms that who came back is who was meant, and the account is connected.

use std::sync::Arc;

use tokentoss_core::Secret;
use tokentoss_custody::Scopes;
use tracing::Instrument;

use super::exchange::RedeemedTokens;
use super::{Failure, SignInStatus, SignIns, WORKING, sha256};
use crate::callers::Caller;
use crate::problem::Problem;
use crate::random;
use crate::refresh::{Connected, CustodianError, Ending, SignedIn};
use crate::store::{AccountKey, Authorization, AuthorizationChange, GrantId, Stage, StoreError};

/// Letters and digits that nobody mistakes for one another (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Their number: 40 bits, of which five may be tried.
const LENGTH: usize = 8;
/// How many confirmations may be wrong.
const TRIES: i64 = 5;

/// The stages of a sign-in that nobody has to confirm, while the broker works on it.
pub(super) const UNCONFIRMED: [Stage; 2] = [Stage::Redeeming, Stage::Connecting];
/// The stages in which somebody may still type a confirmation.
const OPEN: [Stage; 3] = [Stage::Pending, Stage::Redeeming, Stage::Confirm];

/// What became of a sign-in that was confirmed.
enum Finished {
    /// The account is connected.
    Connected,
    /// The broker could not connect it; the user has to begin again.
    Interrupted,
    /// What was typed is not what the page showed. Before the user came back, nothing can be; it counts all the same.
    Wrong,
}

/// How somebody shows that who came back is who was meant.
#[derive(Clone, Copy)]
enum Proof {
    /// By what the broker's page showed, of which only so many may be tried.
    Typed,
    /// By the browser's cookie.
    Cookie,
}

/// A fresh confirmation.
pub(super) fn new_confirmation() -> String {
    let letter = |byte: u8| char::from(LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'0'));
    random::bytes::<LENGTH>().into_iter().map(letter).collect()
}

/// What somebody typed, as it was shown: without spaces and hyphens, in capitals, with letters that look like digits read as
/// such.
fn as_shown(typed: &str) -> String {
    let letters = typed.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').take(2 * LENGTH);
    letters
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        })
        .collect()
}

impl SignIns {
    /// Takes what the user typed into the widget.
    ///
    /// # Errors
    /// `confirmation_wrong`, or that the sign-in is not this user's or waits for nothing.
    pub async fn confirm(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        typed: &str,
    ) -> Result<SignInStatus, Problem> {
        let row = self.own(caller, id).await?;
        let change = AuthorizationChange {
            from: vec![Stage::Confirm],
            confirmation: Some(sha256(&as_shown(typed))),
            to: Some(Stage::Connecting),
            keeps_sealed: true,
            ends_in: Some(WORKING),
            ..AuthorizationChange::default()
        };
        let refusal = match self.finish(row, change, Proof::Typed).await? {
            Some(Finished::Connected | Finished::Interrupted) => return self.view(caller, id).await,
            Some(Finished::Wrong) => Problem::confirmation_wrong(),
            None => Problem::authorization_expired(),
        };
        // It may have come twice, or the page was faster.
        match self.own(caller, id).await?.stage {
            Stage::Connecting | Stage::Done => self.view(caller, id).await,
            _ => Err(refusal),
        }
    }

    /// The notebook page that opened the popup has answered it: the browser with this cookie is the one that was meant.
    ///
    /// # Errors
    /// That no sign-in of this browser waits for it; `authorization_expired` if it was interrupted.
    pub async fn confirm_by_opener(self: &Arc<Self>, id: &str, cookie: Option<&str>) -> Result<(), Problem> {
        let id = crate::store::AuthorizationId::read(id).ok_or_else(Problem::authorization_unknown)?;
        let row = self.custodian.store.authorization(id).await.map_err(CustodianError::from)?;
        // Without such a page nobody can be there.
        let row = row.filter(|row| row.page_origin.is_some()).ok_or_else(Problem::authorization_unknown)?;
        let change = AuthorizationChange {
            from: vec![Stage::Confirm],
            cookie: Some(sha256(cookie.ok_or_else(Problem::state_mismatch)?)),
            to: Some(Stage::Connecting),
            keeps_sealed: true,
            ends_in: Some(WORKING),
            ..AuthorizationChange::default()
        };
        match self.finish(row, change, Proof::Cookie).await? {
            Some(Finished::Connected) => Ok(()),
            Some(Finished::Interrupted) => Err(Problem::authorization_expired()),
            Some(Finished::Wrong) | None => Err(Problem::state_mismatch()),
        }
    }

    /// Connects the account; nothing happens where the row is not as this change expects.
    async fn finish(
        self: &Arc<Self>,
        row: Authorization,
        change: AuthorizationChange,
        proof: Proof,
    ) -> Result<Option<Finished>, Problem> {
        let sign_ins = Arc::clone(self);
        let task = self.custodian.tasks.spawn(
            async move {
                // Without the tenant's key nothing is taken from the row: another broker may have it.
                sign_ins.custodian.data_key(&row.tenant).await?;
                let store = &sign_ins.custodian.store;
                // Before it is compared, so that many at once are as few as one after the other.
                let tries_left = match proof {
                    Proof::Typed => {
                        match store.take_try(row.id, TRIES).await.map_err(CustodianError::from)? {
                            None => return Ok(None),
                            left => left,
                        }
                    }
                    Proof::Cookie => None,
                };
                let before =
                    store.change_authorization(row.id, &change).await.map_err(CustodianError::from)?;
                let Some(before) = before else {
                    if tries_left == Some(0) {
                        sign_ins.write_failure(&row, &OPEN, &Failure::CONFIRMATION_WRONG).await?;
                    }
                    return Ok(tries_left.map(|_| Finished::Wrong));
                };
                failpoint!("before_connect");
                Ok::<_, Problem>(Some(match sign_ins.connect_kept(&before, false).await {
                    Ok(Connected::Written(_) | Connected::Newer(_)) => Finished::Connected,
                    Ok(Connected::SignedOut) => Finished::Interrupted,
                    // It was given up, or somebody else went on with it.
                    Err(CustodianError::Store(StoreError::SignInOver)) => return Ok(None),
                    Err(failed) => {
                        sign_ins.interrupt(&before, &[Stage::Connecting], &failed.into()).await;
                        Finished::Interrupted
                    }
                }))
            }
            .in_current_span(),
        );
        task.await.map_err(|_| Problem::storage_unavailable())?
    }

    /// Connects the account whose tokens a row keeps.
    pub(super) async fn connect_kept(
        &self,
        row: &Authorization,
        is_resumed: bool,
    ) -> Result<Connected, CustodianError> {
        let text = self.open(row, "tokens").await?;
        let redeemed: RedeemedTokens =
            serde_json::from_str(text.expose()).map_err(|_| CustodianError::from(crate::keys::Unreadable))?;
        self.connect(row, &redeemed, is_resumed).await
    }

    /// Notes in what a code was redeemed for how the account is now, before anything waits.
    pub(super) async fn note_before(
        &self,
        row: &Authorization,
        redeemed: &mut RedeemedTokens,
    ) -> Result<(), CustodianError> {
        redeemed.redeemed_at = Some(self.custodian.store.now().await?.as_millis());
        redeemed.before = self.custodian.grant_before(&self.account_of(row, &redeemed.subject)?).await?;
        Ok(())
    }

    /// What a code was redeemed for, sealed for the row.
    pub(super) async fn seal_redeemed(
        &self,
        row: &Authorization,
        redeemed: &RedeemedTokens,
    ) -> Result<Vec<u8>, Problem> {
        let text =
            serde_json::to_string(redeemed).map(Secret::new).map_err(|_| Problem::key_unavailable())?;
        Ok(self.seal(row, "tokens", &text).await?)
    }

    /// Connects the account of a sign-in that nobody has to confirm; false where it was given up meanwhile, or took too long.
    pub(super) async fn connect_unconfirmed(
        &self,
        row: &Authorization,
        redeemed: &mut RedeemedTokens,
    ) -> Result<bool, Problem> {
        self.note_before(row, redeemed).await?;
        let change = AuthorizationChange {
            from: vec![Stage::Redeeming],
            to: Some(Stage::Connecting),
            // For whoever goes on with it where this process ends.
            sealed: Some(self.seal_redeemed(row, redeemed).await?),
            ends_in: Some(WORKING),
            ..AuthorizationChange::default()
        };
        let taken =
            self.custodian.store.change_authorization(row.id, &change).await.map_err(CustodianError::from)?;
        if taken.is_none() {
            tracing::info!(authorization = %row.id, "a sign-in was over before its code was redeemed");
            return Ok(false);
        }
        failpoint!("before_connect");
        match self.connect(row, redeemed, false).await {
            // It was given up, or took so long that somebody else went on with it.
            Err(CustodianError::Store(StoreError::SignInOver)) => Ok(false),
            connected => Ok(connected.map(|_| true)?),
        }
    }

    fn account_of<'a>(
        &'a self,
        row: &'a Authorization,
        subject: &'a str,
    ) -> Result<AccountKey<'a>, CustodianError> {
        let provider = self.custodian.provider(&row.provider).ok_or(CustodianError::NotConnected)?;
        let settings = provider.sign_in.as_ref().ok_or(CustodianError::NotConnected)?;
        let issuer = settings.client.provider().issuer();
        Ok(AccountKey { tenant: &row.tenant, user: &row.user, provider: &row.provider, issuer, subject })
    }

    /// Keeps the tokens of a sign-in, which is over with it.
    async fn connect(
        &self,
        row: &Authorization,
        redeemed: &RedeemedTokens,
        is_resumed: bool,
    ) -> Result<Connected, CustodianError> {
        let who = SignedIn {
            account: self.account_of(row, &redeemed.subject)?,
            email: redeemed.email.as_deref(),
            requested: Scopes::read(&row.scopes),
            id_token_expires_at: redeemed.id_token_expires_at(),
        };
        let ending = Ending { sign_in: Some(row.id), resumed: is_resumed.then_some(redeemed.before) };
        let tokens = redeemed.tokens(self.custodian.store.now().await?);
        let connected = self.custodian.connect_ending(&who, &tokens, ending).await?;
        match connected {
            Connected::Written(_) => {
                failpoint!("after_connect");
                self.watchers.notify(row.id);
            }
            Connected::Newer(grant) => self.write_done(row, grant).await?,
            Connected::SignedOut => {
                self.write_failed(row, &[Stage::Connecting], &Failure::INTERRUPTED).await?
            }
        }
        Ok(connected)
    }

    async fn write_done(&self, row: &Authorization, grant: GrantId) -> Result<(), CustodianError> {
        let change = AuthorizationChange {
            from: vec![Stage::Connecting],
            to: Some(Stage::Done),
            grant: Some(grant),
            ..AuthorizationChange::default()
        };
        self.custodian.store.change_authorization(row.id, &change).await?;
        self.watchers.notify(row.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_read_as_it_was_shown() {
        let shown = new_confirmation();
        assert_eq!(shown.len(), LENGTH);
        assert_eq!(as_shown(&shown), shown);
        let (first, second) = shown.split_at(4);
        let spaced = format!(" {first}-{} ", second.to_lowercase());
        assert_eq!(as_shown(&spaced), shown);
        assert_eq!(as_shown("oil"), "011");
    }
}
