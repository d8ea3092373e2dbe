//! `check` tells everything at once.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::commands::{out, run};
use crate::core_dumps::{NOBODY, give_away, is_root};
use crate::process::Process;
use crate::provider::Provider;
use crate::running::Home;

fn close(home: &Home) {
    for file in ["keys.toml", "caller.key", "client.secret"] {
        fs::set_permissions(home.folder.path().join(file), Permissions::from_mode(0o600)).expect("changed");
    }
}

#[tokio::test]
async fn nothing_stands_in_the_way() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    close(&home);
    let config = home.configuration("");
    let checked = run(&config, &["check"]).await;
    assert!(checked.status.success(), "{checked:?}");
    let is_new =
        if home.is_on_sqlite() { "the database is new" } else { "migrations pending; serve applies them" };
    assert!(out(&checked).contains(is_new), "{checked:?}");
    assert!(!home.folder.path().join("broker.sqlite").exists(), "check makes nothing");
    home.start().await.stop().await;
    let checked = run(&home.configuration(""), &["check"]).await;
    assert!(out(&checked).contains("the schema is this version's"), "{checked:?}");
}

#[tokio::test]
async fn all_problems_at_once() {
    let provider = Provider::start().await;
    let mut home = Home::new(&provider);
    close(&home);
    fs::set_permissions(home.folder.path().join("keys.toml"), Permissions::from_mode(0o640))
        .expect("changed");
    fs::write(home.folder.path().join("short.key"), "short").expect("written");
    let folder = home.folder.path().display().to_string();
    home.of_broker = format!("journal = \"{folder}/client.secret\"");
    let more = format!(
        r#"
        [callers.short]
        keys = ["{folder}/short.key"]
        [callers.gone]
        keys = ["{folder}/gone.key"]
        [providers.plain]
        token_endpoint = "http://as.example/token"
        client_id = "x"
        authentication = "none"
        [providers.lone]
        token_endpoint = "https://as.example/token"
        client_id = "x"
        [[providers.lone.through]]
        origin = "http://api.example"
        methods = ["GET"]
        paths = ["/"]
        [providers.open]
        token_endpoint = "https://as.example/token"
        client_id = "x"
        authentication = "none"
        [providers.open.sign_in]
        way = "deposit"
        issuer = "https://as.example"
        authorization_endpoint = "https://as.example/authorize"
        [providers.paged]
        preset = "okta"
        parameters = {{ domain = "acme.okta.com" }}
        client_id = "x"
        client_secrets = ["{folder}/client.secret"]
        [providers.paged.sign_in]
        way = "page"
        [hubs.away]
        api_url = "http://127.0.0.1:9/hub/api"
        [hubs.plain]
        api_url = "http://hub.example/hub/api"
        "#
    );
    let checked = run(&home.configuration(&more), &["check"]).await;
    assert!(!checked.status.success());
    let text = out(&checked);
    for problem in [
        "problem: key_ring: ",
        "has mode 640, so that others can use it; chmod 600",
        "problem: callers.short.keys: each key must have at least 32 characters",
        "problem: callers.gone.keys: ",
        "gone.key cannot be read",
        "problem: providers.plain.token_endpoint: ",
        "problem: providers.lone.client_secrets: ",
        "problem: providers.lone.through[0].origin: ",
        "problem: providers.open.sign_in.checks_pkce: must be true for deposits of a client without a secret",
        "problem: public_url: is missing, but way = \"page\" needs it",
        "problem: journal: ",
        "problem: hubs.away: http://127.0.0.1:9/hub/api/user does not answer as a hub",
        "problem: hubs.plain.api_url: must be an https URL",
    ] {
        assert!(text.contains(problem), "{problem}\n{text}");
    }
    assert!(!text.contains("s3cret"));
    let clients = out(&run(&home.configuration(&more), &["clients"]).await);
    assert!(clients.contains("at okta  authentication basic"), "as the table says: {clients}");
}

/// The names of what is in a folder, with their times.
fn listing(folder: &std::path::Path) -> Vec<(std::ffi::OsString, std::time::SystemTime)> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<_> = entries
        .map(|entry| (entry.file_name(), entry.metadata().expect("a file").modified().expect("a time")))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_journal_is_looked_at_and_left_alone() {
    let provider = Provider::start().await;
    let mut home = Home::new(&provider);
    close(&home);
    let journal = home.path().join("state/journal");
    home.of_broker = format!("journal = {journal:?}");
    let check = async || run(&home.configuration(""), &["check"]).await;
    let checked = check().await;
    assert!(checked.status.success(), "serving makes it: {checked:?}");
    assert!(!home.path().join("state").exists(), "checking makes nothing");
    home.start().await.stop().await;
    fs::write(journal.join("half.new"), "half").expect("written");
    let before = listing(&journal);
    assert!(check().await.status.success());
    assert_eq!(listing(&journal), before);

    fs::remove_file(journal.join("versions")).expect("removed");
    fs::create_dir(journal.join("versions")).expect("made");
    let checked = check().await;
    assert!(
        out(&checked).contains("problem: journal: ") && out(&checked).contains("versions cannot be used")
    );
    fs::remove_dir_all(home.path().join("state")).expect("removed");
    fs::write(home.path().join("state"), "a file").expect("written");
    let checked = check().await;
    assert!(out(&checked).contains("state is no folder"), "{checked:?}");
}

#[tokio::test]
async fn a_folder_in_which_no_database_can_be_made() {
    let mut home = Home::new(&Provider::start().await);
    close(&home);
    let state = home.path().join("state");
    home.set_database(&format!("sqlite:{}/broker.sqlite", state.display()));
    let config = home.configuration("");
    let checked = run(&config, &["check"]).await;
    assert!(out(&checked).contains("does not exist; systemd makes it by StateDirectory="), "{checked:?}");
    fs::create_dir(&state).expect("made");
    // Where a user without rights may read it.
    let program = home.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_tokentoss-broker"), &program).expect("copied");
    if is_root() {
        give_away(home.path());
    }
    let said = async || {
        let mut command = tokio::process::Command::new(&program);
        command.env_clear().arg("--config").arg(&config).arg("check");
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        out(&command.output().await.expect("it runs"))
    };
    let checked = said().await;
    assert!(checked.ends_with("the database is new; serve makes it\n1 providers, 1 callers, 0 hubs, 0 clusters\nnothing stands in the way\n"), "{checked}");
    fs::set_permissions(&state, Permissions::from_mode(0o555)).expect("changed");
    let problem = format!("problem: database: {} cannot be used: Permission denied", state.display());
    assert!(said().await.contains(&problem));
}

#[tokio::test]
async fn the_database_is_its_owners_alone() {
    let Some(home) = Home::on_sqlite().await else { return };
    close(&home);
    let (first, second) = tokio::join!(Process::start(&home, ""), Process::start(&home, ""));
    let mode_of =
        |name: &str| fs::metadata(home.path().join(name)).expect("a file").permissions().mode() & 0o777;
    let files = ["broker.sqlite", "broker.sqlite-wal", "broker.sqlite-shm"];
    assert_eq!(files.map(mode_of), [0o600; 3], "of two that start at once");
    let config = home.configuration("");
    assert!(run(&config, &["check"]).await.status.success());
    for file in files {
        let path = home.path().join(file);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("changed");
        let checked = run(&config, &["check"]).await;
        let problem = format!("problem: database: {} has mode 644, so that others", path.display());
        assert!(!checked.status.success() && out(&checked).contains(&problem), "{checked:?}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("changed");
    }
    assert!(first.terminate().await.success() && second.terminate().await.success());
}
