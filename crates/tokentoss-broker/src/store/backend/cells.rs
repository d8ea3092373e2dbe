//! Sealed cells.

use sqlx::Row;
use tokentoss_custody::CellId;

use super::columns::bytes_of;
use super::{Postgres, Sqlite};
use crate::store::{GrantId, NewCell, StoreError};

macro_rules! cells {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(super) async fn insert_cells(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: GrantId,
                cells: &[NewCell],
            ) -> Result<(), StoreError> {
                for cell in cells {
                    sqlx::query("INSERT INTO cells (id, grant_id, sealed) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
                        .bind(bytes_of(cell.id))
                        .bind(id.0.as_slice())
                        .bind(cell.sealed.as_slice())
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(())
            }

            pub(in crate::store) async fn cell(&self, cell: CellId) -> Result<Option<Vec<u8>>, StoreError> {
                let row = sqlx::query("SELECT sealed FROM cells WHERE id = $1")
                    .bind(bytes_of(cell))
                    .fetch_optional(&self.pool)
                    .await?;
                Ok(row.map(|row| row.try_get("sealed")).transpose()?)
            }
        }
    };
}

for_each_database!(cells);
