//! Reading and replacing the sealed cells of many grants at once.

use sqlx::{Connection, Row};
use tokentoss_custody::{CellId, Scopes, Target};

use super::columns::{bytes_of, wide};
use super::{Postgres, Sqlite};
use crate::store::{GrantCell, GrantId, NamedAs, ResealedCell, StoreError};

/// Cells with their accounts and with what names them; one that several tokens name comes several times.
const CELLS: &str = "SELECT c.grant_id, c.id, c.sealed, g.tenant, g.user_id, g.provider, g.issuer, g.subject,
            COALESCE(g.refresh_cell = c.id, FALSE) AS is_refresh, COALESCE(g.id_cell = c.id, FALSE) AS is_id,
            t.scopes, t.audience
       FROM cells c JOIN grants g ON g.id = c.grant_id
            LEFT JOIN tokens t ON t.grant_id = c.grant_id AND t.cell = c.id
      WHERE c.grant_id ";

macro_rules! rows_read {
    ($rows:expr) => {
        $rows
            .iter()
            .map(|row| {
                let scopes: Option<String> = row.try_get("scopes")?;
                let audience: Option<String> = row.try_get("audience")?;
                let named_as = match scopes {
                    _ if row.try_get("is_refresh")? => NamedAs::RefreshToken,
                    _ if row.try_get("is_id")? => NamedAs::IdToken,
                    Some(scopes) => NamedAs::AccessToken(Target {
                        scopes: Scopes::read(&scopes),
                        audience: audience.filter(|audience| !audience.is_empty()),
                    }),
                    None => NamedAs::Nothing,
                };
                Ok(GrantCell {
                    tenant: row.try_get("tenant")?,
                    user: row.try_get("user_id")?,
                    provider: row.try_get("provider")?,
                    issuer: row.try_get("issuer")?,
                    subject: row.try_get("subject")?,
                    grant: GrantId(wide(row.try_get("grant_id")?)?.to_be_bytes()),
                    named_as,
                    cell: CellId(wide(row.try_get("id")?)?),
                    sealed: row.try_get("sealed")?,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()
    };
}

impl Sqlite {
    pub(in crate::store) async fn cells_of(
        &mut self,
        grants: &[GrantId],
    ) -> Result<Vec<GrantCell>, StoreError> {
        let mut found = Vec::new();
        for grant in grants {
            let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{CELLS} = $1")))
                .bind(grant.0.as_slice())
                .fetch_all(&mut *self.connection)
                .await?;
            found.extend(rows_read!(rows)?);
        }
        Ok(found)
    }

    pub(in crate::store) async fn reseal(&mut self, seals: &[ResealedCell]) -> Result<u64, StoreError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut count = 0;
        for ResealedCell { cell, old, new } in seals {
            let replaced = sqlx::query("UPDATE cells SET sealed = $1 WHERE id = $2 AND sealed = $3")
                .bind(new.as_slice())
                .bind(bytes_of(*cell))
                .bind(old.as_slice())
                .execute(&mut *transaction)
                .await?;
            count += replaced.rows_affected();
        }
        transaction.commit().await?;
        Ok(count)
    }
}

impl Postgres {
    pub(in crate::store) async fn cells_of(
        &mut self,
        grants: &[GrantId],
    ) -> Result<Vec<GrantCell>, StoreError> {
        let ids: Vec<Vec<u8>> = grants.iter().map(|grant| grant.0.to_vec()).collect();
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{CELLS} = ANY($1::bytea[])")))
            .bind(ids)
            .fetch_all(&mut *self.connection)
            .await?;
        rows_read!(rows)
    }

    pub(in crate::store) async fn reseal(&mut self, seals: &[ResealedCell]) -> Result<u64, StoreError> {
        let ids: Vec<Vec<u8>> = seals.iter().map(|seal| bytes_of(seal.cell)).collect();
        let old: Vec<&[u8]> = seals.iter().map(|seal| seal.old.as_slice()).collect();
        let new: Vec<&[u8]> = seals.iter().map(|seal| seal.new.as_slice()).collect();
        let replaced = sqlx::query(
            "UPDATE cells SET sealed = s.new
               FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS s (id, old, new)
              WHERE cells.id = s.id AND cells.sealed = s.old",
        )
        .bind(ids)
        .bind(old)
        .bind(new)
        .execute(&mut *self.connection)
        .await?;
        Ok(replaced.rows_affected())
    }
}
