//! Sign-ins that have begun.

use sqlx::{Connection, Row};
use tokentoss_core::Timestamp;

use super::columns::{millis, time, wide};
use super::{Postgres, Sqlite};
use crate::connect::Way;
use crate::store::{Authorization, AuthorizationChange, AuthorizationId, GrantId, Stage, StoreError};

macro_rules! authorizations {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(in crate::store) async fn add_authorization(
                &mut self,
                new: &Authorization,
                ends_in: u64,
            ) -> Result<Timestamp, StoreError> {
                // Without a transaction of its own the row could come before SQLite failed to write it.
                let mut transaction = self.connection.begin_with($begin).await?;
                let row = sqlx::query(concat!(
                    "INSERT INTO authorizations (id, tenant, user_id, provider, way, kernel, page_origin, scopes,
                            login_hint, stage, sealed, nonce, confirmation_failures, created_at, expires_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, ", $now, ", ", $now, " + $13)
                     RETURNING expires_at"
                ))
                .bind(new.id.0.as_slice())
                .bind(&new.tenant)
                .bind(&new.user)
                .bind(&new.provider)
                .bind(new.way.name())
                .bind(&new.kernel)
                .bind(&new.page_origin)
                .bind(&new.scopes)
                .bind(&new.login_hint)
                .bind(new.stage.name())
                .bind(&new.sealed)
                .bind(&new.nonce)
                .bind(millis(Timestamp::from_millis(ends_in)))
                .fetch_one(&mut *transaction)
                .await?;
                transaction.commit().await?;
                Ok(time(row.try_get("expires_at")?))
            }

            pub(in crate::store) async fn authorization(
                &mut self,
                id: AuthorizationId,
            ) -> Result<Option<Authorization>, StoreError> {
                let row = sqlx::query(concat!("SELECT a.*, ", $now, " AS now FROM authorizations a WHERE a.id = $1"))
                    .bind(id.0.as_slice())
                    .fetch_optional(&mut *self.connection)
                    .await?;
                row.as_ref().map(Self::authorization_of).transpose()
            }

            fn authorization_of(row: &<$database as sqlx::Database>::Row) -> Result<Authorization, StoreError> {
                let (way, stage): (String, String) = (row.try_get("way")?, row.try_get("stage")?);
                let grant = row.try_get::<Option<Vec<u8>>, _>("grant_id")?.map(wide).transpose()?;
                Ok(Authorization {
                    id: AuthorizationId(wide(row.try_get("id")?)?.to_be_bytes()),
                    tenant: row.try_get("tenant")?,
                    user: row.try_get("user_id")?,
                    provider: row.try_get("provider")?,
                    way: Way::read(&way).ok_or(StoreError::Row("a way".into()))?,
                    kernel: row.try_get("kernel")?,
                    page_origin: row.try_get("page_origin")?,
                    scopes: row.try_get("scopes")?,
                    login_hint: row.try_get("login_hint")?,
                    stage: Stage::read(&stage).ok_or(StoreError::Row("a stage".into()))?,
                    problem: row.try_get("problem")?,
                    sealed: row.try_get("sealed")?,
                    nonce: row.try_get("nonce")?,
                    grant: grant.map(|id| GrantId(id.to_be_bytes())),
                    expires_at: time(row.try_get("expires_at")?),
                    now: time(row.try_get("now")?),
                })
            }

            /// The row as it was before, for what it had sealed; none where it is not as the change expects.
            pub(in crate::store) async fn change_authorization(
                &mut self,
                id: AuthorizationId,
                change: &AuthorizationChange,
            ) -> Result<Option<Authorization>, StoreError> {
                let mut transaction = self.connection.begin_with($begin).await?;
                let before = sqlx::query(concat!(
                    "SELECT a.*, ", $now, " AS now FROM authorizations a WHERE a.id = $1"
                ))
                .bind(id.0.as_slice())
                .fetch_optional(&mut *transaction)
                .await?;
                let before = before.as_ref().map(Self::authorization_of).transpose()?;
                let Some(before) = before.filter(|before| change.from.contains(&before.stage)) else {
                    return Ok(None);
                };
                let (state, cookie) = change.started.unzip();
                let changed = sqlx::query(concat!(
                    "UPDATE authorizations
                        SET stage = COALESCE($2, stage), problem = COALESCE($3, problem),
                            sealed = CASE WHEN $15 THEN sealed ELSE $4 END,
                            nonce = COALESCE($5, nonce), grant_id = COALESCE($6, grant_id),
                            state_hash = CASE WHEN $7 IS NULL THEN COALESCE($8, state_hash) ELSE NULL END,
                            cookie_hash = COALESCE($9, cookie_hash),
                            confirmation_hash = COALESCE($10, confirmation_hash),
                            expires_at = CASE WHEN $11 < 0 THEN expires_at ELSE ", $now, " + $11 END
                      WHERE id = $1 AND stage = $12 AND expires_at > ", $now, "
                        AND ($7 IS NULL OR state_hash = $7)
                        AND ($13 IS NULL OR cookie_hash = $13)
                        AND ($14 IS NULL OR confirmation_hash = $14)"
                ))
                .bind(id.0.as_slice())
                .bind(change.to.map(Stage::name))
                .bind(&change.problem)
                .bind(&change.sealed)
                .bind(&change.nonce)
                .bind(change.grant.map(|id| id.0.to_vec()))
                .bind(change.consumes_state.map(|hash| hash.to_vec()))
                .bind(state.map(|hash| hash.to_vec()))
                .bind(cookie.map(|hash| hash.to_vec()))
                .bind(change.confirmed_by.map(|hash| hash.to_vec()))
                .bind(change.ends_in.map_or(-1, |left| millis(Timestamp::from_millis(left))))
                .bind(before.stage.name())
                .bind(change.cookie.map(|hash| hash.to_vec()))
                .bind(change.confirmation.map(|hash| hash.to_vec()))
                .bind(change.keeps_sealed)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
                transaction.commit().await?;
                Ok((changed == 1).then_some(before))
            }

            /// Takes one of the tries to confirm a sign-in, in the one statement that looks whether there is
            /// one.
            pub(in crate::store) async fn take_try(
                &mut self,
                id: AuthorizationId,
                most: i64,
            ) -> Result<Option<i64>, StoreError> {
                let taken = sqlx::query(concat!(
                    "UPDATE authorizations SET confirmation_failures = confirmation_failures + 1
                      WHERE id = $1 AND stage IN ('pending', 'redeeming', 'confirm') AND expires_at > ", $now, "
                        AND confirmation_failures < $2
                  RETURNING confirmation_failures"
                ))
                .bind(id.0.as_slice())
                .bind(most)
                .fetch_optional(&mut *self.connection)
                .await?;
                let taken = taken.map(|row| row.try_get::<i64, _>("confirmation_failures")).transpose()?;
                Ok(taken.map(|taken| most.saturating_sub(taken)))
            }

            pub(in crate::store) async fn drop_authorization(&mut self, id: AuthorizationId) -> Result<(), StoreError> {
                sqlx::query("DELETE FROM authorizations WHERE id = $1")
                    .bind(id.0.as_slice())
                    .execute(&mut *self.connection)
                    .await?;
                Ok(())
            }

            /// Writes that a sign-in is done, in the transaction that writes its grant: neither is there without the other.
            pub(super) async fn end_sign_in(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: AuthorizationId,
                grant: GrantId,
            ) -> Result<(), StoreError> {
                let ended = sqlx::query(concat!(
                    "UPDATE authorizations SET stage = 'done', grant_id = $2, sealed = NULL
                      WHERE id = $1 AND stage = 'connecting' AND expires_at > ", $now
                ))
                .bind(id.0.as_slice())
                .bind(grant.0.as_slice())
                .execute(connection)
                .await?
                .rows_affected();
                if ended == 1 { Ok(()) } else { Err(StoreError::SignInOver) }
            }

            /// Sign-ins whose account was being connected when their time was over, at most so long ago.
            pub(in crate::store) async fn interrupted_authorizations(
                &mut self,
                within: u64,
                most: i64,
            ) -> Result<Vec<AuthorizationId>, StoreError> {
                let rows = sqlx::query(concat!(
                    "SELECT id FROM authorizations
                      WHERE stage = 'connecting' AND expires_at <= ", $now, " AND expires_at > ", $now, " - $1
                      ORDER BY expires_at LIMIT $2"
                ))
                .bind(millis(Timestamp::from_millis(within)))
                .bind(most)
                .fetch_all(&mut *self.connection)
                .await?;
                rows.iter().map(|row| Ok(AuthorizationId(wide(row.try_get("id")?)?.to_be_bytes()))).collect()
            }

            /// Gives an interrupted sign-in more time; true for the one who may use it.
            pub(in crate::store) async fn resume_authorization(
                &mut self,
                id: AuthorizationId,
                ends_in: u64,
            ) -> Result<bool, StoreError> {
                let resumed = sqlx::query(concat!(
                    "UPDATE authorizations SET expires_at = ", $now, " + $2
                      WHERE id = $1 AND stage = 'connecting' AND expires_at <= ", $now
                ))
                .bind(id.0.as_slice())
                .bind(millis(Timestamp::from_millis(ends_in)))
                .execute(&mut *self.connection)
                .await?;
                Ok(resumed.rows_affected() == 1)
            }

            /// Drops what ended some time ago, and the secrets of what has ended and is not resumed.
            pub(in crate::store) async fn forget_authorizations(
                &mut self,
                kept_for: u64,
                resumable_for: u64,
            ) -> Result<(), StoreError> {
                sqlx::query(concat!("DELETE FROM authorizations WHERE expires_at < ", $now, " - $1"))
                    .bind(millis(Timestamp::from_millis(kept_for)))
                    .execute(&mut *self.connection)
                    .await?;
                sqlx::query(concat!(
                    "UPDATE authorizations SET sealed = NULL
                      WHERE sealed IS NOT NULL AND expires_at < ", $now, "
                        AND (stage <> 'connecting' OR expires_at < ", $now, " - $1)"
                ))
                .bind(millis(Timestamp::from_millis(resumable_for)))
                .execute(&mut *self.connection)
                .await?;
                Ok(())
            }

            /// Drops what a user has begun beyond the latest ones.
            pub(in crate::store) async fn sweep_authorizations(
                &mut self,
                tenant: &str,
                user: &str,
                most: i64,
            ) -> Result<(), StoreError> {
                sqlx::query(
                    "DELETE FROM authorizations
                      WHERE tenant = $1 AND user_id = $2
                        AND id NOT IN (SELECT id FROM authorizations WHERE tenant = $1 AND user_id = $2
                                        ORDER BY created_at DESC, id LIMIT $3)",
                )
                .bind(tenant)
                .bind(user)
                .bind(most)
                .execute(&mut *self.connection)
                .await?;
                Ok(())
            }
        }
    };
}

for_each_database!(authorizations);
