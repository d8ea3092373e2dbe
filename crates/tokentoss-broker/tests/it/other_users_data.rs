//! Whoever asks for what is another's gets exactly the answer for what is not there, at every route.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::openapi_document::document;
use crate::provider::Provider;
use crate::running::{Answer, Broker, Home, answer, whole};
use crate::sign_in::{self, Browser, begin, confirm, id_of, view, way_back};

const RULE: &str = "[[providers.example.through]]\norigin = \"http://127.0.0.1:9\"\nmethods = [\"GET\", \"PUT\", \
                    \"POST\", \"DELETE\", \"PATCH\", \"OPTIONS\"]\npaths = [\"/\"]\nprivate = true\n[through]\nper_minute = 100000\n";

/// Sends a request about an account, however the route names accounts.
async fn about(broker: &Broker, method: &str, path: &str, who: (&str, &str), account: &str) -> Answer {
    let path = path.replace("{id}", account).replace("{provider}/{host}/{path}", "example/127.0.0.1:9/x");
    let mut request = broker.request(method, &path, who.1);
    if method == "POST" && path == "/v1/token" {
        let body = json!({"provider": "example", "account": account}).to_string();
        request = request.header("content-type", "application/json").body(body);
    }
    if path.starts_with("/v1/through/") {
        request = request.header("x-tokentoss-account", account);
    }
    let mut request = request.build().expect("a request");
    request.headers_mut().insert("x-tokentoss-tenant", who.0.parse().expect("a header"));
    let mut answer = whole(broker.http.execute(request).await.expect("an answer")).await;
    answer.headers.remove("date");
    answer
}

#[tokio::test]
async fn every_route_answers_foreign_ids_like_unknown_ids() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept_with(RULE).await;
    let adas = broker.connect("ada", &provider.grant(), 3600).await.to_string();
    let graces = broker.connect("grace", &provider.grant(), 3600).await.to_string();
    let document = document();
    let mut compared = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        // The routes of applications name no account; `at_the_routes_of_applications` is about them.
        if path.starts_with("/api/") || path.starts_with("/auth/") {
            continue;
        }
        for method in operations.as_object().expect("operations").keys().filter(|key| *key != "parameters") {
            let method = method.to_uppercase();
            for who in [("acme", "grace"), ("acme", "nobody"), ("another", "ada"), ("another", "grace")] {
                let absent = about(&broker, &method, path, who, "00000000000000000000000000000000").await;
                let foreign = about(&broker, &method, path, who, &adas).await;
                assert_eq!(settled(&foreign), settled(&absent), "{method} {path} {who:?}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 40, "{compared}");
    for (user, id) in [("ada", &adas), ("grace", &graces)] {
        let listed = answer(broker.request("GET", "/v1/accounts", user)).await;
        assert_eq!(&listed.body[0]["id"], id, "nobody ended it");
    }
}

const ABSENT: &str = "00000000000000000000000000000000";

/// Sends a request about a sign-in, with the body that would be right for its owner.
async fn about_sign_in(
    broker: &Broker,
    method: &str,
    path: &str,
    who: (&str, &str),
    id: &str,
    typed: &str,
) -> Answer {
    let body = match path.rsplit('/').next() {
        Some("confirm") => json!({"confirmation": typed}).to_string(),
        Some("deposit") => json!({"sealed": "AAAA"}).to_string(),
        _ => String::new(),
    };
    let request = broker.request(method, &path.replace("{id}", id), who.1);
    let mut request =
        request.header("content-type", "application/json").body(body).build().expect("a request");
    request.headers_mut().insert("x-tokentoss-tenant", who.0.parse().expect("a header"));
    let mut answer = whole(broker.http.execute(request).await.expect("an answer")).await;
    answer.headers.remove("date");
    answer
}

#[tokio::test]
async fn foreign_sign_ins_look_unknown_at_every_stage() {
    let provider = Provider::start().await;
    let broker = sign_in::home(&provider, "page").start_kept().await;
    let pending = id_of(&begin(&broker, "ada", json!({})).await);
    let browser = Browser::default();
    let (waiting, done, failed) = (
        id_of(&begin(&broker, "ada", json!({})).await),
        id_of(&begin(&broker, "ada", json!({})).await),
        id_of(&begin(&broker, "ada", json!({})).await),
    );
    let back = way_back(&broker, &browser, &provider, &waiting, "ada").await;
    let typed = browser.get(&broker, &back).await.confirmation();
    let back = way_back(&broker, &browser, &provider, &done, "ada-at-work").await;
    let last = browser.get(&broker, &back).await;
    assert_eq!(confirm(&broker, "ada", &done, &last.confirmation()).await.body["status"], "done");
    let back = way_back(&broker, &browser, &provider, &failed, "ada").await;
    let state = back.split_once("state=").expect("a state").1;
    browser.get(&broker, &format!("/callback?error=access_denied&state={state}")).await;
    let document = document();
    let mut compared = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        if !path.starts_with("/v1/authorizations/{id}") {
            continue;
        }
        for method in operations.as_object().expect("operations").keys().filter(|key| *key != "parameters") {
            let method = method.to_uppercase();
            for who in [("acme", "grace"), ("another", "ada"), ("another", "nobody")] {
                let absent = about_sign_in(&broker, &method, path, who, ABSENT, &typed).await;
                assert_eq!((absent.status, absent.code()), (404, "authorization_unknown"), "{method} {path}");
                for id in [&pending, &waiting, &done, &failed] {
                    let foreign = about_sign_in(&broker, &method, path, who, id, &typed).await;
                    assert_eq!(foreign, absent, "{method} {path} {who:?}");
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 4 * 3 * 4);
    for (id, status) in [(&pending, "pending"), (&waiting, "confirm"), (&done, "done"), (&failed, "failed")] {
        assert_eq!(view(&broker, "ada", id).await.body["status"], status, "nobody changed it");
    }
    assert_eq!(confirm(&broker, "ada", &waiting, &typed).await.body["status"], "done");
}

#[tokio::test]
async fn foreign_accounts_look_unknown_at_application_routes() {
    let provider = Provider::start().await;
    let broker = sign_in::home(&provider, "page").start_kept().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    for (method, path) in [
        ("GET", "/api/example/status"),
        ("POST", "/api/example/disconnect"),
        ("GET", "/api/box/test_folder"),
        ("GET", "/v1/accounts"),
        ("GET", "/v1/accounts?provider=example"),
        ("GET", "/auth/example/callback?code=c&state=s"),
    ] {
        // Neither a user of the same name elsewhere nor a neighbour finds another thing than a stranger does.
        let stranger = about(&broker, method, path, ("third", "stranger"), ABSENT).await;
        for who in [("acme", "grace"), ("another", "ada")] {
            let foreign = about(&broker, method, path, who, ABSENT).await;
            assert_eq!(settled(&foreign), settled(&stranger), "{method} {path} {who:?}");
        }
    }
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200, "nobody ended it");
}

/// An answer with its headers, as it is each time: a page's nonce is another one.
fn settled(answer: &Answer) -> (u16, String) {
    (answer.status, without_nonces(&format!("{:?} {}", answer.headers, answer.body)))
}

/// A text whose nonces are the same each time.
pub(crate) fn without_nonces(text: &str) -> String {
    let mut settled = String::new();
    for (index, part) in text.split("nonce").enumerate() {
        // `nonce-…'` in the policy and `nonce=\"…\"` in the page: 22 letters.
        let rest: String = if index == 0 { part.to_owned() } else { part.chars().skip(25).collect() };
        settled += &rest;
    }
    settled
}

/// However somebody else is called and whatever they call the account.
#[test]
fn foreign_ids_look_unknown_for_any_user_and_account_names() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (broker, adas) = runtime.block_on(async {
        let provider = Provider::start().await;
        let broker = Home::new(&provider).start_kept_with(RULE).await;
        let adas = broker.connect("ada", &provider.grant(), 3600).await.to_string();
        (broker, adas)
    });
    let name = "[!-~]{1,20}";
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) });
    let tried = runner.run(&(name, name, name), |(tenant, user, absent)| {
        prop_assume!((tenant != "acme" || user != "ada") && !absent.contains("ada"));
        runtime.block_on(async {
            for account in [adas.as_str(), "ada"] {
                let foreign = about(&broker, "POST", "/v1/token", (&tenant, &user), account).await;
                let unknown = about(&broker, "POST", "/v1/token", (&tenant, &user), &absent).await;
                prop_assert_eq!(&foreign, &unknown);
                prop_assert_eq!((foreign.status, foreign.code()), (404, "not_connected"));
            }
            Ok(())
        })
    });
    tried.expect("the same for all names");
}
