//! What the log says of a call: where and how much, and never what.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::service::Service;
use crate::provider::Provider;
use crate::running::{Home, KEY};

#[tokio::test]
async fn a_line_for_each_call_without_path_query_and_token() {
    let (provider, service) = (Provider::start().await, Service::start().await);
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    broker.stop().await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tokentoss-broker"));
    command
        .env_clear()
        .env("RUST_LOG", "trace")
        .arg("--config")
        .arg(home.configuration(&service.rule()))
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
    let url = format!("{origin}/v1/through/example/{}/mail/diary-of-ada?q=secret-question", service.address);
    let request = reqwest::Client::new().post(url).bearer_auth(KEY).header("x-tokentoss-tenant", "acme");
    let response =
        request.header("x-tokentoss-user", "ada").body("a letter of ada").send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    let length = response.text().await.expect("a body").len();
    child.kill().await.expect("killed");
    let log = reading.await.expect("no panic").expect("text");
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let audit: Vec<Value> =
        lines.filter(|line| line["target"] == "audit").map(|line| line["fields"].clone()).collect();
    let origin = format!("http://{}", service.address);
    assert_eq!(
        audit,
        [json!({
            "message": "made a call", "action": "through", "caller": "application", "tenant": "acme", "user": "ada",
            "provider": "example", "origin": origin, "method": "POST", "status": 200, "bytes_sent": 15,
            "bytes_received": length, "is_whole": true
        })]
    );
    for secret in ["first-access-of-ada", KEY, "diary-of-ada", "secret-question", "a letter of ada"] {
        let told: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{secret} at TRACE: {told:?}");
    }
}
