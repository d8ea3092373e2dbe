//! A broker that runs.

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
use tokentoss_broker::through::Lookup;
use tokentoss_core::{Secret, Timestamp};
use tokentoss_custody::renewal::Tokens;
use tokentoss_custody::{Grant, Guard, Scopes, Update};
use tokio::sync::oneshot;

use crate::databases;
use crate::provider::Provider;

/// The key of the one caller.
pub(crate) const KEY: &str = "the-key-of-the-application-server";

/// A folder with what a broker needs; several brokers can share it.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) provider: Provider,
    database: String,
    /// More lines for the provider.
    pub(crate) of_provider: String,
    /// The provider's name.
    pub(crate) provider_name: String,
    /// The client.
    pub(crate) client_id: String,
    /// More lines for the caller.
    pub(crate) of_caller: String,
    /// More lines before everything else.
    pub(crate) of_broker: String,
}

impl Home {
    /// One on an empty database of the kind that this run is for.
    pub(crate) fn new(provider: &Provider) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("keys.toml"), KeyRing::generate("first").as_bytes()).expect("written");
        fs::write(folder.path().join("caller.key"), format!("{KEY}\n")).expect("written");
        fs::write(folder.path().join("client.secret"), "s3cret-of-the-client\n").expect("written");
        let database = databases::of_run(folder.path());
        let of_provider = format!("revocation_endpoint = \"{}\"", provider.revocation_endpoint);
        Self {
            folder,
            provider: provider.clone(),
            database,
            of_provider,
            provider_name: "example".into(),
            client_id: "client-1".into(),
            of_caller: String::new(),
            of_broker: String::new(),
        }
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The address of its database.
    pub(crate) fn database(&self) -> String {
        self.database.clone()
    }

    /// Another database from now on.
    pub(crate) fn set_database(&mut self, address: &str) {
        address.clone_into(&mut self.database);
    }

    /// Writes the configuration file, with more lines at its end.
    pub(crate) fn configuration(&self, more: &str) -> PathBuf {
        let folder = self.folder.path().display();
        let text = format!(
            r#"
            {}
            listen = "127.0.0.1:0"
            admin_listen = "127.0.0.1:0"
            database = "{}"
            key_ring = "{folder}/keys.toml"

            [providers.{}]
            token_endpoint = "{}"
            client_id = "{}"
            client_secrets = ["{folder}/client.secret"]
            {}

            [callers.application]
            keys = ["{folder}/caller.key"]
            {}
            {more}
            "#,
            self.of_broker,
            self.database,
            self.provider_name,
            self.provider.token_endpoint,
            self.client_id,
            self.of_provider,
            self.of_caller
        );
        let path = self.folder.path().join("broker.toml");
        fs::write(&path, text).expect("written");
        path
    }

    pub(crate) async fn start(&self) -> Broker {
        self.start_resolving("", &Lookup::of_system()).await
    }

    /// The same with more lines at the configuration's end, and with names that calls for callers resolve by `lookup`.
    pub(crate) async fn start_resolving(&self, more: &str, lookup: &Lookup) -> Broker {
        let config = Config::read(&self.configuration(more)).expect("a configuration");
        let mut server = Server::build(&config).await.expect("a server");
        server.resolve_by(&config, lookup).expect("rules");
        let (address, admin) =
            (server.address().expect("an address"), server.admin_address().expect("an address"));
        let custodian = server.custodian();
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(server.run(async move {
            let _ = ended.await;
        }));
        Broker { _home: None, address, admin, custodian, end, task, http: http() }
    }

    /// One broker with more lines at the configuration's end, which keeps its home.
    pub(crate) async fn start_kept_with(self, more: &str) -> Broker {
        let broker = self.start_resolving(more, &Lookup::of_system()).await;
        Broker { _home: Some(self), ..broker }
    }

    /// The same for the one broker of its home, which goes with it.
    pub(crate) async fn start_kept(self) -> Broker {
        let broker = self.start().await;
        Broker { _home: Some(self), ..broker }
    }
}

/// A client that follows no redirect.
pub(crate) fn http() -> reqwest::Client {
    // Another test may have installed one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.build().expect("a client")
}

/// A broker that runs, with its home.
pub(crate) struct Broker {
    pub(crate) _home: Option<Home>,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) custodian: Arc<Custodian>,
    end: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
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
        self.connect_as(user, user, refresh, left).await
    }

    /// The same for one of several accounts.
    pub(crate) async fn connect_as(&self, user: &str, subject: &str, refresh: &str, left: u64) -> GrantId {
        self.connect_with("example", user, subject, refresh, left).await
    }

    /// The same at a provider of another name, long ago.
    pub(crate) async fn connect_at(&self, provider: &str, user: &str, refresh: &str) -> GrantId {
        let id = self.connect_with(provider, user, user, refresh, 3600).await;
        self.make_old(id, 3601).await;
        id
    }

    async fn connect_with(
        &self,
        provider: &str,
        user: &str,
        subject: &str,
        refresh: &str,
        left: u64,
    ) -> GrantId {
        let known = self.custodian.provider(provider).and_then(|provider| provider.issuer());
        let issuer = known.unwrap_or("https://as.example");
        let who = SignedIn {
            account: AccountKey { tenant: "acme", user, provider, issuer, subject },
            email: None,
            requested: Scopes::read("files.read profile"),
            id_token_expires_at: None,
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
        self.connect_ago(user, refresh, 3601).await
    }

    /// The same, so many seconds ago.
    pub(crate) async fn connect_ago(&self, user: &str, refresh: &str, seconds: u64) -> GrantId {
        let id = self.connect(user, refresh, 3600).await;
        self.make_old(id, seconds).await;
        id
    }

    /// Makes the tokens of an account older.
    pub(crate) async fn make_old(&self, id: GrantId, seconds: u64) {
        let row = self.custodian.store.grant(id).await.expect("an answer").expect("a row");
        let earlier = |time: Timestamp| Timestamp::from_millis(time.as_millis() - seconds * 1000);
        let mut after = Grant { version: row.grant.version.next(), ..row.grant.clone() };
        for access in after.tokens.iter_mut().filter_map(|slot| slot.access.as_mut()) {
            access.obtained_at = earlier(access.obtained_at);
            access.expires_at = access.expires_at.map(earlier);
        }
        let update = Update { guard: Guard::of(&row.grant), after, revoke: Vec::new() };
        assert!(self.custodian.store.update(id, &update, &[]).await.expect("an answer"));
    }

    /// The provider of its home.
    pub(crate) fn provider(&self) -> Provider {
        self._home.as_ref().expect("a home of its own").provider.clone()
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: &str, path: &str, user: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.http
            .request(method, format!("http://{}{path}", self.address))
            .bearer_auth(KEY)
            .header("x-tokentoss-tenant", "acme")
            .header("x-tokentoss-user", user)
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, user: &str, body: &Value) -> Answer {
        let request = self.request("POST", path, user).header("content-type", "application/json");
        answer(request.body(body.to_string())).await
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
        self.task.await.expect("a good end");
    }
}

/// Waits for a condition, which has to come.
pub(crate) async fn until(condition: impl AsyncFn() -> bool) {
    let came = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), came).await.expect("the condition came");
}

/// Sends a request and reads the answer.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    whole(request.send().await.expect("an answer")).await
}

/// Reads an answer, but for news, which have no end.
pub(crate) async fn whole(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let is_stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let text = if is_stream { String::new() } else { response.text().await.expect("a body") };
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, headers, body: without_trace(body) }
}

/// A body without its trace, so that the same problem is equal for two requests; traces.rs is about them.
pub(crate) fn without_trace(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.remove("trace_id");
    }
    body
}
