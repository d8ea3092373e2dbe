//! Grants that the scheduler should refresh, claimed many at once.

use sqlx::{Connection, Row};
use tokentoss_core::Timestamp;
use tokentoss_custody::{CLOCK_TOLERANCE, Claim, LEASE, LeaseOwner};

use super::columns::{count, length, millis, wide};
use super::{Postgres, Sqlite};
use crate::store::{DueGrant, DueQuery, GrantId, GrantRow, StoreError};

/// When a grant is due, without regard to leases and pauses. An index uses the same expression.
const DUE_AT: &str = "CASE WHEN attempt_hash = refresh_hash THEN 0 WHEN used_at >= renewed_at THEN refresh_at
           ELSE keep_alive_at END";

/// Grants without failures, the longest overdue first. There is an index for each of the two queries.
const WELL: (&str, &str) = ("failures = 0", DUE_AT);
/// Grants with failures come last, because some may fail permanently.
const FAILING: (&str, &str) = ("failures > 0", "next_attempt_at");

impl Sqlite {
    /// SQLite has one writer at a time, so no row locks are needed.
    const SKIP: &str = "";
    /// A list as JSON.
    const IS_OPEN: &str = "tenant NOT IN (SELECT value FROM json_each($7))";
}

impl Postgres {
    /// Rows that another process has locked are skipped.
    const SKIP: &str = "FOR UPDATE SKIP LOCKED";
    /// A list as JSON.
    const IS_OPEN: &str = "tenant NOT IN (SELECT jsonb_array_elements_text($7::jsonb))";
}

/// The parameters of the query.
struct Looked<'a> {
    asked: &'a DueQuery<'a>,
    /// The tenants to skip, as JSON.
    closed: String,
    now: Timestamp,
}

macro_rules! due {
    ($name:ident, $database:ty, $begin:literal, $now:literal, $blob:literal, $lock:expr) => {
        impl $name {
            pub(in crate::store) async fn claim_due(
                &mut self,
                asked: &DueQuery<'_>,
                most: usize,
                choose: &(dyn Fn(&GrantRow) -> Option<(Claim, LeaseOwner)> + Sync),
            ) -> Result<Vec<DueGrant>, StoreError> {
                // First a query without locks, because usually nothing is due.
                let now = self.now().await?;
                let closed = serde_json::json!(asked.closed).to_string();
                let looked = Looked { asked, closed, now };
                if Self::due(&mut self.connection, &looked, 1, "").await?.is_empty() {
                    return Ok(Vec::new());
                }
                let mut transaction = self.connection.begin_with($begin).await?;
                let ids = Self::due(&mut transaction, &looked, most, Self::SKIP).await?;
                let mut claimed = Vec::new();
                for id in ids {
                    let row = match Self::grant_in(&mut transaction, id).await {
                        Ok(Some(row)) => row,
                        Ok(None) => continue,
                        Err(error) if error.is_unreadable_row() => {
                            tracing::error!(grant = %id, %error, "a grant cannot be read, and is not refreshed");
                            asked.unreadable_grants.add(id);
                            continue;
                        }
                        Err(error) => return Err(error),
                    };
                    let chosen = choose(&row);
                    let held = match chosen {
                        Some((claim, owner))
                            if Self::claim_in(&mut transaction, id, &claim, owner).await? =>
                        {
                            Some(tokentoss_custody::HeldLease { claim, owner })
                        }
                        Some(_) => continue,
                        None => None,
                    };
                    claimed.push(DueGrant { row, held });
                }
                transaction.commit().await?;
                Ok(claimed)
            }

            async fn due(
                connection: &mut <$database as sqlx::Database>::Connection,
                looked: &Looked<'_>,
                most: usize,
                skip: &str,
            ) -> Result<Vec<GrantId>, StoreError> {
                let unreadable_grants = looked.asked.unreadable_grants;
                // Enough rows even if all skipped grants are among them.
                let limit = most.saturating_add(unreadable_grants.count());
                let mut ids = Self::due_of(WELL, connection, looked, limit, skip).await?;
                if let Some(left) = limit.checked_sub(ids.len()).filter(|left| *left > 0) {
                    ids.extend(Self::due_of(FAILING, connection, looked, left, skip).await?);
                }
                ids.retain(|id| !unreadable_grants.has(*id));
                ids.truncate(most);
                Ok(ids)
            }

            async fn due_of(
                (which, order): (&str, &str),
                connection: &mut <$database as sqlx::Database>::Connection,
                looked: &Looked<'_>,
                most: usize,
                skip: &str,
            ) -> Result<Vec<GrantId>, StoreError> {
                // A lease or failure too far in the future was written before the clock was set back.
                let text = format!(
                    "SELECT id FROM grants
                      WHERE provider = $1 AND refresh_cell IS NOT NULL AND {which} AND {DUE_AT} <= $2
                        AND (status = 'active' OR (status = 'error' AND cause_revision < $3))
                        AND (lease_until IS NULL OR lease_until <= $2 OR lease_until > $2 + $4)
                        AND (next_attempt_at IS NULL OR next_attempt_at <= $2 OR failed_at > $2 + $5)
                        AND {is_open} AND issuer = COALESCE($8, issuer)
                      ORDER BY {order} LIMIT $6 {skip}",
                    is_open = Self::IS_OPEN,
                );
                let rows = sqlx::query(sqlx::AssertSqlSafe(text))
                    .bind(looked.asked.provider)
                    .bind(millis(looked.now))
                    .bind(count(looked.asked.revision.0))
                    .bind(length(LEASE + CLOCK_TOLERANCE))
                    .bind(length(CLOCK_TOLERANCE))
                    .bind(count(most as u64))
                    .bind(&looked.closed)
                    .bind(looked.asked.issuer)
                    .fetch_all(connection)
                    .await?;
                rows.iter().map(|row| Ok(GrantId(wide(row.try_get("id")?)?.to_be_bytes()))).collect()
            }
        }
    };
}

for_each_database!(due);
