"""The OpenID provider of the demo: metadata, keys, sign-in, tokens with PKCE, renewal, revocation."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tokentoss.demo import pages
from tokentoss.demo.grants import ASKED_FOR, CLIENT_ID, CODE, TOKEN, Asked, Grant, OneUse, asked_by, email_of
from tokentoss.demo.server import Answer, LoopbackServer, Request
from tokentoss.oauth.id_token import access_token_hash
from tokentoss.util.urls import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME = "the demo provider"
"""How the sign-in button names it."""

_ALGORITHM = "RS256"
_KEY_ID = "demo"
_REFRESH_LIFE = 86_400.0
_SCOPES = ("openid", "email", "profile", "offline_access")


class DemoProvider(LoopbackServer):
    """Serves from the moment it is made until it is closed."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        self._asked: OneUse[Asked] = OneUse(ASKED_FOR)
        self._codes: OneUse[Grant] = OneUse(CODE)
        self._access: OneUse[Grant] = OneUse(TOKEN)
        self._refresh: OneUse[Grant] = OneUse(_REFRESH_LIFE)
        self._routes: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", "/.well-known/openid-configuration"): self._metadata,
            ("GET", "/keys"): self._keys,
            ("GET", "/authorize"): self._ask,
            ("POST", "/authorize"): self._decide,
            ("POST", "/token"): self._redeem,
            ("POST", "/revoke"): self._revoke,
            ("GET", "/userinfo"): self._tell_who,
        }
        super().__init__()

    @property
    def issuer(self) -> str:
        """Its issuer identifier."""
        return self.origin

    def answer(self, request: Request) -> Answer:
        """Answer by the path."""
        method = "GET" if request.method == "HEAD" else request.method
        route = self._routes.get((method, request.path))
        return route(request) if route else Answer(HTTPStatus.NOT_FOUND)

    def _metadata(self, _request: Request) -> Answer:
        metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "userinfo_endpoint": self.issuer + "/userinfo",
            "revocation_endpoint": self.issuer + "/revoke",
            "scopes_supported": _SCOPES,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "id_token_signing_alg_values_supported": [_ALGORITHM],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return Answer.json(metadata, headers={"Access-Control-Allow-Origin": "*"})

    def _keys(self, _request: Request) -> Answer:
        key: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        keys = [{**key, "use": "sig", "alg": _ALGORITHM, "kid": _KEY_ID}]
        return Answer.json({"keys": keys}, headers={"Access-Control-Allow-Origin": "*"})

    def _ask(self, request: Request) -> Answer:
        asked = asked_by(request.query)
        if isinstance(asked, str):
            # Nobody is sent to an address that this client may not have.
            return pages.refusal(f"The request cannot be used: {asked}")
        return self._chooser(asked)

    def _decide(self, request: Request) -> Answer:
        asked = self._asked.take(request.form.get("request", ""))
        # A page elsewhere could send this form, too, but does not know a request's name.
        if asked is None:
            return pages.refusal("This sign-in is over, or was answered before")
        if "cancel" in request.form:
            return self._back(asked, {"error": "access_denied"})
        email = email_of(request.form.get("email", ""))
        if email is None:
            return self._chooser(asked, "That is no e-mail address.")
        return self._back(asked, {"code": self._codes.keep(Grant(email, asked))})

    def _chooser(self, asked: Asked, problem: str = "") -> Answer:
        hint = email_of(asked.login_hint) or ""
        return pages.chooser(self._asked.keep(asked), asked.scope, hint, problem)

    def _back(self, asked: Asked, members: Mapping[str, str]) -> Answer:
        """Send the user back with the answer, which names who gives it (RFC 9207)."""
        mark = "&" if urlsplit(asked.redirect_uri).query else "?"
        query = urlencode({**members, "state": asked.state, "iss": self.issuer})
        headers = {
            "Location": f"{asked.redirect_uri}{mark}{query}",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        return Answer(HTTPStatus.SEE_OTHER, headers=headers)

    def _redeem(self, request: Request) -> Answer:
        form, kind = request.form, request.form.get("grant_type")
        if form.get("client_id") != CLIENT_ID:
            return _refused("invalid_client", request)
        if kind == "authorization_code":
            grant = self._codes.take(form.get("code", ""))
            verifier, redirect_uri = form.get("code_verifier", ""), form.get("redirect_uri", "")
            if grant is None or not grant.is_redeemed_by(verifier, redirect_uri):
                return _refused("invalid_grant", request)
            return self._tokens(grant, request, nonce=grant.asked.nonce)
        if kind == "refresh_token":
            grant = self._refresh.take(form.get("refresh_token", ""))
            return self._tokens(grant, request) if grant else _refused("invalid_grant", request)
        return _refused("unsupported_grant_type", request)

    def _tokens(self, grant: Grant, request: Request, *, nonce: str = "") -> Answer:
        access_token, now = self._access.keep(grant), int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            **_claims_about(grant),
            "iat": now,
            "exp": now + int(TOKEN),
            "at_hash": access_token_hash(access_token, _ALGORITHM),
            **({"nonce": nonce} if nonce else {}),
        }
        tokens = {
            "access_token": access_token,
            "refresh_token": self._refresh.keep(grant),
            "id_token": jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": _KEY_ID}),
            "token_type": "Bearer",
            "expires_in": int(TOKEN),
            "scope": grant.asked.scope,
        }
        return Answer.json(tokens, headers=_for_pages(request))

    def _revoke(self, request: Request) -> Answer:
        token = request.form.get("token", "")
        self._refresh.take(token)
        self._access.take(token)
        # Also for a token that is not known (RFC 7009 section 2.2).
        return Answer(headers=_for_pages(request))

    def _tell_who(self, request: Request) -> Answer:
        grant = self._access.see(request.bearer_token)
        if grant is None:
            return Answer(
                HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
            )
        return Answer.json(_claims_about(grant))


def _claims_about(grant: Grant) -> dict[str, Any]:
    name = grant.email.partition("@")[0].replace(".", " ").title()
    return {"sub": grant.subject, "email": grant.email, "email_verified": True, "name": name}


def _refused(error: str, request: Request) -> Answer:
    return Answer.json({"error": error}, HTTPStatus.BAD_REQUEST, _for_pages(request))


def _for_pages(request: Request) -> dict[str, str]:
    """Return the headers with which a notebook page of this computer may read an answer (CORS)."""
    origin = request.headers.get("origin", "")
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if is_loopback_host(host) else {}
