//! Answers that the database does not take, and rows that it forgets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor, PgConnection};
use tokentoss_broker::config::Config;
use tokentoss_broker::journal::JournalError;
use tokentoss_broker::server::{Server, ServerError};

use crate::commands::run;
use crate::process::Process;
use crate::provider::Provider;
use crate::running::{Home, until};

pub(crate) fn home(provider: &Provider) -> Home {
    with_journal(Home::new(provider))
}

pub(crate) fn with_journal(mut home: Home) -> Home {
    home.of_broker = format!("journal = \"{}/journal\"", home.path().display());
    home
}

/// The answers in the journal.
pub(crate) fn answers(home: &Home) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.path().join("journal")).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "answer")).collect()
}

/// Has a broker refresh ada's token and be killed when the answer is in the journal, while the database takes nothing.
pub(crate) async fn killed_in_journal(home: &Home) {
    let held = home.provider.hold().await;
    let mut process = Process::start(home, "in_journal").await;
    let asked = tokio::spawn(process.token("ada", &json!({"provider": "example"})));
    until(async || home.provider.forms().len() == 1).await;
    let locked = Locked::take(home).await;
    drop(held);
    process.reached("in_journal").await;
    process.kill().await;
    asked.abort();
    locked.release().await;
}

/// Lets nobody else write to the database until it is given back.
pub(crate) enum Locked {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Locked {
    pub(crate) async fn take(home: &Home) -> Self {
        if home.database().starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&home.database()).await.expect("a connection");
            connection.execute("BEGIN IMMEDIATE").await.expect("the one writer");
            return Self::Sqlite(connection);
        }
        let mut connection = PgConnection::connect(&home.database()).await.expect("a connection");
        connection.execute("BEGIN").await.expect("a transaction");
        connection.execute("LOCK TABLE grants IN EXCLUSIVE MODE").await.expect("locked");
        Self::Postgres(connection)
    }

    pub(crate) async fn release(self) {
        match self {
            Self::Sqlite(mut connection) => drop(connection.execute("ROLLBACK").await.expect("an end")),
            Self::Postgres(mut connection) => drop(connection.execute("ROLLBACK").await.expect("an end")),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_waits_in_the_journal_until_the_database_is_back() {
    let provider = Provider::start().await;
    let held = provider.hold().await;
    let home = home(&provider);
    let broker = home.start().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    let asked = broker.token("ada", json!({"provider": "example"}));
    let meanwhile = async {
        until(async || provider.forms().len() == 1).await;
        let locked = Locked::take(&home).await;
        drop(held);
        until(async || answers(&home).len() == 1).await;
        let file = answers(&home).remove(0);
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        let bytes = fs::read(&file).expect("a file");
        for word in ["access-2", "refresh-2", "example"] {
            assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
        }
        locked.release().await;
    };
    let (answer, ()) = tokio::join!(asked, meanwhile);
    assert_eq!((answer.status, &answer.body["access_token"]), (200, &json!("access-2")), "{answer:?}");
    until(async || answers(&home).is_empty()).await;
    assert_eq!((provider.forms().len(), broker.custodian.journal().pending_count()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_no_answer() {
    let mut cases = Vec::new();
    for step in ["in_journal", "after_write", "replayed"] {
        cases.extend(Home::all().await.into_iter().map(|home| killed_at(step, with_journal(home))));
    }
    futures_util::future::join_all(cases).await;
}

/// No grace: an answer that is lost ends the grant.
async fn killed_at(step: &'static str, home: Home) {
    let provider = &home.provider;
    let held = provider.hold().await;
    let broker = home.start().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    broker.stop().await;
    let first_stop = if step == "replayed" { "in_journal" } else { step };
    let mut process = Process::start(&home, first_stop).await;
    let body = json!({"provider": "example"});
    let asked = tokio::spawn(process.token("ada", &body));
    until(async || provider.forms().len() == 1).await;
    let locked = Locked::take(&home).await;
    drop(held);
    until(async || answers(&home).len() == 1).await;
    if step == "after_write" {
        locked.release().await;
        process.reached("after_write").await;
        process.kill().await;
    } else {
        process.reached("in_journal").await;
        process.kill().await;
        locked.release().await;
    }
    asked.abort();
    assert_eq!(answers(&home).len(), 1, "{step}: it was not removed before");
    if step == "replayed" {
        // It stops before it listens.
        let mut again = Process::start_only(&home, "replayed");
        again.reached("replayed").await;
        again.kill().await;
        assert_eq!(answers(&home).len(), 1);
    }
    let process = Process::start(&home, "").await;
    assert!(answers(&home).is_empty(), "{step}: replayed");
    let answer = process.token("ada", &body).await;
    assert_eq!(
        (answer.status, &answer.body["access_token"]),
        (200, &json!("access-2")),
        "{step}: {answer:?}"
    );
    assert_eq!(provider.forms().len(), 1, "{step}: nothing was sent again");
}

#[tokio::test]
async fn a_row_that_a_backup_revived_is_not_used_until_somebody_confirms_it() {
    let Some(home) = Home::on_sqlite().await.map(with_journal) else { return };
    let provider = home.provider.clone();
    let broker = home.start().await;
    let id = broker.connect_long_ago("ada", &provider.grant()).await;
    let (database, backup) = (home.path().join("broker.sqlite"), home.path().join("backup.sqlite"));
    home.execute(&format!("VACUUM INTO '{}'", backup.display())).await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
    broker.stop().await;
    // What is left of a log would be applied to the restored file. It goes with the last connection.
    until(async || !home.path().join("broker.sqlite-wal").exists()).await;
    fs::copy(&backup, &database).expect("copied");
    let broker = home.start().await;
    for _ in 0..2 {
        let answer = broker.token("ada", json!({"provider": "example"})).await;
        let found = (answer.status, answer.code(), &answer.body["cause"]);
        assert_eq!(found, (409, "reauth_required", &json!("rolled_back")), "{answer:?}");
    }
    assert_eq!(provider.forms().len(), 1, "the spent token was not sent");
    let row = broker.custodian.store.grant(id).await.expect("an answer").expect("a row");
    assert_eq!(row.grant.status.cause(), Some("rolled_back"));
    let config = home.configuration("");
    let confirmed = run(&config, &["confirm", &id.to_string()]).await;
    assert!(confirmed.status.success(), "{confirmed:?}");
    let row = broker.custodian.store.grant(id).await.expect("an answer").expect("a row");
    assert_eq!(row.grant.status.name(), "active");
    let again = run(&config, &["confirm", &id.to_string()]).await;
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("the grant is `active`, and only one in `error` can be confirmed"), "{said}");
    let answer = broker.token("ada", json!({"provider": "example"})).await;
    assert_eq!((answer.code(), provider.forms().len()), ("reauth_required", 2), "now it was");
    broker.connect("ada", &provider.grant(), 3600).await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200, "signed in again");
}

#[tokio::test]
async fn a_journal_belongs_to_one_process() {
    let provider = Provider::start().await;
    let home = home(&provider);
    let broker = home.start().await;
    let config = Config::read(&home.configuration("")).expect("a configuration");
    let second = Server::build(&config).await.err();
    assert!(matches!(second, Some(ServerError::Journal(JournalError::InUse))), "{second:?}");
    broker.stop().await;
    home.start().await.stop().await;
}

#[tokio::test]
async fn what_cannot_be_opened_stays_and_stops_nothing() {
    let provider = Provider::start().await;
    let home = home(&provider);
    home.start().await.stop().await;
    let folder = home.path().join("journal");
    fs::write(folder.join("00.answer"), b"nonsense").expect("written");
    fs::write(folder.join("01.answer.new"), b"half").expect("written");
    fs::write(folder.join("versions"), vec![7; 1000]).expect("written");
    let broker = home.start().await;
    broker.connect("ada", &provider.grant(), 3600).await;
    assert_eq!(broker.token("ada", json!({"provider": "example"})).await.status, 200);
    assert!(folder.join("00.answer").exists() && !folder.join("01.answer.new").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_takes_nothing_for_a_moment_is_tried_again() {
    let provider = Provider::start().await;
    let held = provider.hold().await;
    let home = home(&provider);
    let broker = home.start().await;
    broker.connect_long_ago("ada", &provider.grant()).await;
    let folder = home.path().join("journal");
    let asked = broker.token("ada", json!({"provider": "example"}));
    let meanwhile = async {
        until(async || provider.forms().len() == 1).await;
        let locked = Locked::take(&home).await;
        // As a disk that is full: nothing can be written there.
        fs::remove_dir_all(&folder).expect("removed");
        drop(held);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(broker.custodian.journal().pending_count(), 0);
        fs::create_dir(&folder).expect("made");
        until(async || answers(&home).len() == 1).await;
        locked.release().await;
    };
    let (answer, ()) = tokio::join!(asked, meanwhile);
    assert_eq!((answer.status, &answer.body["access_token"]), (200, &json!("access-2")), "{answer:?}");
    until(async || answers(&home).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_whose_journal_takes_nothing_is_not_ready() {
    let provider = Provider::start().await;
    let home = home(&provider);
    let broker = home.start().await;
    let url = format!("http://{}/readyz", broker.admin);
    let ready = async || broker.http.get(&url).send().await.expect("an answer").status().as_u16();
    assert_eq!(ready().await, 200);
    let (folder, away) = (home.path().join("journal"), home.path().join("away"));
    fs::rename(&folder, &away).expect("moved");
    until(async || ready().await == 503).await;
    fs::rename(&away, &folder).expect("moved");
    until(async || ready().await == 200).await;
    let left = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    assert!(left.into_iter().all(|name| name == "lock" || name == "versions"), "the probe is gone");
}

/// What the database refuses now it refuses always: whoever is served afterwards must not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_the_database_refuses_for_good_stays_in_the_journal_and_stops_nobody() {
    let Some(home) = Home::on_postgres().await else { return };
    let home = with_journal(home);
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    broker.connect("grace", &home.provider.grant(), 3600).await;
    home.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         RAISE EXCEPTION 'no such text' USING ERRCODE = '22021'; END $$",
    )
    .await;
    home.execute(
        "CREATE TRIGGER refuses BEFORE UPDATE OF refresh_hash ON grants FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await;
    let asked = broker.token("ada", json!({"provider": "example"}));
    let meanwhile = until(async || broker.custodian.journal().pending_count() == 1);
    let (answer, ()) = tokio::join!(asked, meanwhile);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!((answers(&home).len(), home.provider.forms().len()), (1, 1));
    broker.stop().await;
    let again = home.start().await;
    assert_eq!((answers(&home).len(), again.custodian.journal().pending_count()), (1, 1));
    assert_eq!(again.token("grace", json!({"provider": "example"})).await.status, 200);
}
