//! A redirect is the caller's business: the broker follows none, least of all to a metadata address.

use axum::body::Body;
use axum::http::Response;

use super::service::{Service, broker};
use crate::provider::Provider;

#[tokio::test]
async fn a_redirect_comes_back_as_it_is() {
    let elsewhere = Service::start().await;
    let to_elsewhere = format!("http://{}/mail", elsewhere.address);
    let targets =
        ["http://169.254.169.254/computeMetadata/v1/", &to_elsewhere, "/mail/again", "//evil.example/"];
    for target in targets.map(str::to_owned) {
        for status in [301, 302, 303, 307, 308] {
            let location = target.clone();
            let service = Service::replying(move |_| {
                let answer = Response::builder().status(status).header("location", &location);
                answer.body(Body::empty()).expect("an answer")
            })
            .await;
            let provider = Provider::start().await;
            let broker = broker(&provider, &service.rule()).await;
            let http = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("a client");
            let path = format!("/v1/through/example/{}/mail", service.address);
            let request = broker.request("GET", &path, "ada").build().expect("a request");
            let response = http.execute(request).await.expect("an answer");
            assert_eq!(
                (response.status().as_u16(), response.headers()["location"].to_str().expect("text")),
                (status, target.as_str())
            );
            assert_eq!(service.seen().len(), 1);
            broker.stop().await;
        }
    }
    assert!(elsewhere.seen().is_empty());
}
