"""Signing keys of the faulty provider: real RSA and EC keys, and JSON Web Signatures made with them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Claims = dict[str, Any]


@cache
def private_key(name: str) -> Any:
    """A key of this name, the same for as long as the suite runs; names that begin with "ec" are P-256."""
    if name.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(name: str, *, key_id: str | None) -> dict[str, Any]:
    """The public half, as it stands in a JWK Set."""
    key = private_key(name)
    algorithm = jwt.algorithms.ECAlgorithm if name.startswith("ec") else jwt.algorithms.RSAAlgorithm
    entry: dict[str, Any] = json.loads(algorithm.to_jwk(key.public_key()))
    entry["use"] = "sig"
    if key_id is not None:
        entry["kid"] = key_id
    return entry


def sign(claims: Claims, name: str, algorithm: str, *, key_id: str | None) -> str:
    """A signed token. Below `jwt.encode`, which refuses to make some of the tokens that must be refused."""
    header = {} if key_id is None else {"kid": key_id}
    key = None if algorithm == "none" else private_key(name)
    return jwt.PyJWS().encode(json.dumps(claims).encode(), key, algorithm, header)


def sign_symmetrically(claims: Claims, secret: str, algorithm: str) -> str:
    """A token "signed" with the client's own secret."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), secret.encode(), algorithm)


def with_broken_signature(token: str) -> str:
    """The same token with another signature of the same length."""
    head, _, signature = token.rpartition(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return f"{head}.{signature[:middle]}{other}{signature[middle + 1 :]}"
