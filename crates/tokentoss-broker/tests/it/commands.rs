//! The commands, as an administrator runs them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::provider::Provider;
use crate::running::{Home, answer};

/// Runs the program.
pub(crate) async fn run(config: &Path, arguments: &[&str]) -> Output {
    run_in(config, arguments, &[]).await
}

/// The same with this environment.
pub(crate) async fn run_in(config: &Path, arguments: &[&str], environment: &[(&str, &Path)]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tokentoss-broker"));
    command
        .env_clear()
        .envs(environment.iter().copied())
        .arg("--config")
        .arg(config)
        .args(arguments)
        .output()
        .await
        .expect("it runs")
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn every_command_explains_itself() {
    let commands =
        ["init", "serve", "check", "clients", "callers", "grants", "confirm", "revoke", "rekey", "openapi"];
    let whole = out(&run(Path::new("nowhere"), &["--help"]).await);
    insta::assert_snapshot!("help", whole);
    for command in commands {
        assert!(whole.contains(&format!("\n  {command} ")), "{command}");
        let help = run(Path::new("nowhere"), &[command, "--help"]).await;
        assert!(help.status.success() && out(&help).contains("Example: "), "{command}");
        insta::assert_snapshot!(format!("help_{command}"), out(&help));
    }
    insta::assert_snapshot!(
        "help_callers_new",
        out(&run(Path::new("nowhere"), &["callers", "new", "--help"]).await)
    );
    let document = run(Path::new("nowhere"), &["openapi"]).await;
    let document: Value = serde_json::from_slice(&document.stdout).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn confirm_refuses_unknown_grants() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    home.start().await.stop().await;
    let config = home.configuration("");
    for (named, said) in [
        ("ada", "this is no identifier of a grant"),
        ("00000000000000000000000000000000", "no grant has this identifier"),
    ] {
        let confirmed = run(&config, &["confirm", named]).await;
        assert!(!confirmed.status.success() && err(&confirmed).contains(said), "{confirmed:?}");
    }
}

#[tokio::test]
async fn confirm_says_where_only_a_sign_in_helps() {
    for home in Home::all().await {
        let broker = home.start().await;
        let grant = broker.connect("ada", &home.provider.grant(), 3600).await.to_string();
        broker.stop().await;
        // The provider refused its token, and an older backup came back since.
        home.execute(
            "UPDATE grants SET status = 'error', cause = 'rolled_back', attempt_hash = refresh_hash, attempt_at = renewed_at, \
             refresh_hash = NULL, refresh_cell = NULL",
        )
        .await;
        let confirmed = run(&home.configuration(""), &["confirm", &grant]).await;
        assert!(!confirmed.status.success());
        assert!(err(&confirmed).contains("its user must sign in again"), "{confirmed:?}");
    }
}

#[tokio::test]
async fn a_fresh_key_is_its_owners_alone_and_never_replaces_one() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let config = home.configuration("");
    let made = run(&config, &["callers", "new", "nightly"]).await;
    assert!(made.status.success(), "{made:?}");
    let file = home.folder.path().join("nightly.key");
    let key = std::fs::read_to_string(&file).expect("a key");
    assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(key.trim_end().len(), 43);
    assert!(!out(&made).contains(key.trim_end()) && !err(&made).contains(key.trim_end()), "in no output");
    assert!(out(&made).contains("[callers.nightly]") && err(&made).contains("\"action\":\"caller_key\""));
    let again = run(&config, &["callers", "new", "nightly"]).await;
    assert!(!again.status.success());
    assert_eq!(std::fs::read_to_string(&file).expect("a key"), key);
    for name in ["", "../x", "a b", "a/b"] {
        assert!(!run(&config, &["callers", "new", name]).await.status.success(), "{name}");
    }
    let config =
        home.configuration(&format!("[callers.nightly]\nkeys = [{:?}]\n", file.display().to_string()));
    let listed = out(&run(&config, &["callers"]).await);
    assert!(listed.contains("application  1 keys  asks for users of all tenants"), "{listed}");
    assert!(listed.contains("nightly  1 keys"), "{listed}");
}

#[tokio::test]
async fn clients_are_listed_without_secrets() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let config = home.configuration("");
    for arguments in [&["clients"][..], &["clients", "--json"]] {
        let listed = run(&config, arguments).await;
        assert!(out(&listed).contains("client-1") && !out(&listed).contains("s3cret"), "{listed:?}");
    }
}

#[tokio::test]
async fn grants_are_listed_and_revoked_beside_a_running_broker() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    for user in ["ada", "grace"] {
        broker.connect(user, &provider.grant(), 3600).await;
    }
    let config = home.configuration("");
    let lines = async |arguments: &[&str]| -> Vec<Value> {
        let output = run(&config, arguments).await;
        assert!(output.status.success(), "{output:?}");
        let text = out(&output);
        assert!(!text.contains("first-access") && !text.contains("refresh-"), "no tokens");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    assert_eq!(lines(&["grants", "--json"]).await.len(), 2);
    let adas =
        lines(&["grants", "--json", "--user", "ada", "--tenant", "acme", "--provider", "example"]).await;
    assert_eq!((adas.len(), &adas[0]["status"], &adas[0]["user"]), (1, &json!("active"), &json!("ada")));
    assert!(lines(&["grants", "--json", "--status", "expired"]).await.is_empty());
    assert!(lines(&["grants", "--json", "--tenant", "another"]).await.is_empty());
    assert!(out(&run(&config, &["grants"]).await).contains("acme/ada  example  ada  active"));

    let revoked = run(&config, &["revoke", "--tenant", "acme", "--user", "ada"]).await;
    assert!(out(&revoked).starts_with("1 grants ended"), "{revoked:?}");
    let audit: Value = serde_json::from_str(err(&revoked).lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        (&audit["target"], &audit["fields"]["action"], &audit["fields"]["user"]),
        (&json!("audit"), &json!("revoke"), &json!("ada"))
    );
    let ended = lines(&["grants", "--json", "--status", "revoked"]).await;
    assert_eq!((ended.len(), &ended[0]["cause"]), (1, &json!("admin")));
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.code(), "not_connected");
    assert_eq!(broker.token("grace", json!({"provider": "example"})).await.status, 200);
    let again = run(&config, &["revoke", "--tenant", "acme", "--user", "ada"]).await;
    assert!(out(&again).starts_with("0 grants ended"));
    let other = run(&config, &["revoke", "--tenant", "another", "--user", "grace"]).await;
    assert!(out(&other).starts_with("0 grants ended"));
    assert!(!run(&config, &["revoke", "--user", "grace"]).await.status.success(), "the tenant must be named");
    assert_eq!(
        answer(broker.request("GET", "/v1/accounts", "grace")).await.body.as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn commands_migrate_nothing() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let listed = run(&home.configuration(""), &["grants"]).await;
    assert!(!listed.status.success() && err(&listed).contains("migrations are pending"), "{listed:?}");
}
