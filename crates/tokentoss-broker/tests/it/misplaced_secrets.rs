//! A secret that somebody wrote into the configuration is in no message, whatever the command.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokentoss_broker::config::Config;
use tokentoss_broker::keys::KeyRing;
use tokentoss_broker::server::Server;

use crate::commands::run;
use crate::provider::Provider;
use crate::running::Home;

const CANARY: &str = "GOCSPX-canary/of+a2Client3Secret";
const ACCOUNT: &str = "00000000000000000000000000000000";
/// Every command that reads the configuration.
const COMMANDS: [&[&str]; 10] = [
    &["serve"],
    &["check"],
    &["init"],
    &["clients"],
    &["callers"],
    &["callers", "new", "laptop"],
    &["grants"],
    &["confirm", ACCOUNT],
    &["revoke", "--tenant", "acme", "--user", "ada"],
    &["rekey"],
];
const PROVIDER: &str = "[providers.x]\npreset = 'google'\nclient_id = 'x'\n";

/// What a configuration that does not serve is told by, with what all commands say of it.
async fn told(config: &Path) -> (String, String) {
    let read = Config::read(config);
    let error = match &read {
        Err(error) => format!("{error}\n{error:?}"),
        Ok(config) => {
            let error = Server::build(config).await.err().expect("refused");
            format!("{error}\n{error:?}")
        }
    };
    let mut said = error.clone();
    for arguments in COMMANDS {
        let output = run(config, arguments).await;
        said += &format!("{arguments:?}: {output:?}\n");
        assert!(arguments != ["serve"] || !output.status.success(), "{said}");
    }
    (error, said)
}

fn assert_silent(said: &str) {
    // Neither the whole nor a part of it.
    for part in ["canary", "GOCSPX", "Client3Secret"] {
        let at = said.lines().find(|line| line.contains(part));
        assert_eq!(at, None, "{part}");
    }
}

#[tokio::test]
async fn the_line_and_the_value_are_not_shown() {
    let home = Home::new(&Provider::start().await);
    for (lines, reason) in [
        (
            format!("{PROVIDER}client_secret = '{CANARY}'"),
            "unknown field `client_secret`, expected one of `preset`",
        ),
        (format!("{PROVIDER}client_secrets = '{CANARY}'"), "invalid type: string, expected a sequence"),
        (format!("{PROVIDER}client_secrets = '{CANARY}"), "invalid literal string"),
        (
            format!("{PROVIDER}authentication = '{CANARY}'"),
            "unknown variant, expected one of `client_secret_post`",
        ),
        (format!("{PROVIDER}client_revision = '{CANARY}'"), "invalid type: string, expected u64"),
        (
            format!("{PROVIDER}client_secrets = [{{ '{CANARY}' = 1 }}]"),
            "unknown field, expected one of `file`",
        ),
        (format!("[callers]\nlaptop = '{CANARY}'"), "invalid type: string, expected struct CallerConfig"),
        (format!("[socket]\npath = '/run/x'\nmode = '{CANARY}'"), "invalid type: string, expected u32"),
        (format!("[callers.laptop]\nkeys = [{CANARY}]"), "line "),
    ] {
        let config = home.configuration(&lines);
        let (error, said) = told(&config).await;
        assert_silent(&said);
        assert!(error.contains("broker.toml: line ") && error.contains(reason), "{lines}: {error}");
    }
    let config = home.configuration("");
    let text = fs::read_to_string(&config).expect("a file");
    let database = format!("database = \"postgres://broker:{CANARY}@db.example/broker\nkey_ring");
    let (before, after) = text.split_once("database = ").expect("a database");
    let (_, after) = after.split_once("key_ring").expect("a key ring");
    fs::write(&config, format!("{before}{database}{after}")).expect("written");
    let (error, said) = told(&config).await;
    assert_silent(&said);
    assert!(
        error.contains("broker.toml: line 5, column ") && error.contains(": invalid basic string"),
        "{error}"
    );
}

#[tokio::test]
async fn a_secret_in_its_places_place_is_not_shown() {
    let mut home = Home::new(&Provider::start().await);
    let of_provider = "providers.x.client_secrets: ";
    for (lines, problem) in [
        (format!("{PROVIDER}client_secrets = ['{CANARY}']"), of_provider),
        (format!("{PROVIDER}client_secrets = ['/{CANARY}']"), of_provider),
        (format!("{PROVIDER}client_secrets = [{{ env = '{CANARY}' }}]"), of_provider),
        (format!("{PROVIDER}client_secrets = [{{ credential = 'canary' }}]"), of_provider),
        (format!("[callers.x]\nkeys = ['{CANARY}']"), "callers.x.keys: the value is not the path of a file"),
        (
            format!(
                "{PROVIDER}authentication = 'none'\nsign_in = {{ way = 'page', issuer = 'https://a:{CANARY}@b' }}"
            ),
            "providers.x.sign_in.issuer: An endpoint must start with https://",
        ),
        (
            format!(
                "[hubs.x]\napi_url = 'https://hub.example/hub/api'\nservice_token = '{CANARY}'\n{PROVIDER}"
            ),
            of_provider,
        ),
    ] {
        let (error, said) = told(&home.configuration(&lines)).await;
        assert_silent(&said);
        assert!(
            error.starts_with(problem) && said.contains(&format!("problem: {problem}")),
            "{lines}: {said}"
        );
    }
    home.set_database(&format!("postgres://broker@db.example/broker?passwort={CANARY}"));
    let (error, said) = told(&home.configuration("")).await;
    assert_silent(&said);
    assert!(error.starts_with("the address in `database` has a parameter that is not known"), "{error}");
}

#[tokio::test]
async fn a_path_that_is_one_is_shown() {
    let home = Home::new(&Provider::start().await);
    let gone = home.path().join("folder/gone.key");
    let (error, _) = told(&home.configuration(&format!("[callers.x]\nkeys = [{gone:?}]"))).await;
    assert!(error.starts_with(&format!("callers.x.keys: {} cannot be read: No such file", gone.display())));
}

#[tokio::test]
async fn a_password_in_the_address_of_a_hub_is_refused() {
    let home = Home::new(&Provider::start().await);
    let config = home.configuration("[hubs.x]\napi_url = 'http://:canary@127.0.0.1:9/hub/api'");
    let checked = format!("{:?}", run(&config, &["check"]).await);
    assert_silent(&checked);
    assert!(checked.contains("hubs.x.api_url: must have no user"), "{checked}");
}

#[tokio::test]
async fn a_file_of_passwords_that_is_none_is_not_shown() {
    let mut home = Home::new(&Provider::start().await);
    home.set_database("postgres://broker@127.0.0.1:9/broker");
    let passwords = home.path().join("passwords");
    fs::write(&passwords, CANARY).expect("written");
    fs::set_permissions(&passwords, Permissions::from_mode(0o600)).expect("changed");
    for level in ["info", "trace"] {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tokentoss-broker"));
        command.arg("--config").arg(home.configuration("")).arg("grants");
        let output = command.env("PGPASSFILE", &passwords).env("RUST_LOG", level).output().await;
        let said = format!("{:?}", output.expect("it runs"));
        assert_silent(&said);
        assert!(said.contains("the database does not answer"), "{said}");
    }
}

#[test]
fn a_key_in_the_place_of_its_name_is_not_shown() {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (text, told) in [
        (
            format!("primary = '{key}'\n[keys]\nfirst = '{key}'"),
            "of a name that is not shown, which it names",
        ),
        (
            format!("primary = 'first'\n[keys]\n{key} = 'first'"),
            "of a name that is not shown of the key ring",
        ),
        (format!("primary = 'first'\n[keys]\nsecond = '{key}'"), "the key ring has no key `first`, which it"),
    ] {
        let error = KeyRing::read(&text).expect_err("refused");
        let said = format!("{error} {error:?}");
        assert!(!said.contains(key) && said.contains(told), "{said}");
    }
}
