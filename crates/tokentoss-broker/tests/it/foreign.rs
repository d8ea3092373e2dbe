//! Whoever asks for what is another's gets exactly the answer for what is not there, at every route.

use proptest::prelude::*;
use serde_json::json;

use crate::documented::document;
use crate::provider::Provider;
use crate::running::{Answer, Broker, Home, answer, whole};

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
async fn at_every_route() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept_with(RULE).await;
    let adas = broker.connect("ada", &provider.grant(), 3600).await.to_string();
    let graces = broker.connect("grace", &provider.grant(), 3600).await.to_string();
    let document = document();
    let mut compared = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys().filter(|key| *key != "parameters") {
            let method = method.to_uppercase();
            for who in [("acme", "grace"), ("acme", "nobody"), ("another", "ada"), ("another", "grace")] {
                let absent = about(&broker, &method, path, who, "00000000000000000000000000000000").await;
                let foreign = about(&broker, &method, path, who, &adas).await;
                assert_eq!(foreign, absent, "{method} {path} {who:?}");
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// However somebody else is called and whatever they call the account.
    #[test]
    fn whatever_the_names_are(tenant in "[!-~]{1,20}", user in "[!-~]{1,20}", absent in "[!-~]{1,20}") {
        prop_assume!((tenant != "acme" || user != "ada") && !absent.contains("ada"));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let provider = Provider::start().await;
            let broker = Home::new(&provider).start_kept_with(RULE).await;
            let adas = broker.connect("ada", &provider.grant(), 3600).await.to_string();
            for account in [adas.as_str(), "ada"] {
                let path = "/v1/token";
                let foreign = about(&broker, "POST", path, (&tenant, &user), account).await;
                assert_eq!(foreign, about(&broker, "POST", path, (&tenant, &user), &absent).await);
                assert_eq!((foreign.status, foreign.code()), (404, "not_connected"));
            }
            broker.stop().await;
        });
    }
}
