//! Which accounts are connected.

use sqlx::Row;

use super::columns::wide;
use super::{Postgres, Sqlite};
use crate::store::{Account, AccountKey, GrantId, StoreError};

macro_rules! accounts {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(in crate::store) async fn accounts(
                &mut self,
                tenant: &str,
                user: &str,
                provider: &str,
                issuer: Option<&str>,
            ) -> Result<Vec<Account>, StoreError> {
                let rows = sqlx::query(
                    "SELECT id, subject, email FROM grants
                      WHERE tenant = $1 AND user_id = $2 AND provider = $3 AND status <> 'revoked'
                        AND issuer = COALESCE($4, issuer)
                      ORDER BY connected_at DESC, id",
                )
                .bind(tenant)
                .bind(user)
                .bind(provider)
                .bind(issuer)
                .fetch_all(&mut *self.connection)
                .await?;
                rows.iter()
                    .map(|row| {
                        Ok(Account {
                            id: GrantId(wide(row.try_get("id")?)?.to_be_bytes()),
                            subject: row.try_get("subject")?,
                            email: row.try_get("email")?,
                        })
                    })
                    .collect()
            }

            pub(in crate::store) async fn id_of(&mut self, account: &AccountKey<'_>) -> Result<Option<GrantId>, StoreError> {
                let row = sqlx::query(
                    "SELECT id FROM grants
                      WHERE tenant = $1 AND user_id = $2 AND provider = $3 AND issuer = $4 AND subject = $5",
                )
                .bind(account.tenant)
                .bind(account.user)
                .bind(account.provider)
                .bind(account.issuer)
                .bind(account.subject)
                .fetch_optional(&mut *self.connection)
                .await?;
                row.map(|row| Ok(GrantId(wide(row.try_get("id")?)?.to_be_bytes()))).transpose()
            }
        }
    };
}

for_each_database!(accounts);
