"""An API behind a stand-in for Google's Identity-Aware Proxy, which lets requests through by their ID token.

It follows what is known of IAP: the token in `Authorization` or `Proxy-Authorization`, a redirect to the
sign-in page for browsers, 401 with a plain sentence for a bad token, 403 with a page for a user who has no
access, and `x-goog-iap-generated-response: true` on every answer of the proxy itself.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
import requests

from .stoppable import Stoppable

if TYPE_CHECKING:
    from collections.abc import Collection

    from .certificates import ServerCertificate

TIMEOUT = 10
FORBIDDEN_PAGE = """<!DOCTYPE html><html lang=en><title>Error: Forbidden</title>
<h1>You don't have access</h1><p>Your account does not have permission to reach it.</p></html>"""
ITEMS = [
    {"sample": "A-1", "yield_percent": 81.5},
    {"sample": "A-2", "yield_percent": 78.2},
    {"sample": "B-1", "yield_percent": 90.4},
]


class TokenRefusedError(Exception):
    """The ID token does not identify a user; the message is IAP's sentence about it."""


class IapLikeApi(Stoppable):
    """The API, on an ephemeral loopback port.

    `audiences` are the client IDs on the proxy's programmatic allow list; `allowed_users` the e-mail
    addresses with access, or None for everyone who can sign in; with a `certificate` it speaks https.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audiences: Collection[str],
        allowed_users: Collection[str] | None = None,
        certificate: ServerCertificate | None = None,
    ) -> None:
        metadata = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=TIMEOUT).json()
        self.issuer = issuer
        self._sign_in_page: str = metadata["authorization_endpoint"]
        self._audiences = frozenset(audiences)
        self.allowed_users = None if allowed_users is None else frozenset(allowed_users)
        self.cors_origin: str | None = None
        """The one origin whose pages, and kernels in them, may call it."""
        self._keys = jwt.PyJWKClient(metadata["jwks_uri"], timeout=TIMEOUT)
        self._server = _Server(self)
        self.port: int = self._server.server_port
        self._scheme = "http" if certificate is None else "https"
        if certificate is not None:
            self._server.socket = certificate.context().wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, name="iap-like-api", daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """Origin of the API."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def sign_in_url(self) -> str:
        """Where the proxy sends a browser that carries no token."""
        return f"{self._sign_in_page}?{urlencode({'client_id': 'iap', 'response_type': 'code'})}"

    def stop(self) -> None:
        """End the server and its thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def identify(self, token: str) -> dict[str, Any]:
        """Return the claims of a valid ID token; raises TokenRefusedError."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._keys.get_signing_key_from_jwt(token).key,
                algorithms=["RS256"],
                issuer=self.issuer,
                audience=self._audiences,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.InvalidAudienceError:
            message = "JWT audience doesn't match this application"
        except jwt.ExpiredSignatureError:
            message = "JWT has expired"
        except jwt.InvalidSignatureError:
            message = "JWT signature is invalid"
        except jwt.InvalidIssuerError:
            message = "JWT issuer is invalid"
        except jwt.PyJWTError:
            message = "Unable to parse JWT"
        else:
            if isinstance(claims.get("email"), str):
                return claims
            message = "JWT 'email' claim isn't a string"
        raise TokenRefusedError(f"Invalid IAP credentials: {message}")

    def has_access(self, email: str) -> bool:
        """Whether the proxy lets the user through to the application."""
        return self.allowed_users is None or email in self.allowed_users


class _Server(ThreadingHTTPServer):
    """The listening socket, and what its requests are about."""

    def __init__(self, api: IapLikeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Request)


class _Request(BaseHTTPRequestHandler):
    """One request: the proxy first, then the application behind it."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT

    def do_GET(self) -> None:
        """Answer as the proxy, or let the application answer."""
        api = self.server.api
        token = self._bearer_token()
        if token is None:
            if "text/html" in self.headers.get("Accept", ""):
                self._answer_as_proxy(302, "", {"Location": api.sign_in_url})
            else:
                self._answer_as_proxy(401, "Invalid IAP credentials: empty token")
            return
        try:
            claims = api.identify(token)
        except TokenRefusedError as error:
            self._answer_as_proxy(401, str(error))
            return
        if api.has_access(claims["email"]):
            self._answer_as_application(claims)
        else:
            self._answer_as_proxy(403, FORBIDDEN_PAGE)

    def do_OPTIONS(self) -> None:
        """Answer a browser that asks ahead of its request."""
        self._answer(204, "", {"Access-Control-Allow-Headers": "authorization"})

    def log_message(self, *_arguments: object) -> None:
        """Keep the console for those who watch the demo."""

    def _bearer_token(self) -> str | None:
        for header in ("Proxy-Authorization", "Authorization"):
            scheme, _, token = self.headers.get(header, "").partition(" ")
            if scheme.lower() == "bearer" and token:
                return token.strip()
        return None

    def _answer_as_application(self, claims: dict[str, Any]) -> None:
        if self.path == "/api/data":
            status, body = 200, {"email": claims["email"], "subject": claims["sub"], "data": ITEMS}
        else:
            status, body = 404, {"error": "no such path"}
        self._answer(status, json.dumps(body), {"Content-Type": "application/json"})

    def _answer_as_proxy(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        own = {"Content-Type": "text/html; charset=utf-8", "x-goog-iap-generated-response": "true"}
        self._answer(status, body, {**own, **(headers or {})})

    def _answer(self, status: int, body: str, headers: dict[str, str]) -> None:
        content = body.encode()
        self.send_response(status)
        if self.server.api.cors_origin is not None:
            headers = {**headers, "Access-Control-Allow-Origin": self.server.api.cors_origin}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
