"""What Authlib's ID tokens say here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode, OpenIDToken
from joserfc.jwk import RSAKey

if TYPE_CHECKING:
    from servers.signing_key import SigningKey

    from .records import Records


class IdTokens:
    """Issuer, key and claims; mixed in before one of Authlib's classes."""

    def __init__(self, issuer: str, key: SigningKey, records: Records) -> None:
        super().__init__()
        self._issuer = issuer
        self._kid = key.kid
        self._key = RSAKey.import_key(key.private_jwk)
        self._records = records

    def resolve_client_private_key(self, client):
        return self._key

    def get_encode_header(self, client):
        return {"alg": "RS256", "kid": self._kid}

    def get_client_claims(self, client):
        return {"iss": self._issuer}

    def generate_user_info(self, user, scope):
        names = scope.split()
        info = UserInfo(sub=f"authlib|{user.name}")
        if "profile" in names:
            info["name"] = user.name.title()
        if "email" in names:
            info |= {"email": user.email, "email_verified": True}
        return info


class FirstIdToken(IdTokens, OpenIDCode):
    """The one that comes for a code."""

    def exists_nonce(self, nonce, request):
        return self._records.has_nonce(nonce)


class RenewedIdToken(IdTokens, OpenIDToken):
    """The one that comes with a refresh, which has no code whose claims it could repeat."""

    def encode_id_token(self, token, request):
        request.authorization_code = None
        return super().encode_id_token(token, request)
