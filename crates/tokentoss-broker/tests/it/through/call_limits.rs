//! How many calls one user may make: one user's flood is no other user's trouble.

use super::service::{Service, broker};
use crate::provider::Provider;
use crate::running::answer;

#[tokio::test]
async fn a_flood_ends_at_its_own_user() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = broker(&provider, &format!("{}[through]\nper_minute = 5\n", service.rule())).await;
    broker.connect("grace", &provider.grant(), 3600).await;
    let path = format!("/v1/through/example/{}/mail", service.address);
    for _ in 0..5 {
        assert_eq!(answer(broker.request("GET", &path, "ada")).await.status, 200);
    }
    let sixth = answer(broker.request("GET", &path, "ada")).await;
    assert_eq!((sixth.status, sixth.code()), (429, "rate_limited"));
    let wait: u64 = sixth.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=13).contains(&wait), "{wait}");
    assert_eq!(answer(broker.request("GET", &path, "grace")).await.status, 200);
    assert_eq!(service.seen().len(), 6);
}
