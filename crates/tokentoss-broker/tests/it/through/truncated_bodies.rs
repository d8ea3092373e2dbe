//! Bodies that end early, from either side.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::service::{Service, broker, head, rule};
use crate::provider::Provider;
use crate::running::answer;

#[tokio::test]
async fn half_a_request_does_not_arrive_as_a_whole_one() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    for (lengths, half) in [
        ("Content-Length: 10\r\n", "half"),
        ("Content-Length: 200000\r\n", "half"),
        ("Transfer-Encoding: chunked\r\n", "4\r\nhalf\r\n"),
        ("Transfer-Encoding: chunked\r\n", "zz\r\nhalf\r\n"),
    ] {
        let mut stream = TcpStream::connect(broker.address).await.expect("a connection");
        let target = format!("/v1/through/example/{}/mail", service.address);
        let request = format!("POST {target} HTTP/1.1\r\n{}{lengths}\r\n{half}", head());
        stream.write_all(request.as_bytes()).await.expect("written");
        stream.shutdown().await.expect("half closed");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(service.seen().is_empty(), "{:?}", service.seen());
}

#[tokio::test]
async fn half_an_answer_is_no_whole_one() {
    for (bytes, has_headers) in [
        ("", false),
        ("HTTP/1.1 200 OK\r\nContent-Le", false),
        ("nonsense\r\n\r\n", false),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", true),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(bytes.as_bytes()).await;
            }
        });
        let provider = Provider::start().await;
        let broker = broker(&provider, &rule(address)).await;
        let request = broker.request("GET", &format!("/v1/through/example/{address}/mail"), "ada");
        if has_headers {
            let response = request.send().await.expect("headers");
            assert_eq!(response.status(), 200);
            assert!(response.bytes().await.is_err(), "no silent end: {bytes}");
        } else {
            let response = answer(request).await;
            assert!([502, 503].contains(&response.status), "{bytes}: {response:?}");
            assert!(["target_unavailable", "target_misbehaved"].contains(&response.code()));
        }
    }
}
