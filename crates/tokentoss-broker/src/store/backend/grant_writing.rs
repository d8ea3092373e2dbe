//! Writing the row of a grant if it is unchanged since it was read.

use sqlx::query::Query;
use sqlx::{Connection, Row};
use tokentoss_custody::{Claim, Failure, Grant, LEASE, LeaseOwner, Version};

use super::columns::{bytes_of, count, hash_of, length, millis};
use super::updating::RowWrite;
use super::{Postgres, Sqlite};
use crate::store::change_events::ChangeNotifier;
use crate::store::{Change, ChangeKind, GrantId, NewCell, NewGrant, ProviderUser, StoreError};

macro_rules! grant_writing {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(in crate::store) async fn add_grant(
                &mut self,
                new: &NewGrant,
                cells: &[NewCell],
                notifier: &ChangeNotifier,
            ) -> Result<Option<Change>, StoreError> {
                let mut transaction = self.connection.begin_with($begin).await?;
                let grant = &new.grant;
                let added = sqlx::query(
                    "INSERT INTO grants (id, tenant, user_id, provider, issuer, subject, email, version, status, consented,
                            assumed_life, connected_at, renewed_at, used_at, refresh_at, keep_alive_at, failures)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', '', 0, 0, 0, $9, 0, 0, 0)
                     ON CONFLICT DO NOTHING",
                )
                .bind(new.id.0.as_slice())
                .bind(&new.tenant)
                .bind(&new.user)
                .bind(&new.provider)
                .bind(&new.issuer)
                .bind(&new.subject)
                .bind(&new.email)
                .bind(count(grant.version.0))
                .bind(millis(grant.used_at))
                .execute(&mut *transaction)
                .await?
                .rows_affected();
                if added == 0 {
                    return Ok(None);
                }
                let provider_user = Self::set_columns(&mut transaction, new.id, grant, "", grant.version, None).await?;
                Self::set_tokens(&mut transaction, new.id, grant, cells).await?;
                if let Some(sign_in) = new.sign_in {
                    Self::end_sign_in(&mut transaction, sign_in, new.id).await?;
                }
                let kind = ChangeKind::Connected;
                let change =
                    provider_user.map(|provider_user| Change { grant: new.id, provider_user, version: grant.version, kind });
                if let Some(change) = &change {
                    Self::announce(&mut transaction, &notifier.message(change)).await?;
                }
                transaction.commit().await?;
                Ok(change)
            }

            pub(in crate::store) async fn claim(
                &mut self,
                id: GrantId,
                claim: &Claim,
                owner: LeaseOwner,
            ) -> Result<bool, StoreError> {
                Self::claim_in(&mut self.connection, id, claim, owner).await
            }

            pub(super) async fn claim_in(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: GrantId,
                claim: &Claim,
                owner: LeaseOwner,
            ) -> Result<bool, StoreError> {
                let claimed = sqlx::query(concat!(
                    "UPDATE grants SET lease_owner = $1, lease_until = ", $now, " + $2, attempt_hash = $3, attempt_at = $4
                      WHERE id = $5 AND version = $6 AND (lease_owner IS NULL OR lease_until <= ", $now, ")"
                ))
                .bind(owner.0.to_be_bytes().as_slice())
                .bind(length(LEASE))
                .bind(claim.intent.hash.0.as_slice())
                .bind(millis(claim.intent.at))
                .bind(id.0.as_slice())
                .bind(count(claim.version.0))
                .execute(connection)
                .await?;
                Ok(claimed.rows_affected() == 1)
            }

            /// Writes a row with its tokens, cells and revocations, in one transaction with its notification.
            pub(super) async fn update_in_transaction(
                &mut self,
                write: RowWrite<'_>,
                notifier: &ChangeNotifier,
            ) -> Result<Option<Change>, StoreError> {
                let RowWrite { id, update, email, sign_in, cells } = write;
                let mut transaction = self.connection.begin_with($begin).await?;
                let (guard, owner) = match update.guard.owner {
                    None => ("", None),
                    Some(None) => ("AND lease_owner IS NULL", None),
                    Some(Some(owner)) => (OF_OWNER, Some(owner)),
                };
                let version = update.guard.version;
                let written =
                    Self::set_columns(&mut transaction, id, &update.after, guard, version, owner).await?;
                let Some(provider_user) = written else { return Ok(None) };
                if let Some(email) = email {
                    sqlx::query("UPDATE grants SET email = $1 WHERE id = $2")
                        .bind(email)
                        .bind(id.0.as_slice())
                        .execute(&mut *transaction)
                        .await?;
                }
                if let Some(sign_in) = sign_in {
                    Self::end_sign_in(&mut transaction, sign_in, id).await?;
                }
                if !update.revoke.is_empty() {
                    // Revocations may reference cells of this write.
                    Self::insert_cells(&mut transaction, id, cells).await?;
                    for token in &update.revoke {
                        Self::insert_revocation(&mut transaction, id, *token).await?;
                    }
                }
                Self::set_tokens(&mut transaction, id, &update.after, cells).await?;
                let kind = ChangeKind::of(&update.after, cells);
                let change = Change { grant: id, provider_user, version: update.after.version, kind };
                Self::announce(&mut transaction, &notifier.message(&change)).await?;
                transaction.commit().await?;
                Ok(Some(change))
            }

            /// Sets all columns except `used_at` if the guard holds; returns tenant, user and provider of the
            /// row.
            pub(super) async fn set_columns(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: GrantId,
                grant: &Grant,
                guard: &str,
                version: Version,
                owner: Option<LeaseOwner>,
            ) -> Result<Option<ProviderUser>, StoreError> {
                let query = sqlx::query(sqlx::AssertSqlSafe(columns_text(guard)));
                let query = Self::bind_columns(query, id, grant, version, owner);
                query.fetch_optional(connection).await?.as_ref().map(Self::provider_user_of).transpose()
            }

            /// The values of [`columns_text`]: 25, and the owner where there is one.
            pub(super) fn bind_columns<'q>(
                query: Query<'q, $database, <$database as sqlx::Database>::Arguments>,
                id: GrantId,
                grant: &Grant,
                version: Version,
                owner: Option<LeaseOwner>,
            ) -> Query<'q, $database, <$database as sqlx::Database>::Arguments> {
                let (refresh, id_token) = (grant.refresh, grant.id_token);
                let query = query
                    .bind(count(grant.version.0))
                    .bind(grant.status.name())
                    .bind(grant.status.cause())
                    .bind(grant.status.revision().map(|revision| count(revision.0)))
                    .bind(grant.consented.to_list())
                    .bind(refresh.map(hash_of))
                    .bind(refresh.map(|refresh| bytes_of(refresh.cell)))
                    .bind(id_token.map(|token| hash_of(token.handle)))
                    .bind(id_token.map(|token| bytes_of(token.handle.cell)))
                    .bind(id_token.map(|token| millis(token.expires_at)))
                    .bind(length(grant.assumed_life))
                    .bind(millis(grant.connected_at))
                    .bind(millis(grant.renewed_at))
                    .bind(millis(grant.schedule.refresh_at))
                    .bind(millis(grant.schedule.keep_alive_at))
                    .bind(i64::from(grant.back_off.failures))
                    .bind(grant.back_off.failure.map(Failure::name))
                    .bind(grant.back_off.pause.map(|(failed_at, _)| millis(failed_at)))
                    .bind(grant.back_off.pause.map(|(_, until)| millis(until)))
                    .bind(grant.lease.map(|lease| lease.owner.0.to_be_bytes().to_vec()))
                    .bind(grant.lease.map(|lease| millis(lease.until)))
                    .bind(grant.intent.map(|intent| intent.hash.0.to_vec()))
                    .bind(grant.intent.map(|intent| millis(intent.at)))
                    .bind(id.0.to_vec())
                    .bind(count(version.0));
                match owner {
                    Some(owner) => query.bind(owner.0.to_be_bytes().to_vec()),
                    None => query,
                }
            }

            pub(super) fn provider_user_of(row: &<$database as sqlx::Database>::Row) -> Result<ProviderUser, StoreError> {
                Ok(ProviderUser {
                    tenant: row.try_get("tenant")?,
                    user: row.try_get("user_id")?,
                    provider: row.try_get("provider")?,
                })
            }
        }
    };
}

for_each_database!(grant_writing);

/// The condition that binds a write to the holder of a lease.
pub(super) const OF_OWNER: &str = "AND lease_owner = $26";

/// The statement that sets all columns but `used_at`, with the values of `bind_columns`.
pub(super) fn columns_text(guard: &str) -> String {
    format!(
        "UPDATE grants SET version = $1, status = $2, cause = $3, cause_revision = $4, consented = $5,
                refresh_hash = $6, refresh_cell = $7, id_hash = $8, id_cell = $9, id_expires_at = $10,
                assumed_life = $11, connected_at = $12, renewed_at = $13, refresh_at = $14, keep_alive_at = $15,
                failures = $16, failure = $17, failed_at = $18, next_attempt_at = $19, lease_owner = $20,
                lease_until = $21, attempt_hash = $22, attempt_at = $23
          WHERE id = $24 AND version = $25 {guard}
      RETURNING tenant, user_id, provider"
    )
}
