//! A service that takes the user's tokens, and a broker that may call it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::provider::Provider;
use crate::running::{Broker, Home, KEY};

/// What the service saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Reply = Arc<dyn Fn(&Seen) -> Response<Body> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::replying(|seen| Response::new(Body::from(format!("hello {}", seen.target)))).await
    }

    pub(crate) async fn replying(reply: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let state: (Arc<Mutex<Vec<Seen>>>, Reply) = (Arc::clone(&seen), Arc::new(reply));
        let router = Router::new().fallback(serve).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }

    /// What allows calls to `/mail` and below.
    pub(crate) fn rule(&self) -> String {
        rule(self.address)
    }
}

async fn serve(
    State((all, reply)): State<(Arc<Mutex<Vec<Seen>>>, Reply)>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return Response::default() };
    let (method, target) = (parts.method.to_string(), parts.uri.to_string());
    let seen = Seen { method, target, headers: parts.headers, body };
    all.lock().expect("not poisoned").push(seen.clone());
    reply(&seen)
}

pub(crate) fn rule(address: SocketAddr) -> String {
    format!(
        "[[providers.example.through]]\norigin = \"http://{address}\"\nmethods = [\"GET\", \"POST\"]\n\
         paths = [\"/mail\"]\nprivate = true\n"
    )
}

/// A broker with these lines in its configuration, at which ada is connected.
pub(crate) async fn broker(provider: &Provider, more: &str) -> Broker {
    let broker = Home::new(provider).start_kept_with(more).await;
    // Long enough that a refused token is renewed, and not taken for a caller's haste.
    broker.connect_ago("ada", &provider.grant(), 1800).await;
    broker
}

/// Writes a request as it stands, and reads until the broker closes.
pub(crate) async fn raw(broker: &Broker, request: &str) -> String {
    let mut stream = TcpStream::connect(broker.address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    let _ =
        tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The headers of ada's requests.
pub(crate) fn head() -> String {
    format!(
        "Host: broker\r\nAuthorization: Bearer {KEY}\r\nX-Tokentoss-Tenant: acme\r\nX-Tokentoss-User: ada\r\nConnection: close\r\n"
    )
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
