"""A web host that serves the static callback page, and plain pages that stand for a notebook."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tokentoss.callback.static_page import static_page, static_page_headers

from .stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Sequence

CALLBACK = "/services/tokentoss/callback"
NOTEBOOK = "/notebook"
SEVERING = "/severing"


class StaticHost(Stoppable):
    """Serves on 127.0.0.1 and localhost, which are two origins to a browser."""

    def __init__(self) -> None:
        host = self
        self.origins: Sequence[str] = ()
        self.requests: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                host.requests.append(self.path)
                headers, body = {"Content-Type": "text/html; charset=utf-8"}, ""
                if path == CALLBACK:
                    headers, body = static_page_headers(), static_page(host.origins)
                elif path == SEVERING:
                    # As a provider's page: its policy cuts the popup off, then it goes on.
                    headers["Cross-Origin-Opener-Policy"] = "same-origin"
                    body = f"<script>location.replace({CALLBACK!r} + location.search)</script>"
                elif path == NOTEBOOK:
                    body = "<!doctype html><title>Notebook</title>"
                self.send_response(200 if body else 404)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        port = self._server.server_address[1]
        self.origin = f"http://127.0.0.1:{port}"
        self.other_origin = f"http://localhost:{port}"

    def stop(self) -> None:
        """Close it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
