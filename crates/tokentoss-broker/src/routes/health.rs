//! `GET /livez` and `GET /readyz`.

use axum::extract::State;
use axum::http::StatusCode;

use super::App;

/// The process runs.
pub(super) async fn live() -> StatusCode {
    StatusCode::OK
}

/// The database answers, and its schema is this version's.
pub(super) async fn ready(State(app): State<App>) -> StatusCode {
    match app.custodian.store.pending().await {
        Ok(0) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
