//! A sign-in that its user gives up while the broker redeems the code.

use super::deposit::begun;
use super::{Browser, home, path_of, view};
use crate::provider::Provider;
use crate::running::{Home, answer};

const REDEEMING: &str = "SELECT COUNT(*) FROM authorizations WHERE stage = 'redeeming'";
const ACCOUNTS: &str = "SELECT COUNT(*) FROM grants";

async fn until(home: &Home, question: &str, number: i64) {
    while home.number(question).await != number {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_deposit_connects_nothing_any_more() {
    let home = home(&Provider::start().await, "deposit");
    let (broker, id, deposit) = begun(&home).await;
    let held = home.provider.hold().await;
    let path = format!("/v1/authorizations/{id}/deposit");
    let deposited = broker.post(&path, "ada", &deposit);
    let given_up = async {
        until(&home, REDEEMING, 1).await;
        let gone = answer(broker.request("DELETE", &format!("/v1/authorizations/{id}"), "ada")).await;
        assert_eq!(gone.status, 204);
        drop(held);
    };
    let (answered, ()) = tokio::join!(deposited, given_up);
    assert_eq!(answered.code(), "authorization_unknown", "{answered:?}");
    assert_eq!(home.number(ACCOUNTS).await, 0);
}

#[tokio::test]
async fn an_application_connects_nothing_any_more() {
    let provider = Provider::start().await;
    let home = home(&provider, "page");
    let broker = home.start().await;
    let browser = Browser::default();
    let sent = browser.send(broker.request("GET", "/auth/example/login", "ada")).await;
    let back = provider.consent(sent.location(), "ada");
    let held = provider.hold().await;
    let returned = browser.send(broker.request("GET", path_of(&back, "https://app.example"), "ada"));
    let given_up = async {
        until(&home, REDEEMING, 1).await;
        home.execute("DELETE FROM authorizations").await;
        drop(held);
    };
    let (page, ()) = tokio::join!(returned, given_up);
    assert!(page.text.contains("data-code=\"sign_in_interrupted\""), "{}", page.text);
    assert_eq!(home.number(ACCOUNTS).await, 0);
}

#[tokio::test]
async fn whoever_leaves_while_a_deposit_is_redeemed_is_connected_all_the_same() {
    let home = home(&Provider::start().await, "deposit");
    let (broker, id, deposit) = begun(&home).await;
    let held = home.provider.hold().await;
    let path = format!("/v1/authorizations/{id}/deposit");
    tokio::select! {
        answered = broker.post(&path, "ada", &deposit) => panic!("{answered:?}"),
        () = until(&home, REDEEMING, 1) => {}
    }
    drop(held);
    until(&home, ACCOUNTS, 1).await;
    until(&home, REDEEMING, 0).await;
    assert_ne!(view(&broker, "ada", &id).await.body["status"], "failed");
}
