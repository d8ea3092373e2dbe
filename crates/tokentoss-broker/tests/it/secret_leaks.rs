//! Secrets of a whole life of a grant are looked for where they must not be: in the log at its most talkative, in database and
//! journal, in the files and the log of the server of Postgres, and in every answer.

mod of_server;

use std::path::Path;

use serde_json::{Value, json};

use crate::process::Process;
use crate::provider::ProviderBehaviour;
use crate::running::{Answer, Home, KEY, answer, until};
use crate::secret_leaks::of_server::ServerFiles;
use crate::sign_in::{Browser, PAGE, PUBLIC, Page, path_of};

/// What was said to callers and browsers.
#[derive(Default)]
struct Answers(Vec<String>);

impl Answers {
    fn note(&mut self, answer: Answer) -> Answer {
        self.0.push(format!("{answer:?}"));
        answer
    }

    fn note_page(&mut self, page: Page) -> Page {
        self.0.push(format!("{:?} {}", page.headers, page.text));
        page
    }
}

async fn post(process: &Process, path: &str, body: Value) -> Answer {
    let request = process.request("POST", path, "ada").header("content-type", "application/json");
    answer(request.body(body.to_string())).await
}

/// Signs in, refreshes and fails; the secrets that were there.
async fn begin(process: &Process, home: &Home, answers: &mut Answers) -> Vec<String> {
    let provider = &home.provider;
    let browser = Browser::default();
    let body = json!({"provider": "example", "page_origin": PAGE, "kernel": "lab"});
    let begun = answers.note(post(process, "/v1/authorizations", body).await);
    let id = begun.body["id"].as_str().expect("an identifier").to_owned();
    let connect = process.url(&format!("/connect/{id}"));
    answers.note_page(browser.send(crate::running::http().get(&connect)).await);
    let sent = browser.send(crate::running::http().post(&connect).header("origin", PUBLIC)).await;
    let back = provider.consent(sent.location(), "ada");
    let way = process.url(path_of(&back, PUBLIC));
    let last = answers.note_page(browser.send(crate::running::http().get(way)).await);
    let confirmation = json!({"confirmation": last.confirmation()});
    let done = post(process, &format!("/v1/authorizations/{id}/confirm"), confirmation).await;
    assert_eq!(answers.note(done).body["status"], "done");

    let first = post(process, "/v1/token", json!({"provider": "example", "id_token": true})).await;
    let id_token = first.body["id_token"].as_str().expect("a token").to_owned();
    home.execute("UPDATE tokens SET obtained_at = obtained_at - 3660000, expires_at = expires_at - 3660000")
        .await;
    let of = |answer: &Answer| answer.body["access_token"].as_str().expect("a token").to_owned();
    let ask = async || of(&post(process, "/v1/token", json!({"provider": "example"})).await);
    // What is kept of the row is over soon.
    until(async || ask().await != of(&first)).await;
    let spent = [of(&first), ask().await];
    provider.set(ProviderBehaviour::Respond(
        400,
        r#"{"error":"invalid_request","error_description":"refresh-1 s3cret"}"#,
    ));
    answers.note(post(process, "/v1/token", json!({"provider": "example", "scopes": ["mail"]})).await);
    provider.set(ProviderBehaviour::Normal);
    for path in ["/v1/accounts", "/api/example/status", "/v1/through/example/127.0.0.1:9/x"] {
        answers.note(answer(process.request("GET", path, "ada")).await);
    }
    answers.note(
        answer(process.http().get(process.url("/v1/accounts")).bearer_auth("wrong-key-of-somebody")).await,
    );
    let redeemed = provider.forms().remove(0);
    let state = back.split_once("state=").expect("a state").1.to_owned();
    let mut secrets = vec![redeemed["code"].clone(), redeemed["code_verifier"].clone(), state, id_token];
    secrets.extend(spent);
    secrets.extend(["refresh-".to_owned(), "wrong-key-of-somebody".to_owned(), last.confirmation()]);
    secrets
}

/// Signs out.
async fn end(process: &Process, home: &Home, answers: &mut Answers) {
    let accounts = answer(process.request("GET", "/v1/accounts", "ada")).await;
    let account = accounts.body[0]["id"].as_str().expect("an account").to_owned();
    let ended = answer(process.request("DELETE", &format!("/v1/accounts/{account}"), "ada")).await;
    assert_eq!(answers.note(ended).status, 204);
    until(async || !home.provider.revoked().is_empty()).await;
}

/// The secrets of the installation.
fn lasting(home: &Home) -> Vec<String> {
    let ring = std::fs::read_to_string(home.path().join("keys.toml")).expect("a ring");
    let key = ring.rsplit('"').nth(1).expect("a key").to_owned();
    vec![KEY.to_owned(), "s3cret-of-the-client".to_owned(), key]
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

fn scan_files(folder: &Path, secrets: &[String]) -> usize {
    let mut scanned = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            scanned += scan_files(&path, secrets);
        } else if !["keys.toml", "caller.key", "client.secret"].contains(&name.as_str()) {
            let bytes = std::fs::read(&path).expect("a file");
            for secret in secrets {
                assert!(!holds(&bytes, secret), "{secret} in {name}");
            }
            scanned += 1;
        }
    }
    scanned
}

/// Looks through every table of Postgres, where bytes are shown in hexadecimal digits.
async fn scan_tables(home: &Home, secrets: &[String]) {
    let tables = [
        "tenants",
        "grants",
        "tokens",
        "cells",
        "revocations",
        "authorizations",
        "changes",
        "schema_version",
    ];
    let all = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(home.number(all).await, 8, "a table that is not looked through");
    for table in tables {
        for secret in secrets {
            let digits: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            let found = format!(
                "SELECT COUNT(*) FROM {table} AS row WHERE position('{secret}' IN row::text) > 0 OR \
                 position('{digits}' IN row::text) > 0"
            );
            assert_eq!(home.number(&found).await, 0, "{secret} in {table}");
        }
    }
}

/// Looks through all that is stored.
async fn scan(home: &Home, server: Option<&ServerFiles>, secrets: &[String]) {
    assert!(scan_files(home.path(), secrets) >= 2);
    if let Some(server) = server {
        server.scan(home, secrets).await;
    }
    if !home.is_on_sqlite() {
        scan_tables(home, secrets).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_where_it_must_not_be() {
    for home in Home::all().await {
        let (database, provider) = (home.database(), home.provider);
        let mut home = crate::sign_in::home(&provider, "page");
        if !database.starts_with("sqlite:") {
            home.set_database(&database);
        }
        home.of_broker += &format!("\njournal = \"{}/journal\"", home.path().display());
        let server = if home.is_on_sqlite() { None } else { ServerFiles::of(&home).await };
        let mut process = Process::start_in(&home, "", &[("RUST_LOG", Path::new("trace"))]).await;
        let (log, mut answers) = (process.overhear(), Answers::default());
        let fleeting = begin(&process, &home, &mut answers).await;
        let secrets: Vec<String> = lasting(&home).into_iter().chain(fleeting).collect();
        assert_eq!(home.number("SELECT COUNT(*) FROM cells JOIN tokens ON cell = cells.id").await, 1);
        scan(&home, server.as_ref(), &secrets).await;
        end(&process, &home, &mut answers).await;
        // What was there has left its traces alone.
        until(async || home.number("SELECT COUNT(*) FROM cells").await == 0).await;
        scan(&home, server.as_ref(), &secrets).await;
        assert!(process.terminate().await.success());
        scan_files(home.path(), &secrets);
        let log = log.lock().expect("not poisoned").join("\n");
        assert!(log.contains("\"level\":\"TRACE\"") && log.len() > 10_000, "it is talkative");
        for secret in &secrets {
            let at = log.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(at, None, "{secret} in the log");
        }
        // The confirmation and the state are shown to the browser that they are for.
        for secret in secrets.iter().take(secrets.len() - 1) {
            let at = answers.0.iter().find(|answer| answer.contains(secret.as_str()));
            assert_eq!(at, None, "{secret} in an answer");
        }
    }
}
