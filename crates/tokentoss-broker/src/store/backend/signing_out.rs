//! The end of a grant, written without its row being read.

use sqlx::{Connection, Row};
use tokentoss_custody::{Revoker, Status, Version};

use super::columns::number;
use super::{Postgres, Sqlite};
use crate::store::change_events::ChangeNotifier;
use crate::store::{Change, ChangeKind, GrantId, GrantOwner, StoreError};

macro_rules! signing_out {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(in crate::store) async fn owner(&mut self, id: GrantId) -> Result<Option<GrantOwner>, StoreError> {
                let row = sqlx::query("SELECT tenant, user_id, provider, issuer, status FROM grants WHERE id = $1")
                    .bind(id.0.as_slice())
                    .fetch_optional(&mut *self.connection)
                    .await?;
                let owner = |row| {
                    Ok(GrantOwner {
                        provider_user: Self::provider_user_of(&row)?,
                        issuer: row.try_get("issuer")?,
                        is_ended: row.try_get::<String, _>("status")? == "revoked",
                    })
                };
                row.map(owner).transpose()
            }

            pub(in crate::store) async fn end_unread(
                &mut self,
                id: GrantId,
                by: Revoker,
                revoke: bool,
                notifier: &ChangeNotifier,
            ) -> Result<Option<Change>, StoreError> {
                let mut transaction = self.connection.begin_with($begin).await?;
                // First, because it locks the row.
                let ended = sqlx::query(
                    "UPDATE grants SET version = version + 1, status = 'revoked', cause = $2
                      WHERE id = $1 AND status <> 'revoked'
                  RETURNING version, tenant, user_id, provider",
                )
                .bind(id.0.as_slice())
                .bind(Status::Revoked(by).cause())
                .fetch_optional(&mut *transaction)
                .await?;
                let Some(row) = ended else { return Ok(None) };
                if revoke {
                    // Only what can be read as an identifier, so that the queue stays readable.
                    sqlx::query(concat!(
                        "INSERT INTO revocations (cell, grant_id, created_at, next_attempt_at, failures)
                         SELECT c.id, c.grant_id, ", $now, ", ", $now, ", 0
                           FROM cells c JOIN grants g ON g.id = c.grant_id
                          WHERE c.grant_id = $1 AND length(c.id) = 16
                            AND (c.id = g.refresh_cell
                                 OR (g.refresh_cell IS NULL
                                     AND c.id IN (SELECT t.cell FROM tokens t WHERE t.grant_id = c.grant_id)))
                             ON CONFLICT (cell) DO NOTHING"
                    ))
                    .bind(id.0.as_slice())
                    .execute(&mut *transaction)
                    .await?;
                }
                for statement in [
                    "UPDATE grants SET cause_revision = NULL, refresh_hash = NULL, refresh_cell = NULL, id_hash = NULL,
                            id_cell = NULL, id_expires_at = NULL, failures = 0, failure = NULL, failed_at = NULL,
                            next_attempt_at = NULL, lease_owner = NULL, lease_until = NULL, attempt_hash = NULL,
                            attempt_at = NULL
                      WHERE id = $1",
                    "DELETE FROM tokens WHERE grant_id = $1",
                    "DELETE FROM cells
                      WHERE grant_id = $1 AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.cell = cells.id)",
                ] {
                    sqlx::query(statement).bind(id.0.as_slice()).execute(&mut *transaction).await?;
                }
                let change = Change {
                    grant: id,
                    provider_user: Self::provider_user_of(&row)?,
                    version: Version(number(row.try_get("version")?)),
                    kind: ChangeKind::Disconnected,
                };
                Self::announce(&mut transaction, &notifier.message(&change)).await?;
                transaction.commit().await?;
                Ok(Some(change))
            }
        }
    };
}

for_each_database!(signing_out);
