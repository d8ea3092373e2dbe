"""What a token endpoint answers: tokens, or why there are none (RFC 6749 section 5)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

_LONGEST_LIFETIME = 10 * 365 * 86_400


@dataclass(frozen=True)
class TokenResponse:
    """A successful answer of a token endpoint."""

    access_token: str = field(repr=False)
    id_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: float | None
    scopes: list[str] | None


class TokenRequestError(Exception):
    """A token endpoint gave no tokens.

    Args:
        code: The stable code of the reason.
        subject: What the sentence of the code is about.
        cause: For ``invalid_grant``, the code that says why the grant ended, as far as the provider
            tells; else the same as ``code``.
        is_transient: Whether the same request may succeed later.
        retry_after: Seconds after which the provider asks to try again.
    """

    def __init__(
        self,
        code: str,
        subject: str | None = None,
        *,
        cause: str | None = None,
        is_transient: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.subject = subject
        self.cause = cause or code
        self.is_transient = is_transient
        self.retry_after = retry_after


def tokens_in(document: dict[str, Any]) -> TokenResponse | TokenRequestError:
    """Return the tokens in a successful answer, or what is wrong with it (RFC 6749 section 5.1)."""
    access_token = document.get("access_token")
    if not isinstance(access_token, str) or not access_token:
        return TokenRequestError("token_response_invalid", "access_token")
    token_type = document.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        return TokenRequestError("token_type_unsupported")
    optional: dict[str, str | None] = {}
    for name in ("id_token", "refresh_token", "scope"):
        value = document.get(name)
        if value is not None and not isinstance(value, str):
            return TokenRequestError("token_response_invalid", name)
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
