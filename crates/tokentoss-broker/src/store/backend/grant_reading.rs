//! The row of a grant, with its access tokens.

use std::time::Duration;

use sqlx::Row;
use tokentoss_custody::{
    Access, BackOff, ClientRevision, Failure, Grant, IdToken, Intent, Lease, LeaseOwner, Schedule, Scopes,
    Slot, Status, Target, Version,
};

use super::columns::{handle, hash, number, time, wide};
use super::{Postgres, Sqlite};
use crate::store::{GrantId, GrantRow, StoreError};

macro_rules! grant_reading {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(in crate::store) async fn grant(&mut self, id: GrantId) -> Result<Option<GrantRow>, StoreError> {
                Self::grant_in(&mut self.connection, id).await
            }

            pub(super) async fn grant_in(
                connection: &mut <$database as sqlx::Database>::Connection,
                id: GrantId,
            ) -> Result<Option<GrantRow>, StoreError> {
                // One statement, so that row and tokens are consistent.
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
                .fetch_all(connection)
                .await?;
                let Some(row) = rows.first() else { return Ok(None) };
                let tokens = rows.iter().map(Self::slot).collect::<Result<Vec<_>, _>>()?;
                let grant = Self::grant_of(row, tokens.into_iter().flatten().collect())?;
                Ok(Some(GrantRow {
                    id,
                    tenant: row.try_get("tenant")?,
                    user: row.try_get("user_id")?,
                    provider: row.try_get("provider")?,
                    issuer: row.try_get("issuer")?,
                    subject: row.try_get("subject")?,
                    email: row.try_get("email")?,
                    grant,
                    now: time(row.try_get("now")?),
                }))
            }

            pub(super) fn slot(row: &<$database as sqlx::Database>::Row) -> Result<Option<Slot>, StoreError> {
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

            pub(super) fn grant_of(row: &<$database as sqlx::Database>::Row, tokens: Vec<Slot>) -> Result<Grant, StoreError> {
                let moment = |name: &str| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(name)?.map(time));
                let (status, cause): (String, Option<String>) = (row.try_get("status")?, row.try_get("cause")?);
                let revision = row.try_get::<Option<i64>, _>("cause_revision")?.unwrap_or_default();
                let status = Status::read(&status, cause.as_deref(), ClientRevision(number(revision)));
                let failure = match row.try_get::<Option<String>, _>("failure")? {
                    Some(name) => Some(Failure::read(&name).ok_or(StoreError::Row("a failure".into()))?),
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
                    status: status.ok_or(StoreError::Row("a status".into()))?,
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
        }
    };
}

for_each_database!(grant_reading);
