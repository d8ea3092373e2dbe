//! The databases that the tests run on.
//!
//! Tests that say nothing of a database run on SQLite, and a second time on Postgres where `TOKENTOSS_TEST_DATABASE` is `postgres`.
//! Those that loop over both, or are about one of them, belong to the first run, and say so in the second.

use std::path::{Path, PathBuf};

use sqlx::{Connection, PgConnection, SqliteConnection};
use tokentoss_broker::store::GrantId;

use crate::provider::Provider;
use crate::running::Home;

/// Whether this is the second run, which is on Postgres.
pub(crate) fn is_second_run() -> bool {
    match std::env::var("TOKENTOSS_TEST_DATABASE").as_deref() {
        Err(_) | Ok("sqlite") => false,
        Ok("postgres") => {
            eprintln!(
                "a test of both databases, or of one of them, is skipped: it belongs to the run on SQLite"
            );
            true
        }
        Ok(other) => panic!("TOKENTOSS_TEST_DATABASE is sqlite or postgres, and not {other}"),
    }
}

/// The address of a new database of the kind that this run is for.
pub(crate) fn of_run(folder: &Path) -> String {
    if std::env::var("TOKENTOSS_TEST_DATABASE").is_ok_and(|kind| kind == "postgres") {
        let server =
            std::env::var("TOKENTOSS_TEST_POSTGRES").expect("TOKENTOSS_TEST_POSTGRES names the server");
        return new_on(server);
    }
    of_sqlite(folder)
}

fn of_sqlite(folder: &Path) -> String {
    format!("sqlite:{}/broker.sqlite", folder.display())
}

async fn execute_at(address: &str, text: &str) {
    let mut connection = PgConnection::connect(address).await.expect("a connection");
    let text = sqlx::AssertSqlSafe(text.to_owned());
    sqlx::raw_sql(text).execute(&mut connection).await.expect("executed");
}

/// The log of the server of Postgres, where that is the tests' own and has its files on this machine.
pub(crate) fn log_of_own_server() -> Option<PathBuf> {
    std::env::var_os("TOKENTOSS_TEST_POSTGRES_LOG").map(PathBuf::from)
}

/// Makes an empty database on a server of Postgres; its address.
fn new_on(server: String) -> String {
    let make = async move {
        let name = format!("test_{:032x}", u128::from_be_bytes(GrantId::generate().0));
        execute_at(&server, &format!("CREATE DATABASE {name}")).await;
        let (server, _) = server.rsplit_once('/').expect("a database in the address");
        format!("{server}/{name}")
    };
    // A thread of its own, since the callers are no futures and run in a runtime.
    let made = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(make)
    });
    made.join().expect("a database")
}

/// The address of the Postgres for tests. Where there is none, a test says that it was not run on it, or fails if it has to be.
pub(crate) fn postgres() -> Option<String> {
    let address = std::env::var("TOKENTOSS_TEST_POSTGRES").ok();
    if address.is_none() {
        let is_required = std::env::var_os("TOKENTOSS_TEST_POSTGRES_REQUIRED").is_some();
        assert!(!is_required, "TOKENTOSS_TEST_POSTGRES names no server, and the tests have to run on one");
        eprintln!("skipped on Postgres: TOKENTOSS_TEST_POSTGRES names no server");
    }
    address
}

impl Home {
    /// One on SQLite, and one on an empty Postgres where there is one for tests; none in the second run.
    pub(crate) async fn all() -> Vec<Self> {
        let homes = [Self::on_sqlite().await, Self::on_postgres().await];
        homes.into_iter().flatten().collect()
    }

    /// One for a test that is about SQLite's file.
    pub(crate) async fn on_sqlite() -> Option<Self> {
        if is_second_run() {
            return None;
        }
        Some(Self::new(&Provider::start().await))
    }

    /// One for a test that is about Postgres, where there is one for tests.
    pub(crate) async fn on_postgres() -> Option<Self> {
        if is_second_run() {
            return None;
        }
        let server = postgres()?;
        let mut home = Self::new(&Provider::start().await);
        home.set_database(&new_on(server));
        Some(home)
    }

    /// Whether its database is SQLite.
    pub(crate) fn is_on_sqlite(&self) -> bool {
        self.database().starts_with("sqlite:")
    }

    /// The expression for the database's clock, in milliseconds.
    pub(crate) fn now(&self) -> &'static str {
        if self.is_on_sqlite() {
            return "CAST(unixepoch('subsec') * 1000 AS BIGINT)";
        }
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    }

    /// Copies the database, which is Postgres, while no broker runs; the copy's address.
    pub(crate) async fn copy_database(&self) -> String {
        let name = self.database_name();
        self.execute_beside(&format!("CREATE DATABASE {name}_copy TEMPLATE {name}")).await;
        format!("{}_copy", self.database())
    }

    /// Runs statements behind the brokers' back.
    pub(crate) async fn execute(&self, text: &str) {
        if self.is_on_sqlite() {
            let text = sqlx::AssertSqlSafe(text.to_owned());
            let mut connection = SqliteConnection::connect(&self.database()).await.expect("a connection");
            sqlx::raw_sql(text).execute(&mut connection).await.expect("executed");
        } else {
            execute_at(&self.database(), text).await;
        }
    }

    /// Runs a statement on its server, which is Postgres, from another database.
    pub(crate) async fn execute_beside(&self, text: &str) {
        let address = self.database();
        let (server, _) = address.rsplit_once('/').expect("a name");
        execute_at(&format!("{server}/postgres"), text).await;
    }

    /// The one text of an answer of Postgres.
    pub(crate) async fn text(&self, query: &'static str) -> String {
        let mut connection = PgConnection::connect(&self.database()).await.expect("a connection");
        sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a text")
    }

    /// The name of its database, which is Postgres.
    pub(crate) fn database_name(&self) -> String {
        self.database().rsplit_once('/').expect("a name").1.to_owned()
    }

    /// The one number of a query's answer.
    pub(crate) async fn number(&self, text: &str) -> i64 {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        if self.is_on_sqlite() {
            let mut connection = SqliteConnection::connect(&self.database()).await.expect("a connection");
            sqlx::query_scalar(text).fetch_one(&mut connection).await.expect("a number")
        } else {
            let mut connection = PgConnection::connect(&self.database()).await.expect("a connection");
            sqlx::query_scalar(text).fetch_one(&mut connection).await.expect("a number")
        }
    }
}
