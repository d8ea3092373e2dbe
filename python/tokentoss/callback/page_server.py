"""A server of the static callback page alone, such as a JupyterHub runs as a managed service."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tokentoss.callback.redirect_uris import PAGE_PATH
from tokentoss.callback.static_page import static_page, static_page_headers

if TYPE_CHECKING:
    from collections.abc import Sequence


class PageServer(ThreadingHTTPServer):
    """Serves the page on this machine's loopback address, under every path that ends as a callback page's.

    Args:
        port: The port; 0 for any free one.
        origins: The origins of the notebook pages that the page talks to.

    Raises:
        ConfigurationError: If one of the origins is none.
        OSError: If the port cannot be listened on.
    """

    daemon_threads = True

    def __init__(self, port: int, origins: Sequence[str]) -> None:
        self.page = static_page(origins).encode("utf-8")
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = 10.0  # seconds for each read
    server_version = "tokentoss"
    sys_version = ""

    def do_GET(self) -> None:
        if not self.path.partition("?")[0].endswith(PAGE_PATH):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        for name, value in static_page_headers().items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        self.wfile.write(self.server.page)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a fixed sentence: the default one would quote the request."""
        del message, explain
        body = b"Only the callback page of sign-ins is served here.\n"
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: request lines hold authorization codes."""
