//! The log: JSON lines on standard error.

use tracing::Metadata;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs from now on; `RUST_LOG` says of what, else `usual`.
pub(super) fn start(usual: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let logging = tracing_subscriber::fmt()
        .json()
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A test may have installed its own.
    let _ = logging.finish().with(filter_fn(may_be_told)).try_init();
}

/// Not the words of the database's library that quote the address or a line of the file with passwords.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    let quotes = ["value", "line"].iter().any(|name| metadata.fields().field(name).is_some());
    !(quotes && metadata.target().starts_with("sqlx_postgres::options"))
}
