//! The confirmation that the intended user came back from the provider; it connects the account.

use std::sync::Arc;

use tokentoss_custody::Scopes;

use super::exchange::RedeemedTokens;
use super::{Failure, SignInStatus, SignIns, WORKING, sha256};
use crate::callers::Caller;
use crate::problem::Problem;
use crate::random;
use crate::refresh::{CustodianError, SignedIn};
use crate::store::{AccountKey, Authorization, AuthorizationChange, GrantId, Stage};

/// Letters and digits that are hard to confuse (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The length of a confirmation: 40 bits, with five attempts.
const LENGTH: usize = 8;
/// The number of attempts.
const TRIES: i64 = 5;

/// The stages of a sign-in without a confirmation, while the broker works on it.
pub(super) const UNCONFIRMED: [Stage; 2] = [Stage::Redeeming, Stage::Connecting];
/// The stages in which a confirmation may still be typed.
const OPEN: [Stage; 3] = [Stage::Pending, Stage::Redeeming, Stage::Confirm];

/// The result of a confirmation.
enum Finished {
    /// The account is connected.
    Connected,
    /// The broker could not connect the account; the user must start again.
    Interrupted,
    /// The confirmation is wrong. One that is typed before the user came back is always wrong, and counts as
    /// an attempt too.
    Wrong,
}

/// How the sign-in is confirmed.
#[derive(Clone, Copy)]
enum Proof {
    /// By the text that the broker's page shows, with a limited number of attempts.
    Typed,
    /// By the browser's cookie.
    Cookie,
}

/// A new random confirmation.
pub(super) fn new_confirmation() -> String {
    let letter = |byte: u8| char::from(LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'0'));
    random::bytes::<LENGTH>().into_iter().map(letter).collect()
}

/// Normalises a typed confirmation: without spaces and hyphens, in capitals, and with look-alike letters as
/// digits.
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
    /// Confirms with the text that the user typed into the widget.
    ///
    /// # Errors
    /// `confirmation_wrong`, or the sign-in is not this user's or does not wait for a confirmation.
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
            ends_in: Some(WORKING),
            ..AuthorizationChange::default()
        };
        let refusal = match self.finish(row, change, Proof::Typed).await? {
            Some(Finished::Connected | Finished::Interrupted) => return self.view(caller, id).await,
            Some(Finished::Wrong) => Problem::confirmation_wrong(),
            None => Problem::authorization_expired(),
        };
        // The request may be repeated, or the notebook page confirmed first.
        match self.own(caller, id).await?.stage {
            Stage::Connecting | Stage::Done => self.view(caller, id).await,
            _ => Err(refusal),
        }
    }

    /// Confirms because the notebook page that opened the popup answered: the browser with this cookie is the
    /// intended one.
    ///
    /// # Errors
    /// No sign-in of this browser waits for a confirmation; `authorization_expired` if it was interrupted.
    pub async fn confirm_by_opener(self: &Arc<Self>, id: &str, cookie: Option<&str>) -> Result<(), Problem> {
        let id = crate::store::AuthorizationId::read(id).ok_or_else(Problem::authorization_unknown)?;
        let row = self.custodian.store.authorization(id).await.map_err(CustodianError::from)?;
        // Without a notebook page, this way to confirm is not allowed.
        let row = row.filter(|row| row.page_origin.is_some()).ok_or_else(Problem::authorization_unknown)?;
        let change = AuthorizationChange {
            from: vec![Stage::Confirm],
            cookie: Some(sha256(cookie.ok_or_else(Problem::state_mismatch)?)),
            to: Some(Stage::Connecting),
            ends_in: Some(WORKING),
            ..AuthorizationChange::default()
        };
        match self.finish(row, change, Proof::Cookie).await? {
            Some(Finished::Connected) => Ok(()),
            Some(Finished::Interrupted) => Err(Problem::authorization_expired()),
            Some(Finished::Wrong) | None => Err(Problem::state_mismatch()),
        }
    }

    /// Connects the account; none if the row is not as the change expects.
    async fn finish(
        self: &Arc<Self>,
        row: Authorization,
        change: AuthorizationChange,
        proof: Proof,
    ) -> Result<Option<Finished>, Problem> {
        let sign_ins = Arc::clone(self);
        let task = self.custodian.tasks.spawn(async move {
            // Without the tenant's data key nothing is consumed, because another broker may have the key.
            sign_ins.custodian.data_key(&row.tenant).await?;
            let store = &sign_ins.custodian.store;
            // Counted before the comparison, so that concurrent attempts are limited too.
            let tries_left = match proof {
                Proof::Typed => match store.take_try(row.id, TRIES).await.map_err(CustodianError::from)? {
                    None => return Ok(None),
                    left => left,
                },
                Proof::Cookie => None,
            };
            let before = store.change_authorization(row.id, &change).await.map_err(CustodianError::from)?;
            let Some(before) = before else {
                if tries_left == Some(0) {
                    sign_ins.write_failure(&row, &OPEN, &Failure::CONFIRMATION_WRONG).await?;
                }
                return Ok(tries_left.map(|_| Finished::Wrong));
            };
            failpoint!("before_connect");
            Ok::<_, Problem>(Some(match sign_ins.connect_redeemed(&before).await {
                Ok(()) => Finished::Connected,
                Err(problem) => {
                    sign_ins.interrupt(&before, &[Stage::Connecting], &problem).await;
                    Finished::Interrupted
                }
            }))
        });
        task.await.map_err(|_| Problem::storage_unavailable())?
    }

    /// Connects the account whose redeemed tokens are in the row.
    async fn connect_redeemed(&self, row: &Authorization) -> Result<(), Problem> {
        let text = self.open(row, "tokens").await?;
        let redeemed: RedeemedTokens =
            serde_json::from_str(text.expose()).map_err(|_| CustodianError::from(crate::keys::Unreadable))?;
        let grant = self.connect(row, &redeemed).await?;
        self.write_done(row, grant).await
    }

    /// Connects the account of a sign-in without a confirmation; false if it was cancelled or expired
    /// meanwhile.
    pub(super) async fn connect_unconfirmed(
        &self,
        row: &Authorization,
        redeemed: &RedeemedTokens,
    ) -> Result<bool, Problem> {
        let change = AuthorizationChange {
            from: vec![Stage::Redeeming],
            to: Some(Stage::Connecting),
            ends_in: Some(WORKING),
            ..AuthorizationChange::default()
        };
        let taken =
            self.custodian.store.change_authorization(row.id, &change).await.map_err(CustodianError::from)?;
        if taken.is_none() {
            tracing::info!(authorization = %row.id, "a sign-in was over before its code was redeemed");
            return Ok(false);
        }
        let grant = self.connect(row, redeemed).await?;
        self.write_done(row, grant).await?;
        Ok(true)
    }

    /// Stores the tokens of a sign-in.
    async fn connect(
        &self,
        row: &Authorization,
        redeemed: &RedeemedTokens,
    ) -> Result<GrantId, CustodianError> {
        let provider = self.custodian.provider(&row.provider).ok_or(CustodianError::NotConnected)?;
        let settings = provider.sign_in.as_ref().ok_or(CustodianError::NotConnected)?;
        let who = SignedIn {
            account: AccountKey {
                tenant: &row.tenant,
                user: &row.user,
                provider: &row.provider,
                issuer: settings.client.provider().issuer(),
                subject: &redeemed.subject,
            },
            email: redeemed.email.as_deref(),
            requested: Scopes::read(&row.scopes),
            id_token_expires_at: redeemed.id_token_expires_at(),
        };
        let grant = self.custodian.connect(&who, &redeemed.tokens()).await?;
        Ok(grant)
    }

    async fn write_done(&self, row: &Authorization, grant: GrantId) -> Result<(), Problem> {
        let change = AuthorizationChange {
            from: vec![Stage::Connecting],
            to: Some(Stage::Done),
            grant: Some(grant),
            ..AuthorizationChange::default()
        };
        self.custodian.store.change_authorization(row.id, &change).await.map_err(CustodianError::from)?;
        self.watchers.notify(row.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_confirmations_are_normalised() {
        let shown = new_confirmation();
        assert_eq!(shown.len(), LENGTH);
        assert_eq!(as_shown(&shown), shown);
        let (first, second) = shown.split_at(4);
        let spaced = format!(" {first}-{} ", second.to_lowercase());
        assert_eq!(as_shown(&spaced), shown);
        assert_eq!(as_shown("oil"), "011");
    }
}
