//! Requests to other servers: by a proxy or not, and whom TLS is spoken with.

mod certificates;
mod proxies;
mod reached;
mod servers;

use std::path::Path;

use serde_json::Value;

use crate::process::Process;
use crate::running::{Home, until};

/// A broker in a process with this environment, at which ada's token has ended; and what it writes to its log.
async fn process(home: &Home, environment: &[(&str, &Path)]) -> (Process, Log) {
    let broker = home.start().await;
    broker.connect_long_ago("ada", &home.provider.grant()).await;
    broker.stop().await;
    let mut all = vec![("RUST_LOG", Path::new("info")), ("NO_PROXY", Path::new(""))];
    all.extend_from_slice(environment);
    let mut process = Process::start_in(home, "", &all).await;
    let log = Log(process.overhear());
    (process, log)
}

/// The lines of a process.
struct Log(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

impl Log {
    /// The member `cause` of the line with this message, which has to come.
    async fn cause(&self, message: &str) -> String {
        let find = || {
            let lines = self.0.lock().expect("not poisoned");
            let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.find(|line| line["fields"]["message"] == message)
        };
        until(async || find().is_some()).await;
        find().expect("a line")["fields"]["cause"].as_str().unwrap_or_default().to_owned()
    }
}
