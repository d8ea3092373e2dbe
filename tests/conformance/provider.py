"""An OpenID provider that signs everyone in at once, checks its client strictly, and errs as it is told.

It notes every call, and every time that the client breaks the protocol itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from .faults import Faults, changed
from .keys import public_jwk, sign, sign_symmetrically, with_broken_signature

if TYPE_CHECKING:
    from typing_extensions import Self

CLIENT_ID = "conformance client/1"
CLIENT_SECRET = "s3:cr t+/%é, and as long as HS256 asks for"
"""Holds what form-encoding changes, and what Basic authentication would misread without it."""

SUBJECT = "user-subject-1234531"
CLAIMS_OF_SCOPE = {
    "profile": {"name": "Ada Lovelace", "preferred_username": "ada"},
    "email": {"email": "ada@example.com", "email_verified": True},
    "address": {"address": {"locality": "London", "country": "GB"}},
    "phone": {"phone_number": "+44 20 7946 0000", "phone_number_verified": False},
}


@dataclass(frozen=True)
class Registration:
    """How the client is registered."""

    auth_method: str = "client_secret_basic"
    algorithm: str = "RS256"
    sends_iss: bool = False


class Provider:
    """Answers until it is closed; `with` closes it."""

    def __init__(self, registration: Registration, faults: Faults) -> None:
        self.registration = registration
        self.faults = faults
        self.calls: list[str] = []
        self.violations: list[str] = []
        self.generation = 1
        self._grants: dict[str, dict[str, str]] = {}
        self._access_tokens: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self._path = f"/{secrets.token_urlsafe(6)}"
        self._server = _Server(self)
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}{self._path}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, call: str) -> int:
        """How often an endpoint was called."""
        return self.calls.count(call)

    # What follows runs in the server's threads, one request at a time.

    def answer(self, method: str, target: str, headers: Any, body: str) -> Answer:
        """Answer a request."""
        parts = urlsplit(target)
        if not parts.path.startswith(self._path + "/"):
            return Answer(404)
        name = parts.path.removeprefix(self._path + "/")
        endpoint = {
            ("GET", ".well-known/openid-configuration"): self._metadata,
            ("GET", "jwks"): self._jwks,
            ("GET", "authorize"): self._authorize,
            ("POST", "token"): self._token,
            ("GET", "userinfo"): self._userinfo,
            ("POST", "userinfo"): self._userinfo,
        }.get((method, name))
        if method == "OPTIONS":
            return Answer(204)
        if endpoint is None:
            return Answer(404)
        with self._lock:
            return endpoint(parts.query, headers, body)

    def _metadata(self, *_: object) -> Answer:
        self.calls.append("discovery")
        honest = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", *CLAIMS_OF_SCOPE],
            "id_token_signing_alg_values_supported": [self.registration.algorithm],
            "token_endpoint_auth_methods_supported": [self.registration.auth_method],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.registration.sends_iss,
        }
        return Answer.json(changed(honest, self.faults.metadata))

    def _jwks(self, *_: object) -> Answer:
        self.calls.append("jwks")
        named = self.faults.key_id
        names = [*self.faults.more_keys, self._key_for(self.registration.algorithm)]
        return Answer.json({"keys": [public_jwk(name, key_id=name if named else None) for name in names]})

    def _authorize(self, query: str, _headers: object, _body: str) -> Answer:
        self.calls.append("authorization")
        request = self._once(parse_qsl(query, keep_blank_values=True), "authorization request")
        expected = {"response_type": "code", "client_id": CLIENT_ID, "code_challenge_method": "S256"}
        for name, value in expected.items():
            self._expect(request.get(name) == value, f"authorization request: {name}")
        for name in ("state", "nonce", "code_challenge"):
            self._expect(len(request.get(name, "")) >= 16, f"authorization request: {name}")
        self._expect("openid" in request.get("scope", "").split(), "authorization request: scope")
        redirect = urlsplit(request.get("redirect_uri", ""))
        self._expect((redirect.scheme, redirect.hostname) == ("http", "127.0.0.1"), "redirect_uri")
        for name in ("state", "nonce", "code_challenge"):
            repeated = any(grant[name] == request.get(name) for grant in self._grants.values())
            self._expect(not repeated, f"authorization request: {name} was used before")
        if self.generation == 1 and self.faults.rotates == "between_sign_ins" and self._grants:
            self.generation = 2
        code = secrets.token_urlsafe(24)
        self._grants[code] = {"state": "", "nonce": "", "code_challenge": "", **request}
        honest = {"code": code, "state": request.get("state", "")}
        if self.registration.sends_iss:
            honest["iss"] = self.issuer
        response = changed(honest, self.faults.authorization)
        return Answer(303, headers={"Location": f"{request.get('redirect_uri')}?{urlencode(response)}"})

    def _token(self, query: str, headers: Any, body: str) -> Answer:
        form = self._once(parse_qsl(body, keep_blank_values=True), "token request")
        if form.get("grant_type") == "authorization_code" and "code" not in form:
            # A page that asks whether it may talk to this endpoint: it holds nothing, so it is no call.
            return Answer.json({"error": "invalid_request"}, 400)
        self.calls.append("token")
        self._expect(query == "", "token request: a query")
        kind = headers.get("Content-Type", "").partition(";")[0]
        self._expect(kind == "application/x-www-form-urlencoded", "token request: its content type")
        if not self._is_client(headers.get("Authorization"), form):
            self._expect(False, "token request: the client's authentication")
            return Answer.json({"error": "invalid_client"}, 401)
        if form.get("grant_type") == "authorization_code":
            grant = self._grants.get(form["code"])
            challenge = _b64url(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            if (
                grant is None
                or "spent" in grant
                or challenge != grant["code_challenge"]
                or form.get("redirect_uri") != grant["redirect_uri"]
            ):
                self._expect(False, "token request: code, verifier or redirect_uri")
                return Answer.json({"error": "invalid_grant"}, 400)
            grant["spent"] = ""
            return self._tokens(grant, self.faults.id_token, is_refresh=False)
        shown = form.get("refresh_token", "nothing")
        grant = next((one for one in self._grants.values() if one.get("refresh_token") == shown), None)
        if form.get("grant_type") != "refresh_token" or grant is None:
            self._expect(False, "token request: the refresh token")
            return Answer.json({"error": "invalid_grant"}, 400)
        return self._tokens(grant, self.faults.refreshed_id_token, is_refresh=True)

    def _tokens(self, grant: dict[str, str], changes: dict[str, Any], *, is_refresh: bool) -> Answer:
        if self.faults.rotates == "before_signing":
            self.generation = 2
        access_token, refresh_token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        grant["refresh_token"] = refresh_token
        self._access_tokens = {access_token: set(grant["scope"].split())}
        now = int(time.time())
        honest: dict[str, Any] = {
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "at_hash": _b64url(hashlib.sha256(access_token.encode()).digest()[:16]),
        }
        if not is_refresh:
            honest["nonce"] = grant["nonce"]
        response = {
            "access_token": access_token,
            "refresh_token": refresh_token,
            "id_token": self._id_token(changed(honest, changes)),
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": grant["scope"],
        }
        return Answer.json(changed(response, self.faults.token_response))

    def _id_token(self, claims: dict[str, Any]) -> str:
        algorithm = self.faults.algorithm or self.registration.algorithm
        if algorithm.startswith("HS"):
            return sign_symmetrically(claims, CLIENT_SECRET, algorithm)
        name = self._key_for(algorithm)
        token = sign(claims, name, algorithm, key_id=name if self.faults.key_id else None)
        return with_broken_signature(token) if self.faults.breaks_signature else token

    def _userinfo(self, query: str, headers: Any, _body: str) -> Answer:
        self.calls.append("userinfo")
        self._expect(query == "", "userinfo request: a query")
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        scopes = self._access_tokens.get(token)
        if scheme.lower() != "bearer" or scopes is None:
            self._expect(False, "userinfo request: the access token")
            return Answer.json({"error": "invalid_token"}, 401)
        honest: dict[str, Any] = {"sub": SUBJECT}
        for scope in scopes & set(CLAIMS_OF_SCOPE):
            honest |= CLAIMS_OF_SCOPE[scope]
        return Answer.json(changed(honest, self.faults.userinfo))

    def _key_for(self, algorithm: str) -> str:
        return f"{'ec' if algorithm.startswith('ES') else 'rsa'}-{self.generation}"

    def _is_client(self, header: str | None, form: dict[str, str]) -> bool:
        if self.registration.auth_method == "client_secret_basic":
            pair = base64.b64decode(header.removeprefix("Basic ")).decode() if header else ":"
            shown = tuple(unquote_plus(part) for part in pair.split(":", 1))
            return shown == (CLIENT_ID, CLIENT_SECRET) and "client_secret" not in form
        expected = None if self.registration.auth_method == "none" else CLIENT_SECRET
        return header is None and (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, expected)

    def _once(self, pairs: list[tuple[str, str]], where: str) -> dict[str, str]:
        members = dict(pairs)
        self._expect(len(members) == len(pairs), f"{where}: a parameter twice")
        return members

    def _expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.violations.append(what)


class Answer:
    """An HTTP answer, open to pages of every origin."""

    def __init__(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Headers": "Authorization",
            "Cache-Control": "no-store",
            **(headers or {}),
        }

    @classmethod
    def json(cls, members: dict[str, Any], status: int = 200) -> Answer:
        """Members as JSON."""
        return cls(status, json.dumps(members).encode(), {"Content-Type": "application/json"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        answer = self.server.provider.answer(self.command, self.path, self.headers, body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def do_POST(self) -> None:
        self.do_GET()

    def do_OPTIONS(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
