//! Scopes that a provider grants under other names, or as another list, than they are asked for.

use serde_json::json;
use tokentoss_broker::refresh::SignedIn;
use tokentoss_broker::store::{AccountKey, GrantId};
use tokentoss_core::Secret;
use tokentoss_custody::Scopes;
use tokentoss_custody::renewal::Tokens;

use crate::provider::{Provider, ProviderBehaviour};
use crate::running::{Answer, Broker, Home};

const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";

/// A broker that knows its provider by name.
async fn broker(preset: &str) -> Broker {
    let mut home = Home::new(&Provider::start().await);
    home.provider_name = preset.to_owned();
    home.of_provider = format!("preset = \"{preset}\"");
    home.start_kept().await
}

/// Lets Ada sign in.
async fn connect(broker: &Broker, provider: &str, requested: &str, granted: Option<&str>) -> GrantId {
    let who = SignedIn {
        account: AccountKey {
            tenant: "acme",
            user: "ada",
            provider,
            issuer: "https://as.example",
            subject: "ada",
        },
        email: None,
        requested: Scopes::read(requested),
        id_token_expires_at: None,
    };
    let tokens = Tokens {
        access: Secret::new("first-access".to_owned()),
        refresh: Some(Secret::new(broker.provider().grant())),
        id_token: None,
        expires_in: Some(std::time::Duration::from_secs(3600)),
        scopes: granted.map(Scopes::of_provider),
    };
    broker.custodian.connect(&who, &tokens).await.expect("connected")
}

async fn token(broker: &Broker, provider: &str, scopes: &[&str]) -> Answer {
    broker.token("ada", json!({"provider": provider, "scopes": scopes})).await
}

#[tokio::test]
async fn google_grants_email_under_another_name() {
    let broker = broker("google").await;
    connect(&broker, "google", "openid email", Some(&format!("openid {EMAIL}"))).await;
    for scopes in [&["email"][..], &[EMAIL], &["openid", "email", EMAIL], &[]] {
        let given = token(&broker, "google", scopes).await;
        assert_eq!((given.status, &given.body["scopes"]), (200, &json!([EMAIL, "openid"])), "{given:?}");
    }
    let refused = token(&broker, "google", &["profile"]).await;
    assert_eq!((refused.status, refused.code()), (409, "scope_missing"));
    assert!(broker.provider().forms().is_empty());
}

#[tokio::test]
async fn so_does_its_answer_to_a_refresh() {
    let broker = broker("google").await;
    // Where the first answer names none, those of the request count.
    let id = connect(&broker, "google", "openid email", None).await;
    assert_eq!(token(&broker, "google", &["email"]).await.status, 200);
    broker.make_old(id, 3601).await;
    let answer = r#"{"access_token":"a","token_type":"Bearer","expires_in":3600,
        "scope":"openid https://www.googleapis.com/auth/userinfo.email"}"#;
    broker.provider().set(ProviderBehaviour::Respond(200, answer));
    for _ in 0..2 {
        let given = token(&broker, "google", &["email"]).await;
        assert_eq!((given.status, &given.body["access_token"]), (200, &json!("a")), "{given:?}");
    }
    let forms = broker.provider().forms();
    assert_eq!(forms.len(), 1);
    assert!(!forms[0].contains_key("scope"), "the main token has it");
}

#[tokio::test]
async fn github_separates_scopes_by_commas() {
    let broker = broker("github").await;
    connect(&broker, "github", "read:user gist", Some("read:user,gist")).await;
    let given = token(&broker, "github", &["gist"]).await;
    assert_eq!((given.status, &given.body["scopes"]), (200, &json!(["gist", "read:user"])), "{given:?}");
    assert_eq!(token(&broker, "github", &["repo"]).await.code(), "scope_missing");
}

#[tokio::test]
async fn of_a_provider_without_a_preset_nothing_is_assumed() {
    let broker = Home::new(&Provider::start().await).start_kept().await;
    connect(&broker, "example", "openid email", Some(&format!("openid {EMAIL} a,b"))).await;
    assert_eq!(token(&broker, "example", &[EMAIL, "a,b"]).await.status, 200);
    assert_eq!(token(&broker, "example", &["email"]).await.code(), "scope_missing");
}
