//! New keys for what is stored, beside brokers that run and callers that ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::json;
use tokentoss_broker::keys::{Key, KeyRing};
use tokentoss_broker::store::{GrantFilter, Store};

use crate::commands::{out, run};
use crate::provider::Provider;
use crate::running::{Broker, Home};

/// A ring with the keys of the old one and a new primary.
fn turn_ring(home: &Home) {
    let path = home.folder.path().join("keys.toml");
    let old = std::fs::read_to_string(&path).expect("a ring");
    let fresh = KeyRing::generate("second");
    let line = fresh.lines().last().expect("a key");
    let turned = old.replace("primary = \"first\"", "primary = \"second\"");
    std::fs::write(&path, format!("{turned}{line}\n")).expect("written");
}

async fn store(home: &Home) -> Store {
    Store::open(&home.database()).await.expect("a store")
}

async fn ask(broker: &Broker, user: &str) -> u16 {
    broker.token(user, json!({"provider": "example"})).await.status
}

#[tokio::test]
async fn data_keys_are_wrapped_anew_and_the_old_ring_key_can_go() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    turn_ring(&home);
    let config = home.configuration("");
    let first = run(&config, &["rekey"]).await;
    assert!(first.status.success() && out(&first).starts_with("1 tenants' data keys"), "{first:?}");
    assert!(out(&run(&config, &["rekey"]).await).starts_with("0 tenants' data keys"), "twice is once");
    assert_eq!(ask(&broker, "ada").await, 200, "a broker that runs notices nothing");
    broker.stop().await;
    let path = home.folder.path().join("keys.toml");
    let ring = std::fs::read_to_string(&path).expect("a ring");
    let without: Vec<&str> = ring.lines().filter(|line| !line.starts_with("\"first\"")).collect();
    std::fs::write(&path, without.join("\n")).expect("written");
    let broker = home.start().await;
    assert_eq!(ask(&broker, "ada").await, 200, "the first key is needed no more");
}

#[tokio::test]
async fn without_the_old_ring_key_nothing_is_changed() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let before = store(&home).await.data_key("acme").await.expect("an answer");
    let path = home.folder.path().join("keys.toml");
    std::fs::write(&path, KeyRing::generate("second").as_bytes()).expect("written");
    let failed = run(&home.configuration(""), &["rekey", "--cells", "--settle-seconds", "0"]).await;
    assert!(!failed.status.success());
    assert_eq!(store(&home).await.data_key("acme").await.expect("an answer"), before);
}

#[tokio::test]
async fn tenants_before_one_that_does_not_open_are_done() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    broker.stop().await;
    let before = store(&home).await.data_key("acme").await.expect("an answer");
    let foreign = KeyRing::read(&KeyRing::generate("first")).expect("a ring");
    let wrapped = foreign.wrap(&Key::generate(), "zebra");
    store(&home).await.add_tenant("zebra", &wrapped).await.expect("added");
    turn_ring(&home);
    let failed = run(&home.configuration(""), &["rekey"]).await;
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(
        !failed.status.success() && said.contains("the data key of tenant zebra cannot be opened"),
        "{said}"
    );
    assert_ne!(store(&home).await.data_key("acme").await.expect("an answer"), before);
    let page = include_str!("../../../../docs/broker/operations.md");
    assert!(page.contains("`rekey` writes: it ends at the first tenant whose data key does not open"));
}

#[tokio::test]
async fn cells_are_sealed_anew_while_others_write_and_none_is_lost() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let brokers = [home.start().await, home.start().await];
    let users: Vec<String> = (0..20).map(|number| format!("user-{number}")).collect();
    for user in &users {
        // Each demand renews: tokens of a second are never old enough to be kept.
        brokers[0].connect(user, &provider.grant(), 1).await;
    }
    provider.life(1);
    let config = home.configuration("");
    let (is_over, count) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let writing = async {
        while !is_over.load(Ordering::Relaxed) {
            for (index, user) in users.iter().enumerate() {
                let answer = brokers[index % 2].token(user, json!({"provider": "example"})).await;
                assert!([200, 429, 503].contains(&answer.status), "{answer:?}");
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let rekeying = async {
        let mut resealed = Vec::new();
        for _ in 0..3 {
            let output = run(&config, &["rekey", "--cells", "--settle-seconds", "0"]).await;
            assert!(output.status.success(), "{output:?}");
            resealed.push(out(&output));
        }
        is_over.store(true, Ordering::Relaxed);
        resealed
    };
    let ((), resealed) = tokio::join!(writing, rekeying);
    assert!(resealed[0].contains("1 tenants have a fresh data key"), "{resealed:?}");
    assert!(count.load(Ordering::Relaxed) > 0);
    // What was sealed by a former key meanwhile is still readable, and the next run seals it anew.
    let last = run(&config, &["rekey", "--forget"]).await;
    assert!(last.status.success() && out(&last).contains("0 former data keys dropped"), "{last:?}");
    let store = store(&home).await;
    let ids = store.grants_after(&GrantFilter::default(), None, 100).await.expect("an answer");
    for id in &ids {
        let row = store.grant(*id).await.expect("an answer").expect("a row");
        assert_eq!(row.grant.status.name(), "active", "{:?}", row.grant.status);
        assert!(row.grant.refresh.is_some());
    }
    assert_eq!(ids.len(), users.len());
    provider.life(3600);
    for broker in brokers {
        broker.stop().await;
    }
    let broker = home.start().await;
    for user in &users {
        let row = broker.custodian.store.grant(broker.connect(user, &provider.grant(), 3600).await).await;
        assert!(row.is_ok());
        assert_eq!(ask(&broker, user).await, 200);
    }
}

#[tokio::test]
async fn an_interrupted_renewal_goes_on_where_it_ended() {
    let provider = Provider::start().await;
    let home = Home::new(&provider);
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    let config = home.configuration("");
    // It waits for brokers to learn of the key, and ends there.
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tokentoss-broker"));
    command.arg("--config").arg(&config).args(["rekey", "--cells", "--settle-seconds", "600"]);
    let mut child = command.stdout(std::process::Stdio::null()).spawn().expect("it runs");
    let store = store(&home).await;
    let before = store.data_key("acme").await.expect("an answer").expect("a key").len();
    let mut length = before;
    while length == before {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        length = store.data_key("acme").await.expect("an answer").expect("a key").len();
    }
    child.kill().await.expect("killed");
    assert_eq!(ask(&broker, "ada").await, 200);
    let again = run(&config, &["rekey", "--cells", "--settle-seconds", "0"]).await;
    assert!(again.status.success() && out(&again).contains("2 cells sealed anew"), "{again:?}");
    let after = store.data_key("acme").await.expect("an answer").expect("a key").len();
    assert_eq!(after, length, "no third key");
    assert_eq!(ask(&broker, "ada").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_fails_during_a_key_rotation() {
    for home in Home::all().await {
        let brokers = [home.start().await, home.start().await];
        let users: Vec<String> = (0..300).map(|number| format!("user-{number}")).collect();
        for user in &users {
            brokers[0].connect(user, &home.provider.grant(), 3600).await;
        }
        let config = home.configuration("");
        let is_over = AtomicBool::new(false);
        let reading = async |broker: &Broker| {
            let mut took = Vec::new();
            // The first round at least, in which nothing is kept.
            while !is_over.load(Ordering::Relaxed) || took.len() < users.len() {
                for user in &users {
                    let began = Instant::now();
                    let answer = broker.token(user, json!({"provider": "example"})).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    took.push(began.elapsed());
                }
            }
            took.sort_unstable();
            (took.len(), took[took.len() * 99 / 100])
        };
        let rekeying = async {
            for _ in 0..2 {
                let output = run(&config, &["rekey", "--cells", "--settle-seconds", "0"]).await;
                assert!(output.status.success(), "{output:?}");
                assert!(out(&output).contains("600 cells sealed anew"), "{output:?}");
            }
            is_over.store(true, Ordering::Relaxed);
        };
        let (one, other, ()) = tokio::join!(reading(&brokers[0]), reading(&brokers[1]), rekeying);
        let database = home.database().split(':').next().expect("a scheme").to_owned();
        println!("{database}: reads and their p99 while keys are renewed: {one:?}, {other:?}");
        assert!(home.provider.forms().is_empty(), "no token was taken for unreadable");
        assert_eq!(home.number("SELECT COUNT(*) FROM grants WHERE status <> 'active'").await, 0);
    }
}
