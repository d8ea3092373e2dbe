//! Bodies that are longer than they may be.

use axum::body::{Body, Bytes};
use axum::http::Response;
use futures_util::stream;

use super::service::{Service, broker};
use crate::provider::Provider;
use crate::running::answer;

const SMALL: &str = "[through]\nrequest_bytes = 100000\nresponse_bytes = 100000\n";

fn endless() -> Body {
    Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 8192]))))
}

#[tokio::test]
async fn a_long_request_is_refused() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &format!("{}{SMALL}", service.rule())).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let announced = answer(broker.request("POST", &path, "ada").body(vec![b'x'; 100_001])).await;
    assert_eq!((announced.status, announced.code()), (413, "request_too_large"));
    let body =
        reqwest::Body::wrap_stream(stream::iter((0..13).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 8192]))));
    let unannounced = answer(broker.request("POST", &path, "ada").body(body)).await;
    assert_eq!((unannounced.status, unannounced.code()), (413, "request_too_large"));
    assert!(service.seen().is_empty(), "no whole request arrived");
    let fits = answer(broker.request("POST", &path, "ada").body(vec![b'x'; 100_000])).await;
    assert_eq!(fits.status, 200);
    assert_eq!(service.seen()[0].body.len(), 100_000);
    assert_eq!(service.seen()[0].headers["content-length"], "100000", "the length is passed on");
}

#[tokio::test]
async fn a_long_answer_is_cut_off() {
    let provider = Provider::start().await;
    let service = Service::replying(|_| Response::new(endless())).await;
    let broker = broker(&provider, &format!("{}{SMALL}", service.rule())).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let response = broker.request("GET", &path, "ada").send().await.expect("headers");
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err(), "no silent end");
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_refused() {
    let provider = Provider::start().await;
    let service = Service::replying(|_| Response::new(Body::from(vec![b'x'; 100_001]))).await;
    let broker = broker(&provider, &format!("{}{SMALL}", service.rule())).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let response = answer(broker.request("GET", &path, "ada")).await;
    assert_eq!((response.status, response.code()), (502, "target_misbehaved"));
}
