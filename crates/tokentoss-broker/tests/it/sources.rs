//! Where secrets are, and settings that nobody knows.

use tokentoss_broker::config::Config;
use tokentoss_broker::source::Source;

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
    let missing = source("{env = 'TOKENTOSS_TEST_THAT_NOBODY_SETS'}").expect("a source").secret();
    let text = missing.expect_err("none").to_string();
    assert_eq!(text, "environment variable TOKENTOSS_TEST_THAT_NOBODY_SETS: it is not set, or no text");
    assert!(source("{env = 'PATH'}").expect("a source").secret().is_ok());
    for name in ["", "..", "a/b"] {
        let wrong =
            source(&format!("{{credential = '{name}'}}")).expect("a source").secret().expect_err("none");
        assert!(wrong.to_string().contains("a credential is a name without slashes"), "{wrong}");
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
