//! Connected accounts: listed, chosen, ended.

use serde_json::json;
use tokentoss_broker::refresh::SignedIn;
use tokentoss_broker::store::AccountKey;
use tokentoss_core::Secret;
use tokentoss_custody::Scopes;
use tokentoss_custody::renewal::Tokens;

use crate::provider::Provider;
use crate::running::{Home, answer};

#[tokio::test]
async fn an_account_is_listed_and_ended() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let id = broker.connect("ada", &provider.grant(), 3600).await.to_string();
    let listed = answer(broker.request("GET", "/v1/accounts?provider=example", "ada")).await;
    assert_eq!(listed.body.as_array().map(Vec::len), Some(1));
    let one = &listed.body[0];
    assert_eq!((&one["id"], &one["status"], &one["subject"]), (&json!(id), &json!("active"), &json!("ada")));
    assert_eq!(one["scopes"], json!(["files.read", "profile"]));
    assert_eq!(answer(broker.request("GET", "/v1/accounts?provider=other", "ada")).await.body, json!([]));

    let ended = answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
    assert_eq!(ended.status, 204);
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.code(), "not_connected");
    assert_eq!(answer(broker.request("GET", "/v1/accounts", "ada")).await.body, json!([]));
    let again = answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
    assert_eq!(again.status, 404);
}

#[tokio::test]
async fn a_sign_in_after_the_end_is_a_new_beginning() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    let id = broker.connect("ada", &provider.grant(), 3600).await;
    answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
    broker.connect("ada", &provider.grant(), 3600).await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
}

#[tokio::test]
async fn the_latest_sign_in_names_the_e_mail_address() {
    for home in Home::all().await {
        let broker = home.start().await;
        for (email, shown) in [
            (Some("ada@byron.example"), "ada@byron.example"),
            (Some("ada@lovelace.example"), "ada@lovelace.example"),
            // This one told none.
            (None, "ada@lovelace.example"),
        ] {
            let issuer = "https://as.example";
            let who = SignedIn {
                account: AccountKey {
                    tenant: "acme",
                    user: "ada",
                    provider: "example",
                    issuer,
                    subject: "7",
                },
                email,
                requested: Scopes::read("files.read"),
                id_token_expires_at: None,
            };
            let tokens = Tokens {
                access: Secret::new("access".into()),
                refresh: Some(Secret::new(home.provider.grant())),
                id_token: None,
                expires_in: None,
                scopes: None,
            };
            broker.custodian.connect(&who, &tokens).await.expect("connected");
            let listed = answer(broker.request("GET", "/v1/accounts", "ada")).await;
            assert_eq!(listed.body[0]["email"], json!(shown));
            let named = json!({"provider": "example", "account": shown});
            assert_eq!(broker.token("ada", named).await.status, 200);
        }
    }
}

#[tokio::test]
async fn probes_are_answered_apart() {
    let provider = Provider::start().await;
    let broker = Home::new(&provider).start_kept().await;
    for path in ["livez", "readyz"] {
        let response =
            broker.http.get(format!("http://{}/{path}", broker.admin)).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
    }
    assert_eq!(answer(broker.request("GET", "/livez", "ada")).await.code(), "route_unknown");
}
