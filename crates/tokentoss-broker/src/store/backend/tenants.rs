//! Tenants and their wrapped data keys.

use sqlx::Row;

use super::{Postgres, Sqlite};
use crate::store::StoreError;

macro_rules! tenants {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(in crate::store) async fn data_key(
                &mut self,
                tenant: &str,
            ) -> Result<Option<Vec<u8>>, StoreError> {
                let row = sqlx::query("SELECT data_key FROM tenants WHERE id = $1")
                    .bind(tenant)
                    .fetch_optional(&mut *self.connection)
                    .await?;
                Ok(row.map(|row| row.try_get("data_key")).transpose()?)
            }

            pub(in crate::store) async fn add_tenant(
                &mut self,
                tenant: &str,
                wrapped: &[u8],
            ) -> Result<Vec<u8>, StoreError> {
                sqlx::query(concat!(
                    "INSERT INTO tenants (id, data_key, created_at) VALUES ($1, $2, ",
                    $now,
                    ") ON CONFLICT (id) DO NOTHING"
                ))
                .bind(tenant)
                .bind(wrapped)
                .execute(&mut *self.connection)
                .await?;
                self.data_key(tenant).await?.ok_or(StoreError::Row("a tenant".into()))
            }
        }
    };
}

for_each_database!(tenants);
