"""A server of the static callback page alone, such as a JupyterHub runs as a managed service."""

from __future__ import annotations

from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

from tokentoss.callback.answering import AnsweringHandler
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


class _Handler(AnsweringHandler):
    server: PageServer
    timeout = 10.0  # seconds for each read

    def do_GET(self) -> None:
        if self.path.partition("?")[0].endswith(PAGE_PATH):
            self.answer(HTTPStatus.OK, self.server.page, static_page_headers())
        else:
            self.send_error(HTTPStatus.NOT_FOUND)
