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
    let answers: Vec<(u16, &str)> = targets
        .into_iter()
        .flat_map(|target| [301, 302, 303, 307, 308].map(|status| (status, target)))
        .collect();
    let given: Vec<(u16, String)> =
        answers.iter().map(|(status, target)| (*status, (*target).to_owned())).collect();
    let service = Service::replying(move |seen| {
        let number: usize = seen.target.rsplit('/').next().expect("a part").parse().expect("a number");
        let (status, location) = &given[number];
        let answer = Response::builder().status(*status).header("location", location);
        answer.body(Body::empty()).expect("an answer")
    })
    .await;
    let provider = Provider::start().await;
    let broker = broker(&provider, &service.rule()).await;
    for (number, expected) in answers.iter().enumerate() {
        let path = format!("/v1/through/example/{}/mail/{number}", service.address);
        let response = broker.request("GET", &path, "ada").send().await.expect("an answer");
        let location = response.headers()["location"].to_str().expect("text");
        assert_eq!((response.status().as_u16(), location), *expected);
        assert_eq!(service.seen().len(), number + 1);
    }
    assert!(elsewhere.seen().is_empty());
}
