"""What a token endpoint answers: tokens, or why there are none (RFC 6749 section 5)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tokentoss.util.json_object import repeats
from tokentoss.util.secret_text import secret_or_none
from tokentoss.util.texts import is_token

NoneType = type(None)

_MEMBERS = ("access_token", "token_type", "refresh_token", "id_token", "expires_in", "scope", "error")
_LONGEST_LIFETIME = 10 * 365 * 86_400


@dataclass(frozen=True)
class TokenResponse:
    """A successful answer of a token endpoint. Its tokens are shown by no ``repr`` and in no traceback."""

    access_token: str = field(repr=False)
    id_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: float | None
    scopes: list[str] | None

    def __post_init__(self) -> None:
        for name in ("access_token", "id_token", "refresh_token"):
            object.__setattr__(self, name, secret_or_none(getattr(self, name)))


class TokenRequestError(Exception):
    """A token endpoint gave no tokens.

    Args:
        code: The stable code of the reason.
        subject: What the sentence of the code is about.
        cause: For ``invalid_grant``, the code that says why the grant ended, as far as the provider
            tells; else the same as ``code``.
        is_transient: Whether the same request may succeed later.
        retry_after: Seconds after which the provider asks to try again.
        may_have_spent: Whether the provider may have granted the request all the same, and with it have
            spent a refresh token that serves once.
        rotated: A refresh token in an answer that is of no use otherwise.
    """

    def __init__(
        self,
        code: str,
        subject: str | None = None,
        *,
        cause: str | None = None,
        is_transient: bool = False,
        retry_after: float | None = None,
        may_have_spent: bool = False,
        rotated: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.subject = subject
        self.cause = cause or code
        self.is_transient = is_transient
        self.retry_after = retry_after
        self.may_have_spent = may_have_spent
        self.rotated = secret_or_none(rotated)


def tokens_in(document: dict[str, Any]) -> TokenResponse | TokenRequestError:
    """Return the tokens in a successful answer, or what is wrong with it (RFC 6749 section 5.1)."""
    refresh_token = document.get("refresh_token")
    rotated = refresh_token if isinstance(refresh_token, str) and is_token(refresh_token) else None
    unusable = partial(TokenRequestError, may_have_spent=True, rotated=rotated)
    if repeats(document, _MEMBERS):
        return unusable("token_response_invalid", "a member")
    for name in ("access_token", "id_token", "refresh_token"):
        token = document.get(name)
        if not isinstance(token, (str, NoneType)) or (token and not is_token(token)):
            return unusable("token_response_invalid", name)
    if not document.get("access_token"):
        return unusable("token_response_invalid", "access_token")
    token_type = document.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        return unusable("token_type_unsupported")
    scope = document.get("scope")
    if isinstance(scope, list) and all(isinstance(one, str) for one in scope):
        scope = " ".join(scope)  # Twitch's form of it
    if not isinstance(scope, (str, NoneType)):
        return unusable("token_response_invalid", "scope")
    return TokenResponse(
        access_token=document["access_token"],
        id_token=document.get("id_token") or None,
        refresh_token=rotated,
        expires_in=lifetime(document.get("expires_in")),
        scopes=scope.split() if scope else None,
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
