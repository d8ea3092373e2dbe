//! `GET /livez` and `GET /readyz`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::App;

/// The process runs.
pub(super) async fn live() -> StatusCode {
    StatusCode::OK
}

/// The database answers, its schema is this version's, and the journal takes what the database does not.
pub(super) async fn ready(State(app): State<App>) -> StatusCode {
    let custodian = Arc::clone(&app.custodian);
    // It waits for the disk.
    let is_writable = tokio::task::spawn_blocking(move || custodian.journal().is_writable());
    match (app.custodian.store.pending().await, is_writable.await) {
        (Ok(0), Ok(true)) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
