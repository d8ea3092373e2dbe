"""A server that keeps what it was asked and answers what a test says."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from .certificates import ServerCertificate

IDLE_SECONDS = 10


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def bearer(self) -> str | None:
        """The token in the Authorization header."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else None

    @property
    def text(self) -> str:
        """All of it, for a look whether it holds a secret."""
        return f"{self.method} {self.target}\n{self.headers}\n{self.body!r}"


@dataclass(frozen=True)
class Reply:
    """What the server sends back."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})

    @classmethod
    def json(cls, content: Any, status: int = 200) -> Reply:
        """A JSON document."""
        return cls(status, json.dumps(content).encode())

    @classmethod
    def redirect(cls, status: int, location: str) -> Reply:
        """A redirect."""
        return cls(status, b"", {"Location": location})


class RecordingServer(Stoppable):
    """Listens on an ephemeral loopback port, with https if it is given a certificate.

    `answer` makes the reply to each request; `requests` holds those that arrived.
    """

    def __init__(
        self, answer: Callable[[Request], Reply], *, certificate: ServerCertificate | None = None
    ) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self._server = _Server(self)
        self.port: int = self._server.server_port
        self.scheme = "http" if certificate is None else "https"
        if certificate is not None:
            self._server.socket = certificate.context().wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="recording-server", daemon=True
        )
        self._thread.start()

    def origin(self, host: str = "127.0.0.1") -> str:
        """Its origin under one of the host's names."""
        return f"{self.scheme}://{host}:{self.port}"

    def stop(self) -> None:
        """End the server and its thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A stampede knocks all at once.
    request_queue_size = 256

    def __init__(self, recorder: RecordingServer) -> None:
        self.recorder = recorder
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_arguments: object) -> None:
        """Clients break off connections, and refuse certificates, on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Headers and body leave as one: two small segments wait for each other's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Read a request, whatever its method, and send the reply."""
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        request = Request(self.command, self.path, self.headers, self._body())
        self.server.recorder.requests.append(request)
        reply = self.server.recorder.answer(request)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, *_arguments: object) -> None:
        """Tests look at `requests`."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body
