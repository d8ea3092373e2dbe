//! Writing a row with its tokens.
//!
//! A renewal, which is nearly every write, is one statement in Postgres, and its notification is sent
//! afterwards: Postgres serialises the commits of transactions that notify.

use tokentoss_custody::{LeaseOwner, Update};

use super::grant_writing::{OF_OWNER, columns_text};
use super::{Postgres, Sqlite, tokens};
use crate::store::change_events::ChangeNotifier;
use crate::store::{AuthorizationId, Change, ChangeKind, GrantId, NewCell, ProviderUser, StoreError};

/// A write of a row.
#[derive(Clone, Copy)]
pub(in crate::store) struct RowWrite<'a> {
    /// The row.
    pub id: GrantId,
    /// The columns and the guard.
    pub update: &'a Update,
    /// The e-mail address of a new sign-in.
    pub email: Option<&'a str>,
    /// The sign-in that is done by this write.
    pub sign_in: Option<AuthorizationId>,
    /// The cells that are new cells.
    pub cells: &'a [NewCell],
}

impl Sqlite {
    /// Writes a row if the guard holds; returns the change.
    pub(in crate::store) async fn update(
        &mut self,
        write: RowWrite<'_>,
        notifier: &ChangeNotifier,
    ) -> Result<Option<Change>, StoreError> {
        self.update_in_transaction(write, notifier).await
    }
}

impl Postgres {
    /// Writes a row if the guard holds; returns the change.
    pub(in crate::store) async fn update(
        &mut self,
        write: RowWrite<'_>,
        notifier: &ChangeNotifier,
    ) -> Result<Option<Change>, StoreError> {
        let RowWrite { id, update, email, sign_in, cells } = write;
        let kind = ChangeKind::of(&update.after, cells);
        let is_plain =
            kind == ChangeKind::Renewed && email.is_none() && sign_in.is_none() && update.revoke.is_empty();
        let Some(owner) = update.guard.owner.flatten().filter(|_| is_plain) else {
            return self.update_in_transaction(write, notifier).await;
        };
        let Some(provider_user) = self.renew(id, update, owner, cells).await? else { return Ok(None) };
        let change = Change { grant: id, provider_user, version: update.after.version, kind };
        self.pool.announce_later(notifier.message(&change));
        Ok(Some(change))
    }

    /// Writes the result of a refresh under its lease, with all tokens in one statement; returns tenant, user
    /// and provider.
    async fn renew(
        &mut self,
        id: GrantId,
        update: &Update,
        owner: LeaseOwner,
        cells: &[NewCell],
    ) -> Result<Option<ProviderUser>, StoreError> {
        let text = format!(
            "WITH written AS ({}), {} SELECT tenant, user_id, provider FROM written",
            columns_text(OF_OWNER),
            tokens::parts(27, "written")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = Self::bind_columns(query, id, &update.after, update.guard.version, Some(owner));
        let row = tokens::bind(query, id, &update.after, cells).fetch_optional(&mut *self.connection).await?;
        row.as_ref().map(Self::provider_user_of).transpose()
    }
}
