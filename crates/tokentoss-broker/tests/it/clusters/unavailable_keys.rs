//! Keys that change, and keys that cannot be read.

use serde_json::json;

use super::{Cluster, Signer, claims, list};
use crate::provider::Provider;
use crate::running::{Broker, Home};

const ACCOUNTS: &str = r#"
[[clusters.prod.service_accounts]]
namespace = "jupyter"
tenant = "acme"
user = "ada"
"#;

async fn broker(lines: &str) -> Broker {
    Home::new(&Provider::start().await).start_kept_with(lines).await
}

async fn status(broker: &Broker, signer: &Signer) -> (u16, String) {
    let answer = list(broker, &signer.token(&claims("jupyter", "default"))).await;
    (answer.status, answer.code().to_owned())
}

fn away() -> (u16, String) {
    (503, "cluster_unavailable".to_owned())
}

fn unknown() -> (u16, String) {
    (401, "caller_unauthenticated".to_owned())
}

const GOOD: (u16, String) = (200, String::new());

#[tokio::test]
async fn one_reading_for_a_hundred_callers() {
    let signer = Signer::p256("first");
    let cluster = Cluster::publishing(&[&signer]).await;
    let broker = broker(&cluster.lines("prod", ACCOUNTS)).await;
    assert_eq!(cluster.asked(), 0);
    let all = (0..100).map(|_| status(&broker, &signer));
    assert!(futures_util::future::join_all(all).await.iter().all(|status| *status == GOOD));
    assert_eq!(cluster.asked(), 1);
    assert_eq!(cluster.shown(), None);
}

#[tokio::test]
async fn a_hundred_callers_share_a_reading_that_fails() {
    let signer = Signer::p256("first");
    let cluster = Cluster::publishing(&[&signer]).await;
    cluster.says(500, "");
    let broker = broker(&cluster.lines("prod", ACCOUNTS)).await;
    let all = (0..100).map(|_| status(&broker, &signer));
    assert!(futures_util::future::join_all(all).await.iter().all(|status| *status == away()));
    assert!(cluster.asked() < 20, "{}", cluster.asked());
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_no_refusal() {
    let signer = Signer::p256("first");
    let cluster = Cluster::publishing(&[&signer]).await;
    let elsewhere = Cluster::publishing(&[&signer]).await;
    let broker = broker(&cluster.lines("prod", ACCOUNTS)).await;
    let good = json!({"keys": [signer.jwk()]}).to_string();
    let secret = json!({"keys": [{"kty": "oct", "kid": "first", "k": "c2VjcmV0"}]}).to_string();
    let mut encrypts = signer.jwk();
    encrypts["use"] = json!("enc");
    let encrypts = json!({"keys": [encrypts]}).to_string();
    let mut weak = Signer::rsa("first").jwk();
    weak["n"] = json!("uMnX9w");
    let weak = json!({"keys": [weak]}).to_string();
    let huge = format!("{}{}", good, " ".repeat(300_000));
    for (code, body) in [
        (500, ""),
        (404, good.as_str()),
        (204, ""),
        (302, elsewhere.jwks_url.as_str()),
        (200, "<html><body>Sign in to the network</body></html>"),
        (200, ""),
        (200, "{}"),
        (200, "[]"),
        (200, "{\"keys\":[]}"),
        (200, &good[..good.len() - 1]),
        (200, huge.as_str()),
        (200, secret.as_str()),
        (200, encrypts.as_str()),
        (200, weak.as_str()),
    ] {
        cluster.says(code, body);
        let answer = list(&broker, &signer.token(&claims("jupyter", "default"))).await;
        assert_eq!((answer.status, answer.code()), (503, "cluster_unavailable"), "{code}");
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert_eq!(elsewhere.asked(), 0, "no redirect is followed");
    cluster.publishes(&[&signer]);
    assert_eq!(status(&broker, &signer).await, GOOD, "nothing of it is remembered");
    cluster.says(500, "");
    assert_eq!(status(&broker, &signer).await, GOOD, "the last good set counts while the place is away");
    let new = Signer::p256("second");
    assert_eq!(status(&broker, &new).await, away(), "nobody knows whether it is a key");
    assert_eq!(status(&broker, &signer).await, GOOD);
}

#[tokio::test]
async fn keys_are_replaced_and_invented_ones_cause_no_flood() {
    let (first, second) = (Signer::p256("first"), Signer::rsa("second"));
    let cluster = Cluster::publishing(&[&first]).await;
    let broker = broker(&cluster.lines("prod", ACCOUNTS)).await;
    assert_eq!(status(&broker, &first).await, GOOD);
    cluster.publishes(&[&second]);
    assert_eq!(status(&broker, &second).await, GOOD, "a new key is found at once");
    assert_eq!(cluster.asked(), 2);
    assert_eq!(status(&broker, &first).await, unknown(), "a key that was taken out counts no more");
    let invented: Vec<Signer> = (0..20).map(|number| Signer::p256(&format!("invented-{number}"))).collect();
    let all = invented.iter().map(|signer| status(&broker, signer));
    assert!(futures_util::future::join_all(all).await.iter().all(|status| *status == unknown()));
    assert_eq!(cluster.asked(), 2, "one reading a minute");
    assert_eq!(status(&broker, &second).await, GOOD);
}

#[tokio::test]
async fn an_unavailable_cluster_does_not_delay_another_with_the_same_issuer() {
    let signer = Signer::p256("first");
    let cluster = Cluster::publishing(&[&signer]).await;
    // It takes connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = silent.local_addr().expect("an address");
    let lines = format!(
        "[clusters.away]\nissuer = \"{}\"\naudience = \"tokentoss\"\njwks_url = \"http://{address}/keys\"\n{}\n{}",
        super::ISSUER,
        ACCOUNTS.replace("prod", "away"),
        cluster.lines("prod", ACCOUNTS)
    );
    let broker = broker(&lines).await;
    // The broker gives the silent one five seconds.
    let prompt =
        async |signer| tokio::time::timeout(std::time::Duration::from_secs(4), status(&broker, signer)).await;
    assert_eq!(prompt(&signer).await.ok(), Some(GOOD), "the first answer counts");
    for _ in 0..10 {
        assert_eq!(prompt(&signer).await.ok(), Some(GOOD));
    }
    assert_eq!(status(&broker, &Signer::p256("invented")).await, away(), "one of them might know it");
}

#[tokio::test]
async fn keys_of_a_file() {
    let home = Home::new(&Provider::start().await);
    let (first, second) = (Signer::rsa("first"), Signer::p256("second"));
    let file = home.path().join("jwks.json");
    let lines = format!(
        "[clusters.prod]\nissuer = \"{}\"\naudience = \"tokentoss\"\njwks = {file:?}\n{ACCOUNTS}",
        super::ISSUER
    );
    let broker = home.start_kept_with(&lines).await;
    assert_eq!(status(&broker, &first).await, away());
    std::fs::write(&file, "x".repeat(300_000)).expect("written");
    assert_eq!(status(&broker, &first).await, away());
    std::fs::write(&file, json!({"keys": [first.jwk()]}).to_string()).expect("written");
    assert_eq!(status(&broker, &first).await, GOOD);
    std::fs::write(&file, json!({"keys": [first.jwk(), second.jwk()]}).to_string()).expect("written");
    assert_eq!(status(&broker, &second).await, GOOD);
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(status(&broker, &first).await, GOOD);
}

#[tokio::test]
async fn the_place_is_shown_its_token_as_it_is_now() {
    let home = Home::new(&Provider::start().await);
    let signer = Signer::p256("first");
    let cluster = Cluster::publishing(&[&signer]).await;
    let file = home.path().join("own.token");
    let lines = cluster.lines("prod", &format!("jwks_token = {file:?}\n{ACCOUNTS}"));
    let broker = home.start_kept_with(&lines).await;
    assert_eq!(status(&broker, &signer).await, away(), "the file is missing");
    assert_eq!(cluster.asked(), 0);
    std::fs::write(&file, "the-first-token\n").expect("written");
    assert_eq!(status(&broker, &signer).await, GOOD);
    assert_eq!(cluster.shown().as_deref(), Some("Bearer the-first-token"));
    std::fs::write(&file, "the-second-token\n").expect("written");
    assert_eq!(status(&broker, &Signer::p256("invented")).await, unknown());
    assert_eq!(cluster.shown().as_deref(), Some("Bearer the-second-token"));
}
