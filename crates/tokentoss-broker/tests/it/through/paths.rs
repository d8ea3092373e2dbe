//! Paths that two programs read in two ways.

use super::service::{Service, broker, head, raw};
use crate::provider::Provider;

#[tokio::test]
async fn ambiguous_paths_are_refused() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let here = service.address;
    for path in [
        "mail/../admin",
        "mail/./x",
        "mail/..",
        "mail/%2e%2e/admin",
        "mail/%2E./admin",
        "mail/.%2e/admin",
        "mail%2fx",
        "mail/a%2Fb",
        "mail/a%5cb",
        "mail\\..\\admin",
        "mail/%252e%252e/admin",
        "mail/%25",
        "mail/%",
        "mail/%2",
        "mail/%zz",
        "mail//admin",
        "/mail",
        "mail/..;/admin",
        "mail/..;x=1/admin",
        "mail/%2e%2e;/admin",
        "mail/;/admin",
        "mail/..%3b/admin",
        "mail/%00",
        "mail/%0d%0aX: 1",
        "mail/%09",
        "mail/a%3fb",
        "mail/a%23b",
        "mail/%c0%ae%c0%ae/%2f",
    ] {
        let request = format!("GET /v1/through/example/{here}/{path} HTTP/1.1\r\n{}\r\n", head());
        let answer = raw(&broker, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    for host in [
        format!("evil@{here}"),
        format!("{here}@evil"),
        "127.0.0.1%3a80".to_owned(),
        format!("{here}%2fmail"),
        format!("{here}\\mail"),
        format!("{here}#"),
        String::new(),
        "%00".to_owned(),
    ] {
        let request = format!("GET /v1/through/example/{host}/mail HTTP/1.1\r\n{}\r\n", head());
        let answer = raw(&broker, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
    }
    assert!(service.seen().is_empty(), "{:?}", service.seen());
}

#[tokio::test]
async fn plain_paths_arrive_byte_for_byte() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let paths = [
        "mail",
        "mail/",
        "mail/a%20b",
        "mail/%C3%A9",
        "mail/a:b@c",
        "mail/...",
        "mail/a;b=1",
        "mail/~x'(!)*,+$&=",
    ];
    for path in paths {
        let request =
            format!("GET /v1/through/example/{}/{path} HTTP/1.1\r\n{}\r\n", service.address, head());
        let answer = raw(&broker, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    let seen: Vec<String> = service.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(seen, paths.map(|path| format!("/{path}")));
}
