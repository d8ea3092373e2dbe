//! Tokens of ended connections: revoked at their provider, by a queue that nobody waits for.

use serde_json::json;
use tokentoss_broker::store::Store;
use tokentoss_broker::through::Lookup;

use crate::provider::{Provider, ProviderBehaviour};
use crate::running::{Broker, Home, answer, until};

async fn waiting(broker: &Broker) -> u64 {
    waiting_at(&broker.custodian.store).await
}

/// How many wait, whoever their providers are.
pub(crate) async fn waiting_at(store: &Store) -> u64 {
    store.waiting_revocations().await.expect("an answer").iter().map(|(_, count)| count).sum()
}

async fn end(broker: &Broker, user: &str, query: &str) {
    let listed = answer(broker.request("GET", "/v1/accounts", user)).await;
    let id = listed.body[0]["id"].as_str().expect("an account").to_owned();
    assert_eq!(
        answer(broker.request("DELETE", &format!("/v1/accounts/{id}{query}"), user)).await.status,
        204
    );
}

#[tokio::test]
async fn a_disconnected_account_is_revoked_at_its_provider() {
    for home in Home::all().await {
        let provider = home.provider.clone();
        let broker = home.start().await;
        let refresh = provider.grant();
        broker.connect("ada", &refresh, 3600).await;
        end(&broker, "ada", "").await;
        until(async || waiting(&broker).await == 0).await;
        let revoked = provider.revoked();
        assert_eq!(revoked.len(), 1);
        let (form, authorization) = &revoked[0];
        assert_eq!((form["token"].as_str(), form["client_id"].as_str()), (refresh.as_str(), "client-1"));
        assert_eq!((form["client_secret"].as_str(), authorization), ("s3cret-of-the-client", &None));
    }
}

#[tokio::test]
async fn a_revocation_uses_basic_authentication_if_the_client_does() {
    let mut home = Home::new(&Provider::start().await);
    home.of_provider += "\nauthentication = \"basic\"";
    let broker = home.start().await;
    broker.connect("ada", "refresh-of-ada", 3600).await;
    end(&broker, "ada", "?revoke=true").await;
    until(async || waiting(&broker).await == 0).await;
    let (form, authorization) = home.provider.revoked().remove(0);
    assert!(!form.contains_key("client_secret") && !form.contains_key("client_id"), "{form:?}");
    assert_eq!(authorization.as_deref(), Some("Basic Y2xpZW50LTE6czNjcmV0LW9mLXRoZS1jbGllbnQ="));
}

#[tokio::test]
async fn nothing_is_sent_where_the_caller_wants_none_or_the_provider_revokes_none() {
    let broker = Home::new(&Provider::start().await).start_kept().await;
    let provider = broker.provider();
    broker.connect("ada", &provider.grant(), 3600).await;
    end(&broker, "ada", "?revoke=false").await;
    assert_eq!(waiting(&broker).await, 0);
    let bad = answer(broker.request("DELETE", "/v1/accounts/00?revoke=perhaps", "ada")).await;
    assert_eq!((bad.status, bad.code()), (400, "invalid_request"));

    let mut silent = Home::new(&provider);
    silent.of_provider.clear();
    let broker = silent.start().await;
    broker.connect("grace", &provider.grant(), 3600).await;
    end(&broker, "grace", "").await;
    until(async || waiting(&broker).await == 0).await;
    assert!(provider.revoked().is_empty());
}

#[tokio::test]
async fn a_provider_that_is_away_is_asked_again_after_a_pause() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    provider.revoking(ProviderBehaviour::Overloaded);
    end(&broker, "ada", "").await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.code(), "not_connected");
    until(async || home.number("SELECT COALESCE(MAX(failures), 0) FROM revocations").await == 1).await;
    let left = format!("SELECT MIN(next_attempt_at) - {} FROM revocations", home.now());
    let left = home.number(&left).await;
    assert!((15_000..=30_000).contains(&left), "{left}");
    assert_eq!((provider.revoked().len(), waiting(&broker).await), (1, 1));
    provider.revoking(ProviderBehaviour::Normal);
    // As after the pause.
    home.execute("UPDATE revocations SET next_attempt_at = 0").await;
    broker.custodian.revocations.notify_one();
    until(async || waiting(&broker).await == 0).await;
    assert_eq!(provider.revoked().len(), 2);
    assert_eq!(home.number("SELECT COUNT(*) FROM cells").await, 0, "the token is gone");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_holds_up_no_other() {
    for home in Home::all().await {
        let provider = home.provider.clone();
        // Connections are taken, and nobody reads what comes.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = silent.local_addr().expect("an address");
        let more = format!(
            r#"
            [providers.silent]
            token_endpoint = "{}"
            revocation_endpoint = "http://{address}/revoke"
            client_id = "client-1"
            client_secrets = ["{}/client.secret"]
            "#,
            provider.token_endpoint,
            home.path().display()
        );
        let broker = home.start_resolving(&more, &Lookup::of_system()).await;
        for number in 0..40 {
            broker.connect_at("silent", &format!("user-{number}"), &provider.grant()).await;
        }
        broker.connect("ada", &provider.grant(), 3600).await;
        for number in 0..40 {
            end(&broker, &format!("user-{number}"), "").await;
        }
        end(&broker, "ada", "").await;
        until(async || provider.revoked().len() == 1).await;
        until(async || waiting(&broker).await == 40).await;
    }
}

#[tokio::test]
async fn many_tokens_are_revoked_one_after_another() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    for number in 0..30 {
        broker.connect(&format!("user-{number}"), &provider.grant(), 3600).await;
    }
    for number in 0..30 {
        end(&broker, &format!("user-{number}"), "").await;
    }
    until(async || waiting(&broker).await == 0).await;
    assert_eq!(provider.revoked().len(), 30);
}

#[tokio::test]
async fn what_the_provider_does_not_know_counts_as_revoked() {
    for (status, body) in
        [(400, r#"{"error":"invalid_token"}"#), (400, r#"{"error":"unsupported_token_type"}"#)]
    {
        let provider = Provider::start().await;
        provider.revoking(ProviderBehaviour::Respond(status, body));
        let broker = Home::new(&provider).start_kept().await;
        broker.connect("ada", &provider.grant(), 3600).await;
        end(&broker, "ada", "").await;
        until(async || waiting(&broker).await == 0).await;
        assert_eq!(provider.revoked().len(), 1);
    }
}

#[tokio::test]
async fn a_revocation_is_given_up_after_seven_days() {
    let provider = Provider::start().await;
    provider.revoking(ProviderBehaviour::Respond(503, ""));
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    end(&broker, "ada", "").await;
    until(async || home.number("SELECT COALESCE(MAX(failures), 0) FROM revocations").await == 1).await;
    let week = 7 * 86_400_000;
    let text =
        format!("UPDATE revocations SET created_at = created_at - {week} + 60000, next_attempt_at = 0");
    home.execute(&text).await;
    broker.custodian.revocations.notify_one();
    until(async || home.number("SELECT MAX(failures) FROM revocations").await == 2).await;
    home.execute("UPDATE revocations SET created_at = created_at - 120000, next_attempt_at = 0").await;
    broker.custodian.revocations.notify_one();
    until(async || waiting(&broker).await == 0).await;
    assert_eq!(home.number("SELECT COUNT(*) FROM cells").await, 0);
}

#[tokio::test]
async fn a_new_sign_in_is_not_ended_by_the_end_of_the_old_one() {
    let provider = Provider::start().await;
    provider.revoking(ProviderBehaviour::Overloaded);
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    end(&broker, "ada", "").await;
    until(async || home.number("SELECT COALESCE(MAX(failures), 0) FROM revocations").await == 1).await;
    let next = provider.grant();
    broker.connect("ada", &next, 3600).await;
    provider.revoking(ProviderBehaviour::Normal);
    home.execute("UPDATE revocations SET next_attempt_at = 0").await;
    broker.custodian.revocations.notify_one();
    until(async || waiting(&broker).await == 0).await;
    assert_eq!(provider.revoked().len(), 1, "at some providers it would end the new one too");
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
}

#[tokio::test]
async fn a_token_that_comes_after_the_sign_out_is_revoked_too() {
    let provider = Provider::start().await;
    let held = provider.hold().await;
    // The refresh is answered although its token has been revoked by then.
    provider.revoking(ProviderBehaviour::Respond(200, ""));
    let broker = Home::new(&provider).start_kept().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    let asked = broker.token("ada", json!({"provider": "example"}));
    let ended = async {
        until(async || provider.forms().len() == 1).await;
        end(&broker, "ada", "").await;
        drop(held);
    };
    let (answer, ()) = tokio::join!(asked, ended);
    assert_eq!(answer.code(), "not_connected");
    until(async || provider.revoked().len() == 2 && waiting(&broker).await == 0).await;
    let mut tokens: Vec<String> =
        provider.revoked().into_iter().map(|(form, _)| form["token"].clone()).collect();
    tokens.sort();
    assert_eq!(tokens, ["refresh-1", "refresh-2"]);
}
