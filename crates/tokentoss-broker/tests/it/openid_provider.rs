//! The provider of `tests/servers/provider.mjs` in a process of its own: `oidc-provider`, which rotates refresh tokens and ends the
//! grant when a spent one comes again.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::running::{Home, http};
use crate::sign_in::{Browser, PAGE, PUBLIC, Page};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/servers/provider.mjs");
/// More pages than a sign-in has.
const PAGES: usize = 12;

/// The provider, which ends with this.
pub(crate) struct OpenIdProvider {
    _child: Child,
    control: String,
    issuer: String,
    client: (String, String),
    http: reqwest::Client,
}

impl OpenIdProvider {
    pub(crate) async fn start() -> Self {
        let mut child = Command::new("node")
            .arg(SCRIPT)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node runs; `npm ci` installs what the provider needs");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let line = lines.next_line().await.expect("text").expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let client = &ready["clients"]["secret"];
        let provider = Self {
            _child: child,
            control: text(&ready["control"]),
            issuer: text(&ready["issuer"]),
            client: (text(&client["client_id"]), text(&client["client_secret"])),
            http: http(),
        };
        provider.change(json!({"callback_pages": [format!("{PUBLIC}/callback")]})).await;
        provider
    }

    /// Has a home's brokers sign in and refresh here.
    pub(crate) fn settle_in(&self, home: &mut Home) {
        let (issuer, (client, secret)) = (&self.issuer, &self.client);
        std::fs::write(home.path().join("client.secret"), secret).expect("written");
        home.provider.token_endpoint = format!("{issuer}/token");
        home.client_id.clone_from(client);
        home.of_broker = format!("public_url = \"{PUBLIC}\"\npages = [\"{PAGE}\"]");
        home.of_provider = format!(
            "[providers.example.sign_in]\nway = \"page\"\nissuer = \"{issuer}\"\nauthorization_endpoint = \
             \"{issuer}/auth\"\nscopes = [\"openid\", \"email\", \"offline_access\"]\niss_parameter_supported = true"
        );
    }

    /// Switches its behaviour.
    pub(crate) async fn change(&self, switches: Value) {
        let request = self.http.patch(format!("{}/behaviour", self.control)).body(switches.to_string());
        assert_eq!(request.send().await.expect("an answer").status(), 200);
    }

    /// How many refresh requests have come, and how many of them were answered with this status.
    pub(crate) async fn refreshes(&self, status: Option<u16>) -> usize {
        let answer = self.http.get(format!("{}/requests", self.control)).send().await.expect("an answer");
        let text = answer.text().await.expect("a body");
        let entries: Vec<Value> = serde_json::from_str(&text).expect("JSON");
        let is_refresh = |entry: &&Value| {
            let names = entry["body"].as_array().expect("names");
            // A request that is held has no body yet; nobody else asks while one is.
            entry["path"] == "/token"
                && entry["method"] == "POST"
                && (names.is_empty() || names.iter().any(|name| name == "refresh_token"))
        };
        let has_status = |entry: &&Value| status.is_none_or(|status| entry["status"] == json!(status));
        entries.iter().filter(is_refresh).filter(has_status).count()
    }

    /// Somebody signs in and consents at its pages; the address that the browser goes on to.
    pub(crate) async fn consent(&self, browser: &Browser, address: &str, login: &str) -> String {
        let mut address = address.to_owned();
        let mut page = browser.send(http().get(&address)).await;
        for _ in 0..PAGES {
            if let Some(location) = page.headers.get("location") {
                let location = location.to_str().expect("text");
                if location.starts_with(PUBLIC) {
                    return location.to_owned();
                }
                address = match location.strip_prefix('/') {
                    Some(path) => format!("{}/{path}", self.issuer),
                    None => location.to_owned(),
                };
                page = browser.send(http().get(&address)).await;
                continue;
            }
            assert_eq!(page.status, 200, "{address}: {}", page.text);
            page = answer(browser, &address, &page, login).await;
        }
        panic!("no way back from {address}")
    }
}

/// Fills in the login form or the consent form.
async fn answer(browser: &Browser, address: &str, page: &Page, login: &str) -> Page {
    let form = match page.text.contains("name=\"login\"") {
        true => format!("prompt=login&login={login}&password=any"),
        false => "prompt=consent".to_owned(),
    };
    let request = http().post(address).header("content-type", "application/x-www-form-urlencoded");
    browser.send(request.body(form)).await
}
