//! `GET /livez` and `GET /readyz`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::App;

/// Liveness: the process runs.
pub(super) async fn live() -> StatusCode {
    StatusCode::OK
}

/// Readiness: the database answers, its schema is up to date, and the journal is writable.
pub(super) async fn ready(State(app): State<App>) -> StatusCode {
    let custodian = Arc::clone(&app.custodian);
    // It blocks on the disk.
    let is_writable = tokio::task::spawn_blocking(move || custodian.journal().is_writable());
    match (app.custodian.store.pending().await, is_writable.await) {
        (Ok(0), Ok(true)) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
