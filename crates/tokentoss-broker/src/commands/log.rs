//! The log: JSON lines on standard error.

use std::env;

use tracing::Metadata;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging; `RUST_LOG` sets the filter, and `usual` is the default. Audit lines go only where it names `audit` itself.
pub(super) fn start(usual: &str) {
    let filter = filter_of(env::var(EnvFilter::DEFAULT_ENV).ok().as_deref(), usual);
    let logging = tracing_subscriber::fmt()
        .json()
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A test may have installed a subscriber.
    let _ = logging.finish().with(filter_fn(may_be_told)).try_init();
}

/// Excludes messages of the database driver that quote the address or a line of the password file.
fn may_be_told(metadata: &Metadata<'_>) -> bool {
    let quotes = ["value", "line"].iter().any(|name| metadata.fields().field(name).is_some());
    !(quotes && metadata.target().starts_with("sqlx_postgres::options"))
}

fn filter_of(wish: Option<&str>, usual: &str) -> EnvFilter {
    let wish = wish.filter(|wish| EnvFilter::try_new(wish).is_ok()).unwrap_or(usual);
    // Whoever wants a quieter log rarely means who did what.
    let names_audit = wish.split(',').any(|directive| directive.trim().starts_with("audit"));
    EnvFilter::new(if names_audit { wish.to_owned() } else { format!("{wish},audit=info") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_lines_stay_unless_the_filter_names_them() {
        for (wish, filter) in [
            (None, "audit=info,info"),
            (Some("warn"), "audit=info,warn"),
            (Some("tokentoss_broker=debug"), "audit=info,tokentoss_broker=debug"),
            (Some("info,audit=off"), "audit=off,info"),
            (Some("audit=warn"), "audit=warn"),
            // What is no filter counts as none.
            (Some("=,="), "audit=info,info"),
        ] {
            let written = filter_of(wish, "info").to_string();
            let mut directives: Vec<&str> = written.split(',').collect();
            directives.sort_unstable();
            assert_eq!(directives.join(","), filter, "{wish:?}");
        }
    }
}
