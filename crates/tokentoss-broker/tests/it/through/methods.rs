//! Methods that nobody allowed.

use super::service::{Service, broker, head, raw};
use crate::provider::Provider;

#[tokio::test]
async fn a_method_is_allowed_by_its_exact_name() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    for method in ["DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "get", "PROPFIND"] {
        let request =
            format!("{method} /v1/through/example/{}/mail HTTP/1.1\r\n{}\r\n", service.address, head());
        let answer = raw(&broker, &request).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{method}: {answer}");
        assert!(method == "HEAD" || answer.contains("target_forbidden"), "{method}: {answer}");
    }
    assert!(service.seen().is_empty());
}
