//! Pages of the broker's own machine, which need no entry where the machine is one person's.

use serde_json::json;

use super::home;
use crate::provider::Provider;

const PAGE: &str = "http://localhost:8888";

/// What a sign-in for a page of this machine begins with, with these lines in the configuration.
async fn begun(pages: &str, more: &str) -> (u16, String) {
    let provider = Provider::start().await;
    let mut home = home(&provider, "page");
    home.of_broker = format!("public_url = \"http://127.0.0.1:8765\"\npages = [{pages}]");
    let more = more.replace("FOLDER", &home.path().display().to_string());
    let broker = home.start_kept_with(&more).await;
    let body = json!({"provider": "example", "page_origin": PAGE});
    let answer = broker.post("/v1/authorizations", "ada", &body).await;
    (answer.status, answer.code().to_owned())
}

#[tokio::test]
async fn a_tenant_whose_users_share_a_machine_has_its_pages_listed() {
    let socket = "[socket]\npath = \"FOLDER/broker.sock\"\n";
    for (more, is_shared) in [
        (String::new(), false),
        (socket.to_owned(), false),
        (format!("{socket}tenant = \"acme\""), true),
        (format!("{socket}tenant = \"other\""), false),
        (format!("{socket}[callers.a]\nunix_user = 1\ntenant = \"acme\"\nuser = \"ada\""), true),
        (format!("{socket}[callers.a]\nunix_user = 1\ntenants = [\"other\"]"), false),
        (format!("{socket}[callers.a]\nunix_user = 1"), true),
        ("[hubs.acme]\napi_url = \"https://hub.example/hub/api\"".to_owned(), true),
        ("[hubs.other]\napi_url = \"https://hub.example/hub/api\"".to_owned(), false),
    ] {
        let expected = if is_shared { (403, "origin_forbidden".to_owned()) } else { (201, String::new()) };
        assert_eq!(begun("", &more).await, expected, "{more}");
        assert_eq!(begun(&format!("\"{PAGE}\""), &more).await.0, 201, "{more}");
    }
}
