//! Limits on connections: their number, and the time that a client may take.
//!
//! `axum::serve` limits neither, so slow clients (Slowloris) could occupy all connections.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::callers::Peer;

/// Connections to one port at most.
const CONNECTIONS: usize = 4096;
/// Connections to the administrators' port at most.
const ADMIN_CONNECTIONS: usize = 64;
/// The time limit for the headers of a request, counted from the end of the previous request; also the
/// keep-alive time-out.
const HEADERS: Duration = Duration::from_secs(30);
/// How long a client may stop reading a response.
const READING: Duration = Duration::from_secs(30);
/// The longest headers of a request with its first line, in bytes.
const HEADER_BYTES: usize = 64 * 1024;

/// The limits for the connections of one listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    connections: usize,
    headers: Duration,
    reading: Duration,
}

impl ConnectionLimits {
    /// The limits for each of the callers' listeners and for the administrators' one, within the limit of
    /// open files.
    pub(crate) fn of_system(listeners: usize) -> (Self, Self) {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        Self::within(usize::try_from(files).unwrap_or(usize::MAX), listeners)
    }

    fn within(files: usize, listeners: usize) -> (Self, Self) {
        // The other half is for files, the database and outgoing requests.
        let half = files / 2;
        let admin = (half / 8).clamp(1, ADMIN_CONNECTIONS);
        let each = half.saturating_sub(admin) / listeners.max(1);
        let limits = |connections| Self { connections, headers: HEADERS, reading: READING };
        (limits(each.clamp(1, CONNECTIONS)), limits(admin))
    }
}

/// A listener that may report the peer of a connection.
pub(crate) trait PeerListener: Listener {
    /// The process at the other end; none over TCP.
    fn peer(io: &Self::Io) -> Option<Peer>;
}

impl PeerListener for tokio::net::TcpListener {
    fn peer(_: &Self::Io) -> Option<Peer> {
        None
    }
}

impl PeerListener for tokio::net::UnixListener {
    fn peer(io: &Self::Io) -> Option<Peer> {
        Some(Peer::of(io))
    }
}

/// Serves until `stop`, and then until the requests that have begun are answered.
pub(crate) async fn serve<L: PeerListener>(
    mut listener: L,
    router: Router,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    loop {
        // Without a free permit, new connections wait in the backlog of the operating system.
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await.ok();
            (listener.accept().await.0, permit)
        };
        let (io, permit) = tokio::select! {
            accepted = accepted => accepted,
            () = stop.cancelled() => break,
        };
        let connection = serve_one(io, L::peer, router.clone(), limits, stop.clone());
        connections.spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    // The listener is closed, so new connections are refused at once.
    drop(listener);
    connections.close();
    connections.wait().await;
}

fn serve_one<Io>(
    io: Io,
    peer: impl FnOnce(&Io) -> Option<Peer>,
    router: Router,
    limits: ConnectionLimits,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send
where
    Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    // The peer of a request is set only here, so a request over TCP has none.
    let peer = peer(&io).map(ConnectInfo);
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        routes.call(request)
    });
    // Without this time-out, an unread response would wait for ever and hold its resources.
    let mut io = TimeoutStream::new(io);
    io.set_write_timeout(Some(limits.reading));
    // More than a hundred headers are refused by hyper itself; to set that number would take memory of each
    // request.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(Box::pin(io)), service);
    async move {
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(is_timeout = error.is_timeout(), "a connection ended early");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::SocketAddr;

    use axum::body::{Body, Bytes};
    use axum::routing::get;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;

    use super::*;

    const ASKED: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

    /// A server with these bounds, and its end.
    async fn start(limits: ConnectionLimits) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let end = CancellationToken::new();
        let long = async || {
            Body::from_stream(stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 65_536]))))
        };
        let router = Router::new().route("/", get(async || "here")).route("/long", get(long));
        (address, end.clone(), tokio::spawn(serve(listener, router, limits, end)))
    }

    /// What comes until the connection ends.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text).await;
        text
    }

    #[tokio::test]
    async fn a_client_that_sends_headers_byte_by_byte_is_disconnected() {
        let limits =
            ConnectionLimits { connections: 1, headers: Duration::from_millis(100), reading: READING };
        let (address, _end, _task) = start(limits).await;
        let (mut slow, mut writing) = TcpStream::connect(address).await.expect("connected").into_split();
        let drips = tokio::spawn(async move {
            let _ = writing.write_all(b"GET / HTTP/1.1\r\n").await;
            while writing.write_all(b"x: y\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let mut text = Vec::new();
        let _ = slow.read_to_end(&mut text).await;
        drips.await.expect("it notices");
        assert!(!String::from_utf8_lossy(&text).contains("here"));
        // It held the only connection, which is free again.
        let mut next = TcpStream::connect(address).await.expect("connected");
        next.write_all(ASKED).await.expect("sent");
        assert!(rest(&mut next).await.ends_with("here"));
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_its_response_is_disconnected() {
        let limits =
            ConnectionLimits { connections: 1, headers: HEADERS, reading: Duration::from_millis(100) };
        let (address, _end, _task) = start(limits).await;
        let mut deaf = TcpStream::connect(address).await.expect("connected");
        deaf.write_all(b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        // The only connection is free again while this one is still open at its end.
        let mut next = TcpStream::connect(address).await.expect("connected");
        next.write_all(ASKED).await.expect("sent");
        assert!(rest(&mut next).await.ends_with("here"));
        drop(deaf);
    }

    #[test]
    fn all_listeners_together_take_half_of_what_can_be_open() {
        for (files, listeners, expected) in [
            (1024, 1, (448, 64)),
            (1024, 2, (224, 64)),
            (16_384, 2, (4064, 64)),
            (1_000_000, 2, (4096, 64)),
            (16, 2, (3, 1)),
            (0, 1, (1, 1)),
        ] {
            let (callers, admin) = ConnectionLimits::within(files, listeners);
            assert_eq!((callers.connections, admin.connections), expected, "{files}");
        }
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_for_its_turn() {
        let (address, end, task) =
            start(ConnectionLimits { connections: 1, headers: HEADERS, reading: READING }).await;
        let mut first = TcpStream::connect(address).await.expect("connected");
        first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        let mut byte = [0];
        first.read_exact(&mut byte).await.expect("an answer");
        let mut second = TcpStream::connect(address).await.expect("connected");
        second.write_all(ASKED).await.expect("sent");
        let early = tokio::time::timeout(Duration::from_millis(50), second.read_exact(&mut byte)).await;
        assert!(early.is_err(), "the first one is still open");
        drop(first);
        assert!(rest(&mut second).await.ends_with("here"));
        end.cancel();
        task.await.expect("a good end");
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn headers_that_are_too_long_are_refused() {
        let (address, _end, _task) = start(ConnectionLimits::of_system(1).0).await;
        let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(2 * HEADER_BYTES));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(101));
        for request in [long, many] {
            let mut stream = TcpStream::connect(address).await.expect("connected");
            let _ = stream.write_all(request.as_bytes()).await;
            let answer = rest(&mut stream).await;
            // A peer that still writes may lose the answer to the reset of the connection.
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
    }
}
