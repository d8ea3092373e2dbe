//! A row that this version cannot read stands in the way of no other.

use std::time::Duration;

use serde_json::{Value, json};

use crate::commands::{out, run};
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
    assert_eq!((refused.status, &refused.body["cause"]), (500, &json!("row_unreadable")), "{refused:?}");
    tokio::time::timeout(Duration::from_secs(5), broker.stop()).await.expect("nobody tries for ever");
}

#[tokio::test]
async fn the_administrator_s_list_has_the_others_and_names_it() {
    for home in Home::all().await {
        let broker = home.start().await;
        let spoilt = broker.connect("ada", &home.provider.grant(), 3600).await.to_string();
        broker.connect("grace", &home.provider.grant(), 3600).await;
        broker.stop().await;
        let mut spoils = vec![
            (SPOIL, "a failure"),
            (
                "UPDATE grants SET failure = NULL, refresh_hash = lease_owner, status = 'odd' WHERE subject = 'ada'",
                "a status",
            ),
        ];
        if home.database().starts_with("sqlite:") {
            // It takes anything in any column.
            spoils.push((
                "UPDATE grants SET status = 'active', version = 'many' WHERE subject = 'ada'",
                "the column \"version\"",
            ));
        }
        for (spoil, what) in spoils {
            home.execute(spoil).await;
            let listed = run(&home.configuration(""), &["grants", "--json"]).await;
            assert_eq!(listed.status.code(), Some(1), "{listed:?}");
            let mut lines: Vec<Value> =
                out(&listed).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            lines.sort_by_key(|line| line["status"] == "unreadable");
            let unreadable =
                json!({"id": spoilt, "status": "unreadable", "code": "row_unreadable", "cause": what});
            assert_eq!((&lines[0]["user"], &lines[1..]), (&json!("grace"), &[unreadable][..]));
            let said = String::from_utf8_lossy(&listed.stderr).into_owned();
            assert!(
                said.contains("1 grants cannot be read (row_unreadable); if a later version wrote them"),
                "{said}"
            );
            let text = out(&run(&home.configuration(""), &["grants"]).await);
            let line = format!("{spoilt}  unreadable (row_unreadable): this version does not know {what}\n");
            assert!(text.contains(&line) && text.contains("acme/grace  example  grace  active"), "{text}");
        }
    }
}

#[tokio::test]
async fn it_is_told_as_what_no_wait_helps() {
    // SQLite lets a column hold another type.
    let of_type = "UPDATE grants SET consented = x'ff' WHERE subject = 'ada'";
    let of_status = "UPDATE grants SET status = 'error', cause = 'unheard_of' WHERE subject = 'ada'";
    for spoil in [SPOIL, of_status, of_type] {
        for home in Home::all().await {
            if spoil == of_type && !home.database().starts_with("sqlite:") {
                continue;
            }
            let broker = home.start().await;
            let id = broker.connect_long_ago("ada", &home.provider.grant()).await;
            home.execute(spoil).await;
            let asked = broker.token("ada", json!({"provider": "example"})).await;
            let one = answer(broker.request("GET", &format!("/v1/accounts/{id}"), "ada")).await;
            for refused in [asked, one] {
                assert_eq!((refused.status, refused.code()), (500, "key_unavailable"), "{refused:?}");
                let told = (&refused.body["cause"], &refused.body["action"], &refused.body["title"]);
                let sentence = "Stored tokens cannot be opened. Ask the broker's administrator.";
                assert_eq!(told, (&json!("row_unreadable"), &json!("ask_admin"), &json!(sentence)));
                assert!(!refused.headers.contains_key("retry-after"), "{refused:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_no_key_opens_is_listed_all_the_same() {
    let home = Home::new(&Provider::start().await);
    let broker = home.start().await;
    broker.connect("ada", &home.provider.grant(), 3600).await;
    broker.stop().await;
    std::fs::remove_file(home.path().join("keys.toml")).expect("removed");
    let listed = run(&home.configuration(""), &["grants"]).await;
    assert!(listed.status.success() && out(&listed).contains("acme/ada  example  ada  active"), "{listed:?}");
}

#[tokio::test]
async fn its_user_signs_out_of_it() {
    for home in Home::all().await {
        let broker = home.start().await;
        let refresh = home.provider.grant();
        let id = broker.connect("ada", &refresh, 3600).await;
        broker.connect("grace", &home.provider.grant(), 3600).await;
        home.execute(SPOIL).await;
        let end = async |user: &str, query: &str| {
            answer(broker.request("DELETE", &format!("/v1/accounts/{id}{query}"), user)).await.status
        };
        assert_eq!(end("eve", "").await, 404, "it is somebody else's");
        assert_eq!(end("ada", "").await, 204);
        assert_eq!(end("ada", "").await, 404, "once");
        assert_eq!(broker.token("ada", json!({"provider": "example"})).await.code(), "not_connected");
        assert_eq!(broker.token("grace", json!({"provider": "example"})).await.status, 200);
        until(async || home.provider.revoked().len() == 1).await;
        assert_eq!(home.provider.revoked()[0].0["token"], refresh);
        until(async || home.number("SELECT COUNT(*) FROM revocations").await == 0).await;
        assert_eq!(home.number("SELECT COUNT(*) FROM cells").await, 2, "those of the other user");
        let row = broker.custodian.store.grant(id).await.expect("it can be read again").expect("a row");
        assert_eq!((row.grant.status.cause(), row.grant.version.0), (Some("user"), 2));
    }
}

#[tokio::test]
async fn it_is_deleted_without_a_revocation_where_the_user_says_so() {
    for home in Home::all().await {
        let broker = home.start().await;
        broker.connect("ada", &home.provider.grant(), 3600).await;
        home.execute(SPOIL).await;
        let listed = answer(broker.request("POST", "/api/example/disconnect", "grace")).await;
        assert_eq!(listed.body["disconnected"], false);
        let id = broker.custodian.accounts("acme", "ada", "example").await.expect("an answer")[0].id;
        let path = format!("/v1/accounts/{id}?revoke=false");
        assert_eq!(answer(broker.request("DELETE", &path, "ada")).await.status, 204);
        for table in ["cells", "tokens", "revocations"] {
            assert_eq!(home.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
    }
}

#[tokio::test]
async fn an_administrator_ends_the_others_and_is_told_of_it() {
    for home in Home::all().await {
        let broker = home.start().await;
        let spoiled = broker.connect_as("ada", "ada", &home.provider.grant(), 3600).await;
        for subject in ["ada-at-work", "ada-at-school"] {
            broker.connect_as("ada", subject, &home.provider.grant(), 3600).await;
        }
        home.execute(SPOIL).await;
        let revoked = run(&home.configuration(""), &["revoke", "--tenant", "acme", "--user", "ada"]).await;
        let text = out(&revoked);
        assert_eq!(revoked.status.code(), Some(1), "{revoked:?}");
        assert!(text.contains(&format!("{spoiled}  not ended (row_unreadable)")), "{text}");
        assert!(text.contains("2 grants ended"), "{text}");
        assert_eq!(home.number("SELECT COUNT(*) FROM grants WHERE status = 'revoked'").await, 2);
    }
}
