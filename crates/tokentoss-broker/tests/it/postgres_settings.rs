//! Settings of Postgres by which a commit can be lost.

use std::path::Path;

use crate::commands::{out, run};
use crate::process::Process;
use crate::running::{Home, until};

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_can_be_lost_are_a_problem_and_a_warning() {
    let problem =
        "problem: database: synchronous_commit is off, so that a crash of the server loses refresh tokens";
    if let Some(home) = Home::on_sqlite().await {
        home.start().await.stop().await;
        let checked = out(&run(&home.configuration(""), &["check"]).await);
        assert!(!checked.contains("is off"), "{checked}");
    }
    let Some(home) = Home::on_postgres().await else { return };
    home.start().await.stop().await;
    let checked = out(&run(&home.configuration(""), &["check"]).await);
    assert!(!checked.contains("is off"), "{checked}");
    let (_, name) = home
        .database()
        .rsplit_once('/')
        .map(|(server, name)| (server.to_owned(), name.to_owned()))
        .expect("a name");
    home.execute(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).await;
    let checked = run(&home.configuration(""), &["check"]).await;
    assert!(!checked.status.success() && out(&checked).contains(problem), "{checked:?}");
    let mut process = Process::start_in(&home, "", &[("RUST_LOG", Path::new("warn"))]).await;
    let log = process.overhear();
    let is_warned = |line: &String| {
        line.contains("Postgres can lose what was committed") && line.contains("synchronous_commit")
    };
    until(async || log.lock().expect("not poisoned").iter().any(is_warned)).await;
}
