//! Grants of all users, and tenants' keys, in batches.

use sqlx::Row;

use super::columns::wide;
use super::{Postgres, Sqlite};
use crate::store::{GrantFilter, GrantId, StoreError};

macro_rules! administration {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(in crate::store) async fn grants_after(
                &mut self,
                filter: &GrantFilter,
                after: Option<GrantId>,
                limit: u32,
            ) -> Result<Vec<GrantId>, StoreError> {
                let rows = sqlx::query(
                    "SELECT id FROM grants
                      WHERE ($1 IS NULL OR tenant = $1) AND ($2 IS NULL OR user_id = $2)
                        AND ($3 IS NULL OR provider = $3) AND ($4 IS NULL OR status = $4)
                        AND ($5 IS NULL OR id > $5)
                      ORDER BY id LIMIT $6",
                )
                .bind(filter.tenant.as_deref())
                .bind(filter.user.as_deref())
                .bind(filter.provider.as_deref())
                .bind(filter.status.as_deref())
                .bind(after.map(|id| id.0.to_vec()))
                .bind(i64::from(limit))
                .fetch_all(&mut *self.connection)
                .await?;
                rows.iter().map(|row| Ok(GrantId(wide(row.try_get("id")?)?.to_be_bytes()))).collect()
            }

            pub(in crate::store) async fn tenants_after(
                &mut self,
                after: &str,
                limit: u32,
            ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
                let rows = sqlx::query("SELECT id, data_key FROM tenants WHERE id > $1 ORDER BY id LIMIT $2")
                    .bind(after)
                    .bind(i64::from(limit))
                    .fetch_all(&mut *self.connection)
                    .await?;
                rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("data_key")?))).collect()
            }

            pub(in crate::store) async fn replace_data_key(
                &mut self,
                tenant: &str,
                old: &[u8],
                new: &[u8],
            ) -> Result<bool, StoreError> {
                let replaced =
                    sqlx::query("UPDATE tenants SET data_key = $1 WHERE id = $2 AND data_key = $3")
                        .bind(new)
                        .bind(tenant)
                        .bind(old)
                        .execute(&mut *self.connection)
                        .await?;
                Ok(replaced.rows_affected() == 1)
            }
        }
    };
}

for_each_database!(administration);
