//! The access tokens of a grant, with the sealed cells that it references.
//!
//! SQLite runs several statements, because it needs no network; Postgres runs one.

use sqlx::query::Query;
use tokentoss_custody::{Access, CellId, Grant, Slot};

use super::columns::{bytes_of, hash_of, millis};
use super::{Postgres, Sqlite};
use crate::store::{GrantId, NewCell, StoreError};

impl Sqlite {
    /// Writes the access tokens and their new cells, and deletes cells that are no longer referenced.
    pub(super) async fn set_tokens(
        connection: &mut sqlx::SqliteConnection,
        id: GrantId,
        grant: &Grant,
        cells: &[NewCell],
    ) -> Result<(), StoreError> {
        Self::insert_cells(connection, id, cells).await?;
        sqlx::query("DELETE FROM tokens WHERE grant_id = $1")
            .bind(id.0.as_slice())
            .execute(&mut *connection)
            .await?;
        for slot in &grant.tokens {
            let access = slot.access.as_ref();
            sqlx::query(
                "INSERT INTO tokens (grant_id, scopes, audience, hash, cell, granted, obtained_at, expires_at,
                        refused_until)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(id.0.as_slice())
            .bind(slot.target.scopes.to_list())
            .bind(slot.target.audience.clone().unwrap_or_default())
            .bind(access.map(|access| hash_of(access.handle)))
            .bind(access.map(|access| bytes_of(access.handle.cell)))
            .bind(access.map(|access| access.scopes.to_list()))
            .bind(access.map(|access| millis(access.obtained_at)))
            .bind(access.and_then(|access| access.expires_at).map(millis))
            .bind(slot.refused_until.map(millis))
            .execute(&mut *connection)
            .await?;
        }
        sqlx::query(
            "DELETE FROM cells
              WHERE grant_id = $1
                AND NOT EXISTS (SELECT 1 FROM grants g
                                 WHERE g.id = $1 AND (g.refresh_cell = cells.id OR g.id_cell = cells.id))
                AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.grant_id = $1 AND t.cell = cells.id)
                AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.cell = cells.id)",
        )
        .bind(id.0.as_slice())
        .execute(&mut *connection)
        .await?;
        Ok(())
    }
}

impl Postgres {
    /// The same in one statement, because each one costs a round trip.
    pub(super) async fn set_tokens(
        connection: &mut sqlx::PgConnection,
        id: GrantId,
        grant: &Grant,
        cells: &[NewCell],
    ) -> Result<(), StoreError> {
        let text = format!("WITH {} SELECT", parts(1, "(SELECT) AS written"));
        bind(sqlx::query(sqlx::AssertSqlSafe(text)), id, grant, cells).execute(connection).await?;
        Ok(())
    }
}

/// The common table expressions that write tokens and cells, with parameters from `first` on. `written` has
/// one row, or none if nothing is to be written.
///
/// All expressions see the rows before the statement, so the referenced cells are passed as a parameter.
pub(super) fn parts(first: usize, written: &str) -> String {
    let [
        id,
        scopes,
        audience,
        hash,
        cell,
        granted,
        obtained_at,
        expires_at,
        refused_until,
        new,
        sealed,
        named,
    ] = std::array::from_fn(|index| first + index);
    format!(
        "token AS (
             SELECT t.* FROM {written}, unnest(${scopes}::text[], ${audience}::text[], ${hash}::bytea[], ${cell}::bytea[],
                                               ${granted}::text[], ${obtained_at}::bigint[], ${expires_at}::bigint[],
                                               ${refused_until}::bigint[])
                 AS t (scopes, audience, hash, cell, granted, obtained_at, expires_at, refused_until)
         ), new_cells AS (
             INSERT INTO cells (id, grant_id, sealed)
             SELECT c.id, ${id}::bytea, c.sealed FROM {written}, unnest(${new}::bytea[], ${sealed}::bytea[]) AS c (id, sealed)
              WHERE c.id = ANY (${named}::bytea[]) OR EXISTS (SELECT 1 FROM revocations r WHERE r.cell = c.id)
                 ON CONFLICT (id) DO NOTHING
         ), old_tokens AS (
             DELETE FROM tokens USING {written}
              WHERE grant_id = ${id}::bytea
                AND (tokens.scopes, tokens.audience) NOT IN (SELECT scopes, audience FROM token)
         ), new_tokens AS (
             INSERT INTO tokens (grant_id, scopes, audience, hash, cell, granted, obtained_at, expires_at, refused_until)
             SELECT ${id}::bytea, scopes, audience, hash, cell, granted, obtained_at, expires_at, refused_until FROM token
                 ON CONFLICT (grant_id, scopes, audience) DO UPDATE
                SET hash = excluded.hash, cell = excluded.cell, granted = excluded.granted,
                    obtained_at = excluded.obtained_at, expires_at = excluded.expires_at,
                    refused_until = excluded.refused_until
         ), old_cells AS (
             DELETE FROM cells USING {written}
              WHERE grant_id = ${id}::bytea AND id <> ALL (${named}::bytea[])
                AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.cell = cells.id)
         )"
    )
}

pub(super) type PostgresQuery<'q> = Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// The values of [`parts`].
pub(super) fn bind<'q>(
    query: PostgresQuery<'q>,
    id: GrantId,
    grant: &Grant,
    cells: &[NewCell],
) -> PostgresQuery<'q> {
    fn each<T>(grant: &Grant, value: impl Fn(&Slot) -> T) -> Vec<T> {
        grant.tokens.iter().map(value).collect()
    }
    fn of_access<T>(grant: &Grant, value: impl Fn(&Access) -> T) -> Vec<Option<T>> {
        each(grant, |slot| slot.access.as_ref().map(&value))
    }
    query
        .bind(id.0.to_vec())
        .bind(each(grant, |slot| slot.target.scopes.to_list()))
        .bind(each(grant, |slot| slot.target.audience.clone().unwrap_or_default()))
        .bind(of_access(grant, |access| hash_of(access.handle)))
        .bind(of_access(grant, |access| bytes_of(access.handle.cell)))
        .bind(of_access(grant, |access| access.scopes.to_list()))
        .bind(of_access(grant, |access| millis(access.obtained_at)))
        .bind(each(grant, |slot| slot.access.as_ref().and_then(|access| access.expires_at).map(millis)))
        .bind(each(grant, |slot| slot.refused_until.map(millis)))
        .bind(cells.iter().map(|cell| bytes_of(cell.id)).collect::<Vec<_>>())
        .bind(cells.iter().map(|cell| cell.sealed.clone()).collect::<Vec<_>>())
        .bind(named_by(grant).map(bytes_of).collect::<Vec<_>>())
}

/// The cells that a row references.
fn named_by(grant: &Grant) -> impl Iterator<Item = CellId> {
    let tokens = grant.tokens.iter().filter_map(|slot| slot.access.as_ref());
    let others = [grant.refresh, grant.id_token.map(|token| token.handle)];
    others.into_iter().flatten().map(|handle| handle.cell).chain(tokens.map(|access| access.handle.cell))
}
