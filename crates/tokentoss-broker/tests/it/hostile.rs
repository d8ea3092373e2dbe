//! Every route, with everything that does not belong there: always a problem with a code that is written down.

use serde_json::{Value, json};

use crate::documented::document;
use crate::provider::Provider;
use crate::running::{Answer, Home};

fn bodies() -> Vec<Vec<u8>> {
    vec![
        Vec::new(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"\xff\xfe".to_vec(),
        b"{\"provider\":1e999}".to_vec(),
        b"{\"provider\":\"example\",\"provider\":\"example\"}".to_vec(),
        b"{\"provider\":\"'; DROP TABLE grants; --\"}".to_vec(),
        b"{\"provider\":\"example\",\"account\":\"\\u0000\"}".to_vec(),
        b"{\"provider\":\"\\ud800\"}".to_vec(),
        "[".repeat(60_000).into_bytes(),
        vec![b' '; 200_000],
        json!({"provider": "example", "scopes": vec!["x"; 10_000]}).to_string().into_bytes(),
    ]
}

const NAMES: [&str; 7] =
    ["%00", "%ff", "'%20OR%201=1", "..%2f..", "0000000000000000000000000000000z", "%F0%9F%92%A9", "%25"];
const TYPES: [&str; 4] = ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"];

#[tokio::test]
async fn every_route_answers_nonsense_with_a_problem() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let document = document();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            if method == "parameters" {
                continue;
            }
            let check = |answer: &Answer, what: &str| {
                let status = answer.status.to_string();
                let is_described = operation["responses"].get(&status).is_some();
                assert!(is_described, "{method} {path} with {what}: {answer:?}");
                let has_code = answer.status < 400 || answer.body["code"].is_string();
                assert!(
                    answer.status != 500 && (has_code || method == "head"),
                    "{method} {path} with {what}: {answer:?}"
                );
            };
            let method = method.to_uppercase();
            let ask = async |path: &str, kind: &str, body: Vec<u8>| -> Answer {
                let request = broker.request(&method, path, "nobody").header("content-type", kind);
                crate::running::answer(request.body(body)).await
            };
            for name in NAMES {
                let path = path
                    .replace("{id}", name)
                    .replace("{provider}/{host}/{path}", &format!("{name}/{name}/{name}"));
                let first = ask(&path, "application/json", Vec::new()).await;
                check(&first, name);
                let again = ask(&path, "application/json", Vec::new()).await;
                assert_eq!((first.status, first.body), (again.status, again.body), "twice is like once");
            }
            let plain = path.replace("{id}", "0").replace("{provider}/{host}/{path}", "example/a.example/x");
            for query in ["?", "?x=1", "?provider=a&provider=b", "?provider=%ff", "?%00", "?provider[]=1"] {
                check(&ask(&format!("{plain}{query}"), "application/json", Vec::new()).await, query);
            }
            for kind in TYPES {
                for body in bodies() {
                    let shown = String::from_utf8_lossy(&body).chars().take(60).collect::<String>();
                    check(&ask(&plain, kind, body).await, &shown);
                }
            }
        }
    }
    let well = broker.token("ada", json!({"provider": "example"})).await;
    assert_eq!(
        (well.status, &well.body["token_type"]),
        (200, &Value::from("Bearer")),
        "nothing of it did harm"
    );
}
