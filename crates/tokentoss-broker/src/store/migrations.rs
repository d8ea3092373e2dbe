//! The schema, from the first version on. Times are whole milliseconds since 1970, and every secret is a
//! sealed cell.
//!
//! `{blob}` stands for the database's type of bytes, and `{serial}` for a number that grows. `changes` is
//! used by SQLite alone, which has no notifications.

/// One text a version; a text that was released is never changed.
pub(super) const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    data_key {blob} NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE grants (
    id {blob} PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    user_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    email TEXT,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    cause TEXT,
    cause_revision BIGINT,
    consented TEXT NOT NULL,
    refresh_hash {blob},
    refresh_cell {blob},
    id_hash {blob},
    id_cell {blob},
    id_expires_at BIGINT,
    assumed_life BIGINT NOT NULL,
    connected_at BIGINT NOT NULL,
    renewed_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    refresh_at BIGINT NOT NULL,
    keep_alive_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failure TEXT,
    failed_at BIGINT,
    next_attempt_at BIGINT,
    lease_owner {blob},
    lease_until BIGINT,
    attempt_hash {blob},
    attempt_at BIGINT,
    UNIQUE (tenant, user_id, provider, issuer, subject)
);
CREATE TABLE tokens (
    grant_id {blob} NOT NULL REFERENCES grants (id),
    scopes TEXT NOT NULL,
    audience TEXT NOT NULL,
    hash {blob},
    cell {blob},
    granted TEXT,
    obtained_at BIGINT,
    expires_at BIGINT,
    refused_until BIGINT,
    PRIMARY KEY (grant_id, scopes, audience)
);
CREATE TABLE cells (
    id {blob} PRIMARY KEY,
    grant_id {blob} NOT NULL REFERENCES grants (id),
    sealed {blob} NOT NULL
);
CREATE INDEX cells_of_grant ON cells (grant_id);
CREATE TABLE revocations (
    cell {blob} PRIMARY KEY REFERENCES cells (id),
    grant_id {blob} NOT NULL REFERENCES grants (id),
    created_at BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    failures BIGINT NOT NULL
);
CREATE INDEX revocations_of_grant ON revocations (grant_id);
CREATE INDEX revocations_due ON revocations (next_attempt_at);
",
    "
CREATE TABLE changes (
    id {serial},
    message TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX changes_by_time ON changes (at);
CREATE INDEX grants_due ON grants (provider, (
    CASE WHEN attempt_hash = refresh_hash THEN 0 WHEN used_at >= renewed_at THEN refresh_at
           ELSE keep_alive_at END
)) WHERE refresh_cell IS NOT NULL;
",
    "
CREATE TABLE authorizations (
    id {blob} PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    user_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    way TEXT NOT NULL,
    kernel TEXT,
    page_origin TEXT,
    scopes TEXT NOT NULL,
    login_hint TEXT,
    stage TEXT NOT NULL,
    problem TEXT,
    sealed {blob},
    nonce TEXT NOT NULL,
    state_hash {blob},
    cookie_hash {blob},
    confirmation_hash {blob},
    confirmation_failures BIGINT NOT NULL,
    grant_id {blob} REFERENCES grants (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX authorizations_of_user ON authorizations (tenant, user_id, created_at);
CREATE INDEX authorizations_by_end ON authorizations (expires_at);
",
    "
DROP INDEX grants_due;
CREATE INDEX grants_due ON grants (provider, (
    CASE WHEN attempt_hash = refresh_hash THEN 0 WHEN used_at >= renewed_at THEN refresh_at
           ELSE keep_alive_at END
)) WHERE refresh_cell IS NOT NULL AND failures = 0;
CREATE INDEX grants_failing ON grants (provider, next_attempt_at) WHERE refresh_cell IS NOT NULL AND failures > 0;
",
];

/// The texts for a database whose type of bytes has this name.
pub(super) fn migrations(blob: &str) -> Vec<String> {
    let serial = match blob {
        "BLOB" => "INTEGER PRIMARY KEY AUTOINCREMENT",
        _ => "BIGSERIAL PRIMARY KEY",
    };
    MIGRATIONS.iter().map(|text| text.replace("{blob}", blob).replace("{serial}", serial)).collect()
}
