//! Whether what is committed outlives a crash of the database's machine.

use super::{Backend, Store, StoreError, backend, limit};

impl Store {
    /// The settings of Postgres by which a commit can be lost, and with it the only copy of a rotated refresh token. SQLite
    /// has what this process sets.
    ///
    /// # Errors
    /// That the database does not answer.
    pub async fn lossy_settings(&self) -> Result<Vec<String>, StoreError> {
        let Backend::Postgres(pool) = &self.backend else { return Ok(Vec::new()) };
        limit::limited(async { backend::Postgres::of(pool).await?.lossy_settings().await }).await
    }
}
