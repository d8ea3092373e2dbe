"""The API of the demo: it lets requests through by their ID token, as Google's Identity-Aware Proxy does."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tokentoss.demo.grants import CLIENT_ID
from tokentoss.demo.server import Answer, LoopbackServer, Request
from tokentoss.exceptions import TokenTossError
from tokentoss.oauth.id_token import validate_id_token

if TYPE_CHECKING:
    from tokentoss.oauth.provider import Provider

PATH = "/api/data"
"""The path of its data."""

_DATA = [
    {"sample": "A-1", "yield_percent": 81.5},
    {"sample": "A-2", "yield_percent": 78.2},
    {"sample": "B-1", "yield_percent": 90.4},
]


class DemoApi(LoopbackServer):
    """Serves from the moment it is made until it is closed.

    Args:
        provider: Whose ID tokens it takes.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        super().__init__()

    @property
    def base_url(self) -> str:
        """Its origin."""
        return self.origin

    def answer(self, request: Request) -> Answer:
        """Answer to who shows an ID token of the provider."""
        if not request.bearer_token:
            return _refused("empty token")
        try:
            claims = validate_id_token(request.bearer_token, provider=self._provider, client_id=CLIENT_ID)
        except TokenTossError as failure:
            return _refused(failure.code)
        if not claims.signature_checked:
            return _refused("the signature cannot be checked")
        if request.path != PATH:
            return Answer.json({"error": "no such path"}, HTTPStatus.NOT_FOUND)
        return Answer.json({"email": claims.email, "subject": claims.subject, "data": _DATA})


def _refused(why: str) -> Answer:
    headers = {"Content-Type": "text/plain; charset=utf-8", "x-goog-iap-generated-response": "true"}
    return Answer(HTTPStatus.UNAUTHORIZED, f"Invalid IAP credentials: {why}\n".encode(), headers)
