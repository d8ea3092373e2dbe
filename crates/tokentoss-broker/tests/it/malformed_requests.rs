//! Every route, with everything that does not belong there: always a problem with a code that is written down.

use serde_json::{Value, json};

use crate::openapi_document::document;
use crate::other_users_data::without_nonces;
use crate::provider::Provider;
use crate::running::{Answer, Home};
use crate::sign_in;

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

fn is_html(answer: &Answer) -> bool {
    answer.headers.get("content-type").is_some_and(|kind| kind == "text/html; charset=utf-8")
}

/// Status and body, as they are each time.
fn body_of(answer: &Answer) -> (u16, String) {
    (answer.status, without_nonces(&answer.body.to_string()))
}

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
                let is_page = operation["responses"][&status]["$ref"] == "#/components/responses/ProblemPage";
                let has_code = answer.status < 400
                    || if is_page { is_html(answer) } else { answer.body["code"].is_string() };
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
                    .replace("{provider}", name)
                    .replace("{host}/{path}", &format!("{name}/{name}"));
                let first = ask(&path, "application/json", Vec::new()).await;
                check(&first, name);
                let again = ask(&path, "application/json", Vec::new()).await;
                assert_eq!(body_of(&first), body_of(&again), "twice is like once");
            }
            let plain = path.replace("{id}", "0").replace("{host}/{path}", "a.example/x");
            let plain = plain.replace("{provider}", "example");
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

#[tokio::test]
async fn routes_for_administrators_answer_nonsense_with_a_problem() {
    let broker = Home::new(&Provider::start().await).start_kept().await;
    for route in ["/livez", "/readyz", "/metrics", "/openapi.json", "/", "/nowhere", "/%ff"] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "NONSENSE"] {
            for query in ["", "?", "?x=%ff", "?%00"] {
                let url = format!("http://{}{route}{query}", broker.admin);
                let request = broker.http.request(method.parse().expect("a method"), &url);
                let answer = crate::running::answer(request.body(vec![0xff; 1000])).await;
                let is_known = !["/", "/nowhere", "/%ff"].contains(&route);
                let expected = match (is_known, ["GET", "HEAD"].contains(&method)) {
                    (true, true) => (200, ""),
                    (true, false) => (405, "method_not_allowed"),
                    (false, _) => (404, "route_unknown"),
                };
                let code = if method == "HEAD" { expected.1 } else { answer.code() };
                assert_eq!((answer.status, code), expected, "{method} {url}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn pages_and_routes_of_applications_never_fail() {
    let provider = Provider::start().await;
    let broker = sign_in::home(&provider, "page").start_kept().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let routes = [
        ("GET", "/connect/{name}"),
        ("POST", "/connect/{name}"),
        ("POST", "/connect/{name}/here"),
        ("GET", "/callback"),
        ("GET", "/auth/{name}/login"),
        ("GET", "/auth/{name}/callback"),
        ("GET", "/api/box/test_folder"),
        ("GET", "/api/{name}/status"),
        ("POST", "/api/{name}/disconnect"),
    ];
    let queries = [
        "",
        "?",
        "?state=",
        "?code=c&state=s",
        "?state=s&state=s",
        "?state=%ff",
        "?%00",
        "?error=x&state=s",
        "?folder_id=-1",
        "?folder_id=1&folder_id=2",
        "?folder_id=99999999999999999999999",
    ];
    for (method, route) in routes {
        for name in NAMES.iter().chain(&["0", "00000000000000000000000000000000", "example"]) {
            for query in queries {
                // A sign-in may begin; what the users have is not to be ended.
                let path = format!("{}{query}", route.replace("{name}", name));
                let request = broker.request(method, &path, "nobody").header("origin", sign_in::PUBLIC);
                let answer = crate::running::answer(request.body(vec![0xff; 1000])).await;
                let is_well = answer.status < 400 && answer.status != 204;
                let is_told = is_html(&answer) || answer.body["code"].is_string();
                assert!(answer.status < 500 && (is_well || is_told), "{method} {path}: {answer:?}");
            }
        }
    }
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
}
