//! The statements, once for both databases: what differs between them is in the two calls at the end.

use std::time::Duration;

use sqlx::{Postgres as PostgresDatabase, Row, Sqlite as SqliteDatabase};
use tokentoss_core::Timestamp;
use tokentoss_custody::{
    Access, BackOff, CellId, Claim, ClientRevision, Failure, Grant, Handle, IdToken, Intent, LEASE, Lease,
    LeaseOwner, Schedule, Scopes, Slot, Status, Target, TokenHash, Update, Version,
};

use super::migrations::{MIGRATIONS, migrations};
use super::{Account, AccountKey, GrantId, GrantRow, NewCell, NewGrant, StoreError};

/// A time as a column holds it.
fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn time(column: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(column).unwrap_or_default())
}

fn length(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(column: i64) -> u64 {
    u64::try_from(column).unwrap_or_default()
}

fn bytes_of(cell: CellId) -> Vec<u8> {
    cell.0.to_be_bytes().to_vec()
}

fn hash_of(handle: Handle) -> Vec<u8> {
    handle.hash.0.to_vec()
}

fn hash(column: Vec<u8>) -> Result<TokenHash, StoreError> {
    column.try_into().map(TokenHash).map_err(|_| StoreError::Row("a hash"))
}

fn wide(column: Vec<u8>) -> Result<u128, StoreError> {
    column.try_into().map(u128::from_be_bytes).map_err(|_| StoreError::Row("an identifier"))
}

/// A handle from its two columns.
fn handle(hashed: Option<Vec<u8>>, cell: Option<Vec<u8>>) -> Result<Option<Handle>, StoreError> {
    let (Some(hashed), Some(cell)) = (hashed, cell) else { return Ok(None) };
    Ok(Some(Handle { hash: hash(hashed)?, cell: CellId(wide(cell)?) }))
}

macro_rules! backend {
    (
        $(#[$document:meta])* $name:ident, $database:ty,
        begin: $begin:literal, now: $now:literal, blob: $blob:literal, lock: $lock:expr
    ) => {
        $(#[$document])*
        #[derive(Clone)]
        pub struct $name {
            pool: sqlx::Pool<$database>,
        }

        impl $name {
            pub(super) fn new(pool: sqlx::Pool<$database>) -> Self {
                Self { pool }
            }

            pub(super) async fn close(&self) {
                self.pool.close().await;
            }

            pub(super) async fn migrate(&self) -> Result<(), StoreError> {
                let mut transaction = self.pool.begin_with($begin).await?;
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

            pub(super) async fn pending(&self) -> Result<usize, StoreError> {
                let mut connection = self.pool.acquire().await?;
                // A database without the table is a new one.
                let found = match Self::version(&mut connection).await {
                    Err(StoreError::Unavailable(sqlx::Error::Database(_))) => 0,
                    found => found?,
                };
                Ok(MIGRATIONS.len().saturating_sub(usize::try_from(found).unwrap_or_default()))
            }

            async fn version(connection: &mut <$database as sqlx::Database>::Connection) -> Result<i64, StoreError> {
                let row = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version")
                    .fetch_one(connection)
                    .await?;
                let found: i64 = row.try_get("version")?;
                let known = count(MIGRATIONS.len() as u64);
                if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
            }

            pub(super) async fn now(&self) -> Result<Timestamp, StoreError> {
                let row = sqlx::query(concat!("SELECT ", $now, " AS now")).fetch_one(&self.pool).await?;
                Ok(time(row.try_get("now")?))
            }

            pub(super) async fn data_key(&self, tenant: &str) -> Result<Option<Vec<u8>>, StoreError> {
                let row = sqlx::query("SELECT data_key FROM tenants WHERE id = $1")
                    .bind(tenant)
                    .fetch_optional(&self.pool)
                    .await?;
                Ok(row.map(|row| row.try_get("data_key")).transpose()?)
            }

            pub(super) async fn add_tenant(&self, tenant: &str, wrapped: &[u8]) -> Result<Vec<u8>, StoreError> {
                sqlx::query(concat!(
                    "INSERT INTO tenants (id, data_key, created_at) VALUES ($1, $2, ", $now, ") ON CONFLICT (id) DO NOTHING"
                ))
                .bind(tenant)
                .bind(wrapped)
                .execute(&self.pool)
                .await?;
                self.data_key(tenant).await?.ok_or(StoreError::Row("a tenant"))
            }

            pub(super) async fn accounts(
                &self,
                tenant: &str,
                user: &str,
                provider: &str,
            ) -> Result<Vec<Account>, StoreError> {
                let rows = sqlx::query(
                    "SELECT id, subject, email FROM grants
                      WHERE tenant = $1 AND user_id = $2 AND provider = $3 AND status <> 'revoked'
                      ORDER BY connected_at DESC, id",
                )
                .bind(tenant)
                .bind(user)
                .bind(provider)
                .fetch_all(&self.pool)
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

            pub(super) async fn id_of(&self, account: &AccountKey<'_>) -> Result<Option<GrantId>, StoreError> {
                let row = sqlx::query(
                    "SELECT id FROM grants
                      WHERE tenant = $1 AND user_id = $2 AND provider = $3 AND issuer = $4 AND subject = $5",
                )
                .bind(account.tenant)
                .bind(account.user)
                .bind(account.provider)
                .bind(account.issuer)
                .bind(account.subject)
                .fetch_optional(&self.pool)
                .await?;
                row.map(|row| Ok(GrantId(wide(row.try_get("id")?)?.to_be_bytes()))).transpose()
            }

            pub(super) async fn grant(&self, id: GrantId) -> Result<Option<GrantRow>, StoreError> {
                // One statement, so that the row and its tokens are of one moment.
                let rows = sqlx::query(concat!(
                    "SELECT ", $now, " AS now, g.*,
                            t.scopes AS t_scopes, t.audience AS t_audience, t.hash AS t_hash, t.cell AS t_cell,
                            t.granted AS t_granted, t.obtained_at AS t_obtained_at, t.expires_at AS t_expires_at,
                            t.refused_until AS t_refused_until
                       FROM grants g LEFT JOIN tokens t ON t.grant_id = g.id
                      WHERE g.id = $1
                      ORDER BY t.scopes, t.audience"
                ))
                .bind(id.0.as_slice())
                .fetch_all(&self.pool)
                .await?;
                let Some(row) = rows.first() else { return Ok(None) };
                let tokens = rows.iter().map(Self::slot).collect::<Result<Vec<_>, _>>()?;
                let grant = Self::grant_of(row, tokens.into_iter().flatten().collect())?;
                Ok(Some(GrantRow {
                    id,
                    tenant: row.try_get("tenant")?,
                    user: row.try_get("user_id")?,
                    provider: row.try_get("provider")?,
                    subject: row.try_get("subject")?,
                    email: row.try_get("email")?,
                    grant,
                    now: time(row.try_get("now")?),
                }))
            }

            fn slot(row: &<$database as sqlx::Database>::Row) -> Result<Option<Slot>, StoreError> {
                let Some(scopes) = row.try_get::<Option<String>, _>("t_scopes")? else { return Ok(None) };
                let audience: String = row.try_get("t_audience")?;
                let target = Target {
                    scopes: Scopes::read(&scopes),
                    audience: Some(audience).filter(|audience| !audience.is_empty()),
                };
                let access = match handle(row.try_get("t_hash")?, row.try_get("t_cell")?)? {
                    Some(handle) => Some(Access {
                        handle,
                        scopes: Scopes::read(&row.try_get::<Option<String>, _>("t_granted")?.unwrap_or_default()),
                        obtained_at: time(row.try_get::<Option<i64>, _>("t_obtained_at")?.unwrap_or_default()),
                        expires_at: row.try_get::<Option<i64>, _>("t_expires_at")?.map(time),
                    }),
                    None => None,
                };
                let refused_until = row.try_get::<Option<i64>, _>("t_refused_until")?.map(time);
                Ok(Some(Slot { target, access, refused_until }))
            }

            fn grant_of(row: &<$database as sqlx::Database>::Row, tokens: Vec<Slot>) -> Result<Grant, StoreError> {
                let moment = |name: &str| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(name)?.map(time));
                let (status, cause): (String, Option<String>) = (row.try_get("status")?, row.try_get("cause")?);
                let revision = row.try_get::<Option<i64>, _>("cause_revision")?.unwrap_or_default();
                let status = Status::read(&status, cause.as_deref(), ClientRevision(number(revision)));
                let failure = match row.try_get::<Option<String>, _>("failure")? {
                    Some(name) => Some(Failure::read(&name).ok_or(StoreError::Row("a failure"))?),
                    None => None,
                };
                let lease = match (row.try_get::<Option<Vec<u8>>, _>("lease_owner")?, moment("lease_until")?) {
                    (Some(owner), Some(until)) => Some(Lease { owner: LeaseOwner(wide(owner)?), until }),
                    _ => None,
                };
                let intent = match (row.try_get::<Option<Vec<u8>>, _>("attempt_hash")?, moment("attempt_at")?) {
                    (Some(hashed), Some(at)) => Some(Intent { hash: hash(hashed)?, at }),
                    _ => None,
                };
                let id_token = handle(row.try_get("id_hash")?, row.try_get("id_cell")?)?;
                Ok(Grant {
                    version: Version(number(row.try_get("version")?)),
                    status: status.ok_or(StoreError::Row("a status"))?,
                    consented: Scopes::read(&row.try_get::<String, _>("consented")?),
                    refresh: handle(row.try_get("refresh_hash")?, row.try_get("refresh_cell")?)?,
                    id_token: id_token
                        .zip(moment("id_expires_at")?)
                        .map(|(handle, expires_at)| IdToken { handle, expires_at }),
                    tokens,
                    assumed_life: Duration::from_millis(number(row.try_get("assumed_life")?)),
                    connected_at: time(row.try_get("connected_at")?),
                    renewed_at: time(row.try_get("renewed_at")?),
                    used_at: time(row.try_get("used_at")?),
                    schedule: Schedule {
                        refresh_at: time(row.try_get("refresh_at")?),
                        keep_alive_at: time(row.try_get("keep_alive_at")?),
                    },
                    back_off: BackOff {
                        failures: u32::try_from(row.try_get::<i64, _>("failures")?).unwrap_or(u32::MAX),
                        failure,
                        pause: moment("failed_at")?.zip(moment("next_attempt_at")?),
                    },
                    lease,
                    intent,
                })
            }

            pub(super) async fn add_grant(&self, new: &NewGrant, cells: &[NewCell]) -> Result<bool, StoreError> {
                let mut transaction = self.pool.begin_with($begin).await?;
                let grant = &new.grant;
                let added = sqlx::query(
                    "INSERT INTO grants (id, tenant, user_id, provider, issuer, subject, email, version, status, consented,
                            assumed_life, connected_at, renewed_at, used_at, refresh_at, keep_alive_at, failures)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', '', 0, 0, 0, $9, 0, 0, 0)
                     ON CONFLICT DO NOTHING",
                )
                .bind(new.id.0.as_slice())
                .bind(&new.tenant)
                .bind(&new.user)
                .bind(&new.provider)
                .bind(&new.issuer)
                .bind(&new.subject)
                .bind(&new.email)
                .bind(count(grant.version.0))
                .bind(millis(grant.used_at))
                .execute(&mut *transaction)
                .await?
                .rows_affected();
                if added == 0 {
                    return Ok(false);
                }
                Self::set_columns(&mut transaction, new.id, grant, "", grant.version, None).await?;
                Self::set_tokens(&mut transaction, new.id, grant, cells).await?;
                transaction.commit().await?;
                Ok(true)
            }

            pub(super) async fn claim(&self, id: GrantId, claim: &Claim, owner: LeaseOwner) -> Result<bool, StoreError> {
                let claimed = sqlx::query(concat!(
                    "UPDATE grants SET lease_owner = $1, lease_until = ", $now, " + $2, attempt_hash = $3, attempt_at = $4
                      WHERE id = $5 AND version = $6 AND (lease_owner IS NULL OR lease_until <= ", $now, ")"
                ))
                .bind(owner.0.to_be_bytes().as_slice())
                .bind(length(LEASE))
                .bind(claim.intent.hash.0.as_slice())
                .bind(millis(claim.intent.at))
                .bind(id.0.as_slice())
                .bind(count(claim.version.0))
                .execute(&self.pool)
                .await?;
                Ok(claimed.rows_affected() == 1)
            }

            pub(super) async fn update(
                &self,
                id: GrantId,
                update: &Update,
                cells: &[NewCell],
            ) -> Result<bool, StoreError> {
                let mut transaction = self.pool.begin_with($begin).await?;
                let (guard, owner) = match update.guard.owner {
                    None => ("", None),
                    Some(None) => ("AND lease_owner IS NULL", None),
                    Some(Some(owner)) => ("AND lease_owner = $26", Some(owner)),
                };
                let version = update.guard.version;
                if !Self::set_columns(&mut transaction, id, &update.after, guard, version, owner).await? {
                    return Ok(false);
                }
                Self::insert_cells(&mut transaction, id, cells).await?;
                for token in &update.revoke {
                    Self::insert_revocation(&mut transaction, id, *token).await?;
                }
                Self::set_tokens(&mut transaction, id, &update.after, &[]).await?;
                transaction.commit().await?;
                Ok(true)
            }

            /// All columns but `used_at`, where the guard holds.
            async fn set_columns(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: GrantId,
                grant: &Grant,
                guard: &str,
                version: Version,
                owner: Option<LeaseOwner>,
            ) -> Result<bool, StoreError> {
                let text = format!(
                    "UPDATE grants SET version = $1, status = $2, cause = $3, cause_revision = $4, consented = $5,
                            refresh_hash = $6, refresh_cell = $7, id_hash = $8, id_cell = $9, id_expires_at = $10,
                            assumed_life = $11, connected_at = $12, renewed_at = $13, refresh_at = $14, keep_alive_at = $15,
                            failures = $16, failure = $17, failed_at = $18, next_attempt_at = $19, lease_owner = $20,
                            lease_until = $21, attempt_hash = $22, attempt_at = $23
                      WHERE id = $24 AND version = $25 {guard}"
                );
                let (refresh, id_token) = (grant.refresh, grant.id_token);
                let query = sqlx::query(sqlx::AssertSqlSafe(text))
                    .bind(count(grant.version.0))
                    .bind(grant.status.name())
                    .bind(grant.status.cause())
                    .bind(grant.status.revision().map(|revision| count(revision.0)))
                    .bind(grant.consented.to_list())
                    .bind(refresh.map(hash_of))
                    .bind(refresh.map(|refresh| bytes_of(refresh.cell)))
                    .bind(id_token.map(|token| hash_of(token.handle)))
                    .bind(id_token.map(|token| bytes_of(token.handle.cell)))
                    .bind(id_token.map(|token| millis(token.expires_at)))
                    .bind(length(grant.assumed_life))
                    .bind(millis(grant.connected_at))
                    .bind(millis(grant.renewed_at))
                    .bind(millis(grant.schedule.refresh_at))
                    .bind(millis(grant.schedule.keep_alive_at))
                    .bind(i64::from(grant.back_off.failures))
                    .bind(grant.back_off.failure.map(Failure::name))
                    .bind(grant.back_off.pause.map(|(failed_at, _)| millis(failed_at)))
                    .bind(grant.back_off.pause.map(|(_, until)| millis(until)))
                    .bind(grant.lease.map(|lease| lease.owner.0.to_be_bytes().to_vec()))
                    .bind(grant.lease.map(|lease| millis(lease.until)))
                    .bind(grant.intent.map(|intent| intent.hash.0.to_vec()))
                    .bind(grant.intent.map(|intent| millis(intent.at)))
                    .bind(id.0.as_slice())
                    .bind(count(version.0));
                let query = match owner {
                    Some(owner) => query.bind(owner.0.to_be_bytes().to_vec()),
                    None => query,
                };
                Ok(query.execute(connection).await?.rows_affected() == 1)
            }

            /// The access tokens, with their new cells, and without the cells that nothing names any more.
            async fn set_tokens(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: GrantId,
                grant: &Grant,
                cells: &[NewCell],
            ) -> Result<(), StoreError> {
                Self::insert_cells(connection, id, cells).await?;
                sqlx::query("DELETE FROM tokens WHERE grant_id = $1")
                    .bind(id.0.as_slice())
                    .execute(&mut *connection)
                    .await?;
                for slot in &grant.tokens {
                    let access = slot.access.as_ref();
                    sqlx::query(
                        "INSERT INTO tokens (grant_id, scopes, audience, hash, cell, granted, obtained_at, expires_at,
                                refused_until)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    )
                    .bind(id.0.as_slice())
                    .bind(slot.target.scopes.to_list())
                    .bind(slot.target.audience.clone().unwrap_or_default())
                    .bind(access.map(|access| hash_of(access.handle)))
                    .bind(access.map(|access| bytes_of(access.handle.cell)))
                    .bind(access.map(|access| access.scopes.to_list()))
                    .bind(access.map(|access| millis(access.obtained_at)))
                    .bind(access.and_then(|access| access.expires_at).map(millis))
                    .bind(slot.refused_until.map(millis))
                    .execute(&mut *connection)
                    .await?;
                }
                sqlx::query(
                    "DELETE FROM cells
                      WHERE grant_id = $1
                        AND NOT EXISTS (SELECT 1 FROM grants g
                                         WHERE g.id = $1 AND (g.refresh_cell = cells.id OR g.id_cell = cells.id))
                        AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.grant_id = $1 AND t.cell = cells.id)
                        AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.cell = cells.id)",
                )
                .bind(id.0.as_slice())
                .execute(&mut *connection)
                .await?;
                Ok(())
            }

            async fn insert_cells(
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

            async fn insert_revocation(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: GrantId,
                token: Handle,
            ) -> Result<(), StoreError> {
                sqlx::query(concat!(
                    "INSERT INTO revocations (cell, grant_id, created_at, next_attempt_at, failures)
                     VALUES ($1, $2, ", $now, ", ", $now, ", 0) ON CONFLICT (cell) DO NOTHING"
                ))
                .bind(bytes_of(token.cell))
                .bind(id.0.as_slice())
                .execute(connection)
                .await?;
                Ok(())
            }

            pub(super) async fn queue_revocations(
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

            pub(super) async fn touch(&self, id: GrantId) -> Result<(), StoreError> {
                sqlx::query(concat!("UPDATE grants SET used_at = ", $now, " WHERE id = $1"))
                    .bind(id.0.as_slice())
                    .execute(&self.pool)
                    .await?;
                Ok(())
            }

            pub(super) async fn cell(&self, cell: CellId) -> Result<Option<Vec<u8>>, StoreError> {
                let row = sqlx::query("SELECT sealed FROM cells WHERE id = $1")
                    .bind(bytes_of(cell))
                    .fetch_optional(&self.pool)
                    .await?;
                Ok(row.map(|row| row.try_get("sealed")).transpose()?)
            }
        }
    };
}

backend!(
    /// SQLite, which lets one writer in at a time.
    Sqlite, SqliteDatabase,
    begin: "BEGIN IMMEDIATE",
    now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    blob: "BLOB",
    lock: None
);

backend!(
    /// Postgres.
    Postgres, PostgresDatabase,
    begin: "BEGIN",
    now: "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    blob: "BYTEA",
    // Two processes that start at once bring the schema up one after the other.
    lock: Some("SELECT pg_advisory_xact_lock(7216134988)")
);
