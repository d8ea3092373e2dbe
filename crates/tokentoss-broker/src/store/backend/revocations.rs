//! The queue of tokens that are to be revoked at their provider.

use std::time::Duration;

use sqlx::{Connection, Row};
use tokentoss_custody::{CellId, Handle};

use super::columns::{bytes_of, count, length, number, wide};
use super::{Postgres, Sqlite};
use crate::store::{GrantId, NewCell, Revocation, StoreError};

impl Sqlite {
    /// SQLite has one writer at a time, so no row locks are needed.
    const SKIP_REVOCATIONS: &str = "";
}

impl Postgres {
    /// Rows that another process has locked are skipped.
    const SKIP_REVOCATIONS: &str = "FOR UPDATE OF r SKIP LOCKED";
}

macro_rules! revocations {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            /// Queues a token if its cell exists. A lost token cannot be revoked, and must not prevent a
            /// sign-out.
            pub(super) async fn insert_revocation(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: GrantId,
                token: Handle,
            ) -> Result<(), StoreError> {
                sqlx::query(concat!(
                    "INSERT INTO revocations (cell, grant_id, created_at, next_attempt_at, failures)
                     SELECT c.id, c.grant_id, ",
                    $now,
                    ", ",
                    $now,
                    ", 0 FROM cells c WHERE c.id = $1 AND c.grant_id = $2 ON CONFLICT (cell) DO NOTHING"
                ))
                .bind(bytes_of(token.cell))
                .bind(id.0.as_slice())
                .execute(connection)
                .await?;
                Ok(())
            }

            pub(in crate::store) async fn queue_revocations(
                &mut self,
                id: GrantId,
                tokens: &[Handle],
                cells: &[NewCell],
            ) -> Result<(), StoreError> {
                let mut transaction = self.connection.begin_with($begin).await?;
                let named = |cell: &&NewCell| tokens.iter().any(|token| token.cell == cell.id);
                let cells: Vec<NewCell> = cells.iter().filter(named).cloned().collect();
                Self::insert_cells(&mut transaction, id, &cells).await?;
                for token in tokens {
                    Self::insert_revocation(&mut transaction, id, *token).await?;
                }
                Ok(transaction.commit().await?)
            }

            /// Takes due revocations, and reserves them for this time.
            pub(in crate::store) async fn take_revocations(
                &mut self,
                provider: &str,
                most: usize,
                hold: Duration,
            ) -> Result<Vec<Revocation>, StoreError> {
                // First a query without locks, because usually nothing is due.
                let look = concat!(
                    "SELECT r.cell FROM revocations r JOIN grants g ON g.id = r.grant_id
                      WHERE r.next_attempt_at <= ", $now, " AND g.provider = $1 LIMIT 1"
                );
                if sqlx::query(look).bind(provider).fetch_optional(&mut *self.connection).await?.is_none() {
                    return Ok(Vec::new());
                }
                let mut transaction = self.connection.begin_with($begin).await?;
                let text = format!(
                    "SELECT r.cell, r.grant_id, r.failures, {now} - r.created_at AS age, g.tenant, g.user_id, g.provider,
                            g.issuer, g.subject, g.status, c.sealed
                       FROM revocations r JOIN grants g ON g.id = r.grant_id JOIN cells c ON c.id = r.cell
                      WHERE r.next_attempt_at <= {now} AND g.provider = $2
                      ORDER BY r.next_attempt_at LIMIT $1 {skip}",
                    now = $now,
                    skip = Self::SKIP_REVOCATIONS,
                );
                let rows = sqlx::query(sqlx::AssertSqlSafe(text))
                    .bind(count(most as u64))
                    .bind(provider)
                    .fetch_all(&mut *transaction)
                    .await?;
                let mut taken = Vec::new();
                for row in &rows {
                    let cell = CellId(wide(row.try_get("cell")?)?);
                    sqlx::query(concat!(
                        "UPDATE revocations SET next_attempt_at = ", $now, " + $1 WHERE cell = $2"
                    ))
                    .bind(length(hold))
                    .bind(bytes_of(cell))
                    .execute(&mut *transaction)
                    .await?;
                    taken.push(Revocation {
                        cell,
                        grant: GrantId(wide(row.try_get("grant_id")?)?.to_be_bytes()),
                        tenant: row.try_get("tenant")?,
                        user: row.try_get("user_id")?,
                        provider: row.try_get("provider")?,
                        issuer: row.try_get("issuer")?,
                        subject: row.try_get("subject")?,
                        sealed: row.try_get("sealed")?,
                        is_connected_again: row.try_get::<String, _>("status")? != "revoked",
                        failures: u32::try_from(row.try_get::<i64, _>("failures")?).unwrap_or(u32::MAX),
                        age: Duration::from_millis(number(row.try_get("age")?)),
                    });
                }
                transaction.commit().await?;
                Ok(taken)
            }

            pub(in crate::store) async fn revocation_failed(
                &mut self,
                cell: CellId,
                pause: Duration,
            ) -> Result<(), StoreError> {
                sqlx::query(concat!(
                    "UPDATE revocations SET failures = failures + 1, next_attempt_at = ", $now, " + $1
                      WHERE cell = $2"
                ))
                .bind(length(pause))
                .bind(bytes_of(cell))
                .execute(&mut *self.connection)
                .await?;
                Ok(())
            }

            /// Deletes a row of the queue, and the cell unless a grant names it.
            pub(in crate::store) async fn end_revocation(&mut self, cell: CellId) -> Result<(), StoreError> {
                let mut transaction = self.connection.begin_with($begin).await?;
                sqlx::query("DELETE FROM revocations WHERE cell = $1")
                    .bind(bytes_of(cell))
                    .execute(&mut *transaction)
                    .await?;
                sqlx::query(
                    "DELETE FROM cells
                      WHERE id = $1
                        AND NOT EXISTS (SELECT 1 FROM grants g
                                         WHERE g.id = cells.grant_id
                                           AND (g.refresh_cell = cells.id OR g.id_cell = cells.id))
                        AND NOT EXISTS (SELECT 1 FROM tokens t
                                         WHERE t.grant_id = cells.grant_id AND t.cell = cells.id)",
                )
                .bind(bytes_of(cell))
                .execute(&mut *transaction)
                .await?;
                Ok(transaction.commit().await?)
            }

            pub(in crate::store) async fn waiting_revocations(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
                let rows = sqlx::query(
                    "SELECT g.provider, COUNT(*) AS waiting FROM revocations r JOIN grants g ON g.id = r.grant_id
                      GROUP BY g.provider ORDER BY g.provider",
                )
                .fetch_all(&mut *self.connection)
                .await?;
                rows.iter().map(|row| Ok((row.try_get("provider")?, number(row.try_get("waiting")?)))).collect()
            }
        }
    };
}

for_each_database!(revocations);
