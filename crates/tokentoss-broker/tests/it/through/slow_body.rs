//! Bodies that stop coming, from either side.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Response;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::service::{Service, broker, head};
use crate::provider::Provider;
use crate::running::answer;

const IMPATIENT: &str = "[through]\nidle_seconds = 1\nanswer_seconds = 1\nat_once = 1\n";

#[tokio::test]
async fn a_request_that_stands_still_ends() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &format!("{}{IMPATIENT}", service.rule())).await;
    for lengths in ["Content-Length: 10\r\n", "Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n"]
    {
        let mut stream = TcpStream::connect(broker.address).await.expect("a connection");
        let target = format!("/v1/through/example/{}/mail", service.address);
        let request = format!("POST {target} HTTP/1.1\r\n{}{lengths}\r\n", head());
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        let end = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer));
        end.await.expect("an end").expect("text");
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("request_incomplete"), "{answer}");
    }
}

#[tokio::test]
async fn a_service_that_says_nothing_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = silent.local_addr().expect("an address");
    let provider = Provider::start().await;
    let broker = broker(&provider, &format!("{}{IMPATIENT}", super::service::rule(address))).await;
    let response = answer(broker.request("GET", &format!("/v1/through/example/{address}/mail"), "ada")).await;
    assert_eq!((response.status, response.code()), (503, "target_unavailable"));
    assert!(response.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn an_answer_that_stands_still_is_cut_off_and_frees_its_turn() {
    let service = Service::replying(|_| {
        let first = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"first")) });
        Response::new(Body::from_stream(first.chain(stream::pending())))
    })
    .await;
    let provider = Provider::start().await;
    let broker = broker(&provider, &format!("{}{IMPATIENT}", service.rule())).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let response = broker.request("GET", &path, "ada").send().await.expect("headers");
    assert_eq!(response.status(), 200);
    assert_eq!(
        answer(broker.request("GET", &path, "ada")).await.code(),
        "rate_limited",
        "the one turn is taken"
    );
    assert!(response.bytes().await.is_err(), "no silent end");
    // The turn ends when the broker drops the body, which is about now.
    let mut status = 429;
    while status == 429 {
        status = broker.request("GET", &path, "ada").send().await.expect("headers").status().as_u16();
    }
    assert_eq!((status, service.seen().len()), (200, 2));
}
