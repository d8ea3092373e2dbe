//! Where secrets are, and settings that nobody knows.

use tokentoss_broker::config::Config;
use tokentoss_broker::server::Server;
use tokentoss_broker::source::Source;

use crate::commands::{out, run};
use crate::provider::Provider;
use crate::running::Home;

fn source(text: &str) -> Result<Source, String> {
    #[derive(serde::Deserialize)]
    struct Holder {
        at: Source,
    }
    let holder: Result<Holder, _> = toml::from_str(&format!("at = {text}"));
    holder.map(|holder| holder.at).map_err(|error| error.message().to_owned())
}

#[test]
fn a_source_is_a_path_or_one_place() {
    assert_eq!(source("'/a/b'"), Ok(Source::File("/a/b".into())));
    assert_eq!(source("{file = 'x'}"), Ok(Source::File("x".into())));
    assert_eq!(source("{env = 'X'}"), Ok(Source::Environment("X".into())));
    assert_eq!(source("{credential = 'x'}"), Ok(Source::Credential("x".into())));
    for text in ["{}", "{file = 'x', env = 'X'}", "{secret = 'x'}", "7", "['x']"] {
        assert!(source(text).is_err(), "{text}");
    }
}

#[test]
fn a_secret_that_is_nowhere_is_told_without_its_text() {
    let secret = |text: &str| source(text).expect("a source").secret("key_ring");
    let text = secret("{env = 'TOKENTOSS_TEST_THAT_NOBODY_SETS'}").expect_err("none").to_string();
    assert_eq!(
        text,
        "key_ring: the environment variable is not set, or is not UTF-8; set it, or name another one, such as { env = \"CLIENT_SECRET\" }"
    );
    assert!(secret("{env = 'PATH'}").is_ok());
    for name in ["", "..", "a/b"] {
        let wrong = secret(&format!("{{credential = '{name}'}}")).expect_err("none");
        assert!(wrong.to_string().contains("the name of the credential is empty or has a slash"), "{wrong}");
    }
}

#[tokio::test]
async fn unknown_settings_are_refused_everywhere() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    for lines in [
        "unknown = 1",
        "[unknown]",
        "[callers.x]\nkeys = []\nunknown = 1",
        "[hubs.x]\napi_url = 'https://hub.example/hub/api'\nunknown = 1",
        "[through]\nunknown = 1",
        "[[providers.example.through]]\norigin = 'https://a.example'\nmethods = ['GET']\npaths = ['/']\nunknown = 1",
        "[providers.x]\ntoken_endpoint = 'https://a.example'\nclient_id = 'x'\nunknown = 1",
        "[callers.x]\nkeys = [{unknown = 'x'}]",
    ] {
        let error = Config::read(&home.configuration(lines)).expect_err("refused").to_string();
        assert!(error.contains("unknown"), "{lines}: {error}");
    }
}

#[tokio::test]
async fn numbers_out_of_their_ranges_are_refused_at_the_start() {
    let home = Home::new(&Provider::start().await);
    let provider = "[providers.x]\npreset = 'google'\nclient_id = 'x'\nauthentication = 'none'\n";
    let key = format!("[callers.x]\nkeys = ['{}/caller.key']\n", home.path().display());
    for (lines, problem) in [
        ("[through]\nat_once = 0".to_owned(), "through.at_once: must be a number from 1 to 10000"),
        ("[through]\nat_once = 9223372036854775807".into(), "through.at_once: must be a number from"),
        ("[through]\nper_minute = 0".into(), "through.per_minute: must be a number from"),
        ("[through]\nrequest_bytes = 0".into(), "through.request_bytes: must be a number from"),
        (
            "[through]\nresponse_bytes = 9223372036854775807".into(),
            "through.response_bytes: must be a number from",
        ),
        ("[through]\nconnect_seconds = 61".into(), "through.connect_seconds: must be a number from 1 to 60"),
        (
            "[through]\nanswer_seconds = 9223372036854775807".into(),
            "through.answer_seconds: must be a number from",
        ),
        ("[through]\nidle_seconds = 0".into(), "through.idle_seconds: must be a number from"),
        (
            format!("{provider}forgets_after_days = 0"),
            "providers.x.forgets_after_days: must be a number from 1 to 3650",
        ),
        (
            format!("{provider}forgets_after_days = 4294967295"),
            "providers.x.forgets_after_days: must be a number",
        ),
        (
            format!("{provider}client_secrets = ['1', '2', '3', '4', '5']"),
            "providers.x.client_secrets: must have at most 4 secrets",
        ),
        (format!("{key}user_header = 'x user'"), "callers.x.user_header: must be a header name"),
        (format!("{key}tenant_header = ''"), "callers.x.tenant_header: must be a header name"),
        (
            format!("{key}tenant_header = '{}'", "x".repeat(65)),
            "callers.x.tenant_header: must be a header name",
        ),
    ] {
        let path = home.configuration(&lines);
        let config = Config::read(&path).expect("a configuration");
        let error = Server::build(&config).await.err().expect("refused").to_string();
        assert!(error.starts_with(problem), "{lines}: {error}");
        let checked = run(&path, &["check"]).await;
        assert!(out(&checked).contains(&format!("problem: {problem}")), "{checked:?}");
    }
}

#[tokio::test]
async fn parameters_are_those_of_the_preset() {
    let home = Home::new(&Provider::start().await);
    let open = |lines: &str| {
        let lines = format!("[providers.x]\nclient_id = 'x'\nauthentication = 'none'\n{lines}");
        let config = Config::read(&home.configuration(&lines)).expect("a configuration");
        config.providers().expect_err("refused").to_string()
    };
    for (lines, problem) in [
        (
            "preset = 'okta'\nparameters = { domain = 'a.okta.com', realm = 'x' }",
            "providers.x.parameters.realm: ",
        ),
        ("preset = 'okta'\nparameters = { domain = 'a/b' }", "providers.x.parameters.domain: "),
        ("preset = 'okta'", "providers.x.parameters.domain: it needs"),
        ("preset = 'microsoft'\nparameters = { tenant = 'common' }", "providers.x.parameters.tenant: "),
        (
            "token_endpoint = 'https://a.example/token'\nparameters = { realm = 'x' }",
            "providers.x.parameters.realm: parameters need a preset",
        ),
        ("preset = 'nobody'", "providers.x.preset: no provider goes by this name"),
    ] {
        let error = open(lines);
        assert!(error.starts_with(problem), "{lines}: {error}");
    }
}

#[tokio::test]
async fn a_configuration_does_not_show_the_databases_password() {
    let mut home = Home::new(&Provider::start().await);
    home.set_database("postgres://broker:a-password@db.example/broker");
    let config = Config::read(&home.configuration("")).expect("a configuration");
    assert!(!format!("{config:?}").contains("a-password"));
}
