"""The provider's addresses: its pages, its endpoints and its documents."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from authlib.oauth2 import OAuth2Error
from authlib.oidc.discovery import OpenIDProviderMetadata
from flask import Flask, jsonify, redirect, render_template_string, request, session

from .protocol import Server
from .records import SCOPES, User

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response
    from flask.typing import ResponseReturnValue

    from servers.signing_key import SigningKey

CROSS_ORIGIN = frozenset({"/token", "/jwks", "/.well-known/openid-configuration"})

LOGIN_PAGE = """<!doctype html><title>Sign in</title><form method="post">
<label>Name <input name="name" autofocus></label>
<button name="do" value="login">Sign in</button></form>"""
CONSENT_PAGE = """<!doctype html><title>Consent</title><form method="post">
<p>{{ client }} asks {{ user }} for: {{ scope }}</p>
<button name="do" value="allow">Allow</button> <button name="do" value="deny">Deny</button></form>"""


def create_app(issuer: str, key: SigningKey) -> Flask:
    """The Flask application of one issuer."""
    app = Flask("authlib_provider")
    app.secret_key = secrets.token_bytes(32)
    # A name of its own: JupyterLab and other providers keep cookies for the same host.
    app.config["SESSION_COOKIE_NAME"] = "authlib_provider"
    server = Server(app, issuer, key)
    metadata = _metadata(issuer)
    answers: dict[str, Callable[[], ResponseReturnValue]] = {
        "GET /authorize": lambda: _authorize(server),
        "POST /authorize": lambda: _authorize(server),
        "POST /token": server.create_token_response,
        "POST /revoke": lambda: server.create_endpoint_response("revocation"),
        "GET /jwks": lambda: jsonify(keys=[key.public_jwk]),
        "GET /.well-known/openid-configuration": lambda: jsonify(metadata),
    }
    for route, answer in answers.items():
        method, path = route.split(" ")
        app.add_url_rule(path, route.replace(".", ""), answer, methods=[method])
    app.after_request(_let_pages_read)
    return app


def _authorize(server: Server) -> ResponseReturnValue:
    """The login page, then the consent page, then back to the client."""
    pressed = request.form.get("do")
    if pressed == "login":
        session["user"] = request.form["name"]
        return redirect(request.url, 303)
    user = User(session["user"]) if "user" in session else None
    try:
        grant = server.get_consent_grant(end_user=user)
    except OAuth2Error as error:
        return server.handle_error_response(request, error)
    if user is None:
        return render_template_string(LOGIN_PAGE)
    if pressed is None:
        asked = {"client": grant.client.client_id, "user": user.name, "scope": grant.request.payload.scope}
        return render_template_string(CONSENT_PAGE, **asked)
    return server.create_authorization_response(grant=grant, grant_user=user if pressed == "allow" else None)


def _let_pages_read(response: Response) -> Response:
    if request.path in CROSS_ORIGIN:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _metadata(issuer: str) -> OpenIDProviderMetadata:
    metadata = OpenIDProviderMetadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        revocation_endpoint=f"{issuer}/revoke",
        jwks_uri=f"{issuer}/jwks",
        scopes_supported=list(SCOPES),
        response_types_supported=["code"],
        grant_types_supported=["authorization_code", "refresh_token"],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=["RS256"],
        token_endpoint_auth_methods_supported=["none"],
        revocation_endpoint_auth_methods_supported=["none"],
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )
    # All but the two checks that demand https, which a provider on loopback has not.
    for name in metadata.REGISTRY_KEYS:
        check = getattr(metadata, f"validate_{name}", None)
        if check is not None and "http://" not in str(metadata.get(name)):
            check()
    return metadata
