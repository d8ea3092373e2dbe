//! A Kubernetes cluster as the broker sees it: keys that are published, and tokens that they sign.

mod attacks;
mod service_accounts;
mod settings;
mod unavailable_keys;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair as RsaKeyPair, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::running::{Answer, Broker, answer};

/// The issuer that is usual within clusters.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// A key of a cluster.
pub(crate) struct Signer {
    pub(crate) id: String,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl Signer {
    /// A fresh key on P-256.
    pub(crate) fn p256(id: &str) -> Self {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
        Self { id: id.to_owned(), key: Key::P256(key.expect("a key")) }
    }

    /// The RSA key of the tests.
    pub(crate) fn rsa(id: &str) -> Self {
        let text: String = include_str!("rsa_key.b64").split_whitespace().collect();
        let document = STANDARD.decode(text).expect("base64");
        Self { id: id.to_owned(), key: Key::Rsa(RsaKeyPair::from_pkcs8(&document).expect("a key")) }
    }

    /// What the cluster publishes of it.
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.key {
            Key::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"use": "sig", "kty": "RSA", "kid": self.id, "alg": "RS256", "n": text(&public.n), "e": text(&public.e)})
            }
            Key::P256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (text(&point[1..33]), text(&point[33..]));
                json!({"use": "sig", "kty": "EC", "kid": self.id, "crv": "P-256", "alg": "ES256", "x": x, "y": y})
            }
        }
    }

    pub(crate) fn header(&self) -> Value {
        let algorithm = if matches!(self.key, Key::Rsa(_)) { "RS256" } else { "ES256" };
        json!({"alg": algorithm, "kid": self.id})
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.signed(&self.header().to_string(), &claims.to_string())
    }

    /// A token with this header.
    pub(crate) fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.signature(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("signed");
                signature
            }
            Key::P256(pair) => pair.sign(&random, message).expect("signed").as_ref().to_vec(),
        }
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The claims that Kubernetes gives to a pod of a service account.
pub(crate) fn claims(namespace: &str, name: &str) -> Value {
    json!({
        "aud": ["tokentoss"],
        "exp": now() + 600,
        "iat": now(),
        "iss": ISSUER,
        "jti": "5b0b9e6a-0000-4000-8000-000000000000",
        "kubernetes.io": {
            "namespace": namespace,
            "node": {"name": "node-1", "uid": "5b0b9e6a-0000-4000-8000-000000000001"},
            "pod": {"name": "pod-1", "uid": "5b0b9e6a-0000-4000-8000-000000000002"},
            "serviceaccount": {"name": name, "uid": "5b0b9e6a-0000-4000-8000-000000000003"},
        },
        "nbf": now(),
        "sub": format!("system:serviceaccount:{namespace}:{name}"),
    })
}

/// Where a cluster publishes its keys.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) jwks_url: String,
    says: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
    shown: Arc<Mutex<Option<String>>>,
}

impl Cluster {
    pub(crate) async fn publishing(keys: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let cluster = Self {
            jwks_url: format!("http://{address}/openid/v1/jwks"),
            says: Arc::default(),
            asked: Arc::default(),
            shown: Arc::default(),
        };
        cluster.publishes(keys);
        let router = Router::new().fallback(jwks).with_state(cluster.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        cluster
    }

    pub(crate) fn publishes(&self, keys: &[&Signer]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.says(200, &json!({"keys": keys}).to_string());
    }

    pub(crate) fn says(&self, status: u16, body: &str) {
        *self.says.lock().expect("not poisoned") = (status, body.to_owned());
    }

    /// How often the keys were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What was shown last in `Authorization`.
    pub(crate) fn shown(&self) -> Option<String> {
        self.shown.lock().expect("not poisoned").clone()
    }

    /// Its lines in the configuration.
    pub(crate) fn lines(&self, name: &str, accounts: &str) -> String {
        format!(
            "[clusters.{name}]\nissuer = \"{ISSUER}\"\naudience = \"tokentoss\"\njwks_url = \"{}\"\n{accounts}\n",
            self.jwks_url
        )
    }
}

async fn jwks(State(cluster): State<Cluster>, headers: HeaderMap) -> (StatusCode, HeaderMap, String) {
    cluster.asked.fetch_add(1, Ordering::SeqCst);
    let shown = headers.get("authorization").map(|value| value.to_str().expect("text").to_owned());
    *cluster.shown.lock().expect("not poisoned") = shown;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (status, body) = cluster.says.lock().expect("not poisoned").clone();
    let mut headers = HeaderMap::new();
    if status == 302 {
        headers.insert("location", body.parse().expect("a header"));
    }
    (StatusCode::from_u16(status).expect("a status"), headers, body)
}

/// Asks with a token for the list of accounts.
pub(crate) async fn list(broker: &Broker, token: &str) -> Answer {
    answer(broker.http.get(broker.url("/v1/accounts")).bearer_auth(token)).await
}
