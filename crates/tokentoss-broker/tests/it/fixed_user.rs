//! A key of one person's own machine.

use serde_json::json;

use crate::provider::Provider;
use crate::running::{Home, KEY, answer};
use tokentoss_broker::config::Config;
use tokentoss_broker::server::Server;

const PERSONAL: &str = "the-key-of-the-laptop-of-ada-lovelace";

fn personal(home: &Home) -> String {
    std::fs::write(home.folder.path().join("laptop.key"), PERSONAL).expect("written");
    let folder = home.folder.path().display();
    format!("[callers.laptop]\nkeys = [\"{folder}/laptop.key\"]\ntenant = \"acme\"\nuser = \"ada\"\n")
}

#[tokio::test]
async fn the_configuration_names_tenant_and_user() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let more = personal(&home);
    let broker = home.start_kept_with(&more).await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let url = format!("http://{}/v1/token", broker.address);
    let post = |key: &str, body: serde_json::Value| {
        let request = broker.http.post(&url).bearer_auth(key).header("content-type", "application/json");
        request.body(body.to_string())
    };
    let ask = || post(PERSONAL, json!({"provider": "example"}));
    assert_eq!(answer(ask()).await.body["access_token"], "first-access-of-ada");
    for (name, value) in
        [("x-tokentoss-user", "grace"), ("x-tokentoss-tenant", "acme"), ("x-tokentoss-user", "ada")]
    {
        let named = answer(ask().header(name, value)).await;
        assert_eq!((named.status, named.code()), (400, "invalid_request"), "{name}");
    }
    let server = answer(post(KEY, json!({"provider": "example"}))).await;
    assert_eq!((server.status, server.code()), (400, "invalid_request"), "a server names both");
    let unknown = answer(post("unknown", json!({}))).await;
    assert_eq!((unknown.status, unknown.code()), (401, "caller_unauthenticated"));
}

#[tokio::test]
async fn contradicting_settings_are_refused() {
    let provider = Provider::start().await;
    for (lines, setting) in [
        ("tenant = \"acme\"\n", "user"),
        ("user = \"ada\"\n", "user"),
        ("tenant = \"acme\"\nuser = \"\"\n", "user"),
        ("tenant = \"acme\"\nuser = \"a b\"\n", "user"),
        ("tenant = \"acme\"\nuser = \"ada\"\ntenants = [\"acme\"]\n", "tenants"),
    ] {
        let home = Home::new(&provider);
        let folder = home.folder.path().display().to_string();
        std::fs::write(home.folder.path().join("laptop.key"), PERSONAL).expect("written");
        let more = format!("[callers.laptop]\nkeys = [\"{folder}/laptop.key\"]\n{lines}");
        let config = Config::read(&home.configuration(&more)).expect("a configuration");
        let error = Server::build(&config).await.err().expect("refused").to_string();
        assert!(error.starts_with(&format!("callers.laptop.{setting}: ")), "{error}");
    }
    let home = Home::new(&provider);
    let folder = home.folder.path().display().to_string();
    let more = format!("[callers.twin]\nkeys = [\"{folder}/caller.key\"]\n");
    let config = Config::read(&home.configuration(&more)).expect("a configuration");
    let error = Server::build(&config).await.err().expect("refused").to_string();
    assert_eq!(error, "callers.twin.keys: another caller has the same key");
}
