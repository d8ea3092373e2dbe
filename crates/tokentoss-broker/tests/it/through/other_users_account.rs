//! Other users' accounts answer like those that do not exist.

use super::service::{Service, broker};
use crate::provider::Provider;
use crate::running::answer;

#[tokio::test]
async fn an_account_of_another_user_is_unknown() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &service.rule()).await;
    let adas = broker.connect("ada", &provider.grant(), 3600).await.to_string();
    broker.connect("grace", &provider.grant(), 3600).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    let absent = answer(broker.request("GET", &path, "grace").header("x-tokentoss-account", "nobody")).await;
    assert_eq!((absent.status, absent.code()), (404, "not_connected"));
    for account in [adas.as_str(), "ada"] {
        let foreign =
            answer(broker.request("GET", &path, "grace").header("x-tokentoss-account", account)).await;
        assert_eq!((foreign.status, &foreign.body), (absent.status, &absent.body));
    }
    let unconnected = answer(broker.request("GET", &path, "mallory")).await;
    assert_eq!(unconnected.body, absent.body);
    let mut elsewhere = broker.request("GET", &path, "ada").build().expect("a request");
    elsewhere.headers_mut().insert("x-tokentoss-tenant", "another".parse().expect("a header"));
    let elsewhere = broker.http.execute(elsewhere).await.expect("an answer");
    assert_eq!(elsewhere.status(), 404);
    assert!(service.seen().is_empty());
}
