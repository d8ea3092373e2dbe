//! Request targets that are meant for proxies.

use super::service::{Service, broker, head, raw};
use crate::provider::Provider;

#[tokio::test]
async fn the_broker_is_no_proxy() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let here = service.address;
    for (line, status) in [
        (format!("CONNECT {here} HTTP/1.1"), "404"),
        (format!("CONNECT /v1/through/example/{here}/mail HTTP/1.1"), "403"),
        (format!("GET http://{here}/mail HTTP/1.1"), "404"),
        (format!("GET http://broker/v1/through/example/{here}/mail HTTP/1.1"), "400"),
        (format!("GET http://{here}/v1/through/example/{here}/mail HTTP/1.1"), "400"),
        (format!("GET //{here}/v1/through/example/{here}/mail HTTP/1.1"), "404"),
        (format!("GET v1/through/example/{here}/mail HTTP/1.1"), "400"),
    ] {
        let answer = raw(&broker, &format!("{line}\r\n{}\r\n", head())).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{line}: {answer}");
    }
    assert!(service.seen().is_empty());
}
