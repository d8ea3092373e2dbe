"""A client that shares no code with the product and checks nothing: what the suite must fail."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from .modules import SCOPES, Module
from .provider import CLIENT_ID, CLIENT_SECRET

REDIRECT_URI = "http://127.0.0.1:9/callback"


def drive(issuer: str, module: Module) -> dict[str, Any]:
    """Do all that a module may ask for, whatever the provider answers."""
    client = _Client(issuer, module.registration.auth_method)
    client.sign_in()
    if "refresh-token" in module.name:
        client.refresh()
    if module.name.endswith("signing-key-rotation"):
        client.sign_in()
    return {"ok": True, "outcome": "signed_in", "error": None}


@dataclass
class _Client:
    issuer: str
    auth_method: str
    tokens: dict[str, Any] = field(default_factory=dict)

    def sign_in(self) -> None:
        _call("GET", self.issuer + "/.well-known/openid-configuration")
        _call("GET", self.issuer + "/jwks")
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        request = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "scope": " ".join(SCOPES),
            "state": secrets.token_urlsafe(24),
            "nonce": secrets.token_urlsafe(24),
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        _, location, _ = _call("GET", f"{self.issuer}/authorize?{urlencode(request)}")
        code = parse_qs(urlsplit(location).query)["code"][0]
        self._ask(
            grant_type="authorization_code", code=code, code_verifier=verifier, redirect_uri=REDIRECT_URI
        )

    def refresh(self) -> None:
        self._ask(grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])

    def _ask(self, **form: str) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self.auth_method == "client_secret_basic":
            pair = f"{quote_plus(CLIENT_ID)}:{quote_plus(CLIENT_SECRET)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = CLIENT_ID
        if self.auth_method == "client_secret_post":
            form["client_secret"] = CLIENT_SECRET
        _, _, body = _call("POST", self.issuer + "/token", urlencode(form), headers)
        self.tokens = json.loads(body)
        bearer = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        _call("GET", self.issuer + "/userinfo", headers=bearer)


def _call(
    method: str, url: str, body: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, str, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request(method, f"{parts.path}?{parts.query}".rstrip("?"), body, headers or {})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers.get("Location", ""), text
