//! Users of this machine, who connect to the socket: who they are, and who they cannot be.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::thread::{Uid, set_thread_res_uid};
use serde_json::{Value, json};

use crate::provider::Provider;
use crate::running::{Broker, Home, KEY, answer, without_trace};

/// Root's own number, and that of a service on every Linux.
const ROOT: u32 = 0;
const DAEMON: u32 = 1;
/// What the kernel shows of users of other namespaces.
const NOBODY: u32 = 65_534;
/// A number without a name.
const NAMELESS: u32 = 54_321;

/// Status and body.
type Said = (u16, Value);

/// Where a home has its socket; others can reach it.
fn socket_of(home: &Home) -> PathBuf {
    fs::set_permissions(home.path(), Permissions::from_mode(0o755)).expect("changed");
    home.path().join("broker.sock")
}

/// The user who runs the tests.
fn own_uid(home: &Home) -> u32 {
    fs::metadata(home.path()).expect("a folder").uid()
}

/// Whether the tests may become others.
fn is_root(home: &Home) -> bool {
    own_uid(home) == ROOT
}

/// Asks by the socket as a user of this machine, with more lines of the header.
async fn ask_as(uid: Option<u32>, socket: &Path, path: &str, lines: &str) -> io::Result<Said> {
    let socket = socket.to_owned();
    let body = r#"{"provider":"example"}"#;
    let (method, body) = if path == "/v1/token" { ("POST", body) } else { ("GET", "") };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: broker\r\nconnection: close\r\ncontent-type: application/json\r\n{lines}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    // A thread of its own: no other becomes that user, and it ends as that user.
    let asking = std::thread::spawn(move || -> io::Result<Said> {
        if let Some(uid) = uid {
            set_thread_res_uid(Uid::from_raw(uid), Uid::from_raw(uid), Uid::from_raw(uid))?;
        }
        let mut stream = UnixStream::connect(socket)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
        Ok((status, without_trace(serde_json::from_str(body).expect("JSON"))))
    });
    tokio::task::spawn_blocking(move || asking.join().expect("no panic")).await.expect("no panic")
}

async fn asked_as(uid: u32, socket: &Path, path: &str) -> Said {
    ask_as(Some(uid), socket, path, "").await.expect("an answer")
}

/// What whoever is unknown hears.
async fn unknown(broker: &Broker) -> Said {
    let refused = answer(broker.http.get(broker.url("/v1/accounts")).bearer_auth("unknown")).await;
    assert_eq!((refused.status, refused.code()), (401, "caller_unauthenticated"));
    (refused.status, refused.body)
}

fn code(said: &Said) -> (u16, &str) {
    (said.0, said.1["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_user_of_the_machine_needs_no_key() {
    for home in Home::all().await {
        let (socket, uid) = (socket_of(&home), own_uid(&home));
        let provider = home.provider.clone();
        let more = format!(
            "[socket]\npath = {socket:?}\n[callers.ada]\nunix_user = {uid}\ntenant = \"acme\"\nuser = \"ada\"\n"
        );
        let broker = home.start_kept_with(&more).await;
        broker.connect("ada", &provider.grant(), 3600).await;
        let (status, body) = ask_as(None, &socket, "/v1/token", "").await.expect("an answer");
        assert_eq!((status, &body["access_token"]), (200, &json!("first-access-of-ada")));
        for line in ["x-tokentoss-user: grace\r\n", "x-tokentoss-tenant: acme\r\n"] {
            let named = ask_as(None, &socket, "/v1/token", line).await.expect("an answer");
            assert_eq!(code(&named), (400, "invalid_request"), "{line}");
        }
    }
}

#[tokio::test]
async fn whoever_shows_a_key_is_whose_key_it_is() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let (socket, uid) = (socket_of(&home), own_uid(&home));
    let more = format!(
        "[socket]\npath = {socket:?}\n[callers.ada]\nunix_user = {uid}\ntenant = \"acme\"\nuser = \"ada\"\n"
    );
    let broker = home.start_kept_with(&more).await;
    broker.connect("ada", &provider.grant(), 3600).await;
    broker.connect("grace", &provider.grant(), 3600).await;
    let of_grace =
        format!("authorization: Bearer {KEY}\r\nx-tokentoss-tenant: acme\r\nx-tokentoss-user: grace\r\n");
    let (status, body) = ask_as(None, &socket, "/v1/token", &of_grace).await.expect("an answer");
    assert_eq!((status, &body["access_token"]), (200, &json!("first-access-of-grace")));
    let unknown = unknown(&broker).await;
    for line in ["authorization: Bearer wrong\r\n", "authorization:\r\n", "authorization: Basic YTpi\r\n"] {
        let refused = ask_as(None, &socket, "/v1/token", line).await.expect("an answer");
        assert_eq!(refused, unknown, "a key that is wrong is not passed over: {line}");
    }
}

#[tokio::test]
async fn by_tcp_nobody_can_pretend_to_be_a_user_of_the_machine() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let (socket, uid) = (socket_of(&home), own_uid(&home));
    let more = format!(
        "[socket]\npath = {socket:?}\ntenant = \"acme\"\nfirst_uid = 1\n[callers.me]\nunix_user = {uid}\ntenant = \"acme\"\nuser = \"ada\"\n"
    );
    let broker = home.start_kept_with(&more).await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let unknown = unknown(&broker).await;
    let url = broker.url("/v1/accounts");
    for (name, value) in [
        ("x-tokentoss-user", "ada"),
        ("x-unix-user", "0"),
        ("x-remote-user", "ada"),
        ("forwarded", "for=unix:"),
        ("authorization", "Unix 0"),
        ("authorization", "Bearer 0"),
        ("authorization", "Negotiate"),
    ] {
        let refused = answer(broker.http.get(&url).header(name, value)).await;
        assert_eq!((refused.status, refused.body), unknown, "{name}: {value}");
    }
    assert_eq!(ask_as(None, &socket, "/v1/accounts", "").await.expect("an answer").0, 200);
}

#[tokio::test]
async fn each_person_of_the_machine_has_accounts_of_its_own() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    if !is_root(&home) {
        return eprintln!("only root becomes others");
    }
    let socket = socket_of(&home);
    let more = format!("[socket]\npath = {socket:?}\nmode = 0o666\ntenant = \"acme\"\nfirst_uid = 1\n");
    let broker = home.start_kept_with(&more).await;
    for user in ["daemon", "bin", "root", "nobody"] {
        broker.connect(user, &provider.grant(), 3600).await;
    }
    for (uid, name) in [(DAEMON, "daemon"), (2, "bin")] {
        let (status, body) = asked_as(uid, &socket, "/v1/token").await;
        assert_eq!((status, &body["access_token"]), (200, &json!(format!("first-access-of-{name}"))));
        let named = ask_as(Some(uid), &socket, "/v1/token", "x-tokentoss-user: daemon\r\n").await;
        assert_eq!(code(&named.expect("an answer")), (400, "invalid_request"));
    }
    let unknown = unknown(&broker).await;
    for uid in [ROOT, NOBODY, NAMELESS, 61_184, 65_519] {
        assert_eq!(asked_as(uid, &socket, "/v1/token").await, unknown, "{uid}");
    }
}

#[tokio::test]
async fn services_and_root_are_refused_unless_they_are_named() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    if !is_root(&home) {
        return eprintln!("only root becomes others");
    }
    let socket = socket_of(&home);
    let more = format!("[socket]\npath = {socket:?}\nmode = 0o666\ntenant = \"acme\"\n");
    let broker = home.start_resolving(&more, &tokentoss_broker::through::Lookup::of_system()).await;
    let nobody = unknown(&broker).await;
    for uid in [ROOT, DAEMON, 2, 999] {
        assert_eq!(asked_as(uid, &socket, "/v1/accounts").await, nobody, "{uid}");
    }
    broker.stop().await;
    let more = format!(
        "{more}[callers.root]\nunix_user = 0\ntenant = \"acme\"\nuser = \"ada\"\n[callers.web]\nunix_user = \"daemon\"\ntenants = [\"acme\"]\n"
    );
    let broker = home.start_kept_with(&more).await;
    assert_eq!(asked_as(ROOT, &socket, "/v1/accounts").await, (200, json!([])));
    let of_web = |tenant: &str| {
        let lines = format!("x-tokentoss-tenant: {tenant}\r\nx-tokentoss-user: grace\r\n");
        let socket = socket.clone();
        async move { ask_as(Some(DAEMON), &socket, "/v1/accounts", &lines).await.expect("an answer") }
    };
    assert_eq!(of_web("acme").await, (200, json!([])));
    assert_eq!(code(&of_web("other").await), (403, "caller_forbidden"));
    assert_eq!(code(&asked_as(DAEMON, &socket, "/v1/accounts").await), (400, "invalid_request"));
    assert_eq!(asked_as(2, &socket, "/v1/accounts").await, unknown(&broker).await, "a neighbour of both");
}
