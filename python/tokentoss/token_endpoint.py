"""Requests to a token endpoint (RFC 6749 sections 3.2 and 5), for codes and for refresh tokens."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tokentoss import codes
from tokentoss.origins import require_secure_endpoint
from tokentoss.transport import TransportError, call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokentoss.exceptions import TokenTossError

MAX_SIZE = 65_536
"""Largest answer that is read, in bytes."""

_OAUTH_ERROR = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_LIFETIME = 10 * 365 * 86_400


@dataclass(frozen=True)
class TokenResponse:
    """A successful answer of a token endpoint."""

    access_token: str = field(repr=False)
    id_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: float | None
    scopes: list[str] | None


def request_tokens(
    token_endpoint: str,
    form: Mapping[str, str],
    error: type[TokenTossError],
) -> TokenResponse:
    """Send a token request and read the answer.

    Args:
        token_endpoint: Where the grant belongs.
        form: The fields of the request, with the client's identification.
        error: The exception to raise.

    Raises:
        TokenTossError: As ``error``, with the provider's error code or one that says what was wrong
            with the answer.
    """
    require_secure_endpoint(token_endpoint, "token endpoint")
    try:
        answer = call("POST", token_endpoint, form=form, max_bytes=MAX_SIZE)
    except TransportError as failure:
        code = "token_response_too_large" if failure.reason == "too_large" else "token_endpoint_unreachable"
        raise error(code=code, subject=token_endpoint) from None
    if 300 <= answer.status < 400:  # noqa: PLR2004
        raise error(code="token_endpoint_redirected", subject=token_endpoint)
    document = answer.json_object()
    if document is not None and "error" in document:
        raise _refusal(document["error"], token_endpoint, error)
    if answer.status != 200:  # noqa: PLR2004
        raise error(code="token_endpoint_failed", subject=f"{token_endpoint} (HTTP {answer.status})")
    if document is None:
        raise error(code="token_response_not_json", subject=token_endpoint)
    return _read(document, error)


def _refusal(value: object, token_endpoint: str, error: type[TokenTossError]) -> TokenTossError:
    provider_code = value if isinstance(value, str) and _OAUTH_ERROR.fullmatch(value) else None
    if provider_code is not None and codes.culprit(provider_code) == "provider_refused":
        return error(code=provider_code, subject=token_endpoint)
    return error(code="provider_error", subject=provider_code)


def _read(document: dict[str, Any], error: type[TokenTossError]) -> TokenResponse:
    access_token = document.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        raise error(code="token_response_invalid", subject="access_token")
    token_type = document.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise error(code="token_type_unsupported")
    optional: dict[str, str | None] = {}
    for name in ("id_token", "refresh_token", "scope"):
        value = document.get(name)
        if value is not None and not isinstance(value, str):
            raise error(code="token_response_invalid", subject=name)
        optional[name] = value or None
    scope = optional["scope"]
    return TokenResponse(
        access_token=access_token,
        id_token=optional["id_token"],
        refresh_token=optional["refresh_token"],
        expires_in=lifetime(document.get("expires_in")),
        scopes=scope.split() if scope is not None else None,
    )


def lifetime(value: object) -> float | None:
    """Return ``expires_in`` as seconds; None if it is missing or makes no sense (RFC 6749 section 5.1)."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:  # noqa: PLR2004
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(min(value, _LONGEST_LIFETIME)) if value >= 0 else None
