"""Authlib's server with its grants and endpoints, given the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter

from .id_tokens import FirstIdToken, RenewedIdToken
from .records import CLIENT_ID, SCOPES, Client, Code, Records, Token

if TYPE_CHECKING:
    from flask import Flask

    from servers.signing_key import SigningKey

LIFETIME_SECONDS = 3600


class Server(AuthorizationServer):
    """A plain provider: codes with PKCE, rotating refresh tokens, revocation, the issuer in its answers."""

    def __init__(self, app: Flask, issuer: str, key: SigningKey) -> None:
        app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
        app.config["OAUTH2_SCOPES_SUPPORTED"] = list(SCOPES)
        app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": LIFETIME_SECONDS}
        super().__init__(app, query_client=find_client, save_token=self._keep)
        self.records = Records()
        self.register_grant(CodeGrant, [FirstIdToken(issuer, key, self.records), S256Only(required=True)])
        self.register_grant(RefreshGrant, [RenewedIdToken(issuer, key, self.records)])
        self.register_endpoint(Revocation)
        self.register_extension(Issuer(issuer))

    def _keep(self, token, request) -> None:
        kept = {name: token[name] for name in ("access_token", "refresh_token", "scope", "expires_in")}
        self.records.add_token(Token(**kept, user=request.user))


def find_client(client_id: str) -> Client | None:
    """The client of an id."""
    return Client() if client_id == CLIENT_ID else None


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def save_authorization_code(self, code, request):
        asked = request.payload.data
        self.server.records.add_code(
            Code(
                code=code,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                nonce=asked.get("nonce"),
                code_challenge=asked.get("code_challenge"),
                code_challenge_method=asked.get("code_challenge_method"),
                user=request.user,
            )
        )

    def query_authorization_code(self, code, client):
        return self.server.records.take_code(code)

    def delete_authorization_code(self, authorization_code):
        """It was taken when it was looked for."""

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        token = self.server.records.find_token(refresh_token)
        return token if token is not None and not token.is_revoked() else None

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        refresh_token.is_spent = True


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ("none",)

    def query_token(self, token_string, token_type_hint):
        return self.server.records.find_token(token_string)

    def revoke_token(self, token, request):
        token.is_spent = True


class S256Only(CodeChallenge):
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)


class Issuer(IssuerParameter):
    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self):
        return self._issuer
