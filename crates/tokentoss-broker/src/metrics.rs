//! Metrics for `/metrics` on the administrators' port. No label contains a tenant, a user or a token.

use std::sync::OnceLock;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use metrics::Counter;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokentoss_custody::{ExpiredCause, Outcome, Status};

/// Answers to callers, by route and status.
const REQUESTS: &str = "tokentoss_requests_total";
/// How long they took.
const SECONDS: &str = "tokentoss_request_duration_seconds";
/// Requests to providers, by provider, purpose and outcome.
const UPSTREAM: &str = "tokentoss_upstream_requests_total";
/// Refreshes, by provider and by who caused them.
const REFRESHES: &str = "tokentoss_refreshes_total";
/// Refreshes with a token that an earlier holder may have sent.
const TAKEOVERS: &str = "tokentoss_lease_takeovers_total";
/// Grants that ended, by provider and by the cause in their status.
const ENDED: &str = "tokentoss_grants_ended_total";
/// Looks lookups by result.
const CACHE: &str = "tokentoss_cache_lookups_total";
/// Tokens that wait to be revoked.
const REVOCATIONS: &str = "tokentoss_revocations_waiting";
/// Those of them whose provider this process's configuration does not have.
const UNCONFIGURED: &str = "tokentoss_revocations_unconfigured";
/// Answers that wait for the database.
const JOURNAL: &str = "tokentoss_journal_answers_waiting";
/// Listeners to account events.
const LISTENERS: &str = "tokentoss_event_listeners";

/// The one recorder of this process; none where another one is installed.
static RECORDER: OnceLock<Option<Recorder>> = OnceLock::new();

struct Recorder {
    handle: PrometheusHandle,
    // Stored here, because nearly every request increments one of them.
    hits: Counter,
    misses: Counter,
}

impl Recorder {
    fn install() -> Option<Self> {
        let builder =
            PrometheusBuilder::new().set_buckets(&[0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0]).ok()?;
        let handle = builder.install_recorder().ok()?;
        let lookups = |result| metrics::counter!(CACHE, "result" => result);
        Some(Self { handle, hits: lookups("hit"), misses: lookups("miss") })
    }
}

fn recorder() -> Option<&'static Recorder> {
    RECORDER.get_or_init(Recorder::install).as_ref()
}

/// Installs the recorder.
pub fn start() {
    if recorder().is_none() {
        tracing::warn!("nothing is counted, because another recorder is installed");
    }
}

/// How many tokens wait to be revoked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waiting {
    /// All of them.
    pub(crate) all: u64,
    /// Those whose provider the configuration does not have.
    pub(crate) unconfigured: u64,
}

/// Everything that metrics in the text format of Prometheus.
pub(crate) fn text(revocations: Option<Waiting>, journal: usize, listeners: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "nobody has that many")]
    let gauge = |name: &'static str, value: u64| metrics::gauge!(name).set(value as f64);
    if let Some(waiting) = revocations {
        gauge(REVOCATIONS, waiting.all);
        gauge(UNCONFIGURED, waiting.unconfigured);
    }
    gauge(JOURNAL, journal as u64);
    gauge(LISTENERS, listeners as u64);
    recorder().map(|recorder| recorder.handle.render()).unwrap_or_default()
}

/// Runs the recorder's upkeep, which frees memory.
pub(crate) fn tidy() {
    if let Some(recorder) = recorder() {
        recorder.handle.run_upkeep();
    }
}

/// Counts a response by the pattern of its route, so that no path becomes a label.
pub(crate) async fn count(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    metrics::histogram!(SECONDS, "route" => route.clone()).record(began.elapsed().as_secs_f64());
    metrics::counter!(REQUESTS, "route" => route, "status" => status).increment(1);
    response
}

/// Counts a request to a token endpoint.
pub(crate) fn refreshed(provider: &str, outcome: &Outcome) {
    let outcome = match outcome {
        Outcome::Renewed(_) => "renewed",
        Outcome::RotatedOnly(_) => "rotated_only",
        Outcome::Ended(_) => "ended",
        Outcome::InvalidClient => "invalid_client",
        Outcome::UnauthorizedClient => "unauthorized_client",
        Outcome::ScopeRefused => "scope_refused",
        Outcome::Failed { failure, .. } => failure.name(),
        Outcome::CellUnreadable => return,
    };
    upstream(provider, "refresh", outcome);
}

/// Counts a request to a provider.
pub(crate) fn upstream(provider: &str, purpose: &'static str, outcome: &'static str) {
    metrics::counter!(UPSTREAM, "provider" => provider.to_owned(), "purpose" => purpose, "outcome" => outcome)
        .increment(1);
}

/// Counts a claimed lease.
pub(crate) fn claimed(provider: &str, by: &'static str, is_repeated: bool) {
    metrics::counter!(REFRESHES, "provider" => provider.to_owned(), "by" => by).increment(1);
    if is_repeated {
        metrics::counter!(TAKEOVERS, "provider" => provider.to_owned()).increment(1);
    }
}

/// Counts what a write made of a grant, where that ended it.
pub(crate) fn changed(provider: &str, before: Status, after: Status) {
    if let (false, Status::Expired(cause)) = (matches!(before, Status::Expired(_)), after) {
        ended(provider, cause.name());
    }
}

/// Counts a grant that ended. The cause is a name of this program, and never a provider's word.
pub(crate) fn ended(provider: &str, cause: &'static str) {
    count_ended(provider, cause, 1);
}

/// Makes the counter that an alert looks at: an increase from nothing to one would not be seen.
pub(crate) fn begin(provider: &str) {
    count_ended(provider, ExpiredCause::RefreshInterrupted.name(), 0);
}

fn count_ended(provider: &str, cause: &'static str, count: u64) {
    metrics::counter!(ENDED, "provider" => provider.to_owned(), "cause" => cause).increment(count);
}

/// Counts a cache lookup.
pub(crate) fn looked_up(is_hit: bool) {
    if let Some(Recorder { hits, misses, .. }) = recorder() {
        (if is_hit { hits } else { misses }).increment(1);
    }
}
