//! What Postgres is set to do with what was committed.

use sqlx::Row;

use super::Postgres;
use crate::store::StoreError;

/// By the settings of this session, which the role or the address may have changed.
const SETTINGS: &str = "SELECT name FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name";

impl Postgres {
    pub(in crate::store) async fn lossy_settings(&mut self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(SETTINGS).fetch_all(&mut *self.connection).await?;
        rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
    }
}
