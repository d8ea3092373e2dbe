"""Text that a traceback with local variables, a log or a pickle must not show."""

from __future__ import annotations

from typing import Any

REDACTED = "[redacted]"


class Secret(str):
    """A token, a password, or a header made of one: its ``repr`` and its pickle are redacted.

    As text it works like any other, so that it can be put into a request.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Secret({REDACTED})"

    def __reduce__(self) -> Any:
        return str, (REDACTED,)


class SecretBytes(bytes):
    """The same as :class:`Secret`, for the content of files that hold tokens."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"SecretBytes({REDACTED})"

    def __reduce__(self) -> Any:
        return bytes, (REDACTED.encode(),)


def bearer_header(token: str) -> Secret:
    """Return the value of a header that carries a bearer token (RFC 6750 section 2.1)."""
    return Secret(f"Bearer {token}")
