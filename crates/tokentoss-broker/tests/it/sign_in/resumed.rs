//! The program is killed at each step of a sign-in, and another one finishes it.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::deposit::begun;
use super::{Browser, begin, confirm, homes, id_of, view, way_back};
use crate::process::Process;
use crate::running::{Answer, Broker, Home, answer, until};

/// Lets the time of the broker that was killed pass.
const LATER: &str = "UPDATE authorizations SET expires_at = expires_at - 91000 WHERE stage <> 'done'";
const SEALED: &str = "SELECT COUNT(*) FROM authorizations WHERE sealed IS NOT NULL";
const GRANTS: &str = "SELECT COUNT(*) FROM grants";

/// A sign-in of Ada whose user came back; with the confirmation.
async fn returned(home: &Home, broker: &Broker) -> (String, String) {
    let browser = Browser::default();
    let id = id_of(&begin(broker, "ada", json!({})).await);
    let back = way_back(broker, &browser, &home.provider, &id, "ada").await;
    let confirmation = browser.get(broker, &back).await.confirmation();
    (id, confirmation)
}

/// Kills a broker that gets this request of Ada's, at a point.
async fn killed_at(home: &Home, point: &str, path: &str, body: &Value) {
    let mut process = Process::start(home, point).await;
    let request = process.request("POST", path, "ada").header("content-type", "application/json");
    let asked = tokio::spawn(request.body(body.to_string()).send());
    process.reached(point).await;
    process.kill().await;
    assert!(asked.await.expect("no panic").is_err(), "it was not answered");
}

/// A sign-in of Ada that was confirmed at a broker that was killed there.
async fn killed_while_confirmed(home: &Home, point: &str) -> String {
    let broker = home.start().await;
    let (id, confirmation) = returned(home, &broker).await;
    broker.stop().await;
    let path = format!("/v1/authorizations/{id}/confirm");
    killed_at(home, point, &path, &json!({"confirmation": confirmation})).await;
    id
}

async fn status(broker: &Broker, id: &str) -> Value {
    view(broker, "ada", id).await.body["status"].clone()
}

async fn token(broker: &Broker, user: &str) -> Answer {
    broker.token(user, json!({"provider": "example"})).await
}

/// Two brokers find a sign-in that a third one left, and there is one account with the tokens of its one code.
async fn finished_once(home: &Home, id: &str, point: &str, waits_as: &str) {
    let (one, other) = (home.start().await, home.start().await);
    let expected = if point == "after_connect" { "done" } else { waits_as };
    assert_eq!(status(&one, id).await, expected, "{point}: another replica may work on it");
    one.custodian.tidy().await;
    home.execute(LATER).await;
    one.custodian.tidy().await;
    let seen = status(&one, id).await;
    assert!(seen == expected || seen == "done", "{point}: it is not given up: {seen}");
    until(async || status(&one, id).await == "done").await;
    let done = view(&other, "ada", id).await;
    assert_eq!(done.body["account"]["email"], "ada@example.com", "{point}: {done:?}");
    assert_eq!((home.number(GRANTS).await, home.number(SEALED).await), (1, 0), "{point}");
    assert_eq!(home.number("SELECT version FROM grants").await, 1, "{point}: written once");
    assert_eq!(token(&other, "ada").await.status, 200, "{point}");
    assert_eq!(home.provider.forms().len(), 1, "{point}: one code");
    // It is hers alone.
    assert_eq!(view(&one, "eve", id).await.code(), "authorization_unknown", "{point}");
    assert_eq!(token(&one, "eve").await.code(), "not_connected", "{point}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_sign_in_is_finished_by_another_broker() {
    let mut running = Vec::new();
    for point in ["before_connect", "after_connect"] {
        for home in homes("page").await {
            running.push(async move {
                let id = killed_while_confirmed(&home, point).await;
                finished_once(&home, &id, point, "confirm").await;
            });
        }
    }
    join_all(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_finished_by_another_broker() {
    let mut running = Vec::new();
    for point in ["before_connect", "after_connect"] {
        for home in homes("deposit").await {
            running.push(async move {
                let (broker, id, deposit) = begun(&home).await;
                broker.stop().await;
                killed_at(&home, point, &format!("/v1/authorizations/{id}/deposit"), &deposit).await;
                finished_once(&home, &id, point, "pending").await;
            });
        }
    }
    join_all(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_redeemed_and_not_kept_yet_is_told_and_can_be_done_again() {
    for home in homes("page").await {
        let broker = home.start().await;
        let browser = Browser::default();
        let id = id_of(&begin(&broker, "ada", json!({})).await);
        let back = way_back(&broker, &browser, &home.provider, &id, "ada").await;
        broker.stop().await;
        let mut process = Process::start(&home, "before_keep").await;
        let request = process.http().get(process.url(&back));
        let asked = tokio::spawn(async move { browser.send(request).await });
        process.reached("before_keep").await;
        process.kill().await;
        asked.abort();
        let broker = home.start().await;
        assert_eq!(status(&broker, &id).await, "pending");
        home.execute(LATER).await;
        let seen = view(&broker, "ada", &id).await;
        assert_eq!(seen.body["problem"]["code"], "sign_in_interrupted", "{seen:?}");
        let (id, confirmation) = returned(&home, &broker).await;
        assert_eq!(confirm(&broker, "ada", &id, &confirmation).await.body["status"], "done");
        assert_eq!(home.number(GRANTS).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_sign_in_keeps_its_tokens() {
    for home in homes("page").await {
        let first = killed_while_confirmed(&home, "before_connect").await;
        let broker = home.start().await;
        let (second, confirmation) = returned(&home, &broker).await;
        assert_eq!(confirm(&broker, "ada", &second, &confirmation).await.body["status"], "done");
        home.execute(LATER).await;
        until(async || status(&broker, &first).await == "done").await;
        assert_eq!(home.number("SELECT version FROM grants").await, 1, "the first one wrote nothing");
        assert_eq!((home.number(GRANTS).await, home.number(SEALED).await), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_of_the_tokens_before_is_no_later_sign_in() {
    for home in homes("page").await {
        let broker = home.start().await;
        let (id, confirmation) = returned(&home, &broker).await;
        assert_eq!(confirm(&broker, "ada", &id, &confirmation).await.body["status"], "done");
        broker.stop().await;
        let id = killed_while_confirmed(&home, "before_connect").await;
        home.execute("UPDATE grants SET version = version + 1, connected_at = connected_at").await;
        let broker = home.start().await;
        home.execute(LATER).await;
        until(async || status(&broker, &id).await == "done").await;
        assert_eq!(home.number("SELECT version FROM grants").await, 3, "the tokens of the sign-in");
        assert_eq!(token(&broker, "ada").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signed_out_since_stays_signed_out() {
    for home in homes("page").await {
        let broker = home.start().await;
        let (id, confirmation) = returned(&home, &broker).await;
        let done = confirm(&broker, "ada", &id, &confirmation).await;
        let account = done.body["account"]["id"].as_str().expect("an account").to_owned();
        broker.stop().await;
        let id = killed_while_confirmed(&home, "before_connect").await;
        let broker = home.start().await;
        let ended = answer(broker.request("DELETE", &format!("/v1/accounts/{account}"), "ada")).await;
        assert_eq!(ended.status, 204);
        home.execute(LATER).await;
        until(async || status(&broker, &id).await == "failed").await;
        assert_eq!(token(&broker, "ada").await.code(), "not_connected");
        until(async || home.provider.revoked().len() == 2).await;
        assert_eq!(home.number(SEALED).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_not_finished_and_what_nobody_finishes_ends() {
    for home in homes("page").await {
        let id = killed_while_confirmed(&home, "before_connect").await;
        let broker = home.start().await;
        home.execute("UPDATE authorizations SET expires_at = expires_at - 1891000").await;
        let seen = view(&broker, "ada", &id).await;
        assert_eq!(seen.body["problem"]["code"], "sign_in_interrupted", "{seen:?}");
        broker.custodian.tidy().await;
        assert_eq!(home.number(SEALED).await, 0, "its tokens do not stay");
        broker.stop().await;
        let id = killed_while_confirmed(&home, "before_connect").await;
        let broker = home.start().await;
        let gone = answer(broker.request("DELETE", &format!("/v1/authorizations/{id}"), "ada")).await;
        assert_eq!(gone.status, 204);
        assert_eq!((home.number(GRANTS).await, home.number(SEALED).await), (0, 0));
    }
}
