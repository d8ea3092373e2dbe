"""A small HTTP server on the loopback address, for the provider and the API of the demo."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST = 65_536  # bytes of a request's body
_ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    """What somebody asks."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]

    @property
    def bearer_token(self) -> str:
        """The token that came with the request, or ``""``."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    status: int = HTTPStatus.OK
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(
        cls, content: Mapping[str, Any], status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return an answer in JSON, which nobody keeps."""
        own = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        return cls(status, json.dumps(content).encode(), {**own, **(headers or {})})


class LoopbackServer(ThreadingHTTPServer):
    """Serves on a free port of this computer's loopback address, in a thread, until it is closed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((_ADDRESS, 0), _Handler)
        self.host = f"{_ADDRESS}:{self.server_port}"
        self.origin = f"http://{self.host}"
        threading.Thread(target=self.serve_forever, args=(0.1,), name="tokentoss-demo", daemon=True).start()

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        raise NotImplementedError

    def server_close(self) -> None:
        """Serve no more."""
        self.shutdown()
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers who broke off."""


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    timeout = 10.0  # seconds for each read
    server_version = "tokentoss-demo"
    sys_version = ""

    def do_GET(self) -> None:
        # Another name that leads here is a page's trick to read the answers.
        if self.headers.get("Host") != self.server.host:
            self._send(Answer(HTTPStatus.MISDIRECTED_REQUEST))
            return
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > _LARGEST:
            self._send(Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, headers, _members(parts.query), _members(body))
        self._send(self.server.answer(request))

    do_POST = do_OPTIONS = do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        """Log nothing: requests hold codes and tokens."""

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)


def _members(text: str) -> dict[str, str]:
    """Return the members of a query or a form; none of one that names a member twice."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return {}
    members = dict(pairs)
    return members if len(members) == len(pairs) else {}
