//! `check` tries the key ring on what the database holds.

use std::fs;

use tokentoss_broker::keys::KeyRing;

use crate::commands::{out, run};
use crate::running::Home;

#[tokio::test]
async fn a_ring_that_opens_nothing_is_told_and_nothing_is_changed() {
    for home in Home::all().await {
        let broker = home.start().await;
        broker.connect("ada", &home.provider.grant(), 3600).await;
        let row = broker.custodian.store.data_key("acme").await.expect("an answer");
        let check = async || out(&run(&home.configuration(""), &["check", "--offline"]).await);
        let checked = check().await;
        assert!(checked.contains("the key ring opens the data keys of all 1 tenants"), "{checked}");
        let right = fs::read(home.path().join("keys.toml")).expect("a ring");
        fs::write(home.path().join("keys.toml"), KeyRing::generate("first").as_bytes()).expect("written");
        let checked = run(&home.configuration(""), &["check", "--offline"]).await;
        let problem = "problem: key_ring: the data keys of 1 of 1 tenants do not open; put back the ring";
        assert!(!checked.status.success() && out(&checked).contains(problem), "{checked:?}");
        fs::write(home.path().join("keys.toml"), right).expect("written");
        assert!(!check().await.contains("problem: key_ring: the data keys"));
        assert_eq!(broker.custodian.store.data_key("acme").await.expect("an answer"), row);
        broker.stop().await;
    }
}
