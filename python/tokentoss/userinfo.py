"""Claims about the user from the provider's userinfo endpoint (OpenID Connect Core 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokentoss.exceptions import UserinfoError
from tokentoss.transport import TransportError, call

if TYPE_CHECKING:
    from tokentoss.providers import Provider

MAX_SIZE = 262_144
"""Largest answer that is read, in bytes."""

_OK = 200
_REFUSALS = frozenset({401, 403})


def fetch_userinfo(provider: Provider, access_token: str, subject: str | None) -> dict[str, Any]:
    """Ask a provider for the claims about the user whose ID token it gave.

    Args:
        provider: Who gave the tokens; the access token goes to its own userinfo endpoint only.
        access_token: The access token, sent as a bearer token in the header.
        subject: The subject of the ID token, which the answer must name as well.

    Raises:
        UserinfoError: If there is no such endpoint or no usable answer, or it is about somebody else.
    """
    endpoint = provider.userinfo_endpoint
    if endpoint is None:
        raise UserinfoError(code="userinfo_unsupported", subject=provider.name)
    try:
        answer = call("GET", endpoint, bearer=access_token, max_bytes=MAX_SIZE)
    except TransportError as failure:
        code = "userinfo_invalid" if failure.reason == "too_large" else "userinfo_unreachable"
        raise UserinfoError(code=code, subject=endpoint) from None
    if answer.status != _OK:
        code = "userinfo_refused" if answer.status in _REFUSALS else "userinfo_failed"
        raise UserinfoError(code=code, subject=f"{endpoint} (HTTP {answer.status})")
    # A signed answer (application/jwt) is not asked for, and would be no JSON.
    claims = answer.json_object()
    if claims is None or not isinstance(claims.get("sub"), str):
        raise UserinfoError(code="userinfo_invalid", subject=endpoint)
    # Section 5.3.4: without this, one user's token could bring another user's claims.
    if subject is None or claims["sub"] != subject:
        raise UserinfoError(code="userinfo_subject_mismatch")
    return claims
