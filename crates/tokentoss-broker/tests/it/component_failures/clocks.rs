//! Clocks jump, both ways: the database's, which counts, and the process's, which is SQLite's too.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{is_active, told};
use crate::process::Process;
use crate::running::{Home, until};

const DAY: i64 = 86_400;
/// Forward, back to the truth, behind it, and forward to it again.
const JUMPS: [i64; 4] = [DAY, 0, -DAY, 0];

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_postgres() {
    let Some(home) = Home::on_postgres().await else { return };
    let address = home.database();
    let name = address.rsplit_once('/').expect("a name").1;
    home.execute("CREATE SCHEMA clock").await;
    home.execute("CREATE TABLE clock.shift AS SELECT CAST(0 AS BIGINT) AS seconds").await;
    home.execute(
        "CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
         'SELECT pg_catalog.clock_timestamp() + make_interval(secs => (SELECT seconds FROM clock.shift))'",
    )
    .await;
    home.execute(&format!("ALTER DATABASE {name} SET search_path = clock, pg_catalog, public")).await;
    let broker = home.start().await;
    broker.connect("ada", &home.provider.grant(), 3600).await;
    let mut before = told(&broker).await.body["access_token"].clone();
    broker.stop().await;
    for (index, seconds) in JUMPS.into_iter().enumerate() {
        home.execute(&format!("UPDATE clock.shift SET seconds = {seconds}")).await;
        // A fresh one keeps nothing of the time before.
        let broker = home.start().await;
        let after = told(&broker).await;
        assert_eq!(after.status, 200, "{seconds}: {after:?}");
        assert_ne!(after.body["access_token"], before, "{seconds}: nobody knows how old it is");
        assert_eq!(told(&broker).await.body["access_token"], after.body["access_token"], "{seconds}: once");
        assert_eq!((home.provider.forms().len(), is_active(&home).await), (index + 1, true), "{seconds}");
        before = after.body["access_token"].clone();
        broker.stop().await;
    }
}

/// What has a process believe in another time.
pub(crate) struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    pub(crate) fn of(folder: &Path) -> Self {
        let (library, file) = (folder.join("clock.so"), folder.join("clock"));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/component_failures/clock.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
        assert!(compiler.status().expect("a compiler, which Rust links with").success());
        let clock = Self { library, file };
        clock.shows(0);
        clock
    }

    pub(crate) fn shows(&self, seconds: i64) {
        let mut file = std::fs::OpenOptions::new();
        let mut file = file.write(true).create(true).truncate(false).open(&self.file).expect("a file");
        std::io::Write::write_all(&mut file, &seconds.to_ne_bytes()).expect("written");
    }

    pub(crate) fn environment(&self) -> [(&str, &Path); 2] {
        [("LD_PRELOAD", &self.library), ("CLOCK_OFFSET_FILE", &self.file)]
    }
}

async fn token(process: &Process) -> Value {
    let answer = process.token("ada", &json!({"provider": "example"})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["access_token"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_process() {
    for home in Home::all().await {
        let is_of_database = home.database().starts_with("sqlite:");
        let clock = Clock::of(home.path());
        let broker = home.start().await;
        broker.connect("ada", &home.provider.grant(), 3600).await;
        broker.stop().await;
        for seconds in JUMPS {
            let process = Process::start_in(&home, "", &clock.environment()).await;
            let before = token(&process).await;
            clock.shows(seconds);
            if is_of_database {
                // What is kept counts by a clock that nobody sets, for five seconds.
                until(async || token(&process).await != before).await;
            }
            let sent = home.provider.forms().len();
            let fresh = Process::start_in(&home, "", &clock.environment()).await;
            assert_eq!(token(&fresh).await, token(&process).await, "{seconds}");
            assert_eq!((home.provider.forms().len(), is_active(&home).await), (sent, true), "{seconds}");
        }
        let expected = if is_of_database { JUMPS.len() } else { 0 };
        assert_eq!(home.provider.forms().len(), expected, "only where the clock is the database's");
    }
}
