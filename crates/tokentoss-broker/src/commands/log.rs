//! The log: JSON lines on standard error.

use tracing::Metadata;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging; `RUST_LOG` sets the filter, and `usual` is the default.
pub(super) fn start(usual: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let logging = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr);
    // A test may have installed a subscriber.
    let _ = logging.finish().with(filter_fn(may_be_told)).try_init();
}

/// Excludes messages of the database driver that quote the address or a line of the password file.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    let quotes = ["value", "line"].iter().any(|name| metadata.fields().field(name).is_some());
    !(quotes && metadata.target().starts_with("sqlx_postgres::options"))
}
