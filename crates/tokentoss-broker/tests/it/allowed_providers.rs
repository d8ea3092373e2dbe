//! A caller whose entry names providers reaches nothing at others, by no route.

use serde_json::{Value, json};

use crate::openapi_document::document;
use crate::provider::Provider;
use crate::running::{Answer, Broker, Home, answer};
use crate::sign_in;

const LIMITED_KEY: &str = "the-key-of-a-caller-for-one-provider-alone";
const ABSENT: &str = "00000000000000000000000000000000";

/// What the limited caller is answered for ada.
async fn limited(broker: &Broker, method: &str, path: &str, body: Option<Value>) -> Answer {
    let request = broker.http.request(method.parse().expect("a method"), broker.url(path));
    let request = request.bearer_auth(LIMITED_KEY);
    let request = request.header("x-tokentoss-tenant", "acme").header("x-tokentoss-user", "ada");
    answer(match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    })
    .await
}

/// A broker with the providers `example` and `other`, and a caller that may ask for `other` alone.
async fn start(provider: &Provider) -> Broker {
    let home = sign_in::home(provider, "page");
    let folder = home.path().display().to_string();
    std::fs::write(home.path().join("limited.key"), LIMITED_KEY).expect("written");
    let more = format!(
        "[providers.other]\ntoken_endpoint = \"{}\"\nclient_id = \"client-2\"\n\
         client_secrets = [\"{folder}/client.secret\"]\n\
         [[providers.example.through]]\norigin = \"http://127.0.0.1:9\"\nmethods = [\"GET\"]\npaths = [\"/\"]\nprivate = true\n\
         [callers.limited]\nkeys = [\"{folder}/limited.key\"]\nproviders = [\"other\"]\n\
         public_url = \"https://limited.example\"\n",
        provider.token_endpoint
    );
    home.start_kept_with(&more).await
}

#[tokio::test]
async fn what_is_at_another_provider_is_forbidden_or_unknown() {
    let provider = Provider::start().await;
    let broker = start(&provider).await;
    let account = broker.connect("ada", &provider.grant(), 3600).await.to_string();
    let own = broker.connect_at("other", "ada", &provider.grant()).await.to_string();
    let begun = sign_in::begin(&broker, "ada", json!({})).await;
    let sign_in = begun.body["id"].as_str().expect("an identifier").to_owned();

    for (method, path, body) in [
        ("POST", "/v1/token", Some(json!({"provider": "example"}))),
        ("POST", "/v1/token", Some(json!({"provider": "example", "account": own}))),
        ("POST", "/v1/authorizations", Some(json!({"provider": "example"}))),
        ("GET", "/v1/through/example/127.0.0.1:9/x", None),
        ("GET", "/api/example/status", None),
        ("POST", "/api/example/disconnect", None),
        ("GET", "/api/box/test_folder", None),
    ] {
        let refused = limited(&broker, method, path, body).await;
        assert_eq!((refused.status, refused.code()), (403, "caller_forbidden"), "{method} {path}");
    }
    let page = limited(&broker, "GET", "/auth/example/login", None).await;
    assert_eq!((page.status, page.headers.contains_key("location")), (403, false));

    // Every route that names something by its identifier answers as for one that is not there.
    let mut compared = 0;
    for (path, operations) in document()["paths"].as_object().expect("paths") {
        if !path.starts_with("/v1/") || !path.contains("{id}") {
            continue;
        }
        for method in operations.as_object().expect("operations").keys().filter(|key| *key != "parameters") {
            let method = method.to_uppercase();
            let body = match path.rsplit('/').next() {
                Some("confirm") => Some(json!({"confirmation": "ABCD"})),
                Some("deposit") => Some(json!({"sealed": "AAAA"})),
                _ => None,
            };
            let absent = limited(&broker, &method, &path.replace("{id}", ABSENT), body.clone()).await;
            for id in [&account, &sign_in] {
                let foreign = limited(&broker, &method, &path.replace("{id}", id), body.clone()).await;
                assert_eq!((foreign.status, &foreign.body), (absent.status, &absent.body), "{method} {path}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 12, "{compared}");
    assert_eq!(sign_in::view(&broker, "ada", &sign_in).await.body["status"], "pending", "nobody ended it");
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200, "nobody ended it");

    // Its own provider is open.
    let listed = limited(&broker, "GET", "/v1/accounts", None).await;
    let ids: Vec<&str> =
        listed.body.as_array().expect("a list").iter().filter_map(|item| item["id"].as_str()).collect();
    assert_eq!(ids, [own.as_str()]);
    let token = limited(&broker, "POST", "/v1/token", Some(json!({"provider": "other"}))).await;
    assert_eq!(token.status, 200, "{token:?}");
    assert_eq!(limited(&broker, "GET", "/api/other/status", None).await.body["connected"], true);
}

#[tokio::test]
async fn an_entry_names_providers_that_there_are() {
    let provider = Provider::start().await;
    let mut home = Home::new(&provider);
    home.of_caller = "providers = [\"exmaple\"]".to_owned();
    let checked = crate::commands::run(&home.configuration(""), &["check"]).await;
    let said = crate::commands::out(&checked);
    assert!(!checked.status.success());
    assert!(said.contains("callers.application.providers: one of them has no section"), "{said}");
    home.of_caller = "providers = [\"example\"]".to_owned();
    let listed = crate::commands::out(&crate::commands::run(&home.configuration(""), &["callers"]).await);
    assert!(listed.contains("asks for users of all tenants  at example alone"), "{listed}");
}
