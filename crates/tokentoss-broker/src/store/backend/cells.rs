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
                if cells.is_empty() {
                    return Ok(());
                }
                let mut query =
                    sqlx::QueryBuilder::<$database>::new("INSERT INTO cells (id, grant_id, sealed) ");
                query.push_values(cells, |mut row, cell| {
                    row.push_bind(bytes_of(cell.id)).push_bind(id.0.to_vec()).push_bind(cell.sealed.clone());
                });
                query.push(" ON CONFLICT (id) DO NOTHING").build().execute(connection).await?;
                Ok(())
            }

            pub(in crate::store) async fn cell(
                &mut self,
                cell: CellId,
            ) -> Result<Option<Vec<u8>>, StoreError> {
                let row = sqlx::query("SELECT sealed FROM cells WHERE id = $1")
                    .bind(bytes_of(cell))
                    .fetch_optional(&mut *self.connection)
                    .await?;
                Ok(row.map(|row| row.try_get("sealed")).transpose()?)
            }
        }
    };
}

for_each_database!(cells);
