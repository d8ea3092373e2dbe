//! A client that leaves: the call ends with it, and its turn is free again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::service::{broker, head, rule, until};
use crate::provider::Provider;

#[tokio::test]
async fn the_call_ends_with_its_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (asked, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&asked), Arc::clone(&ended));
    // It takes requests and answers none; it sees when its peer goes.
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (asked, ended) = (Arc::clone(&counts.0), Arc::clone(&counts.1));
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                if stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {
                    asked.fetch_add(1, Ordering::SeqCst);
                }
                while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    let provider = Provider::start().await;
    let broker = broker(&provider, &format!("{}[through]\nat_once = 1\n", rule(address))).await;
    for round in 1..=3 {
        let mut stream = TcpStream::connect(broker.address).await.expect("a connection");
        let request = format!("GET /v1/through/example/{address}/mail HTTP/1.1\r\n{}\r\n", head());
        stream.write_all(request.as_bytes()).await.expect("written");
        until("the service is asked", || asked.load(Ordering::SeqCst) == round).await;
        drop(stream);
        until("the call ends", || ended.load(Ordering::SeqCst) == round).await;
    }
}
