//! Which requests go by the proxy of the environment.

use serde_json::json;

use super::process;
use super::servers::Proxy;
use crate::provider::Provider;
use crate::running::Home;

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_this_machine_goes_by_no_proxy() {
    let proxy = Proxy::start().await;
    let home = Home::new(&Provider::start().await);
    let variables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, &*proxy.url));
    let (process, _) = process(&home, &variables).await;
    let answer = process.token("ada", &json!({"provider": "example"})).await;
    assert_eq!((answer.status, home.provider.forms().len()), (200, 1), "{answer:?}");
    assert_eq!(proxy.heads(), Vec::<String>::new(), "it would see refresh token and secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_another_machine_goes_through_the_proxy_unseen() {
    let proxy = Proxy::start().await;
    let mut provider = Provider::start().await;
    provider.token_endpoint = "https://as.example/token".to_owned();
    let home = Home::new(&provider);
    let (process, log) = process(&home, &[("HTTPS_PROXY", &proxy.url)]).await;
    let answer = process.token("ada", &json!({"provider": "example"})).await;
    assert_eq!(answer.code(), "provider_unavailable", "{answer:?}");
    let heads = proxy.heads();
    assert!(!heads.is_empty() && heads.iter().all(|head| head.starts_with("CONNECT as.example:443 ")));
    assert!(!format!("{heads:?}").contains("s3cret") && !format!("{heads:?}").contains("refresh"));
    assert_eq!(log.cause("no answer of a token endpoint").await, "proxy");
}
