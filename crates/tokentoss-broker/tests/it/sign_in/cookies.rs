//! The cookie that ties a sign-in to one browser: its name, and whose cookies count.

use serde_json::json;

use super::{Browser, PUBLIC, home, id_of, path_of, view};
use crate::provider::Provider;
use crate::running::Broker;

const LOOPBACK: &str = "http://127.0.0.1:8765";

fn names(browser: &Browser) -> Vec<String> {
    browser.cookies.lock().expect("not poisoned").keys().cloned().collect()
}

/// Begins and consents; the identifier, and the way back.
async fn sent_back(
    broker: &Broker,
    browser: &Browser,
    provider: &Provider,
    origin: &str,
) -> (String, String) {
    let id = id_of(&broker.post("/v1/authorizations", "ada", &json!({"provider": "example"})).await);
    let sent = browser.post(broker, &format!("/connect/{id}"), origin).await;
    let back = provider.consent(sent.location(), "ada");
    (id, path_of(&back, origin).to_owned())
}

/// What a browser with these cookies alone gets.
async fn with(broker: &Broker, path: &str, cookies: &str) -> u16 {
    let request = broker.http.get(broker.url(path)).header("cookie", cookies);
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn only_the_cookie_of_the_origins_own_name_counts() {
    for (public, other_public) in [(PUBLIC, LOOPBACK), (LOOPBACK, PUBLIC)] {
        let provider = Provider::start().await;
        let mut home = home(&provider, "page");
        home.of_broker = format!("public_url = \"{public}\"");
        let broker = home.start_kept().await;
        let browser = Browser::default();
        let (id, back) = sent_back(&broker, &browser, &provider, public).await;
        let of_origin = |origin: &str| match origin {
            PUBLIC => format!("__Host-tokentoss-{id}"),
            _ => format!("tokentoss-{id}"),
        };
        let (name, other) = (of_origin(public), of_origin(other_public));
        assert_eq!(names(&browser), [name.as_str()]);
        let value = browser.cookies.lock().expect("not poisoned")[&name].clone();
        assert_eq!(with(&broker, &back, &format!("{other}={value}")).await, 400, "another name");
        assert_eq!(with(&broker, &back, &format!("{name}=x; {name}={value}")).await, 400, "two of them");
        assert_eq!(with(&broker, &back, &format!("{other}=x; {name}={value}")).await, 200);
        assert_eq!(view(&broker, "ada", &id).await.body["status"], "confirm");
    }
}

#[tokio::test]
async fn an_applications_cookie_has_the_name_of_its_own_scheme() {
    let provider = Provider::start().await;
    let mut home = home(&provider, "page");
    home.of_caller = "public_url = \"http://127.0.0.1:9000\"".to_owned();
    let broker = home.start_kept().await;
    let browser = Browser::default();
    let sent = browser.send(broker.request("GET", "/auth/example/login", "ada")).await;
    assert!(names(&browser).iter().all(|name| name.starts_with("tokentoss-")), "{:?}", names(&browser));
    assert!(!sent.headers["set-cookie"].to_str().expect("text").contains("Secure"));
    let back = provider.consent(sent.location(), "ada");
    let path = path_of(&back, "http://127.0.0.1:9000");
    assert_eq!(browser.send(broker.request("GET", path, "ada")).await.status, 200);
}

#[tokio::test]
async fn two_brokers_of_one_host_and_several_sign_ins_share_a_browser() {
    let browser = Browser::default();
    let mut running = Vec::new();
    for port in [8765, 8865] {
        let provider = Provider::start().await;
        let mut home = home(&provider, "page");
        let origin = format!("http://127.0.0.1:{port}");
        home.of_broker = format!("public_url = \"{origin}\"");
        running.push((home.start_kept().await, provider, origin));
    }
    let mut under_way = Vec::new();
    for _ in 0..2 {
        for (index, (broker, provider, origin)) in running.iter().enumerate() {
            let (id, back) = sent_back(broker, &browser, provider, origin).await;
            under_way.push((index, id, back));
        }
    }
    assert_eq!(names(&browser).len(), 4);
    for (index, id, back) in under_way {
        let broker = &running[index].0;
        assert_eq!(browser.get(broker, &back).await.status, 200);
        assert_eq!(view(broker, "ada", &id).await.body["status"], "confirm");
    }
}
