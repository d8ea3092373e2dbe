//! A provider's name that is another issuer's from now on: what the old one gave is kept, and sent nowhere.

use serde_json::json;

use crate::provider::{Provider, ProviderBehaviour};
use crate::running::{Broker, Home, answer, until};

const ELSEWHERE: &str = "http://127.0.0.1:9";

fn home_of(home: &mut Home, issuer: &str) {
    home.of_broker = "public_url = \"https://broker.example\"".to_owned();
    home.of_provider = format!(
        "revocation_endpoint = \"{}\"\n[providers.example.sign_in]\nway = \"page\"\nissuer = \"{issuer}\"\n\
         authorization_endpoint = \"{issuer}/authorize\"\nscopes = [\"openid\"]",
        home.provider.revocation_endpoint
    );
}

async fn listed(broker: &Broker, user: &str) -> usize {
    let listed = answer(broker.request("GET", "/v1/accounts", user)).await;
    listed.body.as_array().expect("a list").len()
}

#[tokio::test]
async fn tokens_go_to_nobody_but_the_issuer_that_gave_them() {
    for mut home in Home::all().await {
        let (provider, body) = (home.provider.clone(), json!({"provider": "example"}));
        let own = provider.issuer().to_owned();
        home_of(&mut home, &own);
        let broker = home.start().await;
        let id = broker.connect_long_ago("ada", &provider.grant()).await;
        let ended = broker.connect("grace", &provider.grant(), 3600).await;
        provider.revoking(ProviderBehaviour::Overloaded);
        let path = format!("/v1/accounts/{ended}");
        assert_eq!(answer(broker.request("DELETE", &path, "grace")).await.status, 204);
        until(async || home.number("SELECT COUNT(*) FROM revocations WHERE failures = 1").await == 1).await;
        broker.stop().await;
        home.execute("UPDATE grants SET refresh_at = 0").await;
        home.execute("UPDATE revocations SET next_attempt_at = 0").await;

        home_of(&mut home, ELSEWHERE);
        let broker = home.start().await;
        until(async || home.number("SELECT COUNT(*) FROM revocations").await == 0).await;
        let refused = broker.token("ada", body.clone()).await;
        assert_eq!((refused.status, refused.code()), (404, "not_connected"), "{refused:?}");
        let path = format!("/v1/accounts/{id}");
        assert_eq!(answer(broker.request("GET", &path, "ada")).await.status, 404);
        assert_eq!(answer(broker.request("DELETE", &path, "ada")).await.status, 404);
        assert_eq!(listed(&broker, "ada").await, 0);
        // Whoever signs in again has an account at the new one.
        broker.connect("ada", &provider.grant(), 3600).await;
        assert_eq!(listed(&broker, "ada").await, 1);
        home.execute("UPDATE grants SET refresh_at = 0 WHERE issuer = 'http://127.0.0.1:9'").await;
        until(async || !provider.forms().is_empty()).await;
        broker.stop().await;
        let sent: Vec<_> = provider.forms().iter().map(|form| form["refresh_token"].clone()).collect();
        assert_eq!((sent, provider.revoked().len()), (vec!["refresh-3".to_owned()], 1));

        home_of(&mut home, &own);
        let broker = home.start().await;
        assert_eq!(broker.token("ada", body).await.status, 200, "the mistake is undone");
        broker.stop().await;
    }
}

#[tokio::test]
async fn without_an_issuer_in_the_configuration_the_name_counts() {
    let mut home = Home::new(&Provider::start().await);
    home.of_provider.clear();
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
}
