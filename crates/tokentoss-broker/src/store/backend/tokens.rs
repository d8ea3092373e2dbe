//! The access tokens of a grant, with the sealed cells that it names.
//!
//! Both databases do the same: SQLite, which is asked without a network, in one statement after another, Postgres in one.

use tokentoss_custody::{CellId, Grant};

use super::columns::{bytes_of, hash_of, millis};
use super::{Postgres, Sqlite};
use crate::store::{GrantId, NewCell, StoreError};

impl Sqlite {
    /// The access tokens, with their new cells, and without the cells that nothing names any more.
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
    /// The same; each statement costs a way to the server and back.
    pub(super) async fn set_tokens(
        connection: &mut sqlx::PgConnection,
        id: GrantId,
        grant: &Grant,
        cells: &[NewCell],
    ) -> Result<(), StoreError> {
        let (tokens, accesses) = (&grant.tokens, || grant.tokens.iter().map(|slot| slot.access.as_ref()));
        let scopes: Vec<String> = tokens.iter().map(|slot| slot.target.scopes.to_list()).collect();
        let audiences: Vec<String> =
            tokens.iter().map(|slot| slot.target.audience.clone().unwrap_or_default()).collect();
        let hashes: Vec<Option<Vec<u8>>> =
            accesses().map(|access| access.map(|access| hash_of(access.handle))).collect();
        let cells_of_tokens: Vec<Option<Vec<u8>>> =
            accesses().map(|access| access.map(|access| bytes_of(access.handle.cell))).collect();
        let granted: Vec<Option<String>> =
            accesses().map(|access| access.map(|access| access.scopes.to_list())).collect();
        let obtained_at: Vec<Option<i64>> =
            accesses().map(|access| access.map(|access| millis(access.obtained_at))).collect();
        let expires_at: Vec<Option<i64>> =
            accesses().map(|access| access.and_then(|access| access.expires_at).map(millis)).collect();
        let refused_until: Vec<Option<i64>> =
            tokens.iter().map(|slot| slot.refused_until.map(millis)).collect();
        // All parts of the statement see the rows as they were before it, so it is told which cells are named after it.
        let new: Vec<Vec<u8>> = cells.iter().map(|cell| bytes_of(cell.id)).collect();
        let sealed: Vec<&[u8]> = cells.iter().map(|cell| cell.sealed.as_slice()).collect();
        let named: Vec<Vec<u8>> = named_by(grant).map(bytes_of).collect();
        sqlx::query(
            "WITH token AS (
                 SELECT * FROM unnest($2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::bigint[],
                                      $8::bigint[], $9::bigint[])
                     AS t (scopes, audience, hash, cell, granted, obtained_at, expires_at, refused_until)
             ), new_cells AS (
                 INSERT INTO cells (id, grant_id, sealed)
                 SELECT c.id, $1, c.sealed FROM unnest($10::bytea[], $11::bytea[]) AS c (id, sealed)
                  WHERE c.id = ANY ($12::bytea[]) OR EXISTS (SELECT 1 FROM revocations r WHERE r.cell = c.id)
                     ON CONFLICT (id) DO NOTHING
             ), old_tokens AS (
                 DELETE FROM tokens WHERE grant_id = $1 AND (scopes, audience) NOT IN (SELECT scopes, audience FROM token)
             ), new_tokens AS (
                 INSERT INTO tokens (grant_id, scopes, audience, hash, cell, granted, obtained_at, expires_at,
                                     refused_until)
                 SELECT $1, scopes, audience, hash, cell, granted, obtained_at, expires_at, refused_until FROM token
                     ON CONFLICT (grant_id, scopes, audience) DO UPDATE
                    SET hash = excluded.hash, cell = excluded.cell, granted = excluded.granted,
                        obtained_at = excluded.obtained_at, expires_at = excluded.expires_at,
                        refused_until = excluded.refused_until
             )
             DELETE FROM cells
              WHERE grant_id = $1 AND id <> ALL ($12::bytea[])
                AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.cell = cells.id)",
        )
        .bind(id.0.as_slice())
        .bind(scopes)
        .bind(audiences)
        .bind(hashes)
        .bind(cells_of_tokens)
        .bind(granted)
        .bind(obtained_at)
        .bind(expires_at)
        .bind(refused_until)
        .bind(new)
        .bind(sealed)
        .bind(named)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// The cells that a row names.
fn named_by(grant: &Grant) -> impl Iterator<Item = CellId> {
    let tokens = grant.tokens.iter().filter_map(|slot| slot.access.as_ref());
    let others = [grant.refresh, grant.id_token.map(|token| token.handle)];
    others.into_iter().flatten().map(|handle| handle.cell).chain(tokens.map(|access| access.handle.cell))
}
