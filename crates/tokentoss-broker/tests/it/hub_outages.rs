//! What hubs say of tokens, and hubs that say nothing. `tests/broker/test_jupyterhub.py` asks a real one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

use crate::provider::Provider;
use crate::running::{Answer, Broker, Home, answer};

/// A hub with one answer for every token.
#[derive(Clone)]
struct Hub {
    api_url: String,
    says: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Hub {
    async fn saying(status: u16, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let hub = Self {
            api_url: format!("http://{address}/hub/api"),
            says: Arc::new(Mutex::new((status, body))),
            asked: Arc::default(),
        };
        let router = Router::new().route("/hub/api/user", axum::routing::get(user)).with_state(hub.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        hub
    }

    fn says(&self, status: u16, body: &str) {
        *self.says.lock().expect("not poisoned") = (status, body.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn user(State(hub): State<Hub>, headers: HeaderMap) -> (StatusCode, String) {
    assert!(headers["authorization"].to_str().expect("text").starts_with("token "));
    hub.asked.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (status, body) = hub.says.lock().expect("not poisoned").clone();
    (StatusCode::from_u16(status).expect("a status"), body)
}

fn ada() -> String {
    json!({"kind": "user", "name": "ada", "scopes": ["access:services!service=tokentoss"], "admin": false})
        .to_string()
}

async fn broker(provider: &Provider, hubs: &[(&str, &Hub)]) -> Broker {
    let lines: Vec<String> =
        hubs.iter().map(|(name, hub)| format!("[hubs.{name}]\napi_url = \"{}\"\n", hub.api_url)).collect();
    Home::new(provider).start_kept_with(&lines.concat()).await
}

async fn list(broker: &Broker, token: &str) -> Answer {
    answer(broker.http.get(format!("http://{}/v1/accounts", broker.address)).bearer_auth(token)).await
}

#[tokio::test]
async fn a_hundred_callers_cause_one_request_to_the_hub() {
    let provider = Provider::start().await;
    let hub = Hub::saying(200, ada()).await;
    let broker = broker(&provider, &[("lab", &hub)]).await;
    let all = (0..100).map(|_| list(&broker, "token-of-ada"));
    for answer in futures_util::future::join_all(all).await {
        assert_eq!((answer.status, answer.body), (200, json!([])));
    }
    assert_eq!(hub.asked(), 1);
    let named = broker.http.get(format!("http://{}/v1/accounts", broker.address)).bearer_auth("token-of-ada");
    assert_eq!(answer(named.header("x-tokentoss-user", "grace")).await.code(), "invalid_request");
}

#[tokio::test]
async fn tokens_without_user_or_scope_get_the_same_refusal() {
    let unknown = {
        let provider = Provider::start().await;
        let hub = Hub::saying(403, String::new()).await;
        let broker = broker(&provider, &[("lab", &hub)]).await;
        let first = list(&broker, "unknown").await;
        assert_eq!((first.status, first.code()), (401, "caller_unauthenticated"));
        assert_eq!(list(&broker, "unknown").await.body, first.body);
        assert_eq!(hub.asked(), 1, "a refusal is remembered too");
        first.body
    };
    for model in [
        json!({"kind": "service", "name": "other", "scopes": ["access:services"]}),
        json!({"kind": "user", "name": "ada", "scopes": []}),
        json!({"kind": "user", "name": "ada", "scopes": ["access:services!service=other", "access:servers"]}),
        json!({"kind": "user", "name": "ada", "scopes": ["access:services!service=tokentoss2", "access:services!"]}),
        json!({"kind": "user", "name": "", "scopes": ["access:services"]}),
        json!({"kind": "user", "name": "a\nb", "scopes": ["access:services"]}),
        json!({"kind": "user", "name": "ada"}),
    ] {
        let provider = Provider::start().await;
        let hub = Hub::saying(200, model.to_string()).await;
        let broker = broker(&provider, &[("lab", &hub)]).await;
        let refused = list(&broker, "token").await;
        assert_eq!((refused.status, refused.body), (401, unknown.clone()), "{model}");
    }
}

#[tokio::test]
async fn an_unavailable_hub_is_no_refusal() {
    let provider = Provider::start().await;
    let hub = Hub::saying(500, String::new()).await;
    let broker = broker(&provider, &[("lab", &hub)]).await;
    let huge = format!("{{\"kind\":\"{}\"}}", "x".repeat(2_000_000));
    for (status, body) in
        [(500, ""), (200, "<html>"), (200, "{}"), (302, ""), (404, ""), (200, huge.as_str())]
    {
        hub.says(status, body);
        let away = list(&broker, "token-of-ada").await;
        assert_eq!((away.status, away.code()), (503, "hub_unavailable"), "{status}");
        assert!(away.headers.contains_key("retry-after"));
    }
    hub.says(200, &ada());
    assert_eq!(list(&broker, "token-of-ada").await.status, 200, "nothing of it is remembered");
    hub.says(500, "");
    assert_eq!(list(&broker, "token-of-ada").await.status, 200, "its word counts for a while");
}

#[tokio::test]
async fn a_token_is_shown_to_its_own_hub_alone() {
    let provider = Provider::start().await;
    let (lab, school) = (Hub::saying(200, ada()).await, Hub::saying(200, ada()).await);
    let broker = broker(&provider, &[("lab", &lab), ("school", &school)]).await;
    assert_eq!(list(&broker, "token-of-ada").await.code(), "caller_unauthenticated");
    assert_eq!((lab.asked(), school.asked()), (0, 0));
    let at = |hub: &str| {
        let url = format!("http://{}/v1/accounts", broker.address);
        broker.http.get(url).bearer_auth("token-of-ada").header("x-tokentoss-hub", hub.to_owned())
    };
    assert_eq!(answer(at("school")).await.status, 200);
    assert_eq!(answer(at("nowhere")).await.code(), "caller_unauthenticated");
    assert_eq!((lab.asked(), school.asked()), (0, 1));
}
