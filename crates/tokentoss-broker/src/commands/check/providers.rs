//! `check` of the ways to the providers: name, network, proxy and certificate, by a request that holds nothing.

use std::time::Duration;

use futures_util::future::join_all;

use crate::commands::with_causes;
use crate::config::Provider;
use crate::refresh::Upstream;

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(8);

pub(super) async fn check(providers: &[Provider], problems: &mut Vec<String>) {
    let upstream = match Upstream::new() {
        Ok(upstream) => upstream,
        Err(error) => {
            return problems.push(format!(
                "the HTTP client cannot be made: {}; install the system's CA certificates, or correct SSL_CERT_FILE",
                with_causes(&error)
            ));
        }
    };
    let reached = providers.iter().map(|provider| upstream.reach(&provider.token_endpoint, PATIENCE));
    let reached = join_all(reached).await;
    problems.extend(providers.iter().zip(reached).filter_map(|(provider, reached)| {
        let (name, failure) = (&provider.name, reached.err()?);
        let origin = provider.token_endpoint.origin();
        Some(format!("providers.{name}.token_endpoint: {origin} is not reached: {failure}"))
    }));
}
