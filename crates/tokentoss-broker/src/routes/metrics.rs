//! `GET /metrics`: all metrics in the text format of Prometheus.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use tokio::time::timeout;

use super::App;
use crate::metrics::{Waiting, text};

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let custodian = &app.custodian;
    // The other metrics are returned even if the database does not most, and Prometheus waits for them ten seconds at most.
    let found = timeout(PATIENCE, custodian.store.waiting_revocations()).await;
    let revocations = found.ok().and_then(Result::ok).map(|providers| {
        let mut waiting = Waiting::default();
        for (provider, count) in providers {
            waiting.all += count;
            waiting.unconfigured += if custodian.provider(&provider).is_some() { 0 } else { count };
        }
        waiting
    });
    let text = text(revocations, custodian.journal().pending_count(), custodian.events.count());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
