"""Proof Key for Code Exchange (RFC 7636), method S256."""

from __future__ import annotations

from hashlib import sha256

from tokentoss.util.base64url import b64url, random_b64url


def code_challenge(code_verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return b64url(sha256(code_verifier.encode("ascii")).digest())


def generate_pkce_pair() -> tuple[str, str]:
    """Return a fresh code verifier of 256 random bits, and its challenge."""
    code_verifier = random_b64url(32)
    return code_verifier, code_challenge(code_verifier)
