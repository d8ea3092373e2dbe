//! What the log says of a call: where and how much, and never what.

use std::process::Stdio;

use axum::body::Body;
use axum::http::{Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::service::Service;
use crate::provider::Provider;
use crate::running::{Home, KEY};

#[tokio::test]
async fn a_line_for_each_call_without_path_query_and_token() {
    let provider = Provider::start().await;
    let service = Service::replying(|seen| {
        let status = seen.target.strip_prefix("/mail/").and_then(|name| name.parse().ok()).unwrap_or(200u16);
        let body = if status == 200 { Body::from("hello") } else { Body::empty() };
        Response::builder().status(status).body(body).expect("an answer")
    })
    .await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    broker.stop().await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tokentoss-broker"));
    command
        .env_clear()
        .env("RUST_LOG", "trace")
        .arg("--config")
        .arg(home.configuration(&service.rule().replace("\"GET\"", "\"GET\", \"HEAD\"")))
        .arg("serve");
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().expect("it runs");
    let mut errors = child.stderr.take().expect("piped");
    let reading = tokio::spawn(async move {
        let mut text = String::new();
        errors.read_to_string(&mut text).await.map(|_| text)
    });
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).await.expect("a line");
    let origin = line.split(' ').nth(1).expect("an address").to_owned();
    let url = format!("{origin}/v1/through/example/{}/mail", service.address);
    // What was asked, the answer's status, and how many bytes went each way.
    let calls = [
        (Method::POST, "/diary-of-ada?q=secret-question", "a letter of ada", 200, 5),
        (Method::HEAD, "/diary-of-ada?q=secret-question", "", 200, 0),
        (Method::POST, "/204", "a letter of ada", 204, 0),
        (Method::GET, "/304", "", 304, 0),
        (Method::GET, "/404", "", 404, 0),
    ];
    for (method, path, body, status, length) in &calls {
        let request = reqwest::Client::new().request(method.clone(), format!("{url}{path}"));
        let request = request.bearer_auth(KEY).header("x-tokentoss-tenant", "acme");
        let response = request.header("x-tokentoss-user", "ada").body(*body).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), *status, "{method} {path}");
        assert_eq!(response.bytes().await.expect("a body").len(), *length, "{method} {path}");
    }
    child.kill().await.expect("killed");
    let log = reading.await.expect("no panic").expect("text");
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let audit: Vec<Value> =
        lines.filter(|line| line["target"] == "audit").map(|line| line["fields"].clone()).collect();
    let origin = format!("http://{}", service.address);
    let expected = calls.map(|(method, _, body, status, length)| {
        json!({
            "message": "made a call", "action": "through", "caller": "application", "tenant": "acme", "user": "ada",
            "provider": "example", "origin": origin, "method": method.as_str(), "status": status,
            "bytes_sent": body.len(), "bytes_received": length, "is_whole": true
        })
    });
    assert_eq!(audit, expected);
    for secret in ["first-access-of-ada", KEY, "diary-of-ada", "secret-question", "a letter of ada"] {
        let told: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{secret} at TRACE: {told:?}");
    }
}
