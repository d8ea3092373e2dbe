//! HEAD: the length is of what GET would answer, and the service's to say.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::service::{broker, head, raw, rule};
use crate::provider::Provider;

/// The lengths that a caller reads, where a service answers HEAD like this.
async fn lengths(status: &str, headers: &str) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let said = format!("HTTP/1.1 {status}\r\nX-Theirs: stays\r\n{headers}Connection: close\r\n\r\n");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(said.as_bytes()).await;
    });
    let provider = Provider::start().await;
    let rule = rule(address).replace("\"GET\"", "\"HEAD\"");
    // Longer than what may pass: nothing of it does.
    let broker = broker(&provider, &format!("{rule}[through]\nresponse_bytes = 1000\n")).await;
    let target = format!("/v1/through/example/{address}/mail");
    let answer = raw(&broker, &format!("HEAD {target} HTTP/1.1\r\n{}\r\n", head())).await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{headers:?}: {answer}");
    assert!(answer.contains("x-theirs: stays\r\n") && answer.ends_with("\r\n\r\n"), "{headers:?}: {answer}");
    assert!(!answer.contains("transfer-encoding"), "{headers:?}: {answer}");
    let lines = answer.lines().filter_map(|line| line.strip_prefix("content-length: "));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_head_response_has_the_length_of_the_service() {
    for length in ["1234", "0", "5000000000"] {
        assert_eq!(lengths("200 OK", &format!("Content-Length: {length}\r\n")).await, [length]);
    }
    assert_eq!(lengths("304 Not Modified", "Content-Length: 7\r\n").await, ["7"]);
}

#[tokio::test]
async fn a_head_response_without_a_length_has_none() {
    for headers in [
        "",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5x\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999999999\r\n",
    ] {
        assert!(lengths("200 OK", headers).await.is_empty(), "{headers}");
    }
    assert!(lengths("204 No Content", "Content-Length: 5\r\n").await.is_empty());
}
