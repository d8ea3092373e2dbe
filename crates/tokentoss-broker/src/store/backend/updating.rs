//! Writing a row with its tokens.
//!
//! A renewal, which is nearly every write, is one statement in Postgres, and its news come after it: Postgres commits
//! transactions with news one after another.

use tokentoss_custody::Update;

use super::grant_writing::{OF_OWNER, columns_text};
use super::{Postgres, Sqlite, tokens};
use crate::store::news::Telling;
use crate::store::{Change, ChangeKind, GrantId, NewCell, Place, StoreError};

impl Sqlite {
    /// Writes a row where the guard holds; what changed, if it did.
    pub(in crate::store) async fn update(
        &self,
        id: GrantId,
        update: &Update,
        email: Option<&str>,
        cells: &[NewCell],
        telling: &Telling,
    ) -> Result<Option<Change>, StoreError> {
        self.update_in_transaction(id, update, email, cells, telling).await
    }
}

impl Postgres {
    /// Writes a row where the guard holds; what changed, if it did.
    pub(in crate::store) async fn update(
        &self,
        id: GrantId,
        update: &Update,
        email: Option<&str>,
        cells: &[NewCell],
        telling: &Telling,
    ) -> Result<Option<Change>, StoreError> {
        let kind = ChangeKind::of(&update.after, cells);
        if kind != ChangeKind::Renewed || email.is_some() || !update.revoke.is_empty() {
            return self.update_in_transaction(id, update, email, cells, telling).await;
        }
        let Some(place) = self.renew(id, update, cells).await? else { return Ok(None) };
        let change = Change { grant: id, place, version: update.after.version, kind };
        self.announce_later(telling.message(&change));
        Ok(Some(change))
    }

    /// Writes what a refresh brought where the guard holds, with all its tokens in one statement; tells whose row it is.
    async fn renew(
        &self,
        id: GrantId,
        update: &Update,
        cells: &[NewCell],
    ) -> Result<Option<Place>, StoreError> {
        let (guard, owner) = match update.guard.owner {
            None => ("AND $26::bytea IS NULL", None),
            Some(None) => ("AND $26::bytea IS NULL AND lease_owner IS NULL", None),
            Some(Some(owner)) => (OF_OWNER, Some(owner)),
        };
        let text = format!(
            "WITH written AS ({}), {} SELECT tenant, user_id, provider FROM written",
            columns_text(guard),
            tokens::parts(27, "written")
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text));
        let query = Self::bind_columns(query, id, &update.after, update.guard.version, owner);
        let query = if owner.is_none() { query.bind(None::<Vec<u8>>) } else { query };
        let row = tokens::bind(query, id, &update.after, cells).fetch_optional(&self.pool).await?;
        row.as_ref().map(Self::place_of).transpose()
    }
}
