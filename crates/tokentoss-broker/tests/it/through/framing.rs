//! Where a request's body ends, as it stands on the wire to the service.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::service::{broker, head, raw, rule};
use crate::provider::Provider;

/// The end of headers, where nothing is behind them.
const END: &str = "\r\n\r\n";

/// What the service reads for what the caller sends of a body.
async fn wire(method: &str, sent: &str, end: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (told, mut telling) = mpsc::channel(1);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut read = Vec::new();
        // An end that never comes is seen by what there is instead.
        let _ = tokio::time::timeout(Duration::from_secs(2), async {
            while !read.ends_with(end.as_bytes()) && stream.read_buf(&mut read).await.is_ok_and(|n| n > 0) {}
        })
        .await;
        told.send(String::from_utf8_lossy(&read).into_owned()).await.expect("told");
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    });
    let provider = Provider::start().await;
    let all = "methods = [\"GET\", \"HEAD\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\", \"OPTIONS\"]";
    let rule = rule(address).replace("methods = [\"GET\", \"POST\"]", all);
    let broker = broker(&provider, &rule).await;
    let target = format!("/v1/through/example/{address}/mail");
    let answer = raw(&broker, &format!("{method} {target} HTTP/1.1\r\n{}{sent}", head())).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{method} {sent:?}: {answer}");
    telling.recv().await.expect("a request").to_ascii_lowercase()
}

#[tokio::test]
async fn a_request_without_a_body_says_so_where_one_is_usual() {
    for (method, sent) in [
        ("POST", "Content-Length: 0\r\n\r\n"),
        ("POST", "\r\n"),
        ("PUT", "\r\n"),
        ("PATCH", "\r\n"),
        ("GET", "Content-Length: 0\r\n\r\n"),
        ("DELETE", "Content-Length: 0\r\n\r\n"),
    ] {
        let read = wire(method, sent, END).await;
        assert_eq!(read.matches("\r\ncontent-length: 0\r\n").count(), 1, "{method} {sent:?}: {read}");
        assert!(!read.contains("transfer-encoding"), "{method} {sent:?}: {read}");
    }
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
        let read = wire(method, "\r\n", END).await;
        assert!(!read.contains("content-length") && !read.contains("transfer-encoding"), "{method}: {read}");
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_arrives_by_every_method() {
    for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"] {
        let sent = "Transfer-Encoding: chunked\r\n\r\n8\r\na query.\r\n0\r\n\r\n";
        let read = wire(method, sent, "0\r\n\r\n").await;
        assert!(read.ends_with("\r\n\r\n8\r\na query.\r\n0\r\n\r\n"), "{method}: {read}");
        assert_eq!(read.matches("\r\ntransfer-encoding: chunked\r\n").count(), 1, "{method}: {read}");
        assert!(!read.contains("content-length"), "{method}: {read}");
    }
}

#[tokio::test]
async fn a_body_of_known_length_arrives_by_every_method() {
    for method in ["GET", "HEAD", "POST", "DELETE"] {
        let read = wire(method, "Content-Length: 8\r\n\r\na query.", "a query.").await;
        assert!(read.ends_with("\r\n\r\na query."), "{method}: {read}");
        assert_eq!(read.matches("\r\ncontent-length: 8\r\n").count(), 1, "{method}: {read}");
        assert!(!read.contains("transfer-encoding"), "{method}: {read}");
    }
}
