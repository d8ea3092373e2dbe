//! By a code that the notebook page seals to the broker.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokentoss_core::sealing::{Binding, PublicKey, Purpose};
use tokentoss_core::{Entropy, Error, ticket};

use super::{begin, home, id_of, view};
use crate::provider::{Granted, Provider};
use crate::running::{Answer, Broker, Home};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT_URI: &str = "http://127.0.0.1:4711/callback";

struct System;

impl Entropy for System {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        getrandom::fill(bytes).expect("random numbers");
        Ok(())
    }
}

/// What the page seals, for a sign-in that has begun.
pub(crate) fn sealed(begun: &Answer, provider: &Provider, authorization: &str) -> String {
    let deposit = &begun.body["deposit"];
    let text = |name: &str| deposit[name].as_str().expect("a text");
    let code = provider.code(Granted {
        subject: "ada".into(),
        nonce: ticket::nonce_for(text("nonce"), "salt"),
        challenge: URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER)),
        redirect_uri: REDIRECT_URI.into(),
    });
    let inside =
        json!({"code": code, "code_verifier": VERIFIER, "redirect_uri": REDIRECT_URI, "salt": "salt"});
    let issuer = deposit["provider"]["issuer"].as_str().expect("an issuer");
    let binding = Binding { ticket_id: authorization, client_id: text("client_id"), issuer };
    let key = PublicKey::from_base64url(text("public_key")).expect("a key");
    key.seal(Purpose::Deposit, binding, inside.to_string().as_bytes(), &mut System).expect("sealed")
}

/// Ada's sign-in by deposit has begun: its broker, its identifier, and what her kernel would bring.
pub(crate) async fn begun(home: &Home) -> (Broker, String, Value) {
    let broker = home.start().await;
    let begun = begin(&broker, "ada", json!({})).await;
    let id = id_of(&begun);
    let brings = json!({"sealed": sealed(&begun, &home.provider, &id)});
    (broker, id, brings)
}

async fn deposit(broker: &Broker, user: &str, id: &str, sealed: &str) -> Answer {
    let path = format!("/v1/authorizations/{id}/deposit");
    broker.post(&path, user, &json!({"sealed": sealed})).await
}

#[tokio::test]
async fn a_deposit_is_redeemed_once() {
    let provider = Provider::start().await;
    let broker = home(&provider, "deposit").start_kept().await;
    let begun = begin(&broker, "ada", json!({"way": "deposit"})).await;
    let id = id_of(&begun);
    assert_eq!(begun.body["url"], Value::Null);
    assert!(!begun.body.to_string().contains("s3cret"), "the client's secret stays here");
    let sealed = sealed(&begun, &provider, &id);
    let done = deposit(&broker, "ada", &id, &sealed).await;
    assert_eq!((done.status, done.body["status"].as_str()), (200, Some("done")), "{done:?}");
    assert_eq!(done.body["account"]["email"], "ada@example.com");
    assert_eq!(deposit(&broker, "ada", &id, &sealed).await.code(), "authorization_expired");
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
    let sent = provider.forms();
    assert_eq!((sent.len(), sent[0]["redirect_uri"].as_str()), (1, REDIRECT_URI));
    assert_eq!(sent[0]["client_secret"], "s3cret-of-the-client");
}

#[tokio::test]
async fn what_does_not_open_uses_nothing_up() {
    let provider = Provider::start().await;
    let broker = home(&provider, "deposit").start_kept().await;
    let (begun, other) = (begin(&broker, "ada", json!({})).await, begin(&broker, "ada", json!({})).await);
    let (id, id_of_other) = (id_of(&begun), id_of(&other));
    let right = sealed(&begun, &provider, &id);
    for junk in [
        "",
        "AAAA",
        &right[..right.len() - 1],
        &sealed(&other, &provider, &id_of_other),
        &sealed(&begun, &provider, "x"),
    ] {
        let refused = deposit(&broker, "ada", &id, junk).await;
        assert_eq!((refused.status, refused.code()), (400, "invalid_request"), "{junk}");
    }
    let huge = deposit(&broker, "ada", &id, &"A".repeat(100_000)).await;
    assert_eq!((huge.status, huge.code()), (413, "request_too_large"));
    assert_eq!(view(&broker, "ada", &id).await.body["status"], "pending");
    assert_eq!(deposit(&broker, "ada", &id, &right).await.body["status"], "done");
}

#[tokio::test]
async fn two_deposits_at_once_redeem_one_code() {
    let provider = Provider::start().await;
    let broker = home(&provider, "deposit").start_kept().await;
    let begun = begin(&broker, "ada", json!({})).await;
    let (id, sealed) = (id_of(&begun), sealed(&begun, &provider, &id_of(&begun)));
    let (one, other) =
        tokio::join!(deposit(&broker, "ada", &id, &sealed), deposit(&broker, "ada", &id, &sealed));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410]);
    assert_eq!(provider.forms().len(), 1);
}

#[tokio::test]
async fn a_code_that_the_provider_refuses_ends_it_and_says_why() {
    let provider = Provider::start().await;
    let broker = home(&provider, "deposit").start_kept().await;
    let begun = begin(&broker, "ada", json!({})).await;
    let id = id_of(&begun);
    let sealed = sealed(&begun, &provider, &id);
    provider.set(crate::provider::ProviderBehaviour::Respond(
        400,
        r#"{"error":"invalid_grant","error_description":"<script>"}"#,
    ));
    let failed = deposit(&broker, "ada", &id, &sealed).await;
    assert_eq!(failed.body["problem"]["code"], "invalid_grant", "{failed:?}");
    assert!(!failed.body.to_string().contains("script"));
}
