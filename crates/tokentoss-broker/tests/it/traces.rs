//! A problem leads to the lines of the log that tell why (W3C Trace Context).

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::process::Process;
use crate::provider::{Provider, ProviderBehaviour};
use crate::running::{Home, until};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The lines of a log with a message, once there are any.
async fn lines_with(log: &Arc<Mutex<Vec<String>>>, message: &str) -> Vec<Value> {
    let found = || {
        let lines = log.lock().expect("not poisoned");
        let read = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        read.filter(|line| line["fields"]["message"] == message).collect::<Vec<_>>()
    };
    until(async || !found().is_empty()).await;
    found()
}

/// A problem, with its trace.
async fn problem(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON"))
}

fn traced(process: &Process, method: &str, path: &str, trace: &str) -> reqwest::RequestBuilder {
    process.request(method, path, "ada").header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
}

fn token(process: &Process, trace: &str) -> reqwest::RequestBuilder {
    let body = json!({"provider": "example"}).to_string();
    traced(process, "POST", "/v1/token", trace).header("content-type", "application/json").body(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_trace_of_a_request() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    let account = broker.connect_long_ago("ada", &provider.grant()).await;
    broker.stop().await;
    let mut process = Process::start_in(&home, "", &[("RUST_LOG", Path::new("info"))]).await;
    let log = process.overhear();

    provider.set(ProviderBehaviour::Respond(503, ""));
    let (status, refused) = problem(token(&process, TRACE)).await;
    assert_eq!((status, &refused["code"]), (503, &json!("provider_unavailable")));
    assert_eq!(refused["trace_id"], TRACE);
    let lines = lines_with(&log, "answered with a problem").await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["fields"]["code"], "provider_unavailable");
    assert_eq!(lines[0]["span"]["trace_id"], TRACE);
    assert!(lines[0].get("spans").is_none(), "said once: {}", lines[0]);

    // The work of a sign-out is done in a task of its own.
    let of_sign_out = TRACE.replace("4b", "5c");
    let sign_out = traced(&process, "DELETE", &format!("/v1/accounts/{account}"), &of_sign_out);
    assert_eq!(sign_out.send().await.expect("an answer").status(), 204);
    let lines = lines_with(&log, "an account was disconnected").await;
    assert_eq!(lines[0]["span"]["trace_id"], *of_sign_out);

    // What the database says is in the log alone.
    home.execute("ALTER TABLE grants RENAME TO gone").await;
    let of_database = TRACE.replace("4b", "6d");
    let (status, refused) = problem(token(&process, &of_database)).await;
    assert_eq!((status, &refused["code"]), (503, &json!("storage_unavailable")));
    assert_eq!(refused["trace_id"], *of_database);
    let lines = lines_with(&log, "the database failed a request").await;
    assert_eq!(lines[0]["span"]["trace_id"], *of_database);
    assert!(lines[0]["fields"]["error"].as_str().is_some_and(|error| error.contains("does not answer")));
}

#[tokio::test]
async fn each_problem_has_a_trace_of_its_own() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let mut seen = std::collections::HashSet::new();
    for (method, path, status) in [
        ("GET", "/v1/accounts/none", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/token", 405),
        ("GET", "/v1/accounts?x=1", 400),
    ] {
        for _ in 0..2 {
            let (found, refused) = problem(broker.request(method, path, "ada")).await;
            assert_eq!(found, status, "{refused}");
            let trace = refused["trace_id"].as_str().expect("a trace").to_owned();
            let is_digit = |letter: char| matches!(letter, '0'..='9' | 'a'..='f');
            assert!(trace.len() == 32 && trace.chars().all(is_digit), "{trace}");
            assert!(seen.insert(trace));
        }
    }
    let (status, unknown) = problem(broker.http.get(broker.url("/v1/accounts"))).await;
    assert_eq!(status, 401);
    assert!(seen.insert(unknown["trace_id"].as_str().expect("a trace").to_owned()));
    // What is malformed is not repeated, in no answer.
    let hostile = broker.request("GET", "/nowhere", "ada").header("traceparent", "00-<script>-x-01");
    assert!(seen.insert(problem(hostile).await.1["trace_id"].as_str().expect("a trace").to_owned()));
}
