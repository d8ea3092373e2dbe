//! Whole answers, as a person reads them.

use std::collections::BTreeMap;

use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokentoss_broker::problem::Problem;

use crate::provider::Provider;
use crate::running::{Answer, Home, answer};

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

#[tokio::test]
async fn answers() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let id = broker.connect("ada", &provider.grant(), 3600).await.to_string();
    let token = broker.token("ada", json!({"provider": "example"})).await;
    insta::assert_json_snapshot!("token", shown(&token, &id));
    let accounts = answer(broker.request("GET", "/v1/accounts", "ada")).await;
    insta::assert_json_snapshot!("accounts", shown(&accounts, &id));
    let ended = answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
    insta::assert_json_snapshot!("disconnected", shown(&ended, &id));
}

#[tokio::test]
async fn problems() {
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
