"""A stand-in for Box, as its documentation describes it (the pages are named in docs/providers.md).

Authorization codes live for 30 seconds, access tokens for about an hour, refresh tokens for 60 days or one
use. Requests with an `Origin` that the app does not list are refused. Nothing here was compared with Box.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tokentoss import BOX, ClientConfig

from .recording import RecordingServer, Reply, Request

if TYPE_CHECKING:
    from tokentoss import Provider

CODE_LIFETIME = 30
ACCESS_TOKEN_LIFETIME = 3600
REFRESH_TOKEN_LIFETIME = 60 * 86_400
ITEMS = [
    {"type": "folder", "id": "12345", "etag": "1", "sequence_id": "3", "name": "Contracts"},
    {"type": "file", "id": "67890", "etag": "1", "sequence_id": "3", "name": "Plan.pdf"},
]


@dataclass(frozen=True)
class BoxUser:
    """A user of the stand-in."""

    id: str
    login: str
    name: str


ADA = BoxUser("11446498", "ada@corp.example", "Ada Lovelace")
GRACE = BoxUser("22446498", "grace@corp.example", "Grace Hopper")


@dataclass
class _Token:
    user: BoxUser
    grant: str
    expires_at: float
    used: bool = False


class BoxLike(RecordingServer):
    """The server. `user` sits at its pages, `cors_origins` is the app's list; `advance` lets time pass."""

    def __init__(self) -> None:
        self.user = ADA
        self.cors_origins: set[str] = set()
        self.client = ClientConfig(
            "ly1nj6n11vionaie65emwzk575hnnmrk",
            secrets.token_urlsafe(24),
        )
        self._codes: dict[str, tuple[_Token, str]] = {}
        self._access: dict[str, _Token] = {}
        self._refresh: dict[str, _Token] = {}
        self._later = 0.0
        self._lock = threading.Lock()
        super().__init__(self._answer)

    def provider(self) -> Provider:
        """Box's data with the addresses of this server."""
        origin = self.origin()
        return replace(
            BOX,
            authorization_endpoint=f"{origin}/api/oauth2/authorize",
            token_endpoint=f"{origin}/oauth2/token",
            revocation_endpoint=f"{origin}/oauth2/revoke",
            identity_endpoint=f"{origin}/2.0/users/me",
        )

    def advance(self, seconds: float) -> None:
        """Let time pass for this server."""
        self._later += seconds

    def calls(self, path: str) -> int:
        """Requests so far to a path."""
        return sum(request.path == path for request in self.requests)

    def live_refresh_tokens(self) -> int:
        """Refresh tokens that would still be taken."""
        return sum(not token.used and token.expires_at > self._now for token in self._refresh.values())

    @property
    def _now(self) -> float:
        return time.time() + self._later

    def _answer(self, request: Request) -> Reply:
        origin = request.headers.get("Origin")
        with self._lock:
            if request.path == "/api/oauth2/authorize":
                return self._authorize(parse_qs(urlsplit(request.target).query))
            if origin is not None and origin not in self.cors_origins:
                return _cors_refusal(origin)
            if request.path in {"/oauth2/token", "/oauth2/revoke"} and request.method == "POST":
                form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
                return self._token(form) if request.path.endswith("token") else self._revoke(form)
            return self._api(request)

    def _authorize(self, query: dict[str, list[str]]) -> Reply:
        redirect_uri = query["redirect_uri"][0]
        is_loopback = urlsplit(redirect_uri).hostname in {"127.0.0.1", "localhost"}
        if query["client_id"] != [self.client.client_id] or not is_loopback:
            return Reply(400, b"redirect_uri_mismatch")
        assert query["response_type"] == ["code"]
        code = secrets.token_urlsafe(16)
        grant = _Token(self.user, secrets.token_hex(8), self._now + CODE_LIFETIME)
        self._codes[code] = (grant, redirect_uri)
        answer = urlencode({"code": code, "state": query["state"][0]})
        return Reply.redirect(302, f"{redirect_uri}?{answer}")

    def _token(self, form: dict[str, str]) -> Reply:
        if not self._knows_client(form):
            return _invalid_client()
        if form.get("grant_type") == "authorization_code":
            grant, redirect_uri = self._codes.pop(form.get("code", ""), (None, ""))
            if grant is None or grant.expires_at <= self._now or form.get("redirect_uri") != redirect_uri:
                return _error("invalid_grant", "The authorization code has expired")
            return self._pair(grant.user, grant.grant)
        if form.get("grant_type") == "refresh_token":
            token = self._refresh.get(form.get("refresh_token", ""))
            if token is None:
                return _error("invalid_grant", "Invalid refresh token")
            if token.used or token.expires_at <= self._now:
                return _error("invalid_grant", "Refresh token has expired")
            token.used = True
            return self._pair(token.user, token.grant)
        return _error("unsupported_grant_type", "Invalid grant_type parameter or parameter missing")

    def _pair(self, user: BoxUser, grant: str) -> Reply:
        access_token, refresh_token = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        self._access[access_token] = _Token(user, grant, self._now + ACCESS_TOKEN_LIFETIME)
        self._refresh[refresh_token] = _Token(user, grant, self._now + REFRESH_TOKEN_LIFETIME)
        return Reply.json(
            {
                "access_token": access_token,
                "expires_in": ACCESS_TOKEN_LIFETIME,
                "restricted_to": [],
                "refresh_token": refresh_token,
                "token_type": "bearer",
            }
        )

    def _revoke(self, form: dict[str, str]) -> Reply:
        if not self._knows_client(form):
            return _invalid_client()
        text = form.get("token", "")
        token = self._access.get(text) or self._refresh.get(text)
        if token is None:
            return _error("invalid_token", "Invalid token")
        for tokens in (self._access, self._refresh):
            for other in [one for one, held in tokens.items() if held.grant == token.grant]:
                del tokens[other]
        return Reply(200, b"")

    def _api(self, request: Request) -> Reply:
        token = self._access.get(request.bearer or "")
        if token is None or token.expires_at <= self._now:
            challenge = 'Bearer realm="Service", error="invalid_token"'
            return Reply(401, b"", {"WWW-Authenticate": challenge})
        if request.path == "/2.0/users/me":
            user = token.user
            return Reply.json({"type": "user", "id": user.id, "login": user.login, "name": user.name})
        if request.path == "/2.0/folders/0/items":
            return Reply.json({"total_count": len(ITEMS), "entries": ITEMS, "offset": 0, "limit": 100})
        if request.path == "/2.0/folders/0/secret":
            challenge = 'Bearer realm="Service", error="insufficient_scope"'
            return Reply(403, b"", {"WWW-Authenticate": challenge})
        return Reply.json({"type": "error", "status": 404, "code": "not_found", "message": "Not Found"}, 404)

    def _knows_client(self, form: dict[str, Any]) -> bool:
        given = form.get("client_id", ""), form.get("client_secret", "")
        return given == (self.client.client_id, self.client.client_secret)


def _invalid_client() -> Reply:
    return _error("invalid_client", "The client credentials are not valid")


def _error(error: str, description: str) -> Reply:
    return Reply.json({"error": error, "error_description": description}, 400)


def _cors_refusal(origin: str) -> Reply:
    return Reply.json(
        {
            "type": "error",
            "status": 403,
            "code": "cors_origin_not_whitelisted",
            "context_info": {"origin": origin},
            "help_url": "https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/",
            "message": "Access denied - Did you forget to safelist your origin in the CORS config of your "
            "app?",
            "request_id": "4dsdfsa832213",
        },
        403,
    )
