//! The documents say what the server does: `docs/broker/http.md` and the OpenAPI document.

use std::collections::BTreeSet;

use serde_json::Value;
use tokentoss_broker::problem::Problem;
use tokentoss_broker::routes::OPENAPI;

use crate::provider::Provider;
use crate::running::{Home, answer};

const HTTP: &str = include_str!("../../../../docs/broker/http.md");
const ROUTES: &str = include_str!("../../src/routes/mod.rs");

const ADMINISTRATORS: [&str; 4] = ["/livez", "/readyz", "/metrics", "/openapi.json"];

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
fn a_problem_has_the_members_that_are_sent() {
    let source = include_str!("../../src/problem.rs").split("struct Body {").nth(1).expect("the body");
    let source = source.split("\n}").next().expect("the body").replace("kind:", "type:");
    let members = source.lines().filter_map(|line| line.trim().split_once(": ").map(|(name, _)| name));
    let document = document();
    let described = document["components"]["schemas"]["Problem"]["properties"].as_object();
    let described: BTreeSet<&str> = described.expect("members").keys().map(String::as_str).collect();
    assert_eq!(described, members.collect());
}

#[test]
fn every_problem_in_the_source_is_listed() {
    let every: BTreeSet<&str> = Problem::every().iter().map(Problem::code).collect();
    let sources = [
        include_str!("../../src/problem.rs"),
        include_str!("../../src/problem/calls.rs"),
        include_str!("../../src/problem/sign_in.rs"),
    ];
    // Each of them names its code behind its status, on the same line or on the next one.
    let named = sources.iter().flat_map(|source| source.split("StatusCode::").skip(1));
    let codes: Vec<&str> = named.filter_map(first_text).collect();
    for code in &codes {
        assert!(every.contains(code), "{code} is missing in Problem::every");
    }
    // The machine's refusals are named there, and are the others.
    let of_machine = include_str!("../../../tokentoss-custody/src/problem.rs");
    let of_machine = of_machine.split("fn code").nth(1).expect("the codes").split("fn ").next();
    let of_machine: BTreeSet<&str> = of_machine.expect("the codes").split('"').skip(1).step_by(2).collect();
    assert_eq!(of_machine.len(), 11);
    let all: BTreeSet<&str> = codes.iter().copied().chain(of_machine).collect();
    assert_eq!(all, every, "none is left out, and none is read from the source in vain");
    let constructors: usize = sources.iter().map(|source| source.matches("Self::new(").count()).sum();
    // One of them has its code from the machine.
    assert_eq!(codes.len(), constructors + later_ones(&sources) - 2);
}

/// The text behind a status, if it is the next argument.
fn first_text(rest: &str) -> Option<&str> {
    let (status, rest) = rest.split_once(',')?;
    let rest = rest.trim_start().strip_prefix('"')?;
    status.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_').then_some(())?;
    rest.split_once('"').map(|(code, _)| code)
}

/// How many problems are made with a pause.
fn later_ones(sources: &[&str]) -> usize {
    sources.iter().map(|source| source.matches("Self::later(").count()).sum()
}

#[tokio::test]
async fn the_document_has_the_routers_routes_and_methods() {
    let routes: BTreeSet<&str> =
        ROUTES
            .split(".route(\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            // Those of the administrators' port are not the callers'.
            .filter(|route| !ADMINISTRATORS.contains(route))
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
        let path = path.replace("{id}", "0000").replace("{host}/{path}", "api.example/x");
        let path = path.replace("{provider}", "example");
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
