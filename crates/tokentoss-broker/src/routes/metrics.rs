//! `GET /metrics`: all metrics in the text format of Prometheus.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::App;
use crate::metrics::text;

pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let custodian = &app.custodian;
    // The other metrics are returned even if the database does not answer.
    let revocations = custodian.store.waiting_revocations().await.ok();
    let text = text(revocations, custodian.journal().pending_count(), custodian.events.count());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
