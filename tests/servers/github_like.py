"""A stand-in for GitHub, as its documentation describes it (the pages are named in docs/providers.md).

OAuth 2.0 without OpenID Connect: refusals of the token endpoint have the status 200 and codes of GitHub's
own; answers are forms unless JSON is asked for; scopes stand between commas; nothing answers other origins.
An app whose tokens expire gets refresh tokens of one use. Nothing here was compared with GitHub.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from tokentoss import ClientConfig, Provider

from .recording import RecordingServer, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTHORIZE = "/login/oauth/authorize"
TOKEN = "/login/oauth/access_token"
DEVICE = "/login/device/code"
USER = {"login": "octo-ada", "id": 583231, "name": "Ada Lovelace", "email": None, "type": "User"}
TOKEN_LIFETIME = 28_800
DOCUMENTATION = (
    "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors"
)


@dataclass(frozen=True)
class _Code:
    redirect_uri: str
    challenge: str
    scope: str


class GitHubLike(RecordingServer):
    """The server. Its user approves everything, or declines; `tokens_expire` as for a GitHub App."""

    def __init__(self, *, tokens_expire: bool = False) -> None:
        self.declines = False
        self.tokens_expire = tokens_expire
        self.pending = 0
        """How often a device still hears that its code is not entered."""
        self.client = ClientConfig(
            "Iv1.8a61f9b3a7aba766",
            secrets.token_hex(20),
        )
        self._codes: dict[str, _Code] = {}
        self._devices: dict[str, str] = {}
        self._access: dict[str, str] = {}
        self._refresh: dict[str, str] = {}
        self._lock = threading.Lock()
        super().__init__(self._answer)

    def provider(self) -> Provider:
        """GitHub's data with the addresses of this server."""
        return replace(
            Provider.named("github"),
            authorization_endpoint=self.origin() + AUTHORIZE,
            token_endpoint=self.origin() + TOKEN,
            device_authorization_endpoint=self.origin() + DEVICE,
            identity_endpoint=f"{self.origin()}/user",
        )

    def forms(self, path: str) -> list[dict[str, str]]:
        """What was posted to a path so far."""
        return [_form(request) for request in self.requests if request.path == path]

    def _answer(self, request: Request) -> Reply:
        with self._lock:
            if request.path == AUTHORIZE:
                return self._authorize(parse_qs(urlsplit(request.target).query))
            if request.method == "POST" and request.path == TOKEN:
                return _as_asked(request, self._token(_form(request)))
            if request.method == "POST" and request.path == DEVICE:
                return _as_asked(request, self._device(_form(request)))
            return self._api(request)

    def _authorize(self, query: Mapping[str, list[str]]) -> Reply:
        redirect_uri, state = query["redirect_uri"][0], query["state"][0]
        # Loopback addresses may have any port.
        if urlsplit(redirect_uri).hostname != "127.0.0.1" or query["client_id"] != [self.client.client_id]:
            return Reply(404, b"Not Found")
        if self.declines:
            said = {
                "error": "access_denied",
                "error_description": "The user has denied your application access.",
            }
            return Reply.redirect(302, f"{redirect_uri}?{urlencode(said | {'state': state})}")
        assert query["code_challenge_method"] == ["S256"]
        code = secrets.token_hex(10)
        scope = query.get("scope", [""])[0].replace(" ", ",")
        self._codes[code] = _Code(redirect_uri, query["code_challenge"][0], scope)
        return Reply.redirect(302, f"{redirect_uri}?{urlencode({'code': code, 'state': state})}")

    def _token(self, form: dict[str, str]) -> dict[str, object]:
        if form.get("client_id") != self.client.client_id:
            return _refusal("incorrect_client_credentials", "The client_id is incorrect.")
        if "device_code" in form:
            return self._token_of_device(form["device_code"])
        if form.get("client_secret") != self.client.client_secret:
            return _refusal(
                "incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."
            )
        if form.get("grant_type") == "refresh_token":
            scope = self._refresh.pop(form.get("refresh_token", ""), None)
            if scope is None:
                return _refusal("bad_refresh_token", "The refresh token passed is incorrect or expired.")
            return self._issue(scope)
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or _challenge(form.get("code_verifier", "")) != code.challenge:
            return _refusal("bad_verification_code", "The code passed is incorrect or expired.")
        if form.get("redirect_uri") != code.redirect_uri:
            return _refusal(
                "redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL."
            )
        return self._issue(code.scope)

    def _issue(self, scope: str) -> dict[str, object]:
        token = f"gho_{secrets.token_hex(18)}"
        self._access[token] = scope
        issued: dict[str, object] = {"access_token": token, "scope": scope, "token_type": "bearer"}
        if self.tokens_expire:
            refresh_token = f"ghr_{secrets.token_hex(38)}"
            self._refresh[refresh_token] = scope
            lifetimes = {"expires_in": TOKEN_LIFETIME, "refresh_token_expires_in": 15_897_600}
            issued |= {"refresh_token": refresh_token, **lifetimes}
        return issued

    def _device(self, form: dict[str, str]) -> dict[str, object]:
        device_code = secrets.token_hex(20)
        self._devices[device_code] = form.get("scope", "").replace(" ", ",")
        return {
            "device_code": device_code,
            "user_code": "WDJB-MJHT",
            "verification_uri": f"{self.origin()}/login/device",
            "expires_in": 900,
            "interval": 1,
        }

    def _token_of_device(self, device_code: str) -> dict[str, object]:
        if device_code not in self._devices:
            return _refusal("incorrect_device_code", "The device_code provided is not valid.")
        if self.pending > 0:
            self.pending -= 1
            return _refusal("authorization_pending", "The authorization request is still pending.")
        return self._issue(self._devices.pop(device_code))

    def _api(self, request: Request) -> Reply:
        if not request.headers.get("User-Agent"):
            return Reply.json({"message": "Request forbidden by administrative rules."}, 403)
        scope = self._access.get(request.bearer or "")
        if scope is None:
            return Reply.json({"message": "Bad credentials", "status": "401"}, 401)
        if request.path == "/user":
            scopes = {"X-OAuth-Scopes": scope.replace(",", ", ")}
            return Reply(200, json.dumps(USER).encode(), {"Content-Type": "application/json"} | scopes)
        return Reply.json({"message": "Not Found", "status": "404"}, 404)


def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _refusal(error: str, description: str) -> dict[str, object]:
    return {"error": error, "error_description": description, "error_uri": DOCUMENTATION}


def _as_asked(request: Request, members: dict[str, object]) -> Reply:
    """A form, unless the client asks for JSON; always with the status 200, and to no other origin."""
    if "application/json" in request.headers.get("Accept", ""):
        return Reply.json(members)
    content_type = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return Reply(200, urlencode(members).encode(), content_type)
