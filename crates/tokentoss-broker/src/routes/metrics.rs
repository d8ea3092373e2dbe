//! `GET /metrics`: what is counted, in Prometheus' text format.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use tokio::time::timeout;

use super::App;
use crate::metrics::text;

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let custodian = &app.custodian;
    // While the database is away the other numbers matter most, and Prometheus waits for them ten seconds at most.
    let revocations =
        timeout(PATIENCE, custodian.store.waiting_revocations()).await.ok().and_then(Result::ok);
    let text = text(revocations, custodian.journal().waiting(), custodian.events.count());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
