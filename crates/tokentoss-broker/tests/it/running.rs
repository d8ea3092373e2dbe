//! A broker that runs, on SQLite in a file.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokentoss_broker::config::Config;
use tokentoss_broker::keys::KeyRing;
use tokentoss_broker::refresh::{Custodian, SignedIn};
use tokentoss_broker::server::Server;
use tokentoss_broker::store::{AccountKey, GrantId};
use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::renewal::Tokens;
use tokentoss_custody::{Grant, Guard, Scopes, Update};
use tokio::sync::oneshot;

use crate::provider::Provider;

/// The key of the one caller.
pub(crate) const KEY: &str = "the-key-of-the-application-server";

/// A folder with what a broker needs; several brokers can share it.
pub(crate) struct Home {
    folder: TempDir,
    token_endpoint: String,
}

impl Home {
    pub(crate) fn new(provider: &Provider) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("keys.toml"), KeyRing::generate("first").as_bytes()).expect("written");
        fs::write(folder.path().join("caller.key"), format!("{KEY}\n")).expect("written");
        fs::write(folder.path().join("client.secret"), "s3cret-of-the-client\n").expect("written");
        Self { folder, token_endpoint: provider.token_endpoint.clone() }
    }

    /// Writes the configuration file, with more lines at its end.
    pub(crate) fn configuration(&self, more: &str) -> PathBuf {
        let folder = self.folder.path().display();
        let text = format!(
            r#"
            listen = "127.0.0.1:0"
            admin_listen = "127.0.0.1:0"
            database = "sqlite:{folder}/broker.sqlite"
            key_ring = "{folder}/keys.toml"

            [providers.example]
            token_endpoint = "{}"
            client_id = "client-1"
            client_secrets = ["{folder}/client.secret"]

            [callers.application]
            keys = ["{folder}/caller.key"]
            {more}
            "#,
            self.token_endpoint
        );
        let path = self.folder.path().join("broker.toml");
        fs::write(&path, text).expect("written");
        path
    }

    pub(crate) async fn start(&self) -> Broker {
        let config = Config::read(&self.configuration("")).expect("a configuration");
        let server = Server::build(&config).await.expect("a server");
        let (address, admin) =
            (server.address().expect("an address"), server.admin_address().expect("an address"));
        let custodian = server.custodian();
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(server.run(async move {
            let _ = ended.await;
        }));
        Broker { _home: None, address, admin, custodian, end, task, http: reqwest::Client::new() }
    }

    /// The same for the one broker of its home, which goes with it.
    pub(crate) async fn start_kept(self) -> Broker {
        let broker = self.start().await;
        Broker { _home: Some(self), ..broker }
    }
}

/// A broker that runs, with its home.
pub(crate) struct Broker {
    _home: Option<Home>,
    address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) custodian: Arc<Custodian>,
    end: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), tokentoss_broker::server::ServerError>>,
    pub(crate) http: reqwest::Client,
}

/// An answer, whole.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Broker {
    /// Connects an account whose access token has so many seconds left.
    pub(crate) async fn connect(&self, user: &str, refresh: &str, left: u64) -> GrantId {
        let issuer = "https://as.example";
        let who = SignedIn {
            account: AccountKey { tenant: "acme", user, provider: "example", issuer, subject: user },
            email: None,
            requested: Scopes::read("files.read profile"),
        };
        let tokens = Tokens {
            access: Secret::new(format!("first-access-of-{user}")),
            refresh: Some(Secret::new(refresh.to_owned())),
            id_token: None,
            expires_in: Some(Duration::from_secs(left)),
            scopes: None,
        };
        self.custodian.connect(&who, &tokens).await.expect("connected")
    }

    /// The same, an hour and as many seconds ago, so that the token has ended.
    pub(crate) async fn connect_long_ago(&self, user: &str, refresh: &str) -> GrantId {
        let id = self.connect(user, refresh, 3600).await;
        let row = self.custodian.store.grant(id).await.expect("an answer").expect("a row");
        let earlier = |time: Timestamp| Timestamp::from_millis(time.as_millis() - 3_601_000);
        let mut after = Grant { version: row.grant.version.next(), ..row.grant.clone() };
        for access in after.tokens.iter_mut().filter_map(|slot| slot.access.as_mut()) {
            access.obtained_at = earlier(access.obtained_at);
            access.expires_at = access.expires_at.map(earlier);
        }
        let update = Update { guard: Guard::of(&row.grant), after, revoke: Vec::new() };
        assert!(self.custodian.store.update(id, &update, &[]).await.expect("an answer"));
        id
    }

    pub(crate) fn request(&self, method: &str, path: &str, user: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.http
            .request(method, format!("http://{}{path}", self.address))
            .bearer_auth(KEY)
            .header("x-tokentoss-tenant", "acme")
            .header("x-tokentoss-user", user)
    }

    pub(crate) async fn token(&self, user: &str, body: Value) -> Answer {
        self.post_token(user, body.to_string()).await
    }

    pub(crate) async fn post_token(&self, user: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request("POST", "/v1/token", user).header("content-type", "application/json");
        answer(request.body(body)).await
    }

    /// Ends it as SIGTERM does.
    pub(crate) async fn stop(self) {
        self.end.send(()).expect("it runs");
        self.task.await.expect("no panic").expect("a good end");
    }
}

/// Sends a request and reads the answer.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}
