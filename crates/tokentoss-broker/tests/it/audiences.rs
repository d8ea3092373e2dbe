//! Tokens for further audiences: those that the administrator names, and no other.

use serde_json::json;

use crate::running::Home;

const ALLOWED: &str = "https://files.example/";

#[tokio::test(flavor = "multi_thread")]
async fn only_named_audiences_are_asked_for() {
    for mut home in Home::all().await {
        home.of_provider = format!("{}\naudiences = [{ALLOWED:?}]", home.of_provider);
        let broker = home.start().await;
        broker.connect("ada", &home.provider.grant(), 3600).await;
        let long = "x".repeat(5000);
        // The first and the longest would be refused by Postgres, after the provider had spent the refresh token.
        for audience in ["a\u{0}", &long, "https://files.example", "https://mail.example/"] {
            let asked = broker.token("ada", json!({"provider": "example", "audience": audience})).await;
            assert_eq!((asked.status, asked.code()), (403, "audience_forbidden"), "{asked:?}");
        }
        assert!(home.provider.forms().is_empty());
        let given = broker.token("ada", json!({"provider": "example", "audience": ALLOWED})).await;
        assert_eq!(given.status, 200, "{given:?}");
        assert_eq!(home.provider.forms()[0]["resource"], ALLOWED);
    }
}

#[tokio::test]
async fn an_audience_that_no_index_takes_is_refused_at_the_start() {
    for audiences in [r#"[""]"#.to_owned(), r#"["a b"]"#.to_owned(), format!("[\"{}\"]", "x".repeat(513))] {
        let provider = crate::provider::Provider::start().await;
        let mut home = Home::new(&provider);
        home.of_provider = format!("audiences = {audiences}");
        let config = tokentoss_broker::config::Config::read(&home.configuration("")).expect("a file");
        let refused = tokentoss_broker::server::Server::build(&config).await.err().expect("refused");
        assert!(refused.to_string().contains("providers.example.audiences"), "{refused}");
    }
}

#[tokio::test]
async fn a_list_of_scopes_that_no_index_takes_is_refused() {
    let provider = crate::provider::Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let body = json!({"provider": "example", "scopes": vec!["files.read".repeat(10); 20]});
    assert_eq!(broker.token("ada", body).await.code(), "invalid_request");
    assert!(provider.forms().is_empty());
}
