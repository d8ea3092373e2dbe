//! The key ring is missing, or of somebody else.

use serde_json::json;
use tokentoss_broker::keys::KeyRing;

use super::{is_active, said, told};
use crate::commands::run;
use crate::running::{Home, until};

const CLOSED: (u16, &str, &str) =
    (500, "key_unavailable", "Stored tokens cannot be opened. Ask the broker's administrator.");

#[tokio::test]
async fn without_a_ring_nothing_starts() {
    for home in Home::all().await {
        let (ring, config) = (home.path().join("keys.toml"), home.configuration(""));
        std::fs::remove_file(&ring).expect("removed");
        let started = run(&config, &["serve"]).await;
        assert_eq!(started.status.code(), Some(1));
        let said = String::from_utf8(started.stderr).expect("text");
        assert!(said.starts_with("tokentoss-broker: ") && said.lines().count() == 1, "{said}");
        let (file, reason) = (ring.display().to_string(), "No such file or directory (os error 2)");
        assert!(said.contains(&file) && said.contains(reason), "{said}");
        assert!(!home.path().join("broker.sqlite").exists(), "nothing was made");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_brokers_with_different_rings_and_no_grant_is_lost() {
    for home in Home::all().await {
        let right = home.start().await;
        right.connect_long_ago("ada", &home.provider.grant()).await;
        let ring = home.path().join("keys.toml");
        let kept = std::fs::read(&ring).expect("a ring");
        std::fs::write(&ring, KeyRing::generate("stranger").as_bytes()).expect("written");
        let wrong = home.start().await;
        std::fs::write(&ring, kept).expect("written");
        // Both schedulers find it due as well.
        home.execute("UPDATE grants SET refresh_at = 0").await;
        for _ in 0..5 {
            let (one, other) = tokio::join!(told(&wrong), told(&right));
            assert_eq!((said(&one), one.body.get("retry_after")), (CLOSED, None));
            assert_eq!(other.status, 200, "{other:?}");
        }
        home.execute("UPDATE grants SET refresh_at = 0, used_at = renewed_at").await;
        let sent = home.provider.forms().len();
        until(async || home.provider.forms().len() > sent).await;
        until(async || home.number("SELECT COUNT(*) FROM grants WHERE lease_until IS NOT NULL").await == 0)
            .await;
        assert!(is_active(&home).await);
        right.stop().await;
        // With the right ring again, all is as it was.
        wrong.stop().await;
        let again = home.start().await;
        assert_eq!((told(&again).await.status, is_active(&home).await), (200, true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_with_another_ring_claims_nothing_for_long() {
    let home = Home::all().await.remove(0);
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    broker.stop().await;
    let ring = home.path().join("keys.toml");
    let kept = std::fs::read(&ring).expect("a ring");
    std::fs::write(&ring, KeyRing::generate("stranger").as_bytes()).expect("written");
    let wrong = home.start().await;
    home.execute("UPDATE grants SET refresh_at = 0").await;
    // It has looked when it has given the lease back: the statement that does so raises no version.
    until(async || wrong.custodian.store.now().await.is_ok() && told(&wrong).await.status == 500).await;
    std::fs::write(&ring, kept).expect("written");
    let right = home.start().await;
    let answer =
        tokio::time::timeout(std::time::Duration::from_secs(5), told(&right)).await.expect("at once");
    assert_eq!((answer.status, &answer.body["access_token"]), (200, &json!("access-2")), "{answer:?}");
    assert!(is_active(&home).await);
}
