//! A provider that speaks TLS with a certificate of a company's authority.

use std::path::Path;

use serde_json::json;

use super::process;
use super::servers::Authority;
use crate::commands::{out, run_in};
use crate::provider::Provider;
use crate::running::Home;

/// A provider whose certificate is for this name, and its authority.
async fn provider(name: &str) -> (Provider, Authority) {
    let mut provider = Provider::start().await;
    let authority = Authority::new();
    let plain = provider.issuer().trim_start_matches("http://").parse().expect("an address");
    let address = authority.secure(name, plain).await;
    provider.token_endpoint = format!("https://{address}/token");
    (provider, authority)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_authority_in_the_environment_tokens_are_refreshed() {
    let (provider, authority) = provider("127.0.0.1").await;
    let home = Home::new(&provider);
    let file = authority.file(home.path());
    let (process, _) = process(&home, &[("SSL_CERT_FILE", &file)]).await;
    let answer = process.token("ada", &json!({"provider": "example"})).await;
    assert_eq!((answer.status, provider.forms().len()), (200, 1), "{answer:?}");
    let checked = run_in(&home.configuration(""), &["check"], &[("SSL_CERT_FILE", &file)]).await;
    assert!(!out(&checked).contains("is not reached"), "{checked:?}");
    assert_eq!(provider.forms().len(), 1, "a check sends no token");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_it_nothing_is_sent_and_the_log_says_why() {
    let (provider, _) = provider("127.0.0.1").await;
    is_refused(&provider, None, "certificate_untrusted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_is_refused() {
    let (provider, authority) = provider("as.example").await;
    is_refused(&provider, Some(&authority), "certificate_name").await;
}

async fn is_refused(provider: &Provider, authority: Option<&Authority>, cause: &str) {
    let mut home = Home::new(provider);
    let folder = tempfile::tempdir().expect("a folder");
    let file = authority.map(|authority| authority.file(folder.path()));
    let trusted: Vec<(&str, &Path)> = file.iter().map(|file| ("SSL_CERT_FILE", &**file)).collect();
    // A service with the same certificate.
    let origin = provider.token_endpoint.trim_end_matches("/token");
    home.of_provider = format!(
        "[[providers.example.through]]\norigin = \"{origin}\"\nmethods = [\"GET\"]\npaths = [\"/\"]\nprivate = true\n"
    );
    let (process, log) = process(&home, &trusted).await;
    let answer = process.token("ada", &json!({"provider": "example"})).await;
    assert_eq!((answer.status, answer.code()), (503, "provider_unavailable"), "{answer:?}");
    assert_eq!(log.cause("no answer of a token endpoint").await, cause);
    assert!(provider.forms().is_empty());
    let checked = out(&run_in(&home.configuration(""), &["check"], &trusted).await);
    let problem = format!("problem: providers.example.token_endpoint: {origin} is not reached: {cause}: ");
    assert!(checked.contains(&problem), "{checked}");
    drop(process);

    // The token still lives, so that it is the service's certificate that matters.
    let broker = home.start().await;
    broker.connect("grace", &provider.grant(), 3600).await;
    broker.stop().await;
    let mut all = vec![("RUST_LOG", Path::new("info"))];
    all.extend_from_slice(&trusted);
    let mut process = crate::process::Process::start_in(&home, "", &all).await;
    let log = super::Log(process.overhear());
    let host = origin.trim_start_matches("https://");
    let call = process.request("GET", &format!("/v1/through/example/{host}/"), "grace");
    assert_eq!(crate::running::answer(call).await.code(), "target_unavailable");
    assert_eq!(log.cause("no answer of a service").await, cause);
}
