//! The queue of tokens that are to be revoked at their provider.

use tokentoss_custody::Handle;

use super::columns::bytes_of;
use super::{Postgres, Sqlite};
use crate::store::{GrantId, NewCell, StoreError};

macro_rules! revocations {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(super) async fn insert_revocation(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: GrantId,
                token: Handle,
            ) -> Result<(), StoreError> {
                sqlx::query(concat!(
                    "INSERT INTO revocations (cell, grant_id, created_at, next_attempt_at, failures)
                     VALUES ($1, $2, ",
                    $now,
                    ", ",
                    $now,
                    ", 0) ON CONFLICT (cell) DO NOTHING"
                ))
                .bind(bytes_of(token.cell))
                .bind(id.0.as_slice())
                .execute(connection)
                .await?;
                Ok(())
            }

            pub(in crate::store) async fn queue_revocations(
                &self,
                id: GrantId,
                tokens: &[Handle],
                cells: &[NewCell],
            ) -> Result<(), StoreError> {
                let mut transaction = self.pool.begin_with($begin).await?;
                let named = |cell: &&NewCell| tokens.iter().any(|token| token.cell == cell.id);
                let cells: Vec<NewCell> = cells.iter().filter(named).cloned().collect();
                Self::insert_cells(&mut transaction, id, &cells).await?;
                for token in tokens {
                    Self::insert_revocation(&mut transaction, id, *token).await?;
                }
                Ok(transaction.commit().await?)
            }
        }
    };
}

for_each_database!(revocations);
