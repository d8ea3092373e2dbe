"""How the servers of pages answer: always with headers that protect, to people by a page."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tokentoss import texts
from tokentoss.callback.pages import SECURITY_HEADERS, nothing_to_do, refusal_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokentoss.callback.template import Message


class AnsweringHandler(BaseHTTPRequestHandler):
    """Answers without a word of the request, and logs nothing."""

    def answer(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str]) -> None:
        """Send an answer, and close the connection after it."""
        self.send_response_only(status)
        for name, value in {**SECURITY_HEADERS, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, status: HTTPStatus, content: Mapping[str, Any]) -> None:
        """Answer a script of our own pages."""
        self.answer(status, json.dumps(content).encode("utf-8"), {"Content-Type": "application/json"})

    def refuse(self, status: HTTPStatus, message: Message) -> None:
        """Say no: to people by a page, to programs by a line of text."""
        if self.is_for_reading():
            self.answer(status, *refusal_page(message))
            return
        line = f"{message.sentence} ({message.code})\n" if message.code else f"{message.sentence}\n"
        self.answer(status, line.encode("utf-8"), {"Content-Type": "text/plain; charset=utf-8"})

    def language(self) -> str:
        """Return the language that pages are in: the one that the user chose, or else the browser's."""
        wanted = ",".join(self._values("Accept-Language"))
        return texts.chosen() or texts.accepted(wanted) or texts.ENGLISH

    def is_for_reading(self) -> bool:
        """Tell whether a browser shows the answer."""
        return self.command == "GET" and "text/html" in ",".join(self._values("Accept"))

    def _values(self, name: str) -> list[str]:
        # What could not be parsed has no headers.
        headers = getattr(self, "headers", None)
        return [] if headers is None else headers.get_all(name, [])

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a fixed sentence: the default one would quote the request."""
        del message, explain
        self.refuse(HTTPStatus(code), nothing_to_do(self.language()))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: request lines hold authorization codes."""
