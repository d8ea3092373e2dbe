"""The key of a provider that is set up from outside."""

from __future__ import annotations

import json
import secrets
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

PUBLIC_MEMBERS = frozenset({"kty", "n", "e", "kid", "alg", "use"})


class SigningKey:
    """A new RSA key for RS256 with a name, as providers publish them."""

    def __init__(self) -> None:
        self.kid = secrets.token_hex(8)
        self.key = generate_private_key(public_exponent=65_537, key_size=2048)

    @property
    def private_jwk(self) -> dict[str, Any]:
        """The key as a JSON Web Key (RFC 7517), private members included."""
        jwk: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key))
        del jwk["key_ops"]  # an exclusive "use" says the same
        return {**jwk, "kid": self.kid, "alg": "RS256", "use": "sig"}

    @property
    def public_jwk(self) -> dict[str, Any]:
        """What the provider publishes of it."""
        return {name: value for name, value in self.private_jwk.items() if name in PUBLIC_MEMBERS}

    def sign(self, claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
        """A token with any claims."""
        return jwt.encode(claims, self.key, "RS256", headers={"kid": self.kid, **(header or {})})
