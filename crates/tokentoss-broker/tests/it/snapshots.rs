//! Whole answers, as a person reads them.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokentoss_broker::problem::Problem;

use crate::openapi_document::document;
use crate::provider::Provider;
use crate::running::{Answer, Home, answer};
use crate::sign_in::{self, Browser, PAGE, PUBLIC, Page, begin, confirm, id_of, path_of, view, way_back};
use crate::through::service::Service;

/// An answer whose identifiers and times are the same each time.
fn shown(answer: &Answer, id: &str) -> Value {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
        .filter(|line| !line.starts_with("content-length"))
        .collect();
    headers.sort();
    let mut body = answer.body.clone();
    settle(&mut body, id);
    json!({"status": answer.status, "headers": headers, "body": body})
}

fn settle(value: &mut Value, id: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if name.ends_with("_at") && member.is_number() {
                    *member = json!("<seconds>");
                }
                settle(member, id);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| settle(item, id)),
        Value::String(text) if text == id => "<id>".clone_into(text),
        _ => {}
    }
}

/// The name of a route's snapshot.
fn name_of(method: &str, path: &str) -> String {
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!("{}_{}", method.to_lowercase(), words.join("_"))
}

/// The snapshot of a route's answer, in which these texts stand for others.
fn keep(method: &str, path: &str, answer: &Answer, texts: &[(&str, &str)]) {
    let mut text = shown(answer, "no text").to_string();
    for (from, to) in texts {
        text = text.replace(from, to);
    }
    let value: Value = serde_json::from_str(&text).expect("JSON");
    insta::assert_json_snapshot!(name_of(method, path), value);
}

#[tokio::test]
async fn snapshots_of_accounts_and_news() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let broker = Home::new(&provider).start_kept_with(&service.rule()).await;
    let id = broker.connect("ada", &provider.grant(), 3600).await.to_string();
    let texts = [(id.as_str(), "<id>")];
    let token = broker.token("ada", json!({"provider": "example"})).await;
    keep("POST", "/v1/token", &token, &texts);
    for path in
        ["/v1/accounts", "/v1/accounts/{id}", "/v1/events", "/api/{provider}/status", "/api/box/test_folder"]
    {
        let address = path.replace("{id}", &id).replace("{provider}", "example");
        keep("GET", path, &answer(broker.request("GET", &address, "ada")).await, &texts);
    }
    let target = format!("/v1/through/example/{}/mail", service.address);
    let passed = answer(broker.request("GET", &target, "ada")).await;
    keep("GET", "/v1/through/{provider}/{host}/{path}", &passed, &texts);
    let ended = answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
    keep("DELETE", "/v1/accounts/{id}", &ended, &texts);
    let ended = answer(broker.request("POST", "/api/example/disconnect", "ada")).await;
    keep("POST", "/api/{provider}/disconnect", &ended, &texts);
    for path in ["/livez", "/readyz"] {
        let url = format!("http://{}{path}", broker.admin);
        keep("GET", path, &answer(broker.http.get(url)).await, &texts);
    }
}

#[tokio::test]
async fn snapshots_of_sign_ins() {
    let provider = Provider::start().await;
    let broker = sign_in::home(&provider, "page").start_kept().await;
    let begun = begin(&broker, "ada", json!({})).await;
    let (id, browser) = (id_of(&begun), Browser::default());
    let texts = [(id.as_str(), "<id>"), (provider.issuer(), "<issuer>")];
    keep("POST", "/v1/authorizations", &begun, &texts);
    let seen = view(&broker, "ada", &id).await;
    keep("GET", "/v1/authorizations/{id}", &seen, &texts);
    let back = way_back(&broker, &browser, &provider, &id, "ada").await;
    let last = browser.get(&broker, &back).await;
    let done = confirm(&broker, "ada", &id, &last.confirmation()).await;
    let account = done.body["account"]["id"].as_str().expect("an account").to_owned();
    let texts = [(id.as_str(), "<id>"), (account.as_str(), "<account>")];
    keep("POST", "/v1/authorizations/{id}/confirm", &done, &texts);
    let gone = answer(broker.request("DELETE", &format!("/v1/authorizations/{id}"), "ada")).await;
    keep("DELETE", "/v1/authorizations/{id}", &gone, &texts);
}

#[tokio::test]
async fn snapshots_of_deposits() {
    let provider = Provider::start().await;
    let broker = sign_in::home(&provider, "deposit").start_kept().await;
    let begun = begin(&broker, "ada", json!({})).await;
    let id = id_of(&begun);
    let part = |name: &str| begun.body["deposit"][name].as_str().expect("a text").to_owned();
    let (key, nonce) = (part("public_key"), part("nonce"));
    let fresh = [
        (id.as_str(), "<id>"),
        (key.as_str(), "<key>"),
        (nonce.as_str(), "<nonce>"),
        (provider.issuer(), "<issuer>"),
    ];
    let value = shown(&begun, "no text").to_string();
    let value = fresh.iter().fold(value, |text, (from, to)| text.replace(from, to));
    insta::assert_json_snapshot!("begun_deposit", serde_json::from_str::<Value>(&value).expect("JSON"));
    let sealed = sign_in::sealed(&begun, &provider, &id);
    let path = format!("/v1/authorizations/{id}/deposit");
    let done = broker.post(&path, "ada", &json!({"sealed": sealed})).await;
    let account = done.body["account"]["id"].as_str().expect("an account").to_owned();
    keep("POST", "/v1/authorizations/{id}/deposit", &done, &[(&id, "<id>"), (&account, "<account>")]);
}

/// A page with the headers that protect it, without its style and with these texts in place of others.
fn keep_page(name: &str, page: &Page, texts: &[(&str, &str)]) {
    let header = |name: &str| page.headers.get(name).map_or("", |value| value.to_str().expect("text"));
    let policy = header("content-security-policy");
    let nonce = policy
        .split_once("'nonce-")
        .map_or("no nonce", |(_, rest)| rest.split_once('\'').expect("the end of a nonce").0);
    let (before, rest) = page.text.split_once("<style").expect("a style");
    let after = rest.split_once("</style>").expect("its end").1;
    let names = [
        "content-type",
        "content-language",
        "vary",
        "cache-control",
        "referrer-policy",
        "cross-origin-opener-policy",
        "x-frame-options",
    ];
    let headers: String = names.iter().map(|name| format!("{name}: {}\n", header(name))).collect();
    let text = format!("{}\n{headers}content-security-policy: {policy}\n\n{before}{after}", page.status);
    let text = texts.iter().fold(text.replace(nonce, "<nonce>"), |text, (from, to)| text.replace(from, to));
    insta::assert_snapshot!(format!("page_{name}"), text);
}

#[tokio::test]
async fn snapshots_of_the_page_for_another_account() {
    let provider = Provider::start().await;
    let mut home = sign_in::home(&provider, "page");
    home.of_provider.push_str("\naccount_choice_params = { prompt = \"select_account\" }");
    let broker = home.start_kept().await;
    let (begun, browser) = (begin(&broker, "ada", json!({})).await, Browser::default());
    let (id, url) = (id_of(&begun), begun.body["url"].as_str().expect("an address"));
    let host = provider.issuer().split_once("://").expect("an origin").1;
    for (name, query) in [("invitation_choice", ""), ("invitation_another", "?account=another")] {
        let page = browser.get(&broker, &format!("{}{query}", path_of(url, PUBLIC))).await;
        keep_page(name, &page, &[(&id, "<id>"), (host, "<provider>")]);
    }
}

#[tokio::test]
async fn snapshots_of_pages() {
    let provider = Provider::start().await;
    let broker = sign_in::home(&provider, "page").start_kept().await;
    let (begun, browser) = (begin(&broker, "ada", json!({"scopes": ["files"]})).await, Browser::default());
    let (id, url) = (id_of(&begun), begun.body["url"].as_str().expect("an address"));
    let host = provider.issuer().split_once("://").expect("an origin").1;
    let first = browser.get(&broker, path_of(url, PUBLIC)).await;
    keep_page("invitation", &first, &[(&id, "<id>"), (host, "<provider>")]);
    let back = way_back(&broker, &browser, &provider, &id, "ada").await;
    let last = browser.get(&broker, &back).await;
    let confirmation = last.confirmation();
    keep_page("returned", &last, &[(&id, "<id>"), (&confirmation, "<confirmation>")]);
    let again = browser.get(&broker, &back).await;
    keep_page("returned_twice", &again, &[(&id, "<id>")]);
    let unknown = browser.get(&broker, "/connect/00000000000000000000000000000000").await;
    keep_page("unknown", &unknown, &[]);

    let id = id_of(&begin(&broker, "grace", json!({"page_origin": PAGE})).await);
    let (path, query) = back.split_once('?').expect("a query");
    let forged = browser.get(&broker, &format!("{path}?{}", query.replace("state=", "state=x"))).await;
    keep_page("forged", &forged, &[(&id, "<id>")]);
    let other = Browser::default();
    let back = way_back(&broker, &other, &provider, &id, "grace").await;
    let state = back.split_once("state=").expect("a state").1;
    let refused = other.get(&broker, &format!("{path}?error=access_denied&state={state}")).await;
    keep_page("refused", &refused, &[(&id, "<id>")]);
}

#[tokio::test]
async fn snapshots_of_pages_in_german() {
    let provider = Provider::start().await;
    let broker = sign_in::home(&provider, "page").start_kept().await;
    let browser = Browser::in_language("de-AT,de;q=0.9,en;q=0.5");
    let begun = begin(&broker, "ada", json!({"scopes": ["files"]})).await;
    let (id, url) = (id_of(&begun), begun.body["url"].as_str().expect("an address"));
    let host = provider.issuer().split_once("://").expect("an origin").1;
    let first = browser.get(&broker, path_of(url, PUBLIC)).await;
    keep_page("invitation_german", &first, &[(&id, "<id>"), (host, "<provider>")]);
    let back = way_back(&broker, &browser, &provider, &id, "ada").await;
    let last = browser.get(&broker, &back).await;
    keep_page("returned_german", &last, &[(&id, "<id>"), (&last.confirmation(), "<confirmation>")]);

    let id = id_of(&begin(&broker, "grace", json!({"page_origin": PAGE})).await);
    let back = way_back(&broker, &browser, &provider, &id, "grace").await;
    let state = back.split_once("state=").expect("a state").1;
    let last = browser.get(&broker, &format!("/callback?error=access_denied&state={state}")).await;
    keep_page("refused_german", &last, &[(&id, "<id>")]);
}

/// The names of all snapshots.
fn kept() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/snapshots");
    let names =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names
        .filter_map(|name| Some(name.strip_prefix("it__snapshots__")?.strip_suffix(".snap")?.to_owned()))
        .collect()
}

/// A redirect to the provider, without what is drawn anew each time.
fn keep_redirect(method: &str, path: &str, page: &Page, texts: &[(&str, &str)]) {
    let mut texts: Vec<(&str, &str)> = texts.to_vec();
    let asked = page.location().split_once('?').expect("a query").1.split('&');
    texts.extend(asked.filter_map(|pair| pair.split_once('=')).filter_map(|(name, value)| match name {
        "state" => Some((value, "<state>")),
        "nonce" => Some((value, "<nonce>")),
        "code_challenge" => Some((value, "<challenge>")),
        _ => None,
    }));
    let cookie = page.headers["set-cookie"].to_str().expect("text");
    let (name, rest) = cookie.split_once('=').expect("a pair");
    texts.extend([(name, "<cookie>"), (rest.split(';').next().expect("a value"), "<value>")]);
    let answer =
        Answer { status: page.status, headers: page.headers.clone(), body: page.text.clone().into() };
    keep(method, path, &answer, &texts);
}

#[tokio::test]
async fn snapshots_of_the_browsers_way() {
    let provider = Provider::start().await;
    let broker = sign_in::home(&provider, "page").start_kept().await;
    let browser = Browser::default();
    let id = id_of(&begin(&broker, "ada", json!({})).await);
    let path = format!("/connect/{id}");
    let sent = browser.post(&broker, &path, PUBLIC).await;
    keep_redirect("POST", "/connect/{id}", &sent, &[(&id, "<id>"), (provider.issuer(), "<issuer>")]);
    let back = provider.consent(sent.location(), "ada");
    browser.get(&broker, path_of(&back, PUBLIC)).await;
    let here = browser.post(&broker, &format!("{path}/here"), PUBLIC).await;
    let here = Answer { status: here.status, headers: here.headers, body: here.text.into() };
    keep("POST", "/connect/{id}/here", &here, &[]);

    let sent = browser.send(broker.request("GET", "/auth/example/login", "ada")).await;
    keep_redirect("GET", "/auth/{provider}/login", &sent, &[(provider.issuer(), "<issuer>")]);
    let back = provider.consent(sent.location(), "ada");
    let closing = broker.request("GET", path_of(&back, "https://app.example"), "ada");
    keep_page("closing", &browser.send(closing).await, &[]);
}

/// The snapshots of routes that answer with pages.
const PAGES: [(&str, &str); 3] = [
    ("get_auth_provider_callback", "page_closing"),
    ("get_callback", "page_returned"),
    ("get_connect_id", "page_invitation"),
];

#[test]
fn every_route_and_every_problem_has_a_snapshot() {
    let kept = kept();
    for (path, operations) in document()["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys().filter(|key| *key != "parameters") {
            // Calls made for the caller are passed on by whatever method.
            let method = if path.starts_with("/v1/through/") { "get" } else { method };
            let name = name_of(method, path);
            let page = PAGES.iter().find(|(route, _)| *route == name).map(|(_, page)| *page);
            assert!(kept.contains(page.unwrap_or(&name)), "{method} {path}");
        }
    }
    let mut counts = BTreeMap::<&str, u32>::new();
    let every = Problem::every();
    let expected: BTreeSet<String> = every
        .iter()
        .map(|problem| {
            let count = counts.entry(problem.code()).and_modify(|count| *count += 1).or_insert(1);
            format!("problem_{}_{count}", problem.code())
        })
        .collect();
    let found = kept.into_iter().filter(|name| name.starts_with("problem_")).collect();
    assert_eq!(expected, found, "one for each, and none that is left over");
}

#[tokio::test]
async fn snapshots_of_problems() {
    let mut seen = BTreeMap::<&str, u32>::new();
    for problem in Problem::every() {
        // Some codes have several sentences.
        let count = seen.entry(problem.code()).and_modify(|count| *count += 1).or_insert(1);
        let name = format!("problem_{}_{count}", problem.code());
        let response = problem.into_response();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 65_536).await.expect("a body");
        let body = serde_json::from_slice(&bytes).expect("JSON");
        insta::assert_json_snapshot!(name, shown(&Answer { status, headers, body }, ""));
    }
}
