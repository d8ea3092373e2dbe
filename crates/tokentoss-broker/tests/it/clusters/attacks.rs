//! Tokens that no cluster issued, or not for this broker. All are answered as an unknown key is.

use std::net::TcpListener;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::{Value, json};

use super::{Cluster, Signer, claims, list, now};
use crate::provider::Provider;
use crate::running::{Broker, Home, answer};

const ACCOUNTS: &str = r#"
[[clusters.prod.service_accounts]]
namespace = "jupyter"
tenant = "acme"
user = "ada"
"#;

/// A broker that knows both keys of a cluster.
async fn broker(rsa: &Signer, p256: &Signer) -> (Broker, Cluster) {
    let provider = Provider::start().await;
    let cluster = Cluster::publishing(&[rsa, p256]).await;
    let broker = Home::new(&provider).start_kept_with(&cluster.lines("prod", ACCOUNTS)).await;
    for signer in [rsa, p256] {
        assert_eq!(list(&broker, &signer.token(&good())).await.status, 200);
    }
    (broker, cluster)
}

fn good() -> Value {
    claims("jupyter", "default")
}

async fn refused(broker: &Broker, token: &str, what: &str) {
    let unknown = answer(broker.http.get(broker.url("/v1/accounts")).bearer_auth("unknown")).await;
    assert_eq!((unknown.status, unknown.code()), (401, "caller_unauthenticated"));
    let refused = list(broker, token).await;
    assert_eq!((refused.status, refused.body), (401, unknown.body), "{what}");
}

fn parts(header: &Value, claims: &Value) -> String {
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", text(header), text(claims))
}

#[tokio::test]
async fn the_key_decides_the_algorithm() {
    let (rsa, p256) = (Signer::rsa("rsa"), Signer::p256("p256"));
    let (broker, _cluster) = broker(&rsa, &p256).await;
    for signer in [&rsa, &p256] {
        for algorithm in
            ["none", "None", "NONE", "", "HS256", "RS384", "RS512", "PS256", "ES384", "EdDSA", "rs256"]
        {
            let header = json!({"alg": algorithm, "kid": signer.id});
            let message = parts(&header, &good());
            refused(&broker, &format!("{message}."), algorithm).await;
            refused(&broker, &signer.signed(&header.to_string(), &good().to_string()), algorithm).await;
        }
        // What is public must not count as the secret of an HMAC.
        let jwk = signer.jwk();
        let secrets = ["n", "x", "kid"].map(|member| jwk[member].as_str().unwrap_or_default().to_owned());
        let decoded = secrets.iter().filter_map(|text| URL_SAFE_NO_PAD.decode(text).ok()).collect::<Vec<_>>();
        let secrets = secrets.iter().map(|text| text.as_bytes().to_vec()).chain(decoded);
        for secret in secrets.chain([jwk.to_string().into_bytes(), Vec::new()]) {
            let message = parts(&json!({"alg": "HS256", "kid": signer.id}), &good());
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
            refused(&broker, &format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag)), "HS256").await;
        }
    }
    // Each key under the name of the other one, and with its algorithm.
    for (signer, other) in [(&rsa, &p256), (&p256, &rsa)] {
        for algorithm in ["RS256", "ES256"] {
            let header = json!({"alg": algorithm, "kid": other.id});
            refused(&broker, &signer.signed(&header.to_string(), &good().to_string()), algorithm).await;
        }
    }
}

#[tokio::test]
async fn only_the_clusters_keys_sign() {
    let (rsa, p256) = (Signer::rsa("rsa"), Signer::p256("p256"));
    let (broker, cluster) = broker(&rsa, &p256).await;
    let stranger = Signer::p256("p256");
    refused(&broker, &stranger.token(&good()), "another key of the same name").await;
    let evil = Cluster::publishing(&[&stranger]).await;
    for more in [
        json!({"jwk": stranger.jwk()}),
        json!({"jku": evil.jwks_url}),
        json!({"x5u": evil.jwks_url}),
        json!({"x5c": [STANDARD.encode("certificate")]}),
    ] {
        let mut header = stranger.header();
        header.as_object_mut().expect("a header").extend(more.as_object().expect("members").clone());
        refused(&broker, &stranger.signed(&header.to_string(), &good().to_string()), "keys in the token")
            .await;
    }
    assert_eq!(evil.asked(), 0, "no token names an address that is asked");
    let asked = cluster.asked();
    for (header, what) in [
        (json!({"alg": "ES256"}), "no kid"),
        (json!({"alg": "ES256", "kid": ""}), "an empty kid"),
        (json!({"alg": "ES256", "kid": ["p256"]}), "a kid that is no text"),
        (json!({"alg": "ES256", "kid": "../p256"}), "a kid that is a path"),
        (json!({"alg": "ES256", "kid": "p256", "crit": ["exp"]}), "what must be understood"),
        (json!({"alg": "ES256", "kid": "p256", "crit": []}), "what must be understood"),
    ] {
        refused(&broker, &p256.signed(&header.to_string(), &good().to_string()), what).await;
    }
    assert!(cluster.asked() <= asked + 1, "invented identifiers cause one reading");
}

#[tokio::test]
async fn changed_tokens_are_refused() {
    let (rsa, p256) = (Signer::rsa("rsa"), Signer::p256("p256"));
    let (broker, _cluster) = broker(&rsa, &p256).await;
    for signer in [&rsa, &p256] {
        let token = signer.token(&good());
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let (header, payload) = message.split_once('.').expect("three parts");
        let other = URL_SAFE_NO_PAD.encode(claims("jupyter", "another").to_string());
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        bytes[7] ^= 1;
        let flipped = URL_SAFE_NO_PAD.encode(&bytes);
        for (forged, what) in [
            (format!("{header}.{other}.{signature}"), "other claims"),
            (format!("{header}.{payload}.{flipped}"), "a flipped bit"),
            (format!("{header}.{payload}."), "no signature"),
            (format!("{header}.{payload}.{}", &signature[..20]), "half a signature"),
            (format!("{header}.{payload}.{signature}="), "padding"),
            (format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(vec![0; 64])), "zeros"),
            (format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(vec![0; 256])), "zeros"),
            (format!("{header}.{payload}"), "two parts"),
            (format!("{token}.{signature}"), "four parts"),
            (format!("{header}..{signature}"), "no claims"),
            (format!("{header}.{payload}.{signature}A"), "a longer signature"),
        ] {
            refused(&broker, &forged, what).await;
        }
    }
    let text = good().to_string();
    let twice = text.replacen('{', "{\"sub\":\"system:serviceaccount:jupyter:default\",", 1);
    refused(&broker, &p256.signed(&p256.header().to_string(), &twice), "a member twice").await;
    for payload in ["", "[]", "null", "{}", "\"text\"", "{", "<html>"] {
        refused(&broker, &p256.signed(&p256.header().to_string(), payload), payload).await;
    }
    let long = "x".repeat(9000);
    let mut huge = good();
    huge["more"] = json!(long);
    refused(&broker, &p256.token(&huge), "a token of 12 KB").await;
}

#[tokio::test]
async fn tokens_with_other_audience_issuer_or_lifetime_are_refused() {
    let (rsa, p256) = (Signer::rsa("rsa"), Signer::p256("p256"));
    let (broker, _cluster) = broker(&rsa, &p256).await;
    let account = |namespace: &str, name: &str| format!("system:serviceaccount:{namespace}:{name}");
    for (member, value) in [
        ("aud", json!(["https://kubernetes.default.svc.cluster.local"])),
        ("aud", json!("tokentoss2")),
        ("aud", json!(["Tokentoss", "tokentoss "])),
        ("aud", json!([])),
        ("aud", json!([["tokentoss"]])),
        ("aud", json!({"tokentoss": true})),
        ("iss", json!("https://kubernetes.default.svc.cluster.local/")),
        ("iss", json!("https://evil.example")),
        ("iss", json!(["https://kubernetes.default.svc.cluster.local"])),
        ("iss", json!("kubernetes/serviceaccount")),
        ("exp", json!(now() - 3600)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!((now() + 600).to_string())),
        ("exp", json!(1e300)),
        ("nbf", json!(now() + 3600)),
        ("nbf", json!("0")),
        ("sub", json!(account("jupyter", "admin"))),
        ("sub", json!(account("other", "default"))),
        ("sub", json!("system:node:jupyter:default")),
        ("sub", json!("jupyter:default")),
        ("sub", json!("")),
        ("kubernetes.io", json!({"namespace": "jupyter"})),
        ("kubernetes.io", json!({"namespace": "jupyter", "serviceaccount": {"name": "default"}})),
        ("kubernetes.io", json!({"namespace": "jupyter", "serviceaccount": {"name": "default", "uid": ""}})),
        ("kubernetes.io", json!({"namespace": "jupyter", "serviceaccount": {"name": "admin", "uid": "1"}})),
        ("kubernetes.io", json!({"namespace": "other", "serviceaccount": {"name": "default", "uid": "1"}})),
        ("kubernetes.io", json!("jupyter")),
    ] {
        let mut changed = good();
        changed[member] = value.clone();
        refused(&broker, &p256.token(&changed), &format!("{member}: {value}")).await;
    }
    for member in ["aud", "iss", "exp", "sub", "kubernetes.io"] {
        let mut without = good();
        without.as_object_mut().expect("claims").remove(member);
        refused(&broker, &p256.token(&without), member).await;
    }
    for (namespace, name) in [
        ("other", "default"),
        ("jupyter2", "default"),
        ("Jupyter", "default"),
        ("", "default"),
        ("jupyter", ""),
        ("jupyter", "a:b"),
        ("jupyter", "../ada"),
        ("jupyter", "a/b"),
        ("jupyter:default", "x"),
        ("jupyter", "a\nb"),
        ("jupyter", "-a"),
    ] {
        refused(&broker, &p256.token(&claims(namespace, name)), &format!("{namespace}/{name}")).await;
    }
    // A token of the kind before projected ones: it never ends.
    let legacy = json!({
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "jupyter",
        "kubernetes.io/serviceaccount/service-account.name": "default",
        "sub": account("jupyter", "default"),
    });
    refused(&broker, &p256.token(&legacy), "a legacy token").await;
}

#[tokio::test]
async fn no_hub_is_shown_a_clusters_token() {
    let provider = Provider::start().await;
    let signer = Signer::p256("first");
    let cluster = Cluster::publishing(&[&signer]).await;
    let hub = TcpListener::bind("127.0.0.1:0").expect("a port");
    hub.set_nonblocking(true).expect("changed");
    let address = hub.local_addr().expect("an address");
    let lines =
        cluster.lines("prod", ACCOUNTS) + &format!("[hubs.lab]\napi_url = \"http://{address}/hub/api\"\n");
    let broker = Home::new(&provider).start_kept_with(&lines).await;
    let mut foreign = good();
    foreign["iss"] = json!("https://elsewhere.example");
    for token in [signer.token(&foreign), Signer::p256("first").token(&good()), "eyJ.eyJ.x".to_owned()] {
        let refused = list(&broker, &token).await;
        assert_eq!((refused.status, refused.code()), (401, "caller_unauthenticated"));
    }
    let kind = hub.accept().expect_err("nobody asked the hub").kind();
    assert_eq!(kind, std::io::ErrorKind::WouldBlock);
}
