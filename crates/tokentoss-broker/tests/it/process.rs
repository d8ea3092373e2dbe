//! The real program, to be killed.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::running::{Answer, Home, KEY, answer, http};

/// A broker in a process of its own, which ends with this.
pub(crate) struct Process {
    child: Child,
    errors: Option<Lines<BufReader<ChildStderr>>>,
    address: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    http: reqwest::Client,
}

impl Process {
    /// Starts one that stops at a point, or at none.
    pub(crate) async fn start(home: &Home, failpoint: &str) -> Self {
        Self::start_in(home, failpoint, &[]).await
    }

    /// The same with more in its environment.
    pub(crate) async fn start_in(home: &Home, failpoint: &str, environment: &[(&str, &Path)]) -> Self {
        let mut process = Self::spawn(home, failpoint, environment);
        let mut lines = BufReader::new(process.child.stdout.take().expect("a pipe")).lines();
        let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await;
        let line = line.expect("in time").expect("text").expect("a line");
        let after = |word: &str| {
            let rest = line.split_once(word).expect("an address").1;
            rest.split(' ').next().expect("an address").parse().expect("an address")
        };
        process.address = Some(after("callers http://"));
        process.admin = Some(after("administrators http://"));
        process
    }

    /// Starts one that may never listen.
    pub(crate) fn start_only(home: &Home, failpoint: &str) -> Self {
        Self::spawn(home, failpoint, &[])
    }

    /// Writes what it says to its standard error from now on to a list, until it ends.
    pub(crate) fn overhear(&mut self) -> Arc<Mutex<Vec<String>>> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (list, stderr) = (Arc::clone(&heard), self.errors.take().expect("not overheard yet"));
        tokio::spawn(async move {
            let mut lines = stderr;
            while let Ok(Some(line)) = lines.next_line().await {
                list.lock().expect("not poisoned").push(line);
            }
        });
        heard
    }

    /// A client for it.
    pub(crate) const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address.expect("it listens"))
    }

    /// A request of the application for a user.
    pub(crate) fn request(&self, method: &str, path: &str, user: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method.parse().expect("a method"), self.url(path)).bearer_auth(KEY);
        request.header("x-tokentoss-tenant", "acme").header("x-tokentoss-user", user)
    }

    fn spawn(home: &Home, failpoint: &str, environment: &[(&str, &Path)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tokentoss-broker"))
            .arg("--config")
            .arg(home.configuration(""))
            .arg("serve")
            .env("TOKENTOSS_BROKER_FAILPOINT", failpoint)
            // Nobody reads its log, and a full pipe would stop it.
            .env("RUST_LOG", "warn,audit=off")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let errors = Some(BufReader::new(child.stderr.take().expect("a pipe")).lines());
        Self { child, errors, address: None, admin: None, http: http() }
    }

    /// Waits until it has reached the point.
    pub(crate) async fn reached(&mut self, failpoint: &str) {
        let line = format!("failpoint {failpoint}");
        let errors = self.errors.as_mut().expect("not overheard");
        let reached = async { while errors.next_line().await.expect("text").expect("a line") != line {} };
        tokio::time::timeout(Duration::from_secs(30), reached).await.expect("the point was reached");
    }

    /// Kills it as `kill -9` does.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it ran");
    }

    /// Its process.
    pub(crate) fn id(&self) -> String {
        self.child.id().expect("it runs").to_string()
    }

    /// Ends it by SIGTERM.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        let sent = Command::new("kill").args(["-TERM", &self.id()]).status().await;
        assert!(sent.expect("it runs").success());
        tokio::time::timeout(Duration::from_secs(30), self.child.wait())
            .await
            .expect("in time")
            .expect("an end")
    }

    /// Its numbers.
    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.admin.expect("it listens"));
        self.http.get(url).send().await.expect("an answer").text().await.expect("a body")
    }

    pub(crate) fn token(&self, user: &str, body: &Value) -> impl Future<Output = Answer> + use<> {
        let request = self
            .http
            .post(format!("http://{}/v1/token", self.address.expect("it listens")))
            .bearer_auth(KEY)
            .header("x-tokentoss-tenant", "acme")
            .header("x-tokentoss-user", user)
            .header("content-type", "application/json")
            .body(body.to_string());
        answer(request)
    }
}
