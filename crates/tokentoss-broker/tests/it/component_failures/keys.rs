//! The key ring is missing, or of somebody else.

use serde_json::json;
use tokentoss_broker::keys::KeyRing;

use super::{is_active, said, told};
use crate::commands::run;
use crate::revocations::waiting_at;
use crate::running::{Broker, Home, answer, until};

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
        let wrong = with_another_ring(&home).await;
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

/// Starts a broker with a ring that opens nothing of what is there; the right ring is in its place again then.
async fn with_another_ring(home: &Home) -> Broker {
    let ring = home.path().join("keys.toml");
    let kept = std::fs::read(&ring).expect("a ring");
    std::fs::write(&ring, KeyRing::generate("stranger").as_bytes()).expect("written");
    let wrong = home.start().await;
    std::fs::write(&ring, kept).expect("written");
    wrong
}

/// Has each lease that is taken leave a row in `taken`.
async fn count_leases(home: &Home) {
    home.execute("CREATE TABLE taken (id INTEGER)").await;
    let (when, note) = ("WHEN (NEW.lease_owner IS NOT NULL)", "INSERT INTO taken (id) VALUES (1)");
    let trigger = "CREATE TRIGGER is_taken AFTER UPDATE OF lease_owner ON grants FOR EACH ROW";
    if home.database().starts_with("sqlite:") {
        home.execute(&format!("{trigger} {when} BEGIN {note}; END")).await;
    } else {
        let function = "CREATE FUNCTION note_taken() RETURNS trigger LANGUAGE plpgsql AS";
        home.execute(&format!("{function} $$ BEGIN {note}; RETURN NULL; END $$")).await;
        home.execute(&format!("{trigger} {when} EXECUTE FUNCTION note_taken()")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_with_another_ring_claims_nothing_for_long() {
    for home in Home::all().await {
        let broker = home.start().await;
        broker.connect_long_ago("ada", &home.provider.grant()).await;
        broker.stop().await;
        count_leases(&home).await;
        home.execute("UPDATE grants SET refresh_at = 0, renewed_at = used_at").await;
        let (taken, held) =
            ("SELECT COUNT(*) FROM taken", "SELECT COUNT(*) FROM grants WHERE lease_owner IS NOT NULL");
        // Nobody asks for a token: it is the scheduler that finds the grant due.
        let wrong = with_another_ring(&home).await;
        until(async || home.number(taken).await == 1 && home.number(held).await == 0).await;
        assert!(home.provider.forms().is_empty() && is_active(&home).await);
        // The right one's scheduler finds it still due, and free.
        let right = home.start().await;
        until(async || home.provider.forms().len() == 1).await;
        until(async || home.number(held).await == 0).await;
        assert_eq!(home.number(taken).await, 2, "each of them took it once");
        let answer = told(&right).await;
        assert_eq!((answer.status, &answer.body["access_token"]), (200, &json!("access-2")), "{answer:?}");
        assert!(is_active(&home).await);
        wrong.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_with_another_ring_drops_no_token_that_lives() {
    for home in Home::all().await {
        let right = home.start().await;
        let id = right.connect("ada", &home.provider.grant(), 3600).await;
        let wrong = with_another_ring(&home).await;
        let before = right.custodian.store.grant(id).await.expect("an answer").expect("a row").grant;
        for _ in 0..3 {
            assert_eq!(said(&told(&wrong).await), CLOSED);
        }
        let after = right.custodian.store.grant(id).await.expect("an answer").expect("a row").grant;
        assert_eq!((after, home.number("SELECT COUNT(*) FROM cells").await), (before, 2));
        assert_eq!((told(&right).await.status, home.provider.forms().len()), (200, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_waits_for_a_broker_that_can_open_its_token() {
    for home in Home::all().await {
        let right = home.start().await;
        right.connect("ada", &home.provider.grant(), 3600).await;
        let wrong = with_another_ring(&home).await;
        right.stop().await;
        let listed = answer(wrong.request("GET", "/v1/accounts", "ada")).await;
        let id = listed.body[0]["id"].as_str().expect("an account").to_owned();
        let ended = answer(wrong.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
        assert_eq!(ended.status, 204);
        let failures = "SELECT COALESCE(MAX(failures), 0) FROM revocations";
        until(async || home.number(failures).await == 1).await;
        // Longer than a provider's refusal would be believed.
        home.execute("UPDATE revocations SET created_at = 0, next_attempt_at = 0").await;
        wrong.custodian.revocations.notify_one();
        until(async || home.number(failures).await == 2).await;
        assert_eq!(home.number("SELECT COUNT(*) FROM cells").await, 1, "nothing was deleted");
        wrong.stop().await;
        home.execute("UPDATE revocations SET next_attempt_at = 0").await;
        let right = home.start().await;
        until(async || waiting_at(&right.custodian.store).await == 0).await;
        assert_eq!(home.provider.revoked().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_succeeds_whose_token_is_lost() {
    for home in Home::all().await {
        let broker = home.start().await;
        let id = broker.connect("ada", &home.provider.grant(), 3600).await;
        home.execute("DELETE FROM cells").await;
        let ended = answer(broker.request("DELETE", &format!("/v1/accounts/{id}"), "ada")).await;
        assert_eq!(ended.status, 204);
        assert_eq!(told(&broker).await.code(), "not_connected");
        assert_eq!(waiting_at(&broker.custodian.store).await, 0);
    }
}
