//! A service that refuses the token: one renewal, one repetition, and no more.

use axum::body::Body;
use axum::http::Response;
use futures_util::stream;
use serde_json::json;

use super::service::{Seen, Service, broker};
use crate::provider::{Provider, ProviderBehaviour};
use crate::running::answer;

fn only(token: &'static str) -> impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static {
    move |seen| {
        let is_good = seen.headers["authorization"] == format!("Bearer {token}");
        Response::builder()
            .status(if is_good { 200 } else { 401 })
            .body(Body::from("said"))
            .expect("an answer")
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_call_repeated() {
    let (provider, service) = (Provider::start().await, Service::replying(only("access-2")).await);
    let broker = broker(&provider, &service.rule()).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let response = answer(broker.request("POST", &path, "ada").body("a letter")).await;
    assert_eq!((response.status, &response.body), (200, &json!("said")));
    let seen = service.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((&seen[0].body, &seen[1].body), (&"a letter".into(), &"a letter".into()), "the same body");
    assert_eq!(provider.forms().len(), 1);
}

#[tokio::test]
async fn a_service_that_refuses_everything_is_asked_twice() {
    let (provider, service) = (Provider::start().await, Service::replying(only("none")).await);
    let broker = broker(&provider, &service.rule()).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    for _ in 0..3 {
        let response = answer(broker.request("GET", &path, "ada")).await;
        assert_eq!(response.status, 401);
        assert_eq!(response.headers["tokentoss-through"], "1", "the service's own answer");
    }
    let renewals = provider.forms().len();
    assert!(service.seen().len() == 3 + renewals && renewals <= 3, "{renewals}");
}

#[tokio::test]
async fn a_long_or_endless_body_is_not_repeated() {
    let (provider, service) = (Provider::start().await, Service::replying(only("none")).await);
    let broker = broker(&provider, &service.rule()).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let chunks = reqwest::Body::wrap_stream(stream::iter([Ok::<_, std::io::Error>("a"), Ok("b")]));
    assert_eq!(answer(broker.request("POST", &path, "ada").body(chunks)).await.status, 401);
    assert_eq!(answer(broker.request("POST", &path, "ada").body(vec![b'x'; 70_000])).await.status, 401);
    assert_eq!((service.seen().len(), provider.forms().len()), (2, 0));
}

#[tokio::test]
async fn a_dead_grant_is_told_in_place_of_the_refusal() {
    let (provider, service) = (Provider::start().await, Service::replying(only("none")).await);
    let broker = broker(&provider, &service.rule()).await;
    provider.set(ProviderBehaviour::Respond(400, r#"{"error":"invalid_grant"}"#));
    let path = format!("/v1/through/example/{}/mail", service.address);
    let response = answer(broker.request("GET", &path, "ada")).await;
    assert_eq!((response.status, response.code()), (409, "reauth_required"));
}
