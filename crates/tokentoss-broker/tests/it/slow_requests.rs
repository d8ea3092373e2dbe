//! Bodies that do not come.

use axum::http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::provider::Provider;
use crate::sign_in::home;

#[tokio::test]
async fn a_form_of_somebody_elses_page_is_not_waited_for() {
    let provider = Provider::start().await;
    let broker = home(&provider, "page").start_kept().await;
    let mut stream = TcpStream::connect(broker.address).await.expect("a connection");
    let head =
        "POST /connect/x HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nContent-Length: 10\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = String::new();
    // The body never comes, and the broker closes.
    stream.read_to_string(&mut answer).await.expect("text");
    assert!(answer.starts_with(&format!("HTTP/1.1 {}", StatusCode::BAD_REQUEST.as_u16())), "{answer}");
    assert!(answer.contains("state_mismatch"), "{answer}");
}
