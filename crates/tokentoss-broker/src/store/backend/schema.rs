//! The schema's version, and the database's clock.

use sqlx::{Connection, Row};
use tokentoss_core::Timestamp;

use super::columns::{count, time};
use super::{Postgres, Sqlite};
use crate::store::StoreError;
use crate::store::migrations::{MIGRATIONS, migrations};

impl Sqlite {
    const HAS_VERSION: &str = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";
}

impl Postgres {
    const HAS_VERSION: &str = "SELECT 1 WHERE to_regclass('schema_version') IS NOT NULL";
}

macro_rules! schema {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(in crate::store) async fn migrate(&mut self) -> Result<(), StoreError> {
                let mut transaction = self.connection.begin_with($begin).await?;
                let lock: Option<&'static str> = $lock;
                if let Some(lock) = lock {
                    sqlx::query(lock).execute(&mut *transaction).await?;
                }
                sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
                    .execute(&mut *transaction)
                    .await?;
                let found = Self::version(&mut transaction).await?;
                let texts = migrations($blob);
                let known = texts.len();
                for text in texts.into_iter().skip(usize::try_from(found).unwrap_or_default()) {
                    sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *transaction).await?;
                }
                sqlx::query("DELETE FROM schema_version").execute(&mut *transaction).await?;
                sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
                    .bind(count(known as u64))
                    .execute(&mut *transaction)
                    .await?;
                Ok(transaction.commit().await?)
            }

            pub(in crate::store) async fn pending(&mut self) -> Result<usize, StoreError> {
                // Only a missing table means a new database; other errors are returned.
                let is_new =
                    sqlx::query(Self::HAS_VERSION).fetch_optional(&mut *self.connection).await?.is_none();
                let found = if is_new { 0 } else { Self::version(&mut self.connection).await? };
                Ok(MIGRATIONS.len().saturating_sub(usize::try_from(found).unwrap_or_default()))
            }

            pub(super) async fn version(
                connection: &mut <$database as sqlx::Database>::Connection,
            ) -> Result<i64, StoreError> {
                let row = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version")
                    .fetch_one(connection)
                    .await?;
                let found: i64 = row.try_get("version")?;
                let known = count(MIGRATIONS.len() as u64);
                if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
            }

            pub(in crate::store) async fn now(&mut self) -> Result<Timestamp, StoreError> {
                let row =
                    sqlx::query(concat!("SELECT ", $now, " AS now")).fetch_one(&mut *self.connection).await?;
                Ok(time(row.try_get("now")?))
            }
        }
    };
}

for_each_database!(schema);
