//! A row that this version cannot read stands in the way of no other.

use std::time::Duration;

use serde_json::json;

use crate::journal::{answers, home, killed_in_journal, with_journal};
use crate::provider::Provider;
use crate::running::{Home, answer, until};

/// As a later version may write it.
const SPOIL: &str = "UPDATE grants SET failure = 'unheard_of' WHERE subject = 'ada'";
const MEND: &str = "UPDATE grants SET failure = NULL WHERE subject = 'ada'";

#[tokio::test]
async fn the_scheduler_goes_on_with_the_others() {
    for home in Home::all().await {
        let broker = home.start().await;
        for user in ["ada", "grace", "joan"] {
            broker.connect(user, &home.provider.grant(), 3600).await;
        }
        home.execute(SPOIL).await;
        home.execute("UPDATE grants SET refresh_at = 0").await;
        let renewed = "SELECT COUNT(*) FROM grants WHERE renewed_at > connected_at";
        until(async || home.number(renewed).await == 2).await;
        assert_eq!(home.number("SELECT COUNT(*) FROM grants WHERE lease_until IS NOT NULL").await, 0);
    }
}

#[tokio::test]
async fn the_user_s_other_accounts_are_listed() {
    let home = Home::new(&Provider::start().await);
    let broker = home.start().await;
    for subject in ["ada", "ada-at-work"] {
        broker.connect_as("ada", subject, &home.provider.grant(), 3600).await;
    }
    home.execute(SPOIL).await;
    let listed = answer(broker.request("GET", "/v1/accounts", "ada")).await;
    let subjects: Vec<_> =
        listed.body.as_array().expect("a list").iter().map(|account| &account["subject"]).collect();
    assert_eq!((listed.status, subjects), (200, vec![&json!("ada-at-work")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_an_unreadable_row_stays_in_the_journal_at_the_start() {
    let home = home(&Provider::start().await);
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    broker.connect("grace", &home.provider.grant(), 3600).await;
    broker.stop().await;
    killed_in_journal(&home).await;
    home.execute(SPOIL).await;
    let broker = home.start().await;
    assert_eq!(answers(&home).len(), 1);
    assert_eq!(broker.token("grace", json!({"provider": "example"})).await.status, 200);
    broker.stop().await;
    home.execute(MEND).await;
    let broker = home.start().await;
    assert!(answers(&home).is_empty(), "replayed");
    let renewed = broker.token("ada", json!({"provider": "example"})).await;
    assert_eq!((renewed.status, home.provider.forms().len()), (200, 1), "{renewed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_an_unreadable_row_goes_to_the_journal() {
    let home = with_journal(Home::new(&Provider::start().await));
    let held = home.provider.hold().await;
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    let asked = broker.token("ada", json!({"provider": "example"}));
    let meanwhile = async {
        until(async || home.provider.forms().len() == 1).await;
        home.execute(SPOIL).await;
        // Somebody else wrote the row, so that it is read again.
        home.execute("UPDATE grants SET version = version + 1, lease_owner = NULL, lease_until = NULL").await;
        drop(held);
        until(async || answers(&home).len() == 1).await;
    };
    let (refused, ()) = tokio::join!(asked, meanwhile);
    assert_eq!(refused.status, 503, "{refused:?}");
    tokio::time::timeout(Duration::from_secs(5), broker.stop()).await.expect("nobody tries for ever");
}
