//! The documents say what the server does: `docs/broker/http.md` and the OpenAPI document.

use std::collections::BTreeSet;

use serde_json::Value;
use tokentoss_broker::problem::Problem;
use tokentoss_broker::routes::OPENAPI;

use crate::provider::Provider;
use crate::running::{Home, answer};

const HTTP: &str = include_str!("../../../../docs/broker/http.md");
const ROUTES: &str = include_str!("../../src/routes/mod.rs");

pub(crate) fn document() -> Value {
    serde_json::from_str(OPENAPI).expect("JSON")
}

/// The table of problems: statuses with their codes.
fn described() -> BTreeSet<(u16, String)> {
    let table = HTTP.split("## Problems").nth(1).expect("the section");
    let rows = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        Some((cells.get(1)?.parse().ok()?, (*cells.get(2)?).to_owned()))
    });
    rows.flat_map(|(status, codes): (u16, String)| {
        let codes: Vec<String> = codes.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        codes.into_iter().filter(|code| code != "Retry-After").map(move |code| (status, code))
    })
    .collect()
}

#[test]
fn every_problem_is_described_and_every_description_is_a_problem() {
    let known: BTreeSet<(u16, String)> = Problem::every()
        .iter()
        .map(|problem| (problem.status().as_u16(), problem.code().to_owned()))
        .collect();
    assert_eq!(known, described());
    let document = document();
    let listed = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array();
    let listed: BTreeSet<&str> = listed.expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(listed, known.iter().map(|(_, code)| code.as_str()).collect());
}

#[test]
fn every_problem_in_the_source_is_listed() {
    let every: BTreeSet<&str> = Problem::every().iter().map(Problem::code).collect();
    let sources = [
        include_str!("../../src/problem.rs"),
        include_str!("../../src/problem/calls.rs"),
        include_str!("../../src/problem/sign_in.rs"),
    ];
    for source in sources {
        let mut lines = source.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(next) =
                lines.peek().filter(|_| line.trim().starts_with("StatusCode::") && line.ends_with(','))
            else {
                continue;
            };
            // A literal, and not the same by a name.
            let Some(code) =
                next.trim().trim_end_matches(',').strip_prefix('"').and_then(|code| code.strip_suffix('"'))
            else {
                continue;
            };
            assert!(every.contains(code), "{code} is missing in Problem::every");
        }
    }
}

#[tokio::test]
async fn the_document_has_the_routers_routes_and_methods() {
    let routes: BTreeSet<&str> =
        ROUTES
            .split(".route(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|route| route.starts_with("/v1/"))
            .map(|route| {
                if route == "/v1/through/{*target}" { "/v1/through/{provider}/{host}/{path}" } else { route }
            })
            .collect();
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.keys().map(String::as_str).collect::<BTreeSet<_>>(), routes);
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    for (path, operations) in paths {
        let path = path.replace("{id}", "0000").replace("{provider}/{host}/{path}", "example/api.example/x");
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD"] {
            let is_described = operations.get(method.to_lowercase()).is_some()
                || (method == "HEAD" && operations.get("get").is_some());
            let status = answer(broker.request(method, &path, "ada")).await.status;
            assert_eq!(status != 405, is_described, "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn the_document_is_served_to_administrators_alone() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let served = answer(broker.http.get(format!("http://{}/openapi.json", broker.admin))).await;
    assert_eq!((served.status, served.body), (200, document()));
    assert_eq!(answer(broker.request("GET", "/openapi.json", "ada")).await.code(), "route_unknown");
}

#[test]
fn no_answer_has_a_member_for_what_stays_here() {
    for word in ["refresh_token", "client_secret"] {
        assert!(!OPENAPI.contains(word), "{word}");
    }
}
