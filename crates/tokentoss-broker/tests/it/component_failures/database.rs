//! The database is full, locked, down, or of yesterday.

use std::time::Duration;

use serde_json::json;
use sqlx::Connection;

use super::gate::gated;
use super::{STORAGE, connected, is_active, said, told};
use crate::running::{Broker, Home, until};

/// Has every statement fail that writes grants, or these columns of them, as on a disk that is full.
async fn fill(home: &Home, columns: &str) {
    if home.database().starts_with("sqlite:") {
        let raise = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
        home.execute(&format!("CREATE TRIGGER is_full BEFORE UPDATE {columns} ON grants {raise}")).await;
    } else {
        home.execute(
            "CREATE OR REPLACE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$",
        )
        .await;
        let each = "FOR EACH ROW EXECUTE FUNCTION is_full()";
        home.execute(&format!("CREATE TRIGGER is_full BEFORE UPDATE {columns} ON grants {each}")).await;
    }
}

async fn make_room(home: &Home) {
    let of = if home.database().starts_with("sqlite:") { "" } else { "ON grants" };
    home.execute(&format!("DROP TRIGGER is_full {of}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_before_the_refresh_nothing_is_sent() {
    for home in Home::all().await {
        let broker = connected(&home).await;
        fill(&home, "").await;
        let callers = futures_util::future::join_all((0..20).map(|_| told(&broker))).await;
        for answer in &callers {
            assert_eq!(said(answer), STORAGE);
            assert_eq!(
                (&answer.headers["retry-after"], &answer.body["retry_after"]),
                (&"2".parse().expect("text"), &json!(2))
            );
        }
        assert!(home.provider.forms().is_empty());
        make_room(&home).await;
        assert_eq!((told(&broker).await.status, is_active(&home).await), (200, true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn full_after_the_answer_it_is_kept_until_there_is_room() {
    for home in Home::all().await {
        let broker = connected(&home).await;
        fill(&home, "OF refresh_hash").await;
        let meanwhile = async {
            until(async || broker.custodian.journal().pending_count() == 1).await;
            make_room(&home).await;
        };
        let (answer, ()) = tokio::join!(told(&broker), meanwhile);
        assert_eq!((answer.status, &answer.body["access_token"]), (200, &json!("access-2")), "{answer:?}");
        assert_eq!((home.provider.forms().len(), is_active(&home).await), (1, true));
    }
}

async fn told_while_locked(home: &Home, broker: &Broker) -> crate::running::Answer {
    if home.database().starts_with("sqlite:") {
        let mut other = sqlx::SqliteConnection::connect(&home.database()).await.expect("a connection");
        let locked = other.begin_with("BEGIN IMMEDIATE").await.expect("the one writer");
        let answer = told(broker).await;
        locked.rollback().await.expect("an end");
        answer
    } else {
        let mut other = sqlx::PgConnection::connect(&home.database()).await.expect("a connection");
        let mut locked = other.begin().await.expect("a transaction");
        let lock = "LOCK TABLE grants IN ACCESS EXCLUSIVE MODE";
        sqlx::query(lock).execute(&mut *locked).await.expect("locked");
        let answer = told(broker).await;
        locked.rollback().await.expect("an end");
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_by_somebody_else_is_told_in_time() {
    let homes = Home::all().await;
    let all = homes.iter().map(async |home| {
        let broker = connected(home).await;
        let answer = tokio::time::timeout(Duration::from_secs(12), told_while_locked(home, &broker)).await;
        assert_eq!(said(&answer.expect("in time")), STORAGE);
        assert!(home.provider.forms().is_empty());
        assert_eq!((told(&broker).await.status, home.provider.forms().len()), (200, 1));
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn down_before_the_refresh_nothing_is_sent() {
    let Some((home, mut gate)) = gated().await else { return };
    let broker = connected(&home).await;
    gate.close().await;
    let answer = tokio::time::timeout(Duration::from_secs(12), told(&broker)).await.expect("in time");
    assert_eq!(said(&answer), STORAGE);
    assert!(home.provider.forms().is_empty());
    gate.open().await;
    until(async || told(&broker).await.status == 200).await;
    assert_eq!(home.provider.forms().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn down_after_the_answer_it_is_kept_until_the_database_is_back() {
    let Some((home, mut gate)) = gated().await else { return };
    let held = home.provider.hold().await;
    let broker = connected(&home).await;
    let meanwhile = async {
        until(async || home.provider.forms().len() == 1).await;
        gate.close().await;
        drop(held);
        until(async || broker.custodian.journal().pending_count() == 1).await;
        gate.open().await;
    };
    let (first, ()) = tokio::join!(told(&broker), meanwhile);
    assert!(first.status == 200 || said(&first) == STORAGE, "{first:?}");
    until(async || told(&broker).await.body["access_token"] == "access-2").await;
    assert_eq!((home.provider.forms().len(), is_active(&home).await), (1, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_from_yesterday_a_spent_token_is_not_sent() {
    let Some(mut home) = Home::on_postgres().await else { return };
    home.of_broker = format!("journal = \"{}/journal\"", home.path().display());
    connected(&home).await.stop().await;
    let yesterday = home.copy_database().await;
    let broker = home.start().await;
    assert_eq!(told(&broker).await.status, 200);
    broker.stop().await;
    home.set_database(&yesterday);
    let broker = home.start().await;
    let answer = told(&broker).await;
    let expected =
        (409, "reauth_required", "The provider gives no more tokens for this account. Sign in again.");
    assert_eq!((said(&answer), &answer.body["cause"]), (expected, &json!("rolled_back")));
    assert_eq!(home.provider.forms().len(), 1);
    broker.connect("ada", &home.provider.grant(), 3600).await;
    assert_eq!(told(&broker).await.status, 200, "signed in again");
}
