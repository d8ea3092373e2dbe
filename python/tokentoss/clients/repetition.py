"""Which refused calls are repeated, and with what: the one rule of the clients and of every adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tokentoss.exceptions import TokenTossError
from tokentoss.util.urls import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable

UNAUTHORIZED = 401

Token = TypeVar("Token")


def may_repeat(status: int, *, asked: str, answered: str, replayable: bool) -> bool:
    """Tell whether a call is sent once more with a newer token.

    Args:
        status: Status of the answer.
        asked: The address that the call was for.
        answered: The address that answered, which may be another one's after a redirect.
        replayable: Whether the body can be sent again.
    """
    if status != UNAUTHORIZED or not replayable:
        return False
    origin = origin_of(asked)
    return origin is not None and origin == origin_of(answered)


def newer(after: Callable[[str], Token | None], refused: str) -> Token | None:
    """Return what `after` has in place of a token that a service refused; None if there is nothing newer.

    A failure is no reason to lose the service's own answer, which says more.
    """
    try:
        return after(refused)
    except (TokenTossError, _google_error()):
        return None


def _google_error() -> type[Exception]:
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - not before something was refused

    return GoogleAuthError
