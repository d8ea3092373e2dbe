//! A version meets the database of an older one, with all that it holds, and of a newer one.
//!
//! The rows stand in files as the older versions wrote them, sealed by the key ring below, so that nothing that is read here was
//! written by this version.

use std::time::SystemTime;

use serde_json::json;
use tokentoss_broker::store::{Store, StoreError};

use crate::commands::{out, run};
use crate::running::{Home, answer};
use crate::sign_in::{home, view};

const RING: &str =
    "primary = \"first\"\n[keys]\n\"first\" = \"j3QzvD2oyUbJiC9F49sXYttn6qvx3MOepH-hiT2mACE\"\n";
/// The rows that the tables of a version hold, from that version on.
const ROWS: [(usize, &str); 2] =
    [(1, include_str!("of_version_1.sql")), (3, include_str!("of_version_3.sql"))];
/// The SHA-256 of the access token among them, in base64url.
const HASH: &str = "jOgXjws2n1acC_XflXwXsAeSjKbclGV6XZcMYDj1-WQ";
/// The authorization among them.
const AUTHORIZATION: &str = "16f9ec97f591f551048842192d9f97ed";

/// The texts of the migrations, as they stand in the source.
fn migrations(is_on_sqlite: bool) -> Vec<String> {
    let (blob, serial) = match is_on_sqlite {
        true => ("BLOB", "INTEGER PRIMARY KEY AUTOINCREMENT"),
        false => ("BYTEA", "BIGSERIAL PRIMARY KEY"),
    };
    let source = include_str!("../../../src/store/migrations.rs");
    let texts = source.split("\n    \"\n").skip(1).map(|rest| rest.split("\n\",").next().expect("an end"));
    texts.map(|text| text.replace("{blob}", blob).replace("{serial}", serial)).collect()
}

/// Writes a database of a version, with rows in every table that a grant and a sign-in need.
async fn write_version(home: &Home, version: usize) {
    std::fs::write(home.path().join("keys.toml"), RING).expect("written");
    drop(Store::open(&home.database()).await.expect("a file"));
    home.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)").await;
    for text in migrations(home.is_on_sqlite()).iter().take(version) {
        home.execute(text).await;
    }
    home.execute(&format!("INSERT INTO schema_version (version) VALUES ({version})")).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_millis();
    // Long enough ago that the token may be renewed again, and not so long that it is due.
    let then = now - 60_000;
    for (_, rows) in ROWS.iter().filter(|(since, _)| *since <= version) {
        let rows = rows.replace("{then}", &then.to_string()).replace("{issuer}", home.provider.issuer());
        let rows = if home.is_on_sqlite() { rows } else { rows.replace("x'", "'\\x") };
        home.execute(&rows).await;
    }
}

/// A home on each database, at whose provider users can sign in.
async fn homes() -> Vec<Home> {
    let mut homes = Vec::new();
    for of_database in Home::all().await {
        let mut home = home(&of_database.provider, "page");
        if !of_database.is_on_sqlite() {
            home.set_database(&of_database.database());
        }
        homes.push(home);
    }
    homes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_older_version_stored_is_served_after_the_upgrade() {
    let all = migrations(true).len();
    assert!(all >= 4, "{all} were found in the source");
    for version in 1..all {
        for home in homes().await {
            write_version(&home, version).await;
            let config = home.configuration("");
            let pending = format!("{} migrations pending; serve applies them\n", all - version);
            assert!(out(&run(&config, &["check"]).await).contains(&pending), "version {version}");
            let refused = run(&config, &["grants"]).await;
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(
                said.contains("migrations are pending; start the broker once"),
                "no command changes a schema: {said}"
            );

            assert_eq!(home.provider.grant(), "refresh-1", "the token of the rows");
            let broker = home.start().await;
            let kept = broker.token("ada", json!({"provider": "example"})).await;
            assert_eq!(
                (kept.status, &kept.body["access_token"]),
                (200, &json!("first-access-of-ada")),
                "{kept:?}"
            );
            assert!(home.provider.forms().is_empty());
            let renewed = broker.token("ada", json!({"provider": "example", "rejected": HASH})).await;
            assert_eq!(
                (renewed.status, &renewed.body["access_token"]),
                (200, &json!("access-2")),
                "{renewed:?}"
            );
            if version >= 3 {
                let begun = view(&broker, "ada", AUTHORIZATION).await;
                assert_eq!((begun.status, &begun.body["status"]), (200, &json!("pending")), "{begun:?}");
                let page = answer(broker.http.get(broker.url(&format!("/connect/{AUTHORIZATION}")))).await;
                assert_eq!(page.status, 200, "{page:?}");
            }
            assert!(out(&run(&config, &["check"]).await).contains("the schema is this version's"));
            let ended =
                answer(broker.request("DELETE", &format!("/v1/accounts/{}", account(&broker).await), "ada"));
            assert_eq!(ended.await.status, 204);
            broker.stop().await;
        }
    }
}

/// The one account that ada has.
async fn account(broker: &crate::running::Broker) -> String {
    let accounts = answer(broker.request("GET", "/v1/accounts", "ada")).await;
    accounts.body[0]["id"].as_str().expect("an account").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_of_a_newer_version_is_refused() {
    for home in homes().await {
        let broker = home.start().await;
        let known = i64::try_from(migrations(true).len()).expect("a few");
        home.execute("UPDATE schema_version SET version = version + 1").await;
        let newer = StoreError::Newer { found: known + 1, known }.to_string();
        let ready = answer(broker.http.get(format!("http://{}/readyz", broker.admin))).await;
        assert_eq!(ready.status, 503, "{ready:?}");
        let begun = Store::begin(&home.database()).await;
        assert_eq!(begun.err().map(|error| error.to_string()), Some(newer.clone()));
        let config = home.configuration("");
        let checked = run(&config, &["check"]).await;
        assert!(
            !checked.status.success() && out(&checked).contains(&format!("problem: database: {newer}\n"))
        );
        let served = run(&config, &["serve"]).await;
        let said = String::from_utf8_lossy(&served.stderr).into_owned();
        assert!(!served.status.success() && said.contains(&newer), "{said}");
        assert_eq!(
            home.number("SELECT MAX(version) FROM schema_version").await,
            known + 1,
            "nothing was done"
        );
    }
    let page = include_str!("../../../../../docs/broker/operations.md");
    assert!(page.contains(&format!("`{}`", StoreError::Newer { found: 4, known: 3 })));
}
