"""The HTTP server of the fake broker: who asks, what is well-formed, and the routes."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tokentoss.broker.address import TENANT_HEADER, USER_HEADER
from tokentoss.broker.fake import routes
from tokentoss.broker.fake.pages import PATH, page
from tokentoss.broker.fake.problems import ProblemError
from tokentoss.util.constant_time import same_text

if TYPE_CHECKING:
    from tokentoss.broker.fake.state import State

_LARGEST = 65_536
_OWNER = ("default", "default")

_THROUGH = "/v1/through/"
EVENTS = "/v1/events"
_OF_LISTENERS = {"/v1/accounts"}
"""What the thread that listens to news asks for by itself, at any time."""


def serve(broker: State) -> tuple[ThreadingHTTPServer, str]:
    """Serve a fake broker on a free port in a thread; return the server and its address."""

    class Handler(_Handler):
        pass

    Handler.broker = broker
    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(
        target=server.serve_forever, args=(0.02,), name="tokentoss-fake-broker", daemon=True
    ).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers who broke off."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    broker: State

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        body = self._body()
        parts = urlsplit(self.path)
        headers: dict[str, str] = {}
        try:
            if parts.path.startswith(PATH):
                status, kind, content = page(self.broker, self.command, parts.path, body)
                self._send(status, {"Content-Type": kind}, content)
                return
            owner = self._owner()
            if parts.path == EVENTS:
                self._tell(owner)
                return
            if parts.path.startswith(_THROUGH):
                status, headers, content = routes.through(self.broker, owner, self, body)
            else:
                members = _members(body)
                self.broker.requests.append((self.command, self.path, members))
                if self.broker.failures and self.path not in _OF_LISTENERS:
                    raise ProblemError(**self.broker.failures.pop(0))
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                status, answer = routes.answer(self.broker, owner, self.command, parts.path, query, members)
                content = b"" if answer is None else json.dumps(answer).encode()
                headers = {"Content-Type": "application/json"}
        except ProblemError as problem:
            status, content = problem.status, json.dumps(problem.members()).encode()
            headers = {"Content-Type": "application/problem+json", **problem.headers()}
        self._send(status, headers, content)

    def _tell(self, owner: tuple[str, str]) -> None:
        """Send a user's news until the listener leaves.

        Raises:
            ProblemError: ``rate_limited`` or ``method_not_allowed``.
        """
        self.broker.requests.append((self.command, self.path, {}))
        if self.command != "GET":
            raise ProblemError("method_not_allowed")
        listeners = self.broker.listeners
        with listeners.listening(owner) as waiting:
            self.close_connection = True
            self.send_response(200)
            for name, value in {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}.items():
                self.send_header(name, value)
            self.end_headers()
            for text in listeners.news(waiting, self.connection):
                self.wfile.write(text.encode())

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {"Cache-Control": "no-store", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            return b""
        # What goes through to a service is as long as the caller likes.
        largest = int(length) if self.path.startswith(_THROUGH) else 2 * _LARGEST
        return self.rfile.read(min(int(length), largest))

    def _owner(self) -> tuple[str, str]:
        """Return tenant and user of who asks.

        Raises:
            ProblemError: ``caller_unauthenticated``, or ``invalid_request``.
        """
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        named = [self.headers.get_all(name) or [] for name in (TENANT_HEADER, USER_HEADER)]
        if scheme.lower() != "bearer":
            raise ProblemError("caller_unauthenticated")
        if same_text(key, self.broker.key):
            if any(named):
                raise ProblemError("invalid_request")
            return _OWNER
        if not same_text(key, self.broker.server_key):
            raise ProblemError("caller_unauthenticated")
        if [len(values) for values in named] != [1, 1]:
            raise ProblemError("invalid_request")
        return named[0][0], named[1][0]


def _members(body: bytes) -> dict[str, Any]:
    if len(body) > _LARGEST:
        raise ProblemError("request_too_large")
    if not body:
        return {}
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise ProblemError("invalid_request") from None
    if not isinstance(members, dict):
        raise ProblemError("invalid_request")
    return members
