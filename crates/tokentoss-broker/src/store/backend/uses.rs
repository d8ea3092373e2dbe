//! The times at which grants were used, many at once.

use sqlx::Connection;
use tokentoss_core::Timestamp;

use super::columns::millis;
use super::{Postgres, Sqlite};
use crate::store::{GrantId, StoreError};

impl Sqlite {
    pub(in crate::store) async fn note_uses(
        &mut self,
        uses: &[(GrantId, Timestamp)],
    ) -> Result<(), StoreError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for (id, at) in uses {
            // A time in the future was written before the clock was set back.
            sqlx::query(
                "UPDATE grants SET used_at = $1
                  WHERE id = $2
                    AND (used_at < $1 OR used_at > CAST(unixepoch('subsec') * 1000 AS INTEGER) + 5000)",
            )
            .bind(millis(*at))
            .bind(id.0.as_slice())
            .execute(&mut *transaction)
            .await?;
        }
        Ok(transaction.commit().await?)
    }
}

impl Postgres {
    pub(in crate::store) async fn note_uses(
        &mut self,
        uses: &[(GrantId, Timestamp)],
    ) -> Result<(), StoreError> {
        let ids: Vec<Vec<u8>> = uses.iter().map(|(id, _)| id.0.to_vec()).collect();
        let times: Vec<i64> = uses.iter().map(|(_, at)| millis(*at)).collect();
        sqlx::query(
            "UPDATE grants SET used_at = u.at
               FROM unnest($1::bytea[], $2::bigint[]) AS u (id, at)
              WHERE grants.id = u.id
                AND (used_at < u.at
                     OR used_at > CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + 5000)",
        )
        .bind(ids)
        .bind(times)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}
